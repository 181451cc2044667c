"""Reads single posts from the public network, for readers who ask about one that was never stored.

Promises: only the AppView and the resolver of the config are asked, for posts and handles and nothing else, so this is no open proxy. All
readers together cause a bounded number of questions a minute, and the same question is not asked twice within minutes. Answers are
bounded, redirects are not followed, and who asked for what is not logged or counted.
Sources: lexicons com.atproto.repo.getRecord, com.atproto.identity.resolveHandle.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

import msgspec

from models import accounts
from models.database import Database
from models.post import POST, Post, parse
from models.protocol.syntax import is_did, is_handle, is_record_key, parse_at_uri
from plainsky.config.schema import Config
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import Parameters, fetch

A_MINUTE = 60
"""Questions that all readers together may cause in a minute."""
AT_ONCE = 4
SECONDS = 5.0
BYTES = 200_000
KEPT_SECONDS = 300.0
KEPT = 500
LONGEST = 2_048
_LINK = re.compile(r"(?:https?://)?(?:www\.)?bsky\.app/profile/([^/?#\s]+)/post/([^/?#\s]+)/?(?:[?#].*)?")
_GONE = frozenset({400, 404})


class Cannot(Exception):
    """What was asked cannot be answered; the message is the key of a text ("busy", "away", "gone", "unknown_handle", "not_a_post")."""


class Asked(NamedTuple):
    """A post that a reader names; `actor` is a DID or a handle."""

    actor: str
    rkey: str


class Fetched(NamedTuple):
    """A post as the public network has it."""

    cid: str
    post: Post


class _Record(msgspec.Struct):
    """The output of getRecord."""

    value: dict[str, Any]
    cid: str = ""


class _Resolved(msgspec.Struct):
    """The output of resolveHandle."""

    did: str


_Answer: TypeAlias = "Fetched | str | Cannot"


def asked(written: str) -> Asked:
    """The post that a link or an at-uri names; Cannot when it names none."""
    text = written.strip()
    if len(text) <= LONGEST:
        uri = parse_at_uri(text)
        link = _LINK.fullmatch(text)
        if link:
            return _checked(unquote(link[1]), unquote(link[2]))
        if uri and uri.collection == POST and uri.rkey:
            return _checked(uri.authority, uri.rkey)
    raise Cannot("not_a_post")


def _checked(actor: str, rkey: str) -> Asked:
    actor = actor.removeprefix("@")
    actor = actor if actor.startswith("did:") else actor.lower()
    if not (is_did(actor) or is_handle(actor)) or not is_record_key(rkey):
        raise Cannot("not_a_post")
    return Asked(actor, rkey)


class Asking:
    """Asks the config's AppView and resolver. `clock` gives seconds; only its differences count."""

    def __init__(self, config: Config, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._appview, self._resolver = config.appview.url, config.identity.resolver
        self._database, self._clock = database, clock
        self._kept: OrderedDict[tuple[str, ...], tuple[float, _Answer]] = OrderedDict()
        self._minute, self._left = -1, 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def did(self, actor: str) -> str:
        """The DID of a handle, as last heard on the stream or as the resolver says. Cannot when nobody has it."""
        if actor.startswith("did:"):
            return actor
        if known := (await self._database.read(accounts.by_handle, [actor])).get(actor):
            return known
        found = await self._once(("handle", actor), lambda: self._resolve(actor))
        assert isinstance(found, str)
        return found

    async def post(self, did: str, rkey: str) -> Fetched:
        """A post of the public network. Cannot when it is not there."""
        found = await self._once(("post", did, rkey), lambda: self._fetch(did, rkey))
        assert isinstance(found, Fetched)
        return found

    async def _once(self, key: tuple[str, ...], ask: Callable[[], Awaitable[Fetched | str]]) -> Fetched | str:
        """The answer, kept for some minutes; that there is none is kept as well."""
        now = self._clock()
        kept = self._kept.get(key)
        if kept is None or now - kept[0] > KEPT_SECONDS:
            kept = now, await self._answer(ask)
            self._keep(key, kept)
        if isinstance(kept[1], Cannot):
            raise Cannot(str(kept[1]))
        return kept[1]

    async def _answer(self, ask: Callable[[], Awaitable[Fetched | str]]) -> _Answer:
        self._spend()
        try:
            async with asyncio.timeout(SECONDS), self._turns:
                return await ask()
        except Cannot as error:
            return error
        except (Disconnected, TimeoutError):
            raise Cannot("away") from None

    def _keep(self, key: tuple[str, ...], kept: tuple[float, _Answer]) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _spend(self) -> None:
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._left = minute, A_MINUTE
        if not self._left:
            raise Cannot("busy")
        self._left -= 1

    async def _resolve(self, handle: str) -> str:
        answer = await self._get(self._resolver, "com.atproto.identity.resolveHandle", [("handle", handle)], _Resolved, "unknown_handle")
        if not is_did(answer.did):
            raise Cannot("unknown_handle")
        return str(answer.did)

    async def _fetch(self, did: str, rkey: str) -> Fetched:
        parameters = [("repo", did), ("collection", POST), ("rkey", rkey)]
        answer = await self._get(self._appview, "com.atproto.repo.getRecord", parameters, _Record, "gone")
        post = parse(answer.value)
        if post is None:
            raise Cannot("gone")
        return Fetched(answer.cid, post)

    async def _get(self, host: str, nsid: str, parameters: Parameters, kind: type[Any], refused: str) -> Any:
        status, body = await fetch(host, f"/xrpc/{nsid}", parameters, BYTES)
        if status in _GONE:
            raise Cannot(refused)
        try:
            return msgspec.json.decode(body, type=kind)
        except (ValueError, RecursionError) as error:
            raise Disconnected("no such answer") from error
