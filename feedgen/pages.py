"""The pages of every feed this process serves: kept as bytes while they are true, read from the database otherwise.

Promises: a kept page is never older than the last batch that `committed` told of (invariant 5), nor older than the last `poll` in another
process. Where a feed ends follows from the newest stored event, not from a clock (invariant 4).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from feedgen.feed import Feed
from feedgen.skeleton import Page, page
from models import cursors, entries, feeds
from models.database import Database, Session
from models.entries import TOP, Place, tie_of

_KEPT_BYTES = 32 * 2**20
"""What the kept pages of all feeds may take together."""
_KEPT_BYTES_A_FEED = 2**20
_REMEMBERED = 1024
"""Places of a feed that were asked for once."""


class _Key(NamedTuple):
    start: Place | None
    limit: int


class _Kept:
    """Pages of one version of one feed, within a number of bytes; those kept first go first.

    A new version begins with an empty one of these. A read that was under way puts its page into the old one, which nobody asks again:
    so an old page cannot pass for new, whatever the order in which threads get their turn.
    """

    def __init__(self, room: int) -> None:
        self._pages: dict[_Key, Page] = {}
        self._asked: set[_Key] = set()
        self._room = room

    def get(self, key: _Key, floor: int) -> Page | None:
        """The page, unless the window's end has moved past something it rests on."""
        kept = self._pages.get(key)
        return kept if kept and kept.oldest >= floor else None

    def put(self, key: _Key, new: Page) -> None:
        """Keep a page if it is the first, or asked for again: a reader far down a feed is mostly alone there."""
        if key.start is not None and key not in self._asked:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            self._asked.add(key)
            return
        replaced = self._pages.pop(key, None)
        self._room += (len(replaced.body) if replaced else 0) - len(new.body)
        self._pages[key] = new
        while self._room < 0:
            oldest = next(iter(self._pages))
            self._room += len(self._pages.pop(oldest).body)


class FeedPages:
    """Answers "which posts, from this place on" for the configured feeds."""

    def __init__(self, database: Database, served: Sequence[Feed], feed_ids: Mapping[str, int]) -> None:
        """feed_ids: the number in the database of each served feed, by rkey."""
        self._database = database
        self._feeds = {feed_ids[feed.rkey]: feed for feed in served}
        self._pinned = {feed_ids[feed.rkey]: tie_of(feed.pinned) if feed.pinned else -1 for feed in served}
        self._ids = {feed.rkey: feed_ids[feed.rkey] for feed in served}
        self._versions: dict[int, int] = {}
        self._log_time = 0
        self._room = min(_KEPT_BYTES_A_FEED, _KEPT_BYTES // max(1, len(served)))
        self._kept = {feed_id: _Kept(self._room) for feed_id in self._feeds}

    def __contains__(self, rkey: str) -> bool:
        return rkey in self._ids

    async def skeleton(self, rkey: str, start: Place | None, limit: int) -> bytes:
        """The encoded page of up to `limit` posts from the place `start` on, from the top when None. KeyError for a feed not served."""
        feed_id = self._ids[rkey]
        feed, kept, key = self._feeds[feed_id], self._kept[feed_id], _Key(start, limit)
        floor = self._log_time - feed.window
        found = kept.get(key, floor)
        if not found:
            head = feed.pinned if start is None else None
            room = limit - 1 if head else limit
            without = self._pinned[feed_id]
            found = page(await self._database.glance(entries.items, feed_id, floor, start or TOP, room + 1, without), room, head)
            kept.put(key, found)
        return found.body

    def committed(self, feed_ids: Iterable[int], log_time_us: int) -> None:
        """A batch was committed: entries of these feeds changed, and the newest stored event is of this time (µs).

        To be called from any thread before anyone is told of the batch.
        """
        self._log_time = max(self._log_time, log_time_us)
        for feed_id in self._feeds.keys() & set(feed_ids):
            self._kept[feed_id] = _Kept(self._room)

    async def poll(self) -> None:
        """Learn from the database what `committed` would tell: once before serving, and every second where another process writes."""
        versions, log_time = await self._database.read(_state)
        changed = [feed_id for feed_id, version in versions.items() if self._versions.get(feed_id) != version]
        self._versions = versions
        self.committed(changed, log_time)


def _state(session: Session) -> tuple[dict[int, int], int]:
    return {feed.id: feed.version for feed in feeds.known(session).values()}, cursors.log_time(session)
