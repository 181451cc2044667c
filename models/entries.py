"""The table `entry`: which post stands in which feed, and why. Written in the pipeline's transaction; a page of a feed is one range of it.

Promise: the order of a feed is a pure function of the set of its posts, (sort_at, tie) descending, whichever way and in whichever
order they came, on SQLite and PostgreSQL alike. `post_id` never leaves the database.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

import msgspec

from models.database import Session

SHOWN = 0
"""On the feed's pages."""
HELD = 1
"""Held back: the author has had the posts that the feed allows in this stretch of time."""
HIDDEN = 2
"""The author's account is not active, or its owner wants to be in no feed."""
HELD_IN_THREAD = 3
"""Held back: the thread has had its posts."""

AUTHOR = 0
"""A kind of `entry_group`: an author's entries; `member` is the account's id, `sort_at` the entry's."""
THREAD = 1
"""A kind of `entry_group`: a thread's entries; `member` is `tie_of` the uri of its first post, `sort_at` the post's."""

MOVED = 2
"""A kind of `entry_group`: where a post stood that was edited since; `member` is the move's number. See `models.moves`."""

Group: TypeAlias = tuple[int, int, int, int, int]
"""A row of `entry_group`: feed id, kind, member, sort_at (µs), post id."""


_MAX = 2**63 - 1
_HASHING = blake2b(digest_size=8)

Place: TypeAlias = tuple[int, int]
"""(sort_at, tie): where an entry stands in its feed."""
TOP: Place = (_MAX, _MAX)
"""Where a feed begins, whatever is in it."""

Entry: TypeAlias = tuple[int, int, int, int, int, str]
"""A post in a feed: feed id, state, sort_at (µs), tie (`tie_of` its uri), post id, item.

The item is the post as it is served, a JSON object of app.bsky.feed.defs#skeletonFeedPost with its reason in `feedContext`: so a page is
put together in the database, without a look at each post. A plain tuple, for one is made of every post that enters a feed.
"""


class Touched(NamedTuple):
    """Something of this author, in this thread (None: nobody asks), of this time (µs), changed in this feed: see `models.quotas`."""

    feed_id: int
    account_id: int
    sort_at: int
    thread: int | None = None


class Items(msgspec.Struct, frozen=True, gc=False):
    """Some of a feed's entries on end: their items with commas between, how many, the lowest `sort_at` and the last one's (None for none).

    `moved`: the number of the feed's latest move, None for none (see `models.moves`).
    """

    joined: str
    number: int
    oldest: int | None
    last: int | None
    moved: int | None = None


class Shown(NamedTuple):
    """An entry by itself; `why` is the reason as it is served."""

    sort_at: int
    tie: int
    uri: str
    why: str


class _Item(msgspec.Struct):
    post: str
    feedContext: str  # noqa: N815 the lexicon's name


def tie_of(uri: str) -> int:
    """Orders posts of the same microsecond: 63 bits of the uri's hash, so that neither arrival nor alphabet decides."""
    hashing = _HASHING.copy()  # costs half of making one
    hashing.update(uri.encode())
    return int.from_bytes(hashing.digest(), "big") >> 1


_ADD = "INSERT INTO entry (feed_id, state, sort_at, tie, post_id, item)"
# One post stands in a feed once, in whatever state.
_ADD_ABSENT = (
    f"{_ADD} SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM entry WHERE post_id = ? AND feed_id = ?) ON CONFLICT DO NOTHING"
)
# What a changed row tells; the post's own row must still be there, as it was.
_TOUCHED = (
    " RETURNING feed_id, (SELECT account_id FROM post WHERE post.id = entry.post_id),"
    " (SELECT sort_at FROM post WHERE post.id = entry.post_id),"
    " (SELECT member FROM entry_group WHERE entry_group.post_id = entry.post_id AND +entry_group.feed_id = entry.feed_id"
    f" AND kind = {THREAD})"
)
_REMOVE = "DELETE FROM entry WHERE post_id IN (SELECT id FROM wanted)" + _TOUCHED
_UNGROUP = f"DELETE FROM entry_group WHERE post_id IN (SELECT id FROM wanted) AND kind <> {MOVED}"
_HIDE = f"UPDATE entry SET state = {HIDDEN} WHERE state <> {HIDDEN} AND post_id IN (SELECT id FROM wanted)" + _TOUCHED
_SHOW = f"UPDATE entry SET state = {SHOWN} WHERE state = {HIDDEN} AND post_id IN (SELECT id FROM wanted)" + _TOUCHED


def add(session: Session, entries: Iterable[Entry]) -> None:
    """Put posts into feeds; what is there already, in whatever state, stays as it is. Where a quota holds, `quotas.apply` must follow."""
    session.executemany(_ADD_ABSENT, [(*entry, entry[4], entry[0]) for entry in entries])


def add_new(session: Session, entries: Iterable[Entry]) -> None:
    """`add` for posts that stand in no feed, because they are new or were removed before: nothing is looked up."""
    session.insert(_ADD, sorted(entries), "ON CONFLICT DO NOTHING")  # in the table's order: neighbours find their page at hand


def group(session: Session, groups: Iterable[Group]) -> None:
    """Let entries be found by author or thread; what is there already stays."""
    session.insert("INSERT INTO entry_group (feed_id, kind, member, sort_at, post_id)", sorted(groups), "ON CONFLICT DO NOTHING")


