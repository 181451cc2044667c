"""What pages are made from: the config, the database, and what the process knows of itself."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from feedgen.feed import Feed
from feedgen.orders import Stretch, stretch
from models import cursors, feeds, looking
from models.cursors import Gap
from models.database import Database, Session
from models.duration import duration
from models.entries import tie_of
from models.looking import SAMPLE, Told
from models.protocol.syntax import parse_datetime
from plainsky.changing import in_force
from plainsky.config.schema import Config
from plainsky.labeling.canary import Canary
from plainsky.labeling.drifting import Drift
from plainsky.metrics import Metrics
from plainsky.pages.figures import InNumbers, end_of, in_numbers, step_for
from plainsky.pipeline.judging import Rooms

FRESH = duration("1m")
"""Figures are counted anew when the log has gone on by so much,"""
FRESH_OF_FEW = duration("1s")
FEW = 500
"""or by so little where there are so few entries that counting costs next to nothing."""


class View(NamedTuple):
    """A feed as it is now. Times in µs."""

    feed: Feed
    id: int
    log_time: int
    shows: Stretch
    newest: Sequence[Told]
    figures: InNumbers
    gaps: Sequence[Gap]
    rules_hash: str
    since: int | None


class Site:
    """`rooms` gives what the pipeline decides with at the moment; `source` is what readers are told that posts come from."""

    def __init__(
        self,
        database: Database,
        config: Config,
        rooms: Callable[[], Rooms],
        metrics: Metrics,
        source: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.database, self.config, self.rooms, self.metrics, self.source, self.clock = database, config, rooms, metrics, source, clock
        self.started = clock()
        self.canary: Canary | None = None
        """Tries whether our labels reach readers."""
        self.drift: Drift | None = None
        """Watches whether posts are still like those that the text model was trained on."""
        self._figures: dict[int, tuple[int, str, InNumbers | None]] = {}

    def numbered(self) -> list[tuple[int, Feed]]:
        """Every feed with its number."""
        layout = self.rooms().layout
        return list(zip(layout.feed_ids, layout.feeds, strict=True))

    def feed(self, rkey: str) -> tuple[int, Feed] | None:
        """A feed with its number."""
        return next(((feed_id, feed) for feed_id, feed in self.numbered() if feed.rkey == rkey), None)

    def since(self, moment: str) -> float:
        """Seconds since a moment as the protocol spells it."""
        return self.clock() - (parse_datetime(moment) or 0) / 1e6

    async def views(self, wanted: Sequence[tuple[int, Feed]], newest: int) -> list[View]:
        """These feeds as they are now, each with so many entries."""
        return await self.database.read(self._views, wanted, newest)

    def _views(self, session: Session, wanted: Sequence[tuple[int, Feed]], newest: int) -> list[View]:
        log_time, known = cursors.log_time(session), feeds.known(session)
        return [self._view(session, feed_id, feed, log_time, known.get(feed.rkey), newest) for feed_id, feed in wanted]

    def _view(self, session: Session, feed_id: int, feed: Feed, log_time: int, known: feeds.Known | None, newest: int) -> View:
        shows = stretch(feed, log_time)
        rules_hash = (known and known.rules_hash) or ""
        return View(
            feed,
            feed_id,
            log_time,
            shows,
            looking.newest(session, feed_id, shows.floor, shows.top, newest, apart(feed)),
            self._counted(session, feed_id, feed, log_time, rules_hash),
            [gap._replace(host=public_host(gap.host)) for gap in cursors.gaps(session, shows.floor) if gap.from_us <= shows.top],
            rules_hash,
            in_force.since(session, feed.rkey, rules_hash),
        )

    def _counted(self, session: Session, feed_id: int, feed: Feed, log_time: int, rules_hash: str) -> InNumbers:
        """The feed's figures, counted anew once a minute of the log."""
        when, rules, found = self._figures.get(feed_id, (0, "", None))
        fresh = FRESH if found is None or found.sampled >= FEW else FRESH_OF_FEW
        if found is None or rules != rules_hash or when // fresh != log_time // fresh:
            found = _count(session, feed_id, feed, log_time)
            self._figures[feed_id] = (log_time, rules_hash, found)
        return found


def _count(session: Session, feed_id: int, feed: Feed, log_time: int) -> InNumbers:
    shows = stretch(feed, log_time)
    step = step_for(feed.window)
    end = end_of(min(log_time, shows.top), step)
    found = looking.figures(session, feed_id, shows.floor, shows.top, end, step)
    if found.sampled == SAMPLE:  # a busy feed: a chart of the part that was sampled
        step = step_for(end - found.oldest)
        end = end_of(min(log_time, shows.top), step)
        found = looking.figures(session, feed_id, shows.floor, shows.top, end, step)
    return in_numbers(found, end, step, log_time)


def apart(feed: Feed) -> tuple[int, int]:
    """The ties of the posts that stand at the top and at the end, whatever their place."""
    return (tie_of(feed.pinned) if feed.pinned else -1, tie_of(feed.ending) if feed.ending else -1)


def public_host(host: str) -> str:
    """A recording's path is its operator's own affair: readers are told its name."""
    kind, _, place = host.rpartition(" ")
    if kind != "replay" and not place.startswith("/"):
        return host
    name = Path(place).name
    return kind if kind.endswith(name) else f"{kind} {name}".strip()
