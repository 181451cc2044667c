"""Pages for people: what the feeds are and by which rules, why a post is there, how the service fares.

Promises: no script, no cookie, nothing from elsewhere; every page in the reader's language as far as there are texts; no question is longer
than a short, bounded read, and none is made in the event loop. Nothing is kept of who asks.
"""

import time
from collections.abc import Callable

from aiohttp import web

from models.database import Database
from plainsky.config.schema import Config
from plainsky.labeling.canary import Canary
from plainsky.labeling.drifting import Drift
from plainsky.metrics import Metrics
from plainsky.pages.answering import Answers
from plainsky.pages.asking import Asking
from plainsky.pages.changed import ChangesPages
from plainsky.pages.feeds import FeedPages, skeleton_path
from plainsky.pages.labels import LabelPages
from plainsky.pages.site import Site
from plainsky.pages.status import StatusPage
from plainsky.pages.why import WhyPages
from plainsky.pipeline.judging import Rooms

__all__ = ["Pages", "skeleton_path"]


class Pages:
    """All pages. `rooms` gives what the pipeline decides with at the moment."""

    def __init__(
        self, database: Database, config: Config, rooms: Callable[[], Rooms], metrics: Metrics, clock: Callable[[], float] = time.time
    ) -> None:
        self._site = Site(database, config, rooms, metrics, config.ingest.source, clock)
        self._asking = Asking(config, database)
        self._answers = Answers(clock, config.labeler is not None)

    def reads(self, source: str) -> None:
        """Readers are told that posts come from this source."""
        self._site.source = source

    def follow(self, config: Config) -> None:
        """Readers are told of this config from now on."""
        self._site.config = config

    def tries(self, canary: Canary) -> None:
        """Readers are told what this finds out."""
        self._site.canary = canary

    def watches(self, drift: Drift) -> None:
        """Readers are told what this finds out."""
        self._site.drift = drift

    def routes(self) -> list[web.RouteDef]:
        """What is served to people."""
        site, answers = self._site, self._answers
        asks = WhyPages(site, answers, self._asking)
        labels = LabelPages(site, answers, self._asking)
        parts = (FeedPages(site, answers), asks, labels, ChangesPages(site, answers), StatusPage(site, answers), answers)
        return [route for part in parts for route in part.routes()]
