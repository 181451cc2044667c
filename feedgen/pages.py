"""The pages of every feed this process serves: kept as bytes while they are true, read from the database otherwise.

Promises: a kept page is never older than the last batch that `committed` told of (invariant 5), nor older than the last `poll` in another
process. Where a feed begins and ends follows from the newest stored event, not from a clock (invariant 4).
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from feedgen.feed import Feed
from feedgen.orders import Stretch, edition_before, stretch, upwards
from feedgen.skeleton import Cursor, Frame, Page, page
from models import cursors, entries, feeds, followed, moves
from models.database import Database, Session
from models.entries import TOP, Items, Place, tie_of

_KEPT_BYTES = 32 * 2**20
"""What the kept pages of all feeds may take together."""
_KEPT_BYTES_A_FEED = 2**20
_REMEMBERED = 1024
"""Places of a feed that were asked for once."""


class UnknownCursor(LookupError):
    """A cursor that this feed gave to nobody, or for an edition before the last."""


_Key: TypeAlias = tuple[Cursor | None, int, int | None]
"""Of a page: where it begins, its limit, its edition. A plain tuple, for one is made of every request."""


class _Kept:
    """Pages of one version of one feed, within a number of bytes; those kept first go first.

    A new version begins with an empty one of these. A read that was under way puts its page into the old one, which nobody asks again:
    so an old page cannot pass for new, whatever the order in which threads get their turn.
    """

    def __init__(self, room: int) -> None:
        self._pages: dict[_Key, Page] = {}
        self._asked: set[int] = set()
        self._room = room

    def get(self, key: _Key, floor: int) -> Page | None:
        """The page, unless the feed's floor has moved past something it rests on."""
        kept = self._pages.get(key)
        return kept if kept and kept.oldest >= floor else None

    def put(self, key: _Key, new: Page) -> None:
        """Keep a page if it is the first, or asked for again: a reader far down a feed is mostly alone there."""
        # Hashes are remembered, not keys: nothing for the collector to walk through. That two are alike keeps a page too many, no more.
        if key[0] is not None and (asked := hash(key)) not in self._asked:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            self._asked.add(asked)
            return
        replaced = self._pages.pop(key, None)
        self._room += (len(replaced.body) if replaced else 0) - len(new.body)
        self._pages[key] = new
        while self._room < 0:
            oldest = next(iter(self._pages))
            self._room += len(self._pages.pop(oldest).body)


class _Served:
    """A feed, and what holds for it at a time of the log."""

    def __init__(self, feed: Feed, feed_id: int, room: int) -> None:
        self.feed, self.id = feed, feed_id
        self.upwards = upwards(feed)
        self.but = tuple(tie_of(post) for post in (feed.pinned, feed.ending) if post)
        self._room = room
        self._log_time = -1
        self.moved: int | None = None
        """The number of the latest move that kept pages may tell."""
        self.change()

    def change(self) -> None:
        """The feed's entries changed."""
        self.kept = _Kept(self._room)

    def now(self, log_time: int) -> Stretch:
        """What the feed shows."""
        if log_time != self._log_time:
            self._now, self._log_time = stretch(self.feed, log_time), log_time
        return self._now

    def stretch_of(self, start: Cursor, log_time: int) -> Stretch:
        """What the feed shows a reader who came to this place: in the edition before, if he began in it."""
        now = self.now(log_time)
        if now.edition is None:
            if len(start.seen) > 1:
                raise UnknownCursor
            return now
        began = start.seen[0] if start.seen else None
        there = now if began == now.edition else edition_before(self.feed, now)
        if began != there.edition:
            raise UnknownCursor
        return there

    def begin(self, there: Stretch, start: Cursor | None) -> Place:
        """The place to read from, within what is shown."""
        if self.upwards:
            bottom = (max(there.floor, 0), 0)
            return start.place if start and start.place > bottom else bottom
        return start.place if start and start.place[0] <= there.top else (there.top, TOP[1])

    def end(self, there: Stretch) -> int:
        """The last place (µs) of what is shown."""
        return there.top if self.upwards else there.floor

    def seen(self, there: Stretch) -> tuple[int, ...]:
        """What the cursors of a reader who begins now tell: the edition, if there are any; then the number of the latest move, if any."""
        return () if there.edition is None else (there.edition,)


_Read: TypeAlias = tuple[Items, tuple[int, ...]]
"""Entries, and what their reader's cursor has `_Served.seen`."""
_Reader: TypeAlias = Callable[[_Served, Stretch, Cursor | None, Place, int], Awaitable[_Read]]


