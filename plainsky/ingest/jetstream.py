"""`source = "jetstream"`: the network as JSON, already filtered to posts and to what happens to accounts.

Two wires, one source: v2 is XRPC (`network.bsky.jetstream.subscribeEvents`, cursor = the instance's seq), v1 is `/subscribe` (cursor =
microseconds). Promises: an instance's seq is never shown to another one; a cursor that was too old is never passed over in silence.
Sources: bluesky-social/jetstream docs/README.md and internal/subscribe/doc.go, lexicon network.bsky.jetstream.subscribeEvents.
"""

import logging
from collections.abc import Callable
from typing import Literal, TypeAlias

from aiohttp import WSMsgType

from plainsky.ingest import POSTS, Position, Refused, Sink
from plainsky.ingest.connecting import BadRequest, NotServed, WebSocket, connected, ended
from plainsky.ingest.decoding import Clock
from plainsky.ingest.dictionaries import Dictionaries, Dictionary
from plainsky.ingest.gaps import Gap
from plainsky.ingest.jetstream_lines import CountsAnew, Heads, V1Lines, V2Lines
from plainsky.ingest.passing import Passing

log = logging.getLogger(__name__)

V2_PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"
V1_PATH = "/subscribe"
V1_DICTIONARY = 1_612_007_021  # the id of the one dictionary that v1 ever had
FIRST_TIME = 10**15
"""A cursor of at least this is microseconds, a smaller one is a seq (Jetstream's own rule, on both wires)."""
HANDSHAKES = 5  # a cursor too old, a dictionary retired or two: then this host is broken
ROOM_EVERY = 31  # ask for room after every 32 lines: a mask, for the loop is hot

Wire: TypeAlias = Literal["auto", "v1", "v2"]
Query: TypeAlias = list[tuple[str, str | int]]


class Jetstream:
    """Reads Jetstream instances. `wire = "auto"` tries v2 first, and v1 on a host that does not know v2."""

    kind = "jetstream"

    def __init__(self, wire: Wire = "auto", margin_us: int = 10_000_000, compress: bool = True) -> None:
        self.received = 0
        self._clock = Clock()
        self._wire = wire
        self._margin_us = margin_us
        self._dictionaries = Dictionaries() if compress else None

    async def run(self, host: str, start: Position | None, sink: Sink) -> None:
        """See `plainsky.ingest.Source`."""
        if self._wire != "v1":
            try:
                return await self._run_v2(host, start, sink)
            except NotServed:
                if self._wire == "v2":
                    raise
                log.info("%s does not serve the v2 wire: reading v1", host)
        return await self._run_v1(host, start, sink)

    async def _run_v2(self, host: str, start: Position | None, sink: Sink) -> None:
        gap = Gap(sink, start)
        cursor = self._v2_cursor(host, start)
        for _ in range(HANDSHAKES):
            dictionary = await self._dictionary(host)
            lines = V2Lines(sink, gap, self._clock, start if start and cursor == start.cursor else None)
            try:
                return await self._read(host, V2_PATH, _v2_query(cursor, dictionary), lines, sink, dictionary)
            except CountsAnew as error:
                assert start
                log.warning("%s: %s: reading from the time that was reached", host, error)
                cursor = self._by_time(start)
            except BadRequest as error:
                if error.name == "CursorTooOld" and start and cursor != self._by_time(start):
                    gap.suspect("CursorTooOld")
                    cursor = self._by_time(start)
                elif error.name == "UnknownZstdDictionary" and dictionary and self._dictionaries:
                    self._dictionaries.retired(host, dictionary)
                else:
                    raise
        raise Refused("the host does not accept what it offers")

    async def _run_v1(self, host: str, start: Position | None, sink: Sink) -> None:
        dictionary = await self._dictionary(host, V1_DICTIONARY)
        cursor = self._v1_cursor(host, start)
        query: Query = [("wantedCollections", POSTS)]
        query += [("cursor", cursor)] if cursor else []
        query += [("compress", "true")] if dictionary else []
        await self._read(host, V1_PATH, query, V1Lines(sink, Gap(sink, start), start, self._clock), sink, dictionary)

    async def _read(self, host: str, path: str, query: Query, lines: V1Lines | V2Lines, sink: Sink, dictionary: Dictionary | None) -> None:
        protocols = ("xrpc.v1.json",) if path is V2_PATH else ()
        async with connected(host, path, query, protocols) as socket:
            sink.connected(host)
            await self._lines(socket, Passing(Heads().no_post, lines.gap, lines.read).read, sink, dictionary)

    async def _lines(self, socket: WebSocket, read: Callable[[bytes], None], sink: Sink, dictionary: Dictionary | None) -> None:
        receive, room, text, binary = socket.receive, sink.room, WSMsgType.TEXT, WSMsgType.BINARY
        expand = dictionary.expand if dictionary else None
        while True:
            message = await receive()
            if message.type is text:
                read(message.data)
            elif message.type is binary and expand:
                read(expand(message.data))
            else:
                raise ended(socket, message)
            self.received += 1
            if not self.received & ROOM_EVERY:
                await room()

    async def _dictionary(self, host: str, id: int | None = None) -> Dictionary | None:
        return await self._dictionaries.of(host, id) if self._dictionaries else None

    def _v2_cursor(self, host: str, start: Position | None) -> int | None:
        if start is None:
            return None
        return start.cursor if start.host == host else self._by_time(start)

    def _v1_cursor(self, host: str, start: Position | None) -> int | None:
        """Always a time: a small number is a seq that v2 left for this host, and old v1 software would take it for the year 1970."""
        if start is None:
            return None
        return start.cursor if start.host == host and start.cursor >= FIRST_TIME else self._by_time(start)

    def _by_time(self, start: Position) -> int:
        return max(FIRST_TIME, start.time_us - self._margin_us)


def _v2_query(cursor: int | None, dictionary: Dictionary | None) -> Query:
    """Kinds are named, so that a kind that is added one day does not come unasked."""
    query: Query = [("kinds", kind) for kind in ("commit", "identity", "account", "sync")]
    query += [("collections", POSTS)]
    query += [] if cursor is None else [("cursor", cursor)]
    return query + ([("zstdDictionary", dictionary.id)] if dictionary else [])
