"""Collects what a source reads into batches by count or age, and stores one after the other.

Promises: nothing is stored out of order; a batch that cannot be stored (the database is away) is tried again for ever, and meanwhile the
source is made to wait, so memory stays bounded; the cursor is stored with the data it belongs to, never before.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from models.cursors import Gap
from models.database import Database
from models.events import Event
from plainsky.ingest import Position
from plainsky.metrics import Metrics
from plainsky.patience import patiently
from plainsky.pipeline.folding import Folded
from plainsky.pipeline.storing import Outcome, Storer

log = logging.getLogger(__name__)

WAITING_BATCHES = 4
"""How many batches may wait in memory before the source must."""
IDLE_SAVE_SECONDS = 5.0
"""How often the cursor is stored while only events of no interest pass by."""


class Batch(msgspec.Struct, frozen=True):
    """What upstream's events up to and including `position` come to."""

    folded: Folded
    position: Position | None = None
    gaps: Sequence[Gap] = ()


async def write(database: Database, storer: Storer, batch: Batch) -> Outcome:
    """Store a batch in one transaction; when that is lost, so is what the storer remembers of it."""
    async with storer.turn:
        try:
            return await database.write(storer.store, batch.folded, batch.position, batch.gaps)
        except BaseException:
            storer.forget()
            raise


class Batcher:
    """A `plainsky.ingest.Sink` that stores what it is given; `run` does the work until it is cancelled."""

    def __init__(
        self,
        database: Database,
        storer: Storer,
        metrics: Metrics,
        committed: Callable[[Outcome], None],
        size: int = 2_000,
        age: float = 0.1,
        idle: float = IDLE_SAVE_SECONDS,
    ) -> None:
        self.host = ""
        self._database, self._storer, self._metrics, self._committed = database, storer, metrics, committed
        self._size, self._age, self._idle = size, age, idle
        self._folding = storer.folding()
        self._waiting = 0
        self._gaps: list[Gap] = []
        self._cursor: int | None = None
        self._time_us = 0
        self._moved = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._one = asyncio.Lock()  # batches are taken and stored one after the other, whoever asks

    def connected(self, host: str) -> None:
        """Count the connection."""
        self._metrics.connected(host)

    def put(self, event: Event, cursor: int) -> None:
        """An event, and the host's cursor at it."""
        self._folding.add(event)
        self._cursor = cursor
        self._time_us = event.time_us
        self._waiting = waiting = self._waiting + 1
        if waiting == 1:
            self._moved.set()
        elif waiting >= self._size:
            self._filled(waiting)

    def passed(self, cursor: int, time_us: int) -> None:
        """A frame without interest: only the cursor moves."""
        self._cursor = cursor
        self._time_us = time_us

    def drop(self, reason: str) -> None:
        """Count upstream garbage."""
        self._metrics.dropped(reason)

    def gap(self, from_us: int, to_us: int, cause: str) -> None:
        """Remember that events are missing."""
        log.warning("events are missing: %s", cause, extra={"seconds": (to_us - from_us) / 1e6, "host": self.host})
        self._gaps.append(Gap(self.host, from_us, to_us, cause))
        self._moved.set()

    async def room(self) -> None:
        """Wait while too much waits to be stored."""
        if not self._room.is_set():
            await self._room.wait()

    @property
    def waiting(self) -> int:
        """How many events are not stored yet."""
        return self._waiting

    async def run(self) -> None:
        """Store batches until cancelled; what is under way is finished first."""
        while True:
            await self._due()
            await asyncio.shield(self.finish())

    async def finish(self) -> None:
        """Store all that is left."""
        async with self._one:
            await self._store(self._take())

    async def begin(self, host: str) -> None:
        """From now on cursors are those of `host`; what came from another is stored first."""
        await self.finish()
        self.host = host

    def _filled(self, waiting: int) -> None:
        self._full.set()
        if waiting >= self._size * WAITING_BATCHES:
            self._room.clear()

    async def _due(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._idle):
                await self._moved.wait()
        if 0 < self._waiting < self._size:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._age):
                    await self._full.wait()

    def _take(self) -> Batch:
        folded, self._folding, self._waiting = self._folding.folded, self._storer.folding(), 0
        gaps, self._gaps = self._gaps, []
        position = None if self._cursor is None else Position(self.host, self._cursor, self._time_us)
        self._cursor = None
        self._moved.clear()
        self._full.clear()
        self._room.set()
        return Batch(folded, position, gaps)

    async def _store(self, batch: Batch) -> None:
        if not batch.folded.kinds and not batch.gaps and batch.position is None:
            return
        started = time.perf_counter()
        outcome = await patiently(write, self._database, self._storer, batch)
        self._committed(outcome)
        self._count(batch, outcome, time.perf_counter() - started)

    def _count(self, batch: Batch, outcome: Outcome, seconds: float) -> None:
        kinds = {kind.__name__: count for kind, count in batch.folded.kinds.items()}
        self._metrics.batch(kinds, outcome.dropped, seconds, batch.position)
