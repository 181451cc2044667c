"""Reads again what is known to be missing: from any host of the config that still has it, or from the recording that the config names.

Promises: a gap counts as healed only when one place gave all of the stretch (`plainsky.ingest.stretch`) and all of it is stored. What comes
goes the way of every event, beside those that come live, and the cursor stays where it is. Nobody is asked more than a few times a day.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from models import cursors
from models.cursors import Open
from models.database import Database, Session
from models.duration import duration
from models.events import Event, IdentityChanged
from plainsky.config.schema import Ingest
from plainsky.errors import OperatorError
from plainsky.ingest import Disconnected, Sink, Source
from plainsky.ingest.recording import recorded_files
from plainsky.ingest.replay import Replay
from plainsky.ingest.stretch import Stretch
from plainsky.ingest.supervisor import Supervisor
from plainsky.patience import for_ever
from plainsky.reading import patience_of, source_of

log = logging.getLogger(__name__)

POLL_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 600.0, 6 * 3600.0
TRIED = duration("4w")
"""Gaps that ended longer ago are given up; the status page tells of them for as long."""
SILENCE = 60.0
"""Seconds without a frame after which a host is given up."""
ENOUGH = 20
"""Frames in a row behind the end: on the firehose a frame's time is the word of whoever wrote it."""
AT_ONCE = 500
"""Events stored at once: what comes live waits no longer than that takes."""
RECORDING = "recording"
"""What readers are told when a recording healed: its path is the operator's own affair."""
_AN_HOUR = 3600.0  # a recording's files are no longer than that

Store = Callable[[Sequence[Event]], Awaitable[None]]


class Healer:
    """Looks after the gaps of one database. `store` puts events on their way; `folder` is that of a recording."""

    def __init__(
        self,
        database: Database,
        ingest: Ingest,
        folder: Path | None,
        store: Store,
        clock: Callable[[], float] = time.time,
        silence: float = SILENCE,
        source: Callable[[Ingest], Source] = source_of,
    ) -> None:
        self._database, self._ingest, self._folder, self._clock = database, ingest, folder, clock
        self._store_all, self._silence, self._source = store, silence, source
        self._later: dict[int, tuple[float, float]] = {}  # gap: (not before, the pause after that)

    async def run(self) -> None:
        """Until cancelled."""
        await for_ever(self.once, POLL_SECONDS)

    async def once(self) -> None:
        """Try the gaps that are due."""
        for gap in await self._database.read(_to_heal):
            if self._later.get(gap.id, (0.0, 0.0))[0] <= self._clock():
                await self._try(gap)

    async def _try(self, gap: Open) -> None:
        if whence := await self._healed_from(gap):
            self._later.pop(gap.id, None)
            await self._database.write(cursors.heal, gap.id, int(self._clock() * 1e6), whence)
            log.info("a gap of %.0f s is healed, from %s", (gap.to_us - gap.from_us) / 1e6, whence)
            return
        pause = self._later.get(gap.id, (0.0, FIRST_PAUSE))[1]
        self._later[gap.id] = (self._clock() + pause, min(pause * 2, LONGEST_PAUSE))
        log.warning("nobody has all of a gap of %.0f s; asked again in %.0f s", (gap.to_us - gap.from_us) / 1e6, pause)

    async def _healed_from(self, gap: Open) -> str:
        """Who had all of it; empty when nobody did."""
        for host in self._ingest.hosts:
            if await self._read_host(host, gap):
                return host
        return RECORDING if self._folder and await self._read_recording(self._folder, gap) else ""

    async def _read_host(self, host: str, gap: Open) -> bool:
        stretch, source = self._stretch(gap), self._source(self._ingest)
        supervisor = Supervisor(source, [host], stretch, stretch.resume, patience=patience_of(self._ingest))
        async with _ending(supervisor.run(), stretch) as tasks:
            seen = -1
            while not any(task.done() for task in tasks) and source.received != seen:
                seen = source.received
                await asyncio.wait(tasks, timeout=self._silence, return_when=asyncio.FIRST_COMPLETED)
        await stretch.finish()
        return stretch.is_whole

    async def _read_recording(self, folder: Path, gap: Open) -> bool:
        stretch = self._stretch(gap)
        async with _ending(_play(folder, gap.from_us, stretch), stretch) as tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await stretch.finish()
        return stretch.is_whole

    def _stretch(self, gap: Open) -> Stretch:
        return Stretch(gap.from_us, gap.to_us, self._store, ENOUGH, whole=True, at_once=AT_ONCE)

    async def _store(self, events: Sequence[Event]) -> None:
        """All but handles: they carry no revision, so an old one would take the place of what is known now."""
        if kept := [event for event in events if not isinstance(event, IdentityChanged)]:
            await self._store_all(kept)


def _to_heal(session: Session) -> list[Open]:
    return cursors.open_gaps(session, cursors.log_time(session) - TRIED)


@contextlib.asynccontextmanager
async def _ending(work: Awaitable[None], stretch: Stretch) -> AsyncIterator[Sequence["asyncio.Future[Any]"]]:
    """The work and the stretch's end, as tasks. Afterwards the work has ended; what failed in our own database is raised."""
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(work), asyncio.ensure_future(stretch.done.wait())]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        (result, _) = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(result, OperatorError | Disconnected):
        log.warning("a gap cannot be healed from there: %s", result)
    elif isinstance(result, Exception):
        raise result


async def _play(folder: Path, since: int, sink: Sink) -> None:
    """The files of a recording that were written to after a time (µs)."""
    replay = Replay()
    for path in _written_after(folder, since / 1e6 - _AN_HOUR):
        await replay.run(str(path), None, sink)


def _written_after(folder: Path, seconds: float) -> Iterator[Path]:
    for path in recorded_files(folder) if folder.exists() else ():
        if path.stat().st_mtime >= seconds:
            yield path
