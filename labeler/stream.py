"""com.atproto.label.subscribeLabels: the label log as a stream, from any cursor on, then live.

Promises: no gap between replay and live, and no memory per subscriber: each re-reads `seq > cursor` from the log and sleeps until the log
is longer, so there is nothing to hand over and nothing to queue. What came last is read and encoded once for all who have read the rest.
A subscriber that does not read is sent away (ConsumerTooSlow); one that comes back with its cursor misses nothing. A cursor is exclusive,
as in Ozone. A frame holds as many labels as there are, up to a block.

Source: atproto.com/specs/event-stream, lexicon com.atproto.label.subscribeLabels, packages/ozone/src/sequencer.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from aiohttp import WSCloseCode, web

from labeler import frames, replay
from models import labels
from models.database import Database, Session
from models.label_blocks import Block

log = logging.getLogger(__name__)

RECENT_BYTES = 512_000
"""How much of the newest frames stays in memory, for those who have read all but them."""


class StreamError(Exception):
    """The stream ends with an error frame."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


class Tail:
    """How long the log is, read once for all subscribers: when woken, and every `poll` seconds, since other processes may write too."""

    def __init__(self, database: Database, poll: float) -> None:
        self.head = 0
        self._database, self._poll = database, poll
        self._recent: dict[int, Block] = {}
        self._bytes = 0
        self._awake = asyncio.Event()
        self._moved = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._watching = self._loop.create_task(self._watch())

    def wake(self) -> None:
        """The log may be longer. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._awake.set)

    async def beyond(self, seq: int) -> None:
        """Returns as soon as the log goes beyond `seq`."""
        while self.head <= seq:
            await self._moved.wait()

    def recent(self, seq: int) -> Block | None:
        """The frame that follows `seq`, if it is one of the newest."""
        return self._recent.get(seq)

    async def close(self) -> None:
        """Watch no longer."""
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        ill = False
        while True:
            try:
                await self._look()
                ill = False
            except Exception:  # the database is away: try again until it is back
                if not ill:
                    log.exception("cannot read the label log")
                ill = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), self._poll)
            self._awake.clear()

    async def _look(self) -> None:
        if self.head == 0:
            self._move(await self._database.read(labels.last_seq))
            return
        while block := await self._database.read(replay.newest, self.head):
            self._keep(block)
            self._move(block.last_seq)

    def _keep(self, block: Block) -> None:
        self._recent[self.head] = block
        self._bytes += len(block.frame)
        while self._bytes > RECENT_BYTES and len(self._recent) > 1:
            self._bytes -= len(self._recent.pop(next(iter(self._recent))).frame)

    def _move(self, head: int) -> None:
        if head > self.head:
            self.head = head
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()


class Subscriber:
    """One connection. `patience` is how long, in seconds, a frame may wait for the client to read. What comes next is above `seq_above`:
    after a log was lost, who has read further than the log, but not further than this, misses nothing and waits."""

    def __init__(self, request: web.Request, database: Database, tail: Tail, seq_above: int, patience: float, grace: float) -> None:
        # Deflate would cost every subscriber a compressor; signatures do not shrink. Nothing that a client sends is of interest.
        self.socket = web.WebSocketResponse(timeout=grace, heartbeat=30, compress=False, max_msg_size=65_536)
        self.cursor, self._seq_above = 0, seq_above
        self._request, self._database, self._tail, self._patience, self._grace = request, database, tail, patience, grace
        self._following: asyncio.Task[None] | None = None
        self._leaving = False
        self._left = asyncio.Event()

    async def leave(self) -> None:
        """The service ends: say goodbye, and return when the connection is done with."""
        self._leaving = True
        if self._following:
            self._following.cancel()
            await self._left.wait()

    async def serve(self, cursor: int | None) -> None:
        """Speak until either side has enough."""
        await self.socket.prepare(self._request)
        try:
            await self._speak(cursor)
        finally:
            self._left.set()

    async def _speak(self, cursor: int | None) -> None:
        self._following = asyncio.create_task(self._follow(cursor))
        listening = asyncio.create_task(self._listen())
        if self._leaving:  # while the connection was being made
            self._following.cancel()
        try:
            await asyncio.wait((self._following, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._following.cancel()
            listening.cancel()
            await asyncio.gather(self._following, listening, return_exceptions=True)
            await self._end(self._following)

    async def _listen(self) -> None:
        # Reading answers pings and notices the end; data frames mean nothing in this protocol.
        async for _ in self.socket:
            pass

    async def _follow(self, cursor: int | None) -> None:
        oldest, head = await self._database.read(_bounds)
        if cursor is not None and cursor > max(head, self._seq_above):
            raise StreamError("FutureCursor", "Cursor in the future.")
        if cursor and oldest > cursor + 1:
            outdated = frames.info("OutdatedCursor", "Requested cursor exceeded limit. Possibly missing events")
            await self._send([Block(cursor, outdated)])
        self.cursor = head if cursor is None else cursor
        while True:
            await self._tail.beyond(self.cursor)
            recent = self._tail.recent(self.cursor)
            await self._send([recent] if recent else await self._database.glance(replay.following, self.cursor))

    async def _send(self, blocks: Iterable[Block]) -> None:
        try:
            for block in blocks:
                async with asyncio.timeout(self._patience):
                    await self.socket.send_bytes(block.frame)
                self.cursor = block.last_seq
        except TimeoutError:
            raise StreamError("ConsumerTooSlow", "Stream consumer too slow") from None

    async def _end(self, following: asyncio.Task[None]) -> None:
        transport = self._request.transport
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(self._grace):
                await self._say_goodbye(following)
        if transport and transport.get_write_buffer_size():
            transport.abort()  # who does not read now never will; the kernel would keep the socket for ever

    async def _say_goodbye(self, following: asyncio.Task[None]) -> None:
        if following.cancelled():
            await self.socket.close(code=WSCloseCode.GOING_AWAY, drain=False)
        elif isinstance(why := following.exception(), StreamError):
            await self.socket.send_bytes(frames.error(why.name, why.message))
            await self.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=why.name.encode(), drain=False)
        else:
            if not isinstance(why, ConnectionError):
                log.error("a label subscription broke", exc_info=why)
            await self.socket.close(code=WSCloseCode.INTERNAL_ERROR, drain=False)


def _bounds(session: Session) -> tuple[int, int]:
    return labels.first_seq(session), labels.last_seq(session)
