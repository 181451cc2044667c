"""A labeler's stream as it is read: where it is and which key signs say its DID document; what to do with its labels says somebody else.

Promises: only labels that the labeler's key signed are handed on, each with the cursor behind it. Whatever a labeler sends costs bounded
memory, and ends nothing but its own connection.
Source: lexicon com.atproto.label.subscribeLabels, atproto.com/specs/label, atproto.com/specs/event-stream.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Protocol

from aiohttp import WSMsgType

from labeler.foreign import Garbage, Heard, heard, is_signed
from models.protocol.public_keys import PublicKey
from plainsky.asking.did_documents import DidDocument, DidDocuments, Unresolved
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import WebSocket, connected, ended
from plainsky.ingest.firehose import FutureCursor, opened

log = logging.getLogger(__name__)

PATH = "/xrpc/com.atproto.label.subscribeLabels"
BATCH = 500
"""Labels handed on at once."""
AGE_SECONDS = 1.0
IDLE_SECONDS = 30.0
"""How often the cursor is handed on while only labels of no interest pass by."""
HEARTBEAT_SECONDS = 30.0
LONGEST_PAUSE = 300.0
GOOD_SECONDS = 60.0
"""A connection that lasted so long makes pauses short again."""
BREATH = 256
"""Frames after which others have their turn, while a backlog is read."""
MAX_SEQ = 2**63 - 1

Sleep = Callable[[float], Coroutine[Any, Any, None]]


class Keeping(Protocol):
    """What becomes of the labels."""

    async def cursor(self) -> int:
        """From where on to read: what was kept last, 0 for all."""

    def connected(self) -> None:
        """The labeler has taken the connection."""

    async def floor(self) -> int:
        """The time (µs) before which no label on a post is needed."""

    async def keep(self, told: Sequence[Heard], cursor: int) -> None:
        """These came, and the stream is read up to `cursor`."""

    async def forget(self) -> None:
        """The labeler counts anew: read from the beginning next time."""

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what was left out."""


class LabelStream:
    """One labeler's stream, of which labels with the `wanted` values are kept."""

    def __init__(
        self,
        did: str,
        wanted: Collection[str],
        documents: DidDocuments,
        keeping: Keeping,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.did, self._wanted = did, frozenset(wanted)
        self._documents, self._keeping = documents, keeping
        self._sleep, self._chance = sleep, chance
        self._heard: list[Heard] = []
        self._cursor = self._stored = 0
        self._since = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        tries = 0
        while True:
            began = time.monotonic()
            try:
                await self._follow(fresh=tries > 0)
            except (Disconnected, Unresolved, ValueError) as error:
                tries = 0 if time.monotonic() - began >= GOOD_SECONDS else tries + 1
                asked = getattr(error, "retry_after", None) or 0.0
                pause = min(max(self._chance() * 2.0 ** min(tries, 30), asked), LONGEST_PAUSE)
                log.warning("labeler %s: %s; again in %.1f s", self.did, error, pause)
                await self._sleep(pause)

    async def _follow(self, fresh: bool) -> None:
        """One connection; what was read on it is stored before its end is told. fresh: it may be in another place now."""
        self._heard, self._cursor = [], await self._keeping.cursor()
        self._stored = self._cursor
        document = await self._documents.get(self.did, fresh=fresh)
        host = self._documents.outside.address(_endpoint(document))
        sessions = lambda: self._documents.outside.session(host)  # noqa: E731 a partial would say the same
        try:
            async with connected(host, PATH, [("cursor", self._cursor)], (), sessions, HEARTBEAT_SECONDS) as socket:
                self._keeping.connected()
                await self._read(socket)
        except FutureCursor:
            log.warning("labeler %s begins anew, so do we", self.did)
            await self._keeping.forget()
            raise
        except Disconnected:
            await self._store()
            raise

    async def _read(self, socket: WebSocket) -> None:
        self._since, frames = time.monotonic(), 0
        while True:
            try:
                async with asyncio.timeout(AGE_SECONDS if self._heard else IDLE_SECONDS):
                    message = await socket.receive()
            except TimeoutError:
                await self._store()
                continue
            if message.type is not WSMsgType.BINARY:
                raise ended(socket, message)
            self._take(message.data)
            frames += 1
            if self._is_due():
                await self._store()
            elif frames % BREATH == 0:
                await asyncio.sleep(0)

    def _is_due(self) -> bool:
        age = time.monotonic() - self._since
        return len(self._heard) >= BATCH or age >= (AGE_SECONDS if self._heard else IDLE_SECONDS)

    def _take(self, frame: bytes) -> None:
        """The wanted labels of a frame. Disconnected when the stream cannot go on."""
        name, body = opened(frame)
        if name == "#info":
            log.warning("labeler %s says %s: labels may be missing", self.did, body.get("name"))
        if name != "#labels":
            return
        seq, labels = body.get("seq"), body.get("labels")
        if type(seq) is not int or not 0 <= seq <= MAX_SEQ or not isinstance(labels, list):
            raise Disconnected("invalid framing: no seq, or no labels")
        for fields in labels:
            try:
                if one := heard(seq, fields, self.did, self._wanted):
                    self._heard.append(one)
            except Garbage as reason:
                self._keeping.drop(str(reason))
        self._cursor = max(self._cursor, seq)

    async def _store(self) -> None:
        """Check what was heard, and hand it on."""
        taken, self._heard = self._heard, []
        self._since = time.monotonic()
        if self._cursor == self._stored and not taken:
            return
        floor = await self._keeping.floor()
        recent = [one for one in taken if one.label.cts >= floor or not one.label.uri.startswith("at://")]
        await self._keeping.keep(await self._signed(recent), self._cursor)
        self._stored = self._cursor

    async def _signed(self, found: list[Heard]) -> list[Heard]:
        """Those that the labeler signed. Before one is refused, its DID document is asked for anew: the key may be another now."""
        for fresh in (False, True):
            key = _key(await self._documents.get(self.did, fresh=fresh)) if found else None
            good = await asyncio.to_thread(_checked, found, key)
            if len(good) == len(found):
                return good
        self._keeping.drop("bad_label_signature", len(found) - len(good))
        return good


def _checked(found: Collection[Heard], key: PublicKey | None) -> list[Heard]:
    return [one for one in found if key and is_signed(one, key)]


def _endpoint(document: DidDocument) -> str:
    endpoint = document.endpoint("#atproto_labeler", "AtprotoLabeler")
    if endpoint is None:
        raise ValueError("its DID document names no labeler")
    return endpoint


def _key(document: DidDocument) -> PublicKey | None:
    """Its key for labels, and no other: what `#atproto` signs is no label (atproto.com/specs/label)."""
    return document.keys.get("#atproto_label")