def remove(session: Session, post_ids: Collection[int]) -> set[Touched]:
    """Take posts out of every feed; to be called while their rows in `post` are still there, as they were."""
    touched = _change(session, _REMOVE, post_ids)
    session.matching(_UNGROUP, {"id": "BIGINT"}, [(each,) for each in post_ids])
    return touched


def hide(session: Session, post_ids: Iterable[int]) -> set[Touched]:
    """Take an inactive account's posts off every page, and keep them for its return."""
    return _change(session, _HIDE, post_ids)


def show(session: Session, post_ids: Iterable[int]) -> set[Touched]:
    """Bring hidden posts back; where a quota holds, `quotas.apply` must follow."""
    return _change(session, _SHOW, post_ids)


def _change(session: Session, sql: str, post_ids: Iterable[int]) -> set[Touched]:
    return set(map(Touched._make, session.matching(sql, {"id": "BIGINT"}, [(post_id,) for post_id in post_ids])))


FEED = f"FROM entry WHERE feed_id = ? AND state = {SHOWN}"
ORDERS = {False: "ORDER BY sort_at DESC, tie DESC", True: "ORDER BY sort_at, tie"}
BOUNDS = {False: "(sort_at, tie) <= (?, ?) AND sort_at >= ?", True: "(sort_at, tie) >= (?, ?) AND sort_at <= ?"}
BUT = ("", "AND tie <> ?", "AND tie <> ? AND tie <> ?")
_MOVED = f"(SELECT max(member) FROM entry_group WHERE feed_id = ? AND kind = {MOVED})"
JOINED = {"sqlite": "group_concat(item)", "postgresql": "string_agg(item, ',' {order})"}


@cache
def _items(dialect: str, upwards: bool, but: int) -> str:
    # One row for the whole page: SQLite's driver lets go of the interpreter at every row, which costs more than the row.
    order = ORDERS[upwards]
    joined, last = JOINED[dialect].format(order=order), "max(sort_at)" if upwards else "NULL"
    listed = f"SELECT item, sort_at, tie {FEED} AND {BOUNDS[upwards]} {BUT[but]} {order} LIMIT ?"
    return f"SELECT {joined}, count(*), min(sort_at), {last}, {_MOVED} FROM ({listed}) AS listed"


def items(session: Session, feed_id: int, end: int, start: Place, limit: int, but: Sequence[int] = (), upwards: bool = False) -> Items:
    """Up to `limit` shown entries from the place `start` on, those of up to two ties `but` left out.

    They go down, not below `end` (µs); or upwards, not above `end`.
    """
    sql = _items(session.dialect, upwards, len(but))
    joined, number, oldest, last, moved = session.execute(sql, (feed_id, feed_id, *start, end, *but, limit))[0]
    return Items(joined or "", number, oldest, last if upwards else oldest, moved)


_PAGE = f"SELECT sort_at, tie, item {FEED} AND {BOUNDS[False]} {ORDERS[False]} LIMIT ?"


def page(session: Session, feed_id: int, floor: int, start: Place, limit: int) -> list[Shown]:
    """Up to `limit` shown entries, one by one, downwards from the place `start` to `floor` (µs)."""
    rows = session.execute(_PAGE, (feed_id, *start, floor, limit))
    return [Shown(sort_at, tie, item.post, item.feedContext) for sort_at, tie, text in rows for item in (_decode(text),)]


_decode = msgspec.json.Decoder(_Item).decode


def why_of(item: str) -> str:
    """The reason in an item, as it is served."""
    return _decode(item).feedContext


_COUNT = f"SELECT count(*) FROM (SELECT 1 FROM entry WHERE feed_id = ? AND state = {SHOWN} AND sort_at >= ? LIMIT ?) AS counted"


def count(session: Session, feed_id: int, floor: int, up_to: int = 10_000) -> int:
    """How many entries are shown since `floor` (µs); counting ends at `up_to`, so that a status page costs little."""
    return int(session.execute(_COUNT, (feed_id, floor, up_to))[0][0])


_OLDEST = "SELECT sort_at, tie, post_id FROM entry WHERE feed_id = ? AND state = ? AND sort_at < ? ORDER BY sort_at, tie LIMIT ?"
_DELETE = "DELETE FROM entry WHERE feed_id = ? AND state = ? AND sort_at = ? AND tie = ?"
_DELETE_GROUPS = "DELETE FROM entry_group WHERE feed_id = ? AND post_id = ?"
_DELETE_REST = "DELETE FROM entry_group WHERE feed_id = ?"


def prune(session: Session, feed_id: int, older_than: int = _MAX, limit: int = 1000) -> int:
    """Remove up to `limit` entries of each state that stand below `older_than` (µs), oldest first; return how many.

    For a feed with a quota, leave one more `every` below the window's end: a stretch is judged whole or not at all.
    """
    gone: list[Sequence[int]] = [
        (feed_id, state, *entry)
        for state in (SHOWN, HELD, HIDDEN, HELD_IN_THREAD)
        for entry in session.execute(_OLDEST, (feed_id, state, older_than, limit))
    ]
    session.executemany(_DELETE, [entry[:4] for entry in gone])
    session.executemany(_DELETE_GROUPS, [(feed_id, entry[4]) for entry in gone])
    if older_than == _MAX and not gone:
        session.execute(_DELETE_REST, (feed_id,))  # moves of posts that are in the feed no more
    return len(gone)
