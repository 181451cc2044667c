"""`source = "replay"`: plays a recording as if it came over a wire, at full speed, in real time or n times as fast.

Its host is the path of the recording, its cursor the number of a line over all its files, from 1. Holes in the recording are told as gaps.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from models.events import Event
from plainsky.ingest import Position, Sink
from plainsky.ingest.decoding import well_formed
from plainsky.ingest.notes import BeginNote, GapNote, noted
from plainsky.ingest.recording import lines

log = logging.getLogger(__name__)

BREATH_EVERY = 255  # after every 256 lines others may run: a mask
NAP_SECONDS = 1.0

_decode: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode


class Replay:
    """Plays recordings. `pace` 0 is full speed, 1 as it happened, n is n times as fast."""

    kind = "replay"

    def __init__(
        self,
        pace: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.received = 0
        self._pace, self._clock, self._sleep = pace, clock, sleep
        self._bad = 0
        self._last_us: int | None = None
        self._hole: int | None = None  # the time of the last event before one

    async def run(self, host: str, start: Position | None, sink: Sink) -> None:
        """Play the recording at the path `host` to its end, again from `start` if that is a position in it, else whole.

        OperatorError when there is none.
        """
        first = start.cursor if start and start.host == host else 1
        began: tuple[int, float] | None = None
        sink.connected(host)
        for number, line in enumerate(lines(Path(host)), 1):
            if number < first:
                continue
            self.received += 1
            event = decoded(line)
            if event is None:
                self._note(line, f"{host}: line {number}", sink)
                continue
            self._pass_hole(event, sink)
            if self._pace:
                began = began or (event.time_us, self._clock())
                await self._until(began[1] + (event.time_us - began[0]) / 1e6 / self._pace)
            sink.put(event, number)
            if not number & BREATH_EVERY:
                await asyncio.sleep(0)
                await sink.room()
        log.info("%s: played to its end, %d lines that are no events left out", host, self._bad)

    def _note(self, line: bytes, where: str, sink: Sink) -> None:
        note = noted(line)
        if isinstance(note, GapNote):
            sink.gap(note.from_us, note.to_us, note.cause)
        elif isinstance(note, BeginNote):
            self._hole = self._last_us
        elif note is None:
            sink.drop("bad_line")
            self._bad += 1
            if self._bad == 1:
                log.warning("%s is no event, and left out, as are others like it: %s", where, _why_not(line))

    def _pass_hole(self, event: Event, sink: Sink) -> None:
        """Nobody recorded between the last event and this one."""
        if self._hole is not None:
            sink.gap(self._hole, max(self._hole, event.time_us), "recording stopped")
            self._hole = None
        self._last_us = event.time_us

    async def _until(self, due: float) -> None:
        """Wait, awake enough that no watchdog takes a quiet stretch of a recording for a dead host."""
        while (left := due - self._clock()) > 0:
            self.received += 1
            await self._sleep(min(left, NAP_SECONDS))


def decoded(line: bytes) -> Event | None:
    """The event of a line; None when it is none."""
    try:
        event = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return event if well_formed(event) else None


def _why_not(line: bytes) -> str:
    """What is wrong with a line that is no event, in a few printable words."""
    try:
        _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return ascii(str(error) or type(error).__name__)[1:-1][:200]
    return "a DID, record key, revision, CID or time that is none"
