"""Reads one source for ever: the next host when one fails, again after a growing pause, and never trusting a silent socket.

Promises: every connection resumes from what is stored, not from what was received; a cancellation ends it within seconds.
Time, sleep and chance are arguments.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from plainsky.ingest import Disconnected, Position, Refused, Sink, Source

log = logging.getLogger(__name__)

NEAR_US = 600 * 1_000_000
"""A host that we left not longer ago than this is taken up where we left it."""
LONGEST_ASKED = 3600.0
"""Seconds a host may make us wait by Retry-After."""

Resume: TypeAlias = Callable[[str], Awaitable[Position | None]]
Remembered: TypeAlias = Callable[[str], Awaitable[Position | None]]


@frozen
class Patience:
    """When to give up waiting, and how long to pause; in seconds."""

    silence: float = 60.0
    """An open connection on which nothing comes for so long is taken for dead."""
    attempts: int = 3
    """Failures on one host before the next one is tried."""
    first_pause: float = 1.0
    longest_pause: float = 60.0
    good_stretch: float = 30.0
    """A connection that lasted so long makes pauses short again."""
    margin_us: int = 10_000_000
    """Re-read when the host changes, in upstream's microseconds."""


class Silent(Disconnected):
    """Nothing came, although the socket is open."""


class Supervisor:
    """Runs `source` over `hosts` into `sink`.

    `resume(host)` is awaited before each connection: it stores what was put, takes cursors for that host's from then on, and tells the
    last stored position (of whichever host). `remembered(host)` tells how far that very host was stored.
    """

    def __init__(
        self,
        source: Source,
        hosts: Sequence[str],
        sink: Sink,
        resume: Resume,
        remembered: Remembered | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._source, self._hosts, self._sink = source, tuple(hosts), sink
        self._resume, self._remembered = resume, remembered
        self._patience = patience or Patience()
        self._sleep, self._clock, self._chance = sleep, clock, chance
        self._at = 0  # which host
        self._failures = 0  # in a row, on this host
        self._tries = 0  # in a row, on any host, without a good stretch

    @property
    def host(self) -> str:
        """The host in use."""
        return self._hosts[self._at]

    async def run(self) -> None:
        """Until cancelled, or until the source is finished for good."""
        while True:
            began, seen = self._clock(), self._source.received
            try:
                return await self._connect()
            except Disconnected as error:
                if self._clock() - began >= self._patience.good_stretch:
                    self._tries = 0
                    self._failures = 0 if self._source.received > seen else self._failures
                await self._pause(error)

    async def _connect(self) -> None:
        start = await self._start()
        watched = _Watched(self._sink)
        reading = asyncio.ensure_future(self._source.run(self.host, start, watched))
        try:
            await self._watch(reading, watched)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _start(self) -> Position | None:
        last = await self._resume(self.host)
        if last is None or last.host == self.host or self._remembered is None:
            return last
        known = await self._remembered(self.host)
        wanted_us = last.time_us - self._patience.margin_us
        return known if known and 0 <= wanted_us - known.time_us <= NEAR_US else last

    async def _watch(self, reading: "asyncio.Future[None]", watched: "_Watched") -> None:
        """Until the source ends, or a quarter of the allowed silence passed four times without a frame."""
        quiet, seen = 0, self._source.received
        while quiet < 4:
            nap = asyncio.ensure_future(self._sleep(self._patience.silence / 4))
            try:
                await asyncio.wait([reading, nap], return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
            if reading.done():
                return reading.result()
            moved = watched.waiting or self._source.received != seen
            quiet, seen = 0 if moved else quiet + 1, self._source.received
        raise Silent(f"nothing arrived for {self._patience.silence:g} s")

    async def _pause(self, error: Disconnected) -> None:
        """Full jitter: from nothing up to a limit that doubles, so that a host that comes back is not stormed."""
        patience, host = self._patience, self.host
        wait = self._chance() * min(patience.longest_pause, patience.first_pause * 2.0 ** min(self._tries, 30))
        self._tries += 1
        self._failures += 1
        if isinstance(error, Refused) or self._failures >= patience.attempts:
            self._at = (self._at + 1) % len(self._hosts)
            self._failures = 0
        if self.host == host:
            wait = max(wait, min(error.retry_after or 0.0, LONGEST_ASKED))
        log.warning("%s: %s; %s in %.1f s", host, error, "again" if self.host == host else f"on to {self.host}", wait)
        await self._sleep(wait)


class _Watched:
    """The sink, and whether the source waits for room in it: then silence is ours."""

    def __init__(self, sink: Sink) -> None:
        self.put, self.passed, self.drop, self.gap = sink.put, sink.passed, sink.drop, sink.gap  # no extra call on the hot path
        self.connected = sink.connected
        self._room = sink.room
        self.waiting = False

    async def room(self) -> None:
        self.waiting = True
        await self._room()
        self.waiting = False
