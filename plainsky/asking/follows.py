"""Whom a viewer follows, read from the public AppView when a followed feed is asked for, and kept in memory for minutes. Never stored.

Promises: at most one reading at a time for a viewer; what is kept and how much is read are bounded; no viewer's DID is logged or counted.
Source: lexicon app.bsky.graph.getFollows.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from models.protocol.service_auth import Authenticate
from models.protocol.syntax import is_did
from models.protocol.xrpc import XrpcError
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import fetch

KEPT_SECONDS = 300.0
STALE_SECONDS = 1800.0
"""So long what was read serves on while the AppView does not answer."""
KEPT_FOLLOWS = 500_000
"""Of all viewers together: some 50 MB."""
PAGES = 100
"""Of 100 follows each: the AppView gives no more at once, and more than 10,000 are not read."""
PAGE_BYTES = 500_000
WAIT_SECONDS = 6.0
"""The AppView that asks for the feed gives up after ten."""
AT_ONCE = 8
WAITING = 200

_BUSY = "Plainsky is still reading whom you follow. Please load the feed again in a moment."
_AWAY = "Plainsky cannot read whom you follow just now. Please try again later."


class _Profile(msgspec.Struct):
    did: str


class _Page(msgspec.Struct):
    follows: list[_Profile]
    cursor: str | None = None


_decode = msgspec.json.Decoder(_Page).decode


class Follows:
    """Asks the AppView at `url`. `clock` gives seconds; only its differences count."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._clock = url, clock
        self._kept: OrderedDict[str, tuple[float, frozenset[str]]] = OrderedDict()
        self._size = 0
        self._reading: dict[str, asyncio.Task[frozenset[str]]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def of(self, viewer: str) -> frozenset[str]:
        """The DIDs that a viewer follows. XrpcError, worded for the viewer, when they cannot be told within seconds."""
        age, follows = self._remembered(viewer)
        if follows is not None and age < KEPT_SECONDS:
            return follows
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await asyncio.shield(self._task(viewer))
        except TimeoutError:
            reason = _BUSY
        except (Disconnected, ValueError):
            reason = _AWAY
        if follows is not None:
            return follows
        raise XrpcError(503, "FollowsNotRead", reason)

    def shown_to(self, authenticate: Authenticate) -> Callable[[str], Awaitable[frozenset[str]]]:
        """From an Authorization header to the DIDs that whoever asks for a feed follows."""

        async def follows(authorization: str) -> frozenset[str]:
            return await self.of(await authenticate(authorization, "app.bsky.feed.getFeedSkeleton"))

        return follows

    async def close(self) -> None:
        """Stop reading."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _remembered(self, viewer: str) -> tuple[float, frozenset[str] | None]:
        at, follows = self._kept.get(viewer, (0.0, None))
        age = self._clock() - at
        return (age, follows) if age < STALE_SECONDS else (age, None)

    def _task(self, viewer: str) -> "asyncio.Task[frozenset[str]]":
        task = self._reading.get(viewer)
        if task is None:
            if len(self._reading) >= WAITING:
                raise XrpcError(503, "FollowsNotRead", _BUSY)
            task = self._reading[viewer] = asyncio.create_task(self._read(viewer))
            task.add_done_callback(lambda done: self._done(viewer, done))
        return task

    def _done(self, viewer: str, task: "asyncio.Task[frozenset[str]]") -> None:
        del self._reading[viewer]
        if not task.cancelled() and task.exception() is None:
            self._keep(viewer, task.result())

    def _keep(self, viewer: str, follows: frozenset[str]) -> None:
        _, before = self._kept.pop(viewer, (0.0, frozenset[str]()))
        self._kept[viewer] = (self._clock(), follows)
        self._size += len(follows) - len(before)
        while self._size > KEPT_FOLLOWS and len(self._kept) > 1:
            _, (_, forgotten) = self._kept.popitem(last=False)
            self._size -= len(forgotten)

    async def _read(self, viewer: str) -> frozenset[str]:
        found: set[str] = set()
        cursor = ""
        async with self._turns:
            for _ in range(PAGES):
                page = await self._page(viewer, cursor)
                found.update(profile.did for profile in page.follows if is_did(profile.did))
                cursor = page.cursor or ""
                if not cursor:
                    break
        return frozenset(found)

    async def _page(self, viewer: str, cursor: str) -> _Page:
        asked: list[tuple[str, str | int]] = [("actor", viewer), ("limit", 100)]
        if cursor:
            asked.append(("cursor", cursor))
        status, body = await fetch(self._url, "/xrpc/app.bsky.graph.getFollows", asked, PAGE_BYTES)
        if status != 200:
            raise ValueError(f"HTTP {status}")
        try:
            return _decode(body)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError("no answer of getFollows") from error