class FeedPages:
    """Answers "which posts, from this place on" for the configured feeds."""

    def __init__(self, database: Database, served: Sequence[Feed], feed_ids: Mapping[str, int], log_time: int = 0) -> None:
        """feed_ids: the number in the database of each served feed, by rkey. log_time: that of the newest stored event, where known."""
        self._database = database
        room = min(_KEPT_BYTES_A_FEED, _KEPT_BYTES // max(1, len(served)))
        self._served = {feed.rkey: _Served(feed, feed_ids[feed.rkey], room) for feed in served}
        self._by_id = {one.id: one for one in self._served.values()}
        self._versions: dict[str, tuple[int, int]] = {}
        self.log_time = log_time

    def __contains__(self, rkey: str) -> bool:
        return rkey in self._served

    async def skeleton(self, rkey: str, start: Cursor | None, limit: int) -> bytes:
        """The encoded page of up to `limit` posts from the place `start` on, from the feed's beginning when None.

        KeyError for a feed not served; UnknownCursor.
        """
        one = self._served[rkey]
        if one.moved is not None and one.moved < self.log_time - moves.REMEMBERED:
            one.moved = None
            one.change()
        there = one.stretch_of(start, self.log_time) if start else one.now(self.log_time)
        kept, key = one.kept, (start, limit, there.edition)
        found = kept.get(key, there.floor)
        if not found:
            found = await self._page(one, there, start, limit, self._read)
            kept.put(key, found)
        return found.body

    def is_followed(self, rkey: str) -> bool:
        """Whether each viewer sees the posts of those whom he follows. KeyError for a feed not served."""
        return self._served[rkey].feed.followed

    async def followed(self, rkey: str, start: Cursor | None, limit: int, dids: Collection[str]) -> bytes:
        """`skeleton` of the posts by these authors only; it is not kept."""

        async def read(one: _Served, there: Stretch, start: Cursor | None, begin: Place, limit: int) -> _Read:
            wanted = one.id, one.end(there), begin, limit, one.but, one.upwards
            return await self._database.read(followed.items, dids, *wanted), start.seen if start else one.seen(there)

        one = self._served[rkey]
        there = one.stretch_of(start, self.log_time) if start else one.now(self.log_time)
        return (await self._page(one, there, start, limit, read)).body

    async def _page(self, one: _Served, there: Stretch, start: Cursor | None, limit: int, read: _Reader) -> Page:
        head = None if start else one.feed.pinned
        begin, room = one.begin(there, start), limit - 1 if head else limit
        found, seen = await read(one, there, start, begin, room + 1)
        return page(found, room, Frame(begin, head, one.feed.ending, seen, one.upwards))

    async def _read(self, one: _Served, there: Stretch, start: Cursor | None, begin: Place, limit: int) -> _Read:
        wanted = one.id, one.end(there), begin, limit, one.but, one.upwards
        found = await self._database.glance(entries.items, *wanted)
        seen = start.seen if start else one.seen(there)
        # Moves are forgotten now and then; to readers they are gone when their time is up, so that pages do not depend on when that was.
        oldest = self.log_time - moves.REMEMBERED
        if found.moved is None or found.moved < oldest:
            return found, seen
        one.moved = found.moved
        if not start:
            return found, (*seen, found.moved)
        known = seen if there.edition is None else seen[1:]
        if known == (found.moved,):
            return found, seen
        since = max(known[0] if known else -1, oldest - 1)
        return await self._database.read(moves.items_since, since, *wanted), seen

    def committed(self, feed_ids: Iterable[int], log_time_us: int) -> None:
        """A batch was committed: entries of these feeds changed, and the newest stored event is of this time (µs).

        To be called from any thread before anyone is told of the batch.
        """
        self.log_time = max(self.log_time, log_time_us)
        for feed_id in self._by_id.keys() & set(feed_ids):
            self._by_id[feed_id].change()

    async def poll(self) -> None:
        """Learn from the database what `committed` would tell: once before serving, and every second where another process writes.

        A feed that the other process filled anew has another number then.
        """
        versions, log_time = await self._database.read(_state)
        changed = [rkey for rkey, version in versions.items() if rkey in self._served and self._versions.get(rkey) != version]
        self._versions = versions
        for rkey in changed:
            self._served[rkey].id = versions[rkey][0]
            self._served[rkey].change()
        self._by_id = {one.id: one for one in self._served.values()}
        self.committed((), log_time)


def _state(session: Session) -> tuple[dict[str, tuple[int, int]], int]:
    """By rkey, the number and version of each feed; and the log's time."""
    return {rkey: (feed.id, feed.version) for rkey, feed in feeds.known(session).items()}, cursors.log_time(session)
