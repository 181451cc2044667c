"""A sink that remembers, and can have no room."""

import asyncio
from collections import Counter
from collections.abc import Callable

from models.events import Event
from plainsky.ingest import Position


class Remembering:
    """A `plainsky.ingest.Sink`; `stored` stands in for the pipeline's last stored position."""

    def __init__(self, host: str = "") -> None:
        self.host = host
        self.connections: list[str] = []
        self.taken = asyncio.Event()
        self.events: list[Event] = []
        self.cursors: list[int] = []
        self.position: Position | None = None
        self.dropped: Counter[str] = Counter()
        self.gaps: list[tuple[int, int, str]] = []
        self.has_room = asyncio.Event()
        self.has_room.set()
        self._moved = asyncio.Event()

    def connected(self, host: str) -> None:
        self.connections.append(host)
        self.taken.set()

    def put(self, event: Event, cursor: int) -> None:
        self.events.append(event)
        self.cursors.append(cursor)
        self.passed(cursor, event.time_us)

    def passed(self, cursor: int, time_us: int) -> None:
        self.position = Position(self.host, cursor, time_us)
        self._moved.set()

    def drop(self, reason: str) -> None:
        self.dropped[reason] += 1

    def gap(self, from_us: int, to_us: int, cause: str) -> None:
        self.gaps.append((from_us, to_us, cause))

    async def room(self) -> None:
        await self.has_room.wait()

    async def reaches(self, count: int) -> None:
        """Wait until so many events have come."""
        await self._until(lambda: len(self.events) >= count)

    async def passes(self, cursor: int) -> None:
        """Wait until the cursor has come so far."""
        await self._until(lambda: self.position is not None and self.position.cursor >= cursor)

    async def _until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not enough():
                self._moved.clear()
                await self._moved.wait()

    async def resume(self, host: str) -> Position | None:
        """For the supervisor: everything counts as stored."""
        self.host = host
        return self.position
