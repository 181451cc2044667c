"""Rebuilds a feed from a recording, and what the service served of it at a time, byte for byte (docs/verifying.md).

Promise: nothing but the recording and the config goes into it, so whoever has both gets the same bytes.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from feedgen.feed import Feed
from feedgen.pages import FeedPages, UnknownCursor
from feedgen.skeleton import place_of
from models.database import Database
from models.events import Event, PostCreated, PostUpdated
from models.lists import Copy
from models.protocol.syntax import format_datetime
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.ingest.notes import BeginNote, GapNote, HandleNote, LabelerNote, LabelNote, ListNote, noted
from plainsky.ingest.recording import lines
from plainsky.ingest.replay import decoded
from plainsky.knowing.known import Known
from plainsky.pipeline.learning import list_read
from plainsky.trying.scratch import BATCH, House

MILLISECOND = 1_000

_Told: TypeAlias = Event | ListNote | BeginNote | GapNote | LabelerNote | LabelNote


class Rebuilt(NamedTuple):
    """The feed as it was at `log_time` (µs), the time of the newest event that counted; `notes` are doubts, in words."""

    pages: FeedPages
    feed: Feed
    log_time: int
    notes: Sequence[str]


def feed_of(config: Config, rkey: str) -> Feed:
    """The feed of a config; OperatorError names those there are."""
    for feed in config.feeds:
        if feed.rkey == rkey:
            return feed
    raise OperatorError(f"there is no feed {rkey!r} in this config; it has: {', '.join(feed.rkey for feed in config.feeds)}")


def rebuilt(database: Database, config: Config, rkey: str, recording: Path, at: int | None) -> Rebuilt:
    """Play the recording into an empty database, up to `at` (µs, None: to its end).

    `at` is what the service called the log's time; everything that came before the first event that is newer counts.
    """
    feed = feed_of(config, rkey)
    if feed.followed:
        raise OperatorError(f"{rkey}: its pages depend on whom their reader follows, so there is nothing to compare them with")
    handles = {note.handle: note.did for note in map(noted, lines(recording)) if isinstance(note, HandleNote)}
    house = House.of(database, [feed], Known(handles), config, played=True)
    holes = _play(house, config, _until(recording, at))
    if not house.events:
        raise OperatorError(f"{recording}: nothing in it is as old as {format_datetime(at or 0)}")
    # The newest event is what the log's time comes from, unless events of no interest came after it.
    log_time = house.log_time if at is None or house.log_time > at - MILLISECOND else at
    pages = FeedPages(database, [feed], {feed.rkey: house.ids[0]}, log_time)
    return Rebuilt(pages, feed, log_time, [*_missing(holes, log_time - feed.window), *_doubts(house, feed, log_time)])


def _until(recording: Path, at: int | None) -> Iterator[_Told]:
    for line in lines(recording):
        event = decoded(line)
        if event and at is not None and event.time_us > at:
            return
        told = event or noted(line)
        if told and not isinstance(told, HandleNote):
            yield told


def _play(house: House, config: Config, told: Iterable[_Told]) -> list[tuple[int, int]]:
    """Lists count from where they stand among the events. Returns the holes in the recording, as times (µs)."""
    out = config.opt_out.list_uris(house.storer.rooms.known.handles.get)
    batch, last, holes, begun = _Batch(house), 0, list[tuple[int, int]](), False
    for one in told:
        if isinstance(one, ListNote):
            batch.store()
            _learn(house, one.copy, one.uri in out)
        elif isinstance(one, LabelNote):
            batch.labels.append(one)
        elif isinstance(one, LabelerNote):
            house.follows(one)
        elif isinstance(one, GapNote):
            holes.append((one.from_us, one.to_us))
        elif isinstance(one, BeginNote):
            begun = last > 0
        else:
            holes += [(last, one.time_us)] if begun else []
            last, begun = one.time_us, False
            batch.add(one)
    batch.store()
    return holes


class _Batch:
    """Events to be stored together: as many as the result does not depend on.

    A post and its edit are stored one after the other, as the service does that hears of both when they happen: cursors tell of edits.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._events: list[Event] = []
        self._posts: set[tuple[str, str]] = set()
        self.labels: list[LabelNote] = []

    def add(self, event: Event) -> None:
        """One more."""
        if isinstance(event, PostCreated | PostUpdated):
            key = (event.did, event.rkey)
            if key in self._posts:
                self.store()
            self._posts.add(key)
        self._events.append(event)
        if len(self._events) + len(self.labels) >= BATCH:
            self.store()

    def store(self) -> None:
        """What there is."""
        self._house.store(self._events)
        self._house.hear(self.labels)
        self._events, self._posts, self.labels = [], set(), []


def _learn(house: House, copy: Copy, opts_out: bool) -> None:
    rooms = house.storer.rooms
    house.database.write_now(list_read, house.storer, copy, rooms.with_list(copy) if copy.uri in rooms.lists else None, opts_out)


def _missing(holes: Iterable[tuple[int, int]], floor: int) -> Iterator[str]:
    for start, end in holes:
        if end >= floor:
            yield f"the recording has a hole from {format_datetime(start)} to {format_datetime(end)}: posts of then are missing here"


def _doubts(house: House, feed: Feed, log_time: int) -> Iterator[str]:
    rooms, floor = house.storer.rooms, log_time - feed.window
    if house.first_time > floor:
        begin = format_datetime(house.first_time)
        yield f"the recording begins at {begin}, the feed reaches back to {format_datetime(floor)}: posts of before are missing here"
    yield from house.unheard()
    for handle in rooms.matcher.unresolved:
        yield f"the recording does not say who {handle} was: rules that name it match nobody"
    for uri in sorted(rooms.lists - rooms.known.lists.keys()):
        yield f"the recording holds no copy of the list {uri}: nobody is on it here"


async def walked(found: Rebuilt, limit: int, cursor: str | None, only: bool) -> AsyncIterator[bytes]:
    """The pages from a cursor on (None: from the top), as the service's answers; `only` the first of them."""
    while True:
        start = place_of(cursor) if cursor else None
        if cursor and start is None:
            raise OperatorError(f"{cursor}: this is no cursor of a feed")
        try:
            body = await found.pages.skeleton(found.feed.rkey, start, limit)
        except UnknownCursor:
            raise OperatorError(f"{cursor}: the feed gave this cursor to nobody at that time") from None
        yield body
        head, _, rest = body.rpartition(b'"cursor":"')
        cursor = rest.partition(b'"')[0].decode() if head else None
        if only or not cursor:
            return
