"""The wiring: from a config to a running service, and down again within seconds.

Order of start: database, feeds brought in line with the config, HTTP server, then ingest, so that the first answer comes early. Order of
stop: ingest, what it has read is stored, streams, server, database.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from aiohttp import web

from feedgen.service import FeedService, Identity
from models import cursors, lists
from models.changes import Effect
from models.database import Database
from models.events import Event
from models.protocol.service_auth import audiences
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.follows import Follows
from plainsky.asking.tokens import Verifier
from plainsky.changing.deciding import Deciding, known_now, links_of, numbered
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.health import Health
from plainsky.http import LINE_BYTES, make_app
from plainsky.ingest import Source
from plainsky.jobs import Jobs
from plainsky.knowing.following import Following
from plainsky.knowing.healing import Healer
from plainsky.knowing.known import Known
from plainsky.knowing.rechecking import Rechecker
from plainsky.labeling.running import RunningLabeler
from plainsky.metrics import Metrics
from plainsky.opening import usable
from plainsky.pages import Pages
from plainsky.patience import for_ever, patiently
from plainsky.pipeline.batching import Batch, write
from plainsky.pipeline.judging import Rooms
from plainsky.pipeline.pruning import prune
from plainsky.pipeline.rebuilding import align
from plainsky.pipeline.storing import Outcome, Storer
from plainsky.pipeline.switching import Switch, switch
from plainsky.reading import Reading
from plainsky.trying.recordings import Recordings
from plainsky.writing import WriterLock

log = logging.getLogger(__name__)

PRUNE_MINUTES = 10
STOP_SECONDS = 3.0
POLL_SECONDS = 1.0
"""How often a process that only serves looks for what another one stored (invariant 5)."""


class Service:
    """One process: `start` serves what is stored, `ingest` reads a source until it ends, `stop` closes everything."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        self.config, self._clock = config, clock
        self.metrics = Metrics()
        self.database = Database(config.store.url)
        self._documents = DidDocuments(config.identity.plc)
        self._down = contextlib.AsyncExitStack()
        self._always, self._jobs = Jobs(), Jobs()
        self._before: Rooms | None = None
        self._labeler = RunningLabeler(self.database, self.metrics, lambda: self.config, clock)

    @property
    def url(self) -> str:
        """Where this process listens."""
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self, writes: bool = True) -> None:
        """Serve what is stored. OperatorError when the config cannot work on this machine."""
        lock = WriterLock(self.config.store.url, self.database)
        self._down.callback(lock.release)
        self._down.callback(self.database.close)
        self.writes = writes
        with usable():
            if writes:
                await lock.take()
                await asyncio.to_thread(self.database.open)
            else:
                await self._schema()
        await self._labeler.prepare(writes)
        await self._make_feeds()
        following = await self._follow() if writes else None
        log_time = await self.database.read(cursors.log_time)
        self.metrics.stored_up_to(log_time)
        self._feeds.committed((), log_time)
        self.health = Health(self.database, self.metrics.lag, self._labeler.healthy, first_after=self.config.ingest.watchdog / 1e6)
        self.health.reads_source, self.health.also["drift"] = writes, self._labeler.drift.told
        await self._listen()
        for jobs in (self._always, self._jobs):
            self._down.push_async_callback(jobs.stop)
        self._always.start([self._prune_for_ever(), self._labeler.drift.run()] if writes else [for_ever(self._feeds.poll, POLL_SECONDS)])
        self._begin_jobs(following)

    def _begin_jobs(self, following: Following | None) -> None:
        """What goes by the config: it is ended and begun anew when that is another."""
        self._jobs.start(following.jobs() if following else ())
        self._jobs.start(self._labeler.jobs(self.writes, self._pages.tries))

    async def reload(self, new: Deciding, reason: str, of_labels: Mapping[str, Effect]) -> None:
        """Decide by another config from now on, between two batches; when this fails, nothing has changed.

        `plainsky.changing.reloading` says which configs, and is the way here.
        """
        if not self.writes:
            return await self._reload_serving(new)
        await self._jobs.stop()
        try:
            new = new.with_lists(await self.database.write(lists.known))  # a write: what was under way when the jobs ended is done before
            self._before = self.storer.rooms
            record = new.record(reason, int(self._clock() * 1e6), of_labels)
            await switch(self.database, self.storer, Switch(new, record, partial(self.use, new)))
        finally:
            self._before = None
            self._begin_jobs(await self._follow())

    async def _reload_serving(self, new: Deciding) -> None:
        found = await self.database.read(new.numbers)
        if found is None:
            raise OperatorError("the process that writes has not taken this config into use yet: reload it first")
        self.use(new, new.rooms(found))
        await self._feeds.poll()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Let this run until the service stops."""
        self._always.start([work])

    def use(self, new: Deciding, rooms: Rooms) -> None:
        """Serve the feeds of these rooms, and show this config."""
        self.config, self._labeler.judge = new.config, new.judge
        self.storer.rooms = rooms
        self._feeds.offer(new.config.feeds, numbered(rooms), links_of(new.config))
        self._pages.follow(new.config)

    def deciding(self, config: Config, known: Known) -> Deciding:
        """What this process would decide with by a config."""
        return Deciding(config, known, self._labeler.judge_by(config), self._labeler.issuer)

    @property
    def rooms(self) -> Rooms:
        """What is decided with; while a reload is under way, what was before it."""
        return self._before or self.storer.rooms

    async def ingest(self, source: Source | None = None) -> None:
        """Read the configured source, or the one given, until it is finished for good or this is cancelled.

        What was read is stored before this returns.
        """
        if source:
            self._pages.reads(source.kind)
        storer = self.storer
        if source is None and self.config.ingest.source != "replay":
            store, folder = self._storing(storer), self.config.recording.folder if self.config.recording else None
            self._always.start([Rechecker(self.database, self._documents, store, self._clock).run()])
            self._always.start([Healer(self.database, self.config.ingest, folder, store, self._clock).run()])
        reading = Reading(self.config.ingest, self.database, storer, self.metrics, self.committed)
        self.metrics.watch("plainsky_queue", "Events read and not stored yet.", lambda: reading.waiting)
        await reading.run(source)
        self.health.reads_source = False

    async def _follow(self) -> Following:
        """What feeds know beside the posts."""
        following = Following(self.config, self.database, self.storer, self._documents, self.metrics, self._learned, self._clock)
        await following.prepare()
        return following

    def _learned(self, outcome: Outcome) -> None:
        self._feeds.committed(outcome.feeds, outcome.log_time)

    def _storing(self, storer: Storer) -> Callable[[Sequence[Event]], Awaitable[None]]:
        async def store(events: Sequence[Event]) -> None:
            self.committed(await write(self.database, storer, Batch(storer.fold(events))))

        return store

    async def stop(self) -> None:
        """Close streams, server and database."""
        await self._down.aclose()

    def committed(self, outcome: Outcome) -> None:
        """A batch is in the database: nobody may be shown an older page, and streams have something to send."""
        self._feeds.committed(outcome.feeds, outcome.log_time)
        self.health.heard()
        if outcome.labelled:
            self._labeler.wake()

    async def _make_feeds(self) -> None:
        config = self.config
        new = self.deciding(config, await known_now(config, self.database, self.writes))
        if self.writes:
            record = new.record("", int(self._clock() * 1e6), {})
            rooms = await asyncio.to_thread(align, self.database, config.feeds, new.rooms, new.hashes, record)
        else:
            rooms = new.rooms(await self._numbers(new))
        self.storer = Storer(rooms, config.ingest.import_after)
        self._feeds = FeedService(
            self.database,
            config.feeds,
            numbered(rooms),
            Identity(config.service.did, config.service.publisher, config.service.endpoint),
            links_of(config),
            self._labeler.did_document_parts(),
            self._follows(),
        )

    async def _schema(self) -> None:
        """Wait until the process that writes has brought the schema to this release: an older one may still write."""
        while not await asyncio.to_thread(self.database.is_current):
            log.warning("the process that writes has not brought the database to this release yet: waiting for it")
            await asyncio.sleep(POLL_SECONDS)

    async def _numbers(self, new: Deciding) -> Sequence[int]:
        """The feeds' numbers, as soon as the process that writes has made them."""
        while (found := await self.database.read(new.numbers)) is None:
            log.warning("the process that writes has not made these feeds yet: waiting for it")
            await asyncio.sleep(POLL_SECONDS)
        return found

    def _follows(self) -> Callable[[str], Awaitable[Collection[str]]]:
        follows = Follows(self.config.appview.url)
        self._down.push_async_callback(follows.close)
        return follows.shown_to(Verifier(self._documents, audiences(self.config.service.did, "bsky_fg"), self._clock).verify)

    async def _listen(self) -> None:
        config = self.config
        self._pages = pages = Pages(self.database, config, lambda: self.rooms, self.metrics, self._clock)
        pages.watches(self._labeler.drift)
        recordings = Recordings(config.recording.folder).routes() if config.recording else []
        app = make_app(
            self.health, self.metrics, [*self._feeds.routes(), *self._labeler.routes(self._documents), *recordings, *pages.routes()]
        )
        app.on_shutdown.append(self._labeler.close)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=STOP_SECONDS,
            handler_cancellation=True,
            max_line_size=LINE_BYTES,
            max_field_size=LINE_BYTES,
        )
        await self._runner.setup()
        self._down.push_async_callback(self._runner.cleanup)
        try:
            await web.TCPSite(self._runner, config.service.listen, config.service.port).start()
        except OSError as error:
            where = f"{config.service.listen}:{config.service.port}"
            raise OperatorError(f"cannot listen on {where}: {error.strerror}. Choose another [service] listen or port") from error
        log.info("listening on %s", self.url)

    async def _prune_for_ever(self) -> None:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # not needed for the first answer, and slow to import

        scheduler = AsyncIOScheduler()
        scheduler.add_job(self._prune, "interval", minutes=PRUNE_MINUTES, max_instances=1, coalesce=True)
        scheduler.start()
        try:
            await asyncio.Event().wait()
        finally:
            scheduler.shutdown(wait=False)

    async def _prune(self) -> None:
        feeds, config = self.rooms.layout, self.config
        gone = await patiently(prune, self.database, feeds.feeds, feeds.feed_ids, config.store.retention, config.ingest.import_after)
        log.info("pruned %d entries and %d posts", *gone)
