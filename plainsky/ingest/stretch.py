"""Reads one stretch of the past from a source: what a gap lost, or what a backtest asks for.

Promise: a stretch is whole only when the first post that came is as old as its beginning, nobody said that anything of it is missing, and
what came behind its end shows that the source has passed it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from models.events import Event, PostCreated, PostDeleted, PostUpdated
from plainsky.ingest import Position

AT_ONCE = 2_000
AROUND_US = 60_000_000
"""Posts so much older than the stretch are left out: a recording begins long before it, and other hosts are only seconds apart."""

Store = Callable[[Sequence[Event]], Awaitable[None]]
Shown = Callable[[float], None]
"""Is told how much is done, from 0 to 1."""


class Stretch:
    """A `plainsky.ingest.Sink` for what was between two upstream times (µs), `since` and `until`; `store` takes it in pieces.

    enough: so many frames in a row must be of `until` or later before `done` is set, for a single clock may be wrong.
    whole: it is also set, and `torn`, as soon as the source turns out not to have all of it.
    """

    def __init__(self, since: int, until: int, store: Store, enough: int = 1, whole: bool = False, at_once: int = AT_ONCE) -> None:
        self.done = asyncio.Event()
        self.torn = False
        self._since, self._until, self._store = since, until, store
        self._enough, self._whole, self._at_once = enough, whole, at_once
        self._batch: list[Event] = []
        self._begun = False
        self._late = 0  # frames in a row that are of `until` or later
        self._position = Position("", 0, since)
        self._host = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, from the beginning to the end."""
        return self._begun and self._late > 0 and not self.torn

    @property
    def progress(self) -> float:
        """How much is read, from 0 to 1."""
        return max(0.0, (self._position.time_us - self._since) / max(1, self._until - self._since))

    def connected(self, host: str) -> None:
        """It begins."""

    def put(self, event: Event, cursor: int) -> None:
        """An event; of an account's, the time may lie anywhere."""
        if not isinstance(event, PostCreated | PostUpdated | PostDeleted):
            self._batch.append(event)
            return
        if event.time_us >= self._since - AROUND_US:
            self._batch.append(event)
        self.passed(cursor, event.time_us)

    def passed(self, cursor: int, time_us: int) -> None:
        """Time goes on."""
        if not self._begun:
            self._begun = True
            self._miss(time_us > self._since)
        self._position = Position(self._host, cursor, time_us)
        self._late = self._late + 1 if time_us >= self._until else 0
        if self._late >= self._enough:
            self.done.set()

    def drop(self, reason: str) -> None:
        """Left out."""

    def gap(self, from_us: int, to_us: int, cause: str) -> None:
        """The source lacks something."""
        self._miss(from_us < self._until and to_us > self._since)

    def _miss(self, missing: bool) -> None:
        if missing:
            self.torn = True
            if self._whole:
                self.done.set()

    async def room(self) -> None:
        """Store what came."""
        if len(self._batch) >= self._at_once:
            await self.finish()

    async def finish(self) -> None:
        """Store the rest."""
        batch, self._batch = self._batch, []
        await self._store(batch)

    async def resume(self, host: str) -> Position | None:
        """For the supervisor."""
        await self.finish()
        self._host = host
        return self._position
