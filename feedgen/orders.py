"""Where a post stands in a feed, and which stretch of a feed its pages show: one pure function each for every order. None knows engagement.

Promises: a place follows from the post alone and never moves while the post stays as it is, so that pages fit together. What is shown
follows from the places and the log's time: there is no clock.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from feedgen.feed import Edition, Feed, TopicOrder
from models.duration import SECOND, Duration
from models.entries import TOP
from models.post import SKEW, Post

LEVELS = 1_000
"""Posts of a bucket whose scores differ by less than 1 / LEVELS are ordered by time."""

GRACE = Duration(SKEW + 60 * SECOND)
"""An edition comes out so long after its time, in the log's time, that what was written before is in: repos' clocks differ by up to
`SKEW`, and an event takes moments to come."""


class Placed(NamedTuple):
    """A post's place: `at` in µs, greater is nearer to the top of a feed read downwards; `words` say why, for its reason ("": nothing)."""

    at: int
    words: str = ""


class Placer(Protocol):
    """An order of its own: the place of a post from what upstream said of it (times in µs)."""

    def place(self, sort_at: int, indexed_at: int, post: Post) -> Placed:
        """Pure: the same on every wire, machine and database."""


class Stretch(NamedTuple):
    """The places `floor` to `top` (µs), both within; of the edition that came out at the time `edition`, where there are editions."""

    floor: int
    top: int = TOP[0]
    edition: int | None = None


def placers(feeds: Sequence[Feed]) -> Mapping[int, Placer]:
    """By index, the feeds in which a post does not simply stand at its `sort_at`."""
    return {index: placer for index, feed in enumerate(feeds) if (placer := _placer(feed))}


def _placer(feed: Feed) -> Placer | None:
    if feed.topic:
        return _ByTopic(feed.topic)
    return _ByArrival() if feed.edition else None


class _ByArrival:
    """A post that says it is old comes into the next edition, and into none that is out."""

    def place(self, sort_at: int, indexed_at: int, post: Post) -> Placed:
        return Placed(indexed_at)


class _ByTopic:
    """Within a bucket by relevance, then by time: as one number below the next bucket's beginning."""

    def __init__(self, order: TopicOrder) -> None:
        self._bucket, self._topic = order.bucket, order.topic

    def place(self, sort_at: int, indexed_at: int, post: Post) -> Placed:
        scored = self._topic.score(post)
        into = sort_at % self._bucket
        above = (int(scored.value * LEVELS) * self._bucket + into) // LEVELS
        found = ", ".join(f"{term} {weight:g}" for term, weight in scored.found)
        return Placed(sort_at - into + above, f"topic {scored.value:.2f}" + (f": {found}" if found else ""))


def upwards(feed: Feed) -> bool:
    """Whether the feed is read from its floor to its top."""
    return feed.order == "oldest_first"


def stretch(feed: Feed, log_time: int) -> Stretch:
    """What the feed shows when the newest stored event is of this time (µs)."""
    if feed.edition:
        return _of_edition(feed, last_instant(feed.edition, log_time - GRACE))
    return Stretch(_whole(feed, log_time - feed.window))


def _whole(feed: Feed, floor: int) -> int:
    """Of a bucket all posts are shown, or none."""
    return floor - floor % feed.topic.bucket if feed.topic else floor


def edition_before(feed: Feed, now: Stretch) -> Stretch:
    """What the feed showed before its present edition came out."""
    assert feed.edition
    assert now.edition is not None
    return _of_edition(feed, last_instant(feed.edition, now.edition - 1))


def _of_edition(feed: Feed, out: int) -> Stretch:
    return Stretch(out - feed.window + 1, out, out)


def needed_from(feed: Feed, log_time: int, import_after: Duration) -> int:
    """Places below this one (µs) can be forgotten: no page shows them, and no quota has to know them.

    A quota's stretch is judged whole, so one more `every` is kept. Where places go by arrival, the posts of a stretch arrive within
    `import_after` of it.
    """
    every = max((quota.every for quota in (feed.per_author, feed.per_thread) if quota), default=0)
    now = stretch(feed, log_time)
    if feed.edition:
        return edition_before(feed, now).floor - (every + import_after if every else 0)
    return _whole(feed, now.floor - every)


def last_instant(edition: Edition, time_us: int) -> int:
    """The last time at which an edition comes out, at or before a time; both in µs since the epoch."""
    today = datetime.fromtimestamp(time_us // SECOND, ZoneInfo(edition.timezone)).date().toordinal()
    # Two days more: of yesterday's times all are past, unless a zone moved over the date line.
    instants = chain.from_iterable(_instants(edition, day) for day in range(today - 2, today + 1))
    return max(instant for instant in instants if instant <= time_us)


@lru_cache(maxsize=1024)
def _instants(edition: Edition, day: int) -> tuple[int, ...]:
    """When the editions of a day (its ordinal) come out, in µs."""
    zone, midnight = ZoneInfo(edition.timezone), datetime.combine(date.fromordinal(day), datetime.min.time())
    times = (text.split(":") for text in edition.at)
    return tuple(_instant(midnight + timedelta(hours=int(hours), minutes=int(minutes)), zone) for hours, minutes in times)


def _instant(local: datetime, zone: ZoneInfo) -> int:
    """A time on the clocks of a place, in µs; one that they show twice is the first, one that they leave out the next that they show."""
    while True:
        there = local.replace(tzinfo=zone).astimezone(UTC)
        if there.astimezone(zone).replace(tzinfo=None, fold=0) == local:
            return int(there.timestamp()) * SECOND
        local += timedelta(minutes=1)
