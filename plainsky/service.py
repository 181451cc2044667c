"""The wiring: from a config to a running service, and down again within seconds.

Order of start: database, feeds brought in line with the config, HTTP server, then ingest, so that the first answer comes early. Order of
stop: ingest, what it has read is stored, streams, server, database.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web
from coincurve import PrivateKey

from feedgen.matcher import Matcher, handles_of
from feedgen.service import FeedService, Identity
from labeler import keys
from labeler.declaration import did_document_parts
from labeler.issuer import Issuer
from labeler.judge import Judge
from labeler.service import LabelService
from models import accounts, cursors
from models.database import Database
from models.events import Event
from plainsky.config.hashing import rules_hash
from plainsky.config.schema import Config, is_local
from plainsky.errors import OperatorError
from plainsky.health import Health
from plainsky.http import make_app
from plainsky.identity import resolve_handles
from plainsky.ingest import Source
from plainsky.metrics import Metrics
from plainsky.pages import Pages
from plainsky.patience import AWAY, patiently
from plainsky.pipeline.batching import Batch, write
from plainsky.pipeline.pruning import prune
from plainsky.pipeline.rebuilding import align
from plainsky.pipeline.storing import Outcome, Rooms, Storer
from plainsky.reading import Reading
from plainsky.rechecking import Rechecker
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
        self._down = contextlib.AsyncExitStack()

    @property
    def url(self) -> str:
        """Where this process listens."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def start(self, writes: bool = True) -> None:
        """Serve what is stored. OperatorError when the config cannot work on this machine."""
        lock = WriterLock(self.config.store.url)
        self._down.callback(lock.release)
        if writes:
            await lock.take()
        self._down.callback(self.database.close)
        await asyncio.to_thread(self._open)
        self._make_labeler()
        await self._make_feeds(writes)
        log_time = await self.database.read(cursors.log_time)
        self.metrics.stored_up_to(log_time)
        self._feeds.committed((), log_time)
        self.health = Health(self.database, self.metrics.lag, self._labels.healthy if self._labels else None)
        await self._listen()
        self._later(self._prune_for_ever() if writes else self._poll_for_ever())

    async def ingest(self, source: Source | None = None) -> None:
        """Read the configured source, or the one given, until it is finished for good or this is cancelled.

        What was read is stored before this returns.
        """
        if source:
            self._pages.source = source.kind
        rooms = Rooms(self.config.feeds, self.feed_ids, self.matcher, self._judge, self._issuer)
        storer = Storer(rooms, self.config.ingest.import_after)
        if source is None and self.config.ingest.source != "replay":
            self._later(Rechecker(self.database, self.config.identity.plc, self._storing(storer), self._clock).run())
        reading = Reading(self.config.ingest, self.database, storer, self.metrics, self.committed)
        self.metrics.watch("plainsky_queue", "Events read and not stored yet.", lambda: reading.waiting)
        await reading.run(source)
        self.health.reads_source = False

    def _storing(self, storer: Storer) -> Callable[[Sequence[Event]], Awaitable[None]]:
        async def store(events: Sequence[Event]) -> None:
            self.committed(await write(self.database, storer, Batch(events)))

        return store

    async def stop(self) -> None:
        """Close streams, server and database."""
        await self._down.aclose()

    def committed(self, outcome: Outcome) -> None:
        """A batch is in the database: nobody may be shown an older page, and streams have something to send."""
        self._feeds.committed(outcome.feeds, outcome.log_time)
        self.health.heard()
        if outcome.labelled and self._labels:
            self._labels.wake()

    def _open(self) -> None:
        try:
            self.database.open()
        except AWAY as error:
            raise OperatorError(f"[store] url: the database cannot be used: {error}") from error

    def _make_labeler(self) -> None:
        config = self.config
        self._issuer: Issuer | None = None
        self._judge: Judge | None = None
        self._labels: LabelService | None = None
        if config.labeler is None:
            return
        self._issuer = Issuer(config.labeler_did, _signing_key(config), lambda: int(self._clock() * 1e6))
        self._judge = Judge(config.labels)
        self._labels = LabelService(self.database, self._issuer)
        self.metrics.watch_each("plainsky_label_subscribers_behind", "Labels that a subscriber has not been sent", self._labels.subscribers)

    async def _make_feeds(self, writes: bool) -> None:
        config = self.config
        known = await self._handles(writes)
        self.matcher = Matcher(config.feeds, known.get)
        hashes = {feed.rkey: rules_hash(feed, known) for feed in config.feeds}
        self.feed_ids = await asyncio.to_thread(align, self.database, config.feeds, self.matcher, hashes)
        self._feeds = FeedService(
            self.database,
            config.feeds,
            {feed.rkey: feed_id for feed, feed_id in zip(config.feeds, self.feed_ids, strict=True)},
            Identity(config.service.did, config.service.publisher, endpoint(config)),
            {name: link for name, link in _links(config) if link},
            self._did_parts(),
        )

    async def _handles(self, writes: bool) -> dict[str, str]:
        """The config's handles with their DIDs: as they are now, or were last known to be."""
        wanted = handles_of(self.config.feeds)
        if not wanted:
            return {}
        told = await resolve_handles(self.config.identity.resolver, wanted)
        if writes and told:
            await self.database.write(accounts.learn, told)
        return await self.database.read(accounts.by_handle, wanted) | told

    def _did_parts(self) -> dict[str, list[dict[str, Any]]]:
        config = self.config
        if self._issuer is None or config.labeler_did != config.service.did:
            return {}
        return did_document_parts(config.labeler_did, self._issuer.public_key, endpoint(config))

    async def _listen(self) -> None:
        config = self.config
        self._pages = pages = Pages(
            self.database,
            list(zip(self.feed_ids, config.feeds, strict=True)),
            config.labels,
            config.service.publisher,
            self.metrics,
            config.ingest.source,
            self._clock,
        )
        labels = self._labels.routes() if self._labels else []
        app = make_app(self.health, self.metrics, [*self._feeds.routes(), *labels, *pages.routes()])
        if self._labels:
            app.on_shutdown.append(_closing(self._labels))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_SECONDS, handler_cancellation=True)
        await self._runner.setup()
        self._down.push_async_callback(self._runner.cleanup)
        try:
            await web.TCPSite(self._runner, config.service.listen, config.service.port).start()
        except OSError as error:
            where = f"{config.service.listen}:{config.service.port}"
            raise OperatorError(f"cannot listen on {where}: {error.strerror}. Choose another [service] listen or port") from error

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_tell_failure)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._down.push_async_callback(end)

    async def _poll_for_ever(self) -> None:
        while True:
            await patiently(self._feeds.poll)
            await asyncio.sleep(POLL_SECONDS)

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
        gone = await patiently(prune, self.database, self.config.feeds, self.feed_ids, self.config.store.retention)
        log.info("pruned %d entries and %d posts", *gone)


def _tell_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("work in the background has ended: restart the service, and report this", exc_info=error)


def _closing(labels: LabelService) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        await labels.close()

    return close


def endpoint(config: Config) -> str:
    """The service's public address: https, or http where the hostname is this machine itself."""
    return f"{'http' if is_local(config.service.hostname) else 'https'}://{config.service.hostname}"


def _signing_key(config: Config) -> PrivateKey:
    assert config.labeler
    try:
        if config.labeler.key:
            return keys.parse(config.labeler.key, "PLAINSKY_LABELER_KEY")
        return keys.load(config.labeler.key_file)
    except keys.KeyFileError as error:
        raise OperatorError(f"[labeler]: {error}") from error


def _links(config: Config) -> list[tuple[str, str | None]]:
    links = config.service.links
    return [("privacyPolicy", links.privacy_policy), ("termsOfService", links.terms_of_service)]
