"""com.atproto.label.subscribeLabels: the label log as a stream, from any cursor on, then live.

Promises: no gap between replay and live, and no memory per subscriber: each re-reads `seq > cursor` from the log and sleeps until the log
is longer, so there is nothing to hand over and nothing to queue. A subscriber that does not read is sent away (ConsumerTooSlow); one that
comes back with its cursor misses nothing. A cursor is exclusive, as in Ozone.

Source: atproto.com/specs/event-stream, lexicon com.atproto.label.subscribeLabels, packages/ozone/src/sequencer.
"""

import asyncio
import contextlib
import logging

from aiohttp import WSCloseCode, web

from labeler import frames
from models import labels
from models.database import Database, Session

log = logging.getLogger(__name__)

CHUNK = 500
"""Frames of one read; between two reads it is others' turn."""


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
        self._awake = asyncio.Event()
        self._moved = asyncio.Condition()
        self._loop = asyncio.get_running_loop()
        self._watching = self._loop.create_task(self._watch())

    def wake(self) -> None:
        """The log may be longer. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._awake.set)

    async def beyond(self, seq: int) -> None:
        """Returns as soon as the log goes beyond `seq`."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.head > seq)

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
        head = await self._database.read(labels.last_seq)
        if head != self.head:
            async with self._moved:
                self.head = head
                self._moved.notify_all()


class Subscriber:
    """One connection. `patience` is how long, in seconds, a frame may wait for the client to read."""

    def __init__(self, request: web.Request, database: Database, tail: Tail, patience: float, grace: float) -> None:
        # Deflate would cost every subscriber a compressor; signatures do not shrink. Nothing that a client sends is of interest.
        self.socket = web.WebSocketResponse(timeout=grace, heartbeat=30, compress=False, max_msg_size=65_536)
        self.cursor = 0
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
        if cursor is not None and cursor > head:
            raise StreamError("FutureCursor", "Cursor in the future.")
        if cursor and oldest > cursor + 1:
            await self._send(frames.info("OutdatedCursor", "Requested cursor exceeded limit. Possibly missing events"))
        self.cursor = head if cursor is None else cursor
        while True:
            await self._tail.beyond(self.cursor)
            for seq, frame in await self._database.read(labels.frames, self.cursor, CHUNK):
                await self._send(frame)
                self.cursor = seq

    async def _send(self, frame: bytes) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self.socket.send_bytes(frame)
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
