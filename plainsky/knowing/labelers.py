"""Follows the labelers that rules name, each on its own stream: where it is and which key signs say its DID document.

Promises: only labels that the labeler's key signed are stored, each with the cursor behind it, in one transaction with what follows in the
feeds; a stream is resumed from what is stored. Whatever a labeler sends costs bounded memory, and ends nothing but its own connection.
Source: lexicon com.atproto.label.subscribeLabels, atproto.com/specs/label, atproto.com/specs/event-stream.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

import msgspec
from aiohttp import WSMsgType

from labeler.foreign import Garbage, Heard, heard, is_signed
from models import cursors, known_labels, settings
from models.database import Database, Session
from models.protocol.public_keys import PublicKey
from plainsky.asking.did_documents import DidDocument, DidDocuments, Unresolved
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import WebSocket, connected, ended
from plainsky.ingest.firehose import FutureCursor, opened
from plainsky.metrics import Metrics
from plainsky.patience import patiently
from plainsky.pipeline.learning import labels_read, learn
from plainsky.pipeline.storing import Outcome, Storer

log = logging.getLogger(__name__)

PATH = "/xrpc/com.atproto.label.subscribeLabels"
BATCH = 500
"""Labels stored at once."""
AGE_SECONDS = 1.0
IDLE_SECONDS = 30.0
"""How often the cursor is stored while only labels of no interest pass by."""
HEARTBEAT_SECONDS = 30.0
LONGEST_PAUSE = 300.0
GOOD_SECONDS = 60.0
"""A connection that lasted so long makes pauses short again."""
BREATH = 256
"""Frames after which others have their turn, while a backlog is read."""
MAX_SEQ = 2**63 - 1
_STREAM = "labels "

Floor = Callable[[int], int]
"""The log's time to the time (both in µs) before which no label on a post is needed."""


def stream_of(did: str) -> str:
    """Under which name a labeler's cursor is stored."""
    return _STREAM + did


def prepare(session: Session, wanted: Mapping[str, Collection[str]]) -> None:
    """Before the first connection. wanted: by labeler, the values that rules ask for.

    What no rule asks for any more is forgotten; a labeler of which more is asked than before is read from its beginning.
    """
    known_labels.forget(session, wanted)
    for name in settings.named(session, _STREAM):
        if name.removeprefix(_STREAM) not in wanted:
            cursors.forget(session, name)
            settings.forget(session, name)
    for did, values in wanted.items():
        asked = settings.get(session, stream_of(did))
        if asked is None or not set(values) <= set(msgspec.json.decode(asked, type=list[str])):
            cursors.forget(session, stream_of(did))
        settings.put(session, stream_of(did), msgspec.json.encode(sorted(values)).decode())


class Labeler:
    """One labeler's stream, of which labels with the `wanted` values are stored."""

    def __init__(
        self,
        did: str,
        wanted: Collection[str],
        database: Database,
        storer: Storer,
        documents: DidDocuments,
        metrics: Metrics,
        committed: Callable[[Outcome], None],
        floor: Floor,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.did, self._wanted = did, frozenset(wanted)
        self._database, self._storer, self._documents = database, storer, documents
        self._metrics, self._committed, self._floor = metrics, committed, floor
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
        found = await patiently(self._database.read, cursors.of_host, stream_of(self.did))
        self._heard, self._cursor = [], found[0] if found else 0
        self._stored = self._cursor
        document = await self._documents.get(self.did, fresh=fresh)
        host = self._documents.outside.address(_endpoint(document))
        sessions = lambda: self._documents.outside.session(host)  # noqa: E731 a partial would say the same
        try:
            async with connected(host, PATH, [("cursor", self._cursor)], (), sessions, HEARTBEAT_SECONDS) as socket:
                await self._read(socket)
        except FutureCursor:
            log.warning("labeler %s begins anew, so do we", self.did)
            await patiently(self._database.write, cursors.forget, stream_of(self.did))
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
                self._metrics.dropped(str(reason))
        self._cursor = max(self._cursor, seq)

    async def _store(self) -> None:
        """Check and store what was heard."""
        taken, self._heard = self._heard, []
        self._since = time.monotonic()
        if self._cursor == self._stored and not taken:
            return
        floor = self._floor(await patiently(self._database.read, cursors.log_time))
        recent = [one for one in taken if one.label.cts >= floor or not one.label.uri.startswith("at://")]
        told = [one.label for one in await self._signed(recent)]
        outcome = await patiently(learn, self._database, self._storer, labels_read, stream_of(self.did), told, self._cursor)
        self._stored = self._cursor
        self._committed(outcome)

    async def _signed(self, found: list[Heard]) -> list[Heard]:
        """Those that the labeler signed. Before one is refused, its DID document is asked for anew: the key may be another now."""
        for fresh in (False, True):
            key = _key(await self._documents.get(self.did, fresh=fresh)) if found else None
            good = await asyncio.to_thread(_checked, found, key)
            if len(good) == len(found):
                return good
        self._metrics.dropped("bad_label_signature", len(found) - len(good))
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
