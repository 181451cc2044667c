"""Connects a source with the pipeline: reads until the source ends for good or the service stops, and stores all that was read."""

import asyncio
import logging
from collections.abc import Callable

from models import cursors
from models.database import Database
from plainsky.config.schema import Ingest
from plainsky.ingest import Position, Source
from plainsky.ingest.firehose import Firehose
from plainsky.ingest.jetstream import Jetstream
from plainsky.ingest.replay import Replay
from plainsky.ingest.supervisor import Patience, Supervisor
from plainsky.metrics import Metrics
from plainsky.patience import patiently
from plainsky.pipeline.batching import Batcher
from plainsky.pipeline.storing import Outcome, Storer

log = logging.getLogger(__name__)

LAST_BATCH_SECONDS = 2.0
"""How long a stop waits until all that was read is stored."""


class Reading:
    """One source under way."""

    def __init__(self, config: Ingest, database: Database, storer: Storer, metrics: Metrics, committed: Callable[[Outcome], None]) -> None:
        self._config, self._database, self._metrics = config, database, metrics
        self._kind: str = config.source
        self._batcher = Batcher(database, storer, metrics, committed, config.batch_size, config.batch_age / 1e6)

    @property
    def waiting(self) -> int:
        """How many events are read and not stored yet."""
        return self._batcher.waiting

    async def run(self, source: Source | None = None) -> None:
        """Read the configured source, or the one given."""
        config = self._config
        hosts = (str(config.path),) if config.source == "replay" and config.path else config.hosts
        source = source or source_of(config)
        self._kind = source.kind
        supervisor = Supervisor(source, hosts, self._batcher, self._resume, self._remembered, patience_of(config))
        reading, storing = asyncio.create_task(supervisor.run()), asyncio.create_task(self._batcher.run())
        try:
            await asyncio.wait([reading, storing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience = None if reading.done() else LAST_BATCH_SECONDS
            for task in (reading, storing):
                task.cancel()
            await asyncio.gather(reading, storing, return_exceptions=True)
            if not _failed(storing):
                await self._finish(patience)
        for task in (storing, reading):
            if not task.cancelled():
                task.result()

    async def _finish(self, seconds: float | None) -> None:
        """Store what was read. A stop does not wait for a database that is away: the cursor stands before what was not stored."""
        try:
            async with asyncio.timeout(seconds):
                await self._batcher.finish()
        except TimeoutError:
            log.warning("the database does not answer: what was read last is not stored, and will be read again")

    async def _resume(self, host: str) -> Position | None:
        await self._batcher.begin(self._named(host))
        self._metrics.connecting()
        found = await patiently(self._database.read, cursors.current)
        return Position(found[0].removeprefix(self._named("")), found[1], found[2]) if found else None

    async def _remembered(self, host: str) -> Position | None:
        found = await patiently(self._database.read, cursors.of_host, self._named(host))
        return Position(host, *found) if found else None

    def _named(self, host: str) -> str:
        """One host may serve several wires, each with a count of its own: they are stored under different names."""
        return f"{self._kind} {host}"


def patience_of(config: Ingest) -> Patience:
    """How long the config waits for a host."""
    return Patience(silence=config.watchdog / 1e6, longest_pause=config.backoff_max / 1e6, margin_us=config.margin)


def source_of(config: Ingest) -> Source:
    """The source that the config names."""
    if config.source == "replay":
        return Replay(config.pace)
    if config.source == "firehose":
        return Firehose(config.margin)
    return Jetstream(config.wire, config.margin)


def _failed(task: "asyncio.Task[None]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
