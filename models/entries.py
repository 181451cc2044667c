"""The table `entry`: which post stands in which feed, and why. Written in the pipeline's transaction; a page of a feed is one range of it.

Promise: the order of a feed is a pure function of the set of its posts, (sort_at, tie) descending, whichever way and in whichever
order they came, on SQLite and PostgreSQL alike. `post_id` never leaves the database.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from models.database import Session
from models.posts import HOUR_US

SHOWN = 0
"""On the feed's pages."""
HELD = 1
"""Held back: the author has had the posts that the feed allows in this stretch of time."""
HIDDEN = 2
"""The author's account is not active."""

_MAX = 2**63 - 1

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
    """Something of this author changed in this feed at this time (µs): what `apply_quota` must look at again."""

    feed_id: int
    account_id: int
    sort_at: int


class Quota(Protocol):
    """At most `posts` posts of one author in each stretch of `every` µs."""

    @property
    def posts(self) -> int:
        """How many are shown."""

    @property
    def every(self) -> int:
        """The stretch, counted from the epoch, in µs."""


class Items(NamedTuple):
    """Some of a feed's entries on end: their items with commas between, how many, and the `sort_at` of the oldest (None for none)."""

    joined: str
    number: int
    oldest: int | None


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
    return int.from_bytes(blake2b(uri.encode(), digest_size=8).digest(), "big") >> 1


_ADD = "INSERT INTO entry (feed_id, state, sort_at, tie, post_id, item)"
# One post stands in a feed once, in whatever state.
_ADD_ABSENT = (
    f"{_ADD} SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM entry WHERE post_id = ? AND feed_id = ?) ON CONFLICT DO NOTHING"
)
# What a changed row tells; the post's own row must still be there.
_TOUCHED = " RETURNING feed_id, (SELECT account_id FROM post WHERE post.id = entry.post_id), sort_at"
_REMOVE = "DELETE FROM entry WHERE post_id IN (SELECT id FROM wanted)" + _TOUCHED
_HIDE = f"UPDATE entry SET state = {HIDDEN} WHERE state <> {HIDDEN} AND post_id IN (SELECT id FROM wanted)" + _TOUCHED
_SHOW = f"UPDATE entry SET state = {SHOWN} WHERE state = {HIDDEN} AND post_id IN (SELECT id FROM wanted)" + _TOUCHED


def add(session: Session, entries: Iterable[Entry]) -> None:
    """Put posts into feeds; what is there already, in whatever state, stays as it is. Where a quota holds, `apply_quota` must follow."""
    session.executemany(_ADD_ABSENT, [(*entry, entry[4], entry[0]) for entry in entries])


def add_new(session: Session, entries: Iterable[Entry]) -> None:
    """`add` for posts that stand in no feed, because they are new or were removed before: nothing is looked up."""
    session.insert(_ADD, sorted(entries), "ON CONFLICT DO NOTHING")  # in the table's order: neighbours find their page at hand


def remove(session: Session, post_ids: Iterable[int]) -> set[Touched]:
    """Take posts out of every feed; to be called while their rows in `post` are still there."""
    return _change(session, _REMOVE, post_ids)


def hide(session: Session, post_ids: Iterable[int]) -> set[Touched]:
    """Take an inactive account's posts off every page, and keep them for its return."""
    return _change(session, _HIDE, post_ids)


def show(session: Session, post_ids: Iterable[int]) -> set[Touched]:
    """Bring hidden posts back; where a quota holds, `apply_quota` must follow."""
    return _change(session, _SHOW, post_ids)


def _change(session: Session, sql: str, post_ids: Iterable[int]) -> set[Touched]:
    return set(map(Touched._make, session.matching(sql, {"id": "BIGINT"}, [(post_id,) for post_id in post_ids])))


# The way to an author's entries of some hours: both indexes append as time goes on, so that they cost little to keep.
# SQLite takes CROSS JOIN as an order to go this way round, and `+` as one to leave the key of `entry` alone, and to compare hours as
# plain values (with a type it would not use the index on the expression).
_OF_AUTHOR = (
    "SELECT entry.feed_id, post.account_id, entry.sort_at, entry.tie, entry.state FROM wanted CROSS JOIN post CROSS JOIN entry"
    f" WHERE post.sort_at / {HOUR_US} = +wanted.hour AND post.account_id = wanted.account_id"
    f" AND entry.post_id = post.id AND +entry.feed_id = wanted.feed_id AND entry.state <> {HIDDEN}"
)
_BUCKET_COLUMNS = {"feed_id": "BIGINT", "account_id": "BIGINT", "hour": "BIGINT"}
_SET_STATE = "UPDATE entry SET state = ? WHERE feed_id = ? AND state = ? AND sort_at = ? AND tie = ?"

_Bucket: TypeAlias = tuple[int, int, int]  # feed, author, number of the stretch since the epoch


def apply_quota(session: Session, quotas: Mapping[int, Quota], touched: Iterable[Touched]) -> None:
    """In each stretch of time that was touched show an author's earliest posts, as many as the feed allows, and hold back the rest.

    quotas: by feed id. To be called when the batch's posts and entries are all written.
    """
    buckets = {(t.feed_id, t.account_id, t.sort_at // quotas[t.feed_id].every) for t in touched if t.feed_id in quotas}
    standing: dict[_Bucket, list[tuple[int, int, int]]] = defaultdict(list)
    for feed_id, account_id, *entry in session.matching(_OF_AUTHOR, _BUCKET_COLUMNS, list(_hours(quotas, buckets))):
        standing[feed_id, account_id, entry[0] // quotas[feed_id].every].append((entry[0], entry[1], entry[2]))
    session.executemany(_SET_STATE, [change for bucket in buckets for change in _changes(bucket[0], quotas, standing[bucket])])


def _hours(quotas: Mapping[int, Quota], buckets: Iterable[_Bucket]) -> set[tuple[int, int, int]]:
    return {
        (feed_id, account_id, hour)
        for feed_id, account_id, number in buckets
        for every in (quotas[feed_id].every,)
        for hour in range(number * every // HOUR_US, ((number + 1) * every - 1) // HOUR_US + 1)
    }


def _changes(feed_id: int, quotas: Mapping[int, Quota], standing: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int, int, int]]:
    for rank, (sort_at, tie, state) in enumerate(sorted(standing)):
        due = SHOWN if rank < quotas[feed_id].posts else HELD
        if state != due:
            yield due, feed_id, state, sort_at, tie


_FROM = (
    f"FROM entry WHERE feed_id = ? AND state = {SHOWN} AND (sort_at, tie) <= (?, ?) AND sort_at >= ? AND tie <> ?"
    " ORDER BY sort_at DESC, tie DESC LIMIT ?"
)
# One row for the whole page: SQLite's driver lets go of the interpreter at every row, which costs more than the row.
_ITEMS = {
    "sqlite": f"SELECT group_concat(item), count(*), min(sort_at) FROM (SELECT item, sort_at {_FROM})",
    "postgresql": "SELECT string_agg(item, ',' ORDER BY sort_at DESC, tie DESC), count(*), min(sort_at)"
    f" FROM (SELECT item, sort_at, tie {_FROM}) AS listed",
}
_PAGE = f"SELECT sort_at, tie, item {_FROM}"
_NO_TIE = -1


def items(session: Session, feed_id: int, floor: int, start: Place, limit: int, but: int = _NO_TIE) -> Items:
    """Up to `limit` shown entries, newest first, from the place `start` on, not older than `floor` (µs), without the tie `but`."""
    joined, number, oldest = session.execute(_ITEMS[session.dialect], (feed_id, *start, floor, but, limit))[0]
    return Items(joined or "", number, oldest)


def page(session: Session, feed_id: int, floor: int, start: Place, limit: int) -> list[Shown]:
    """The same, one by one."""
    rows = session.execute(_PAGE, (feed_id, *start, floor, _NO_TIE, limit))
    return [Shown(sort_at, tie, item.post, item.feedContext) for sort_at, tie, text in rows for item in (_decode(text),)]


_decode = msgspec.json.Decoder(_Item).decode

_COUNT = f"SELECT count(*) FROM (SELECT 1 FROM entry WHERE feed_id = ? AND state = {SHOWN} AND sort_at >= ? LIMIT ?) AS counted"


def count(session: Session, feed_id: int, floor: int, up_to: int = 10_000) -> int:
    """How many entries are shown since `floor` (µs); counting ends at `up_to`, so that a status page costs little."""
    return int(session.execute(_COUNT, (feed_id, floor, up_to))[0][0])


_OLDEST = "SELECT sort_at, tie FROM entry WHERE feed_id = ? AND state = ? AND sort_at < ? ORDER BY sort_at, tie LIMIT ?"
_DELETE = "DELETE FROM entry WHERE feed_id = ? AND state = ? AND sort_at = ? AND tie = ?"


def prune(session: Session, feed_id: int, older_than: int = _MAX, limit: int = 1000) -> int:
    """Remove up to `limit` entries of each state that are older than `older_than` (µs), oldest first; return how many.

    For a feed with a quota, leave one more `every` below the window's end: a stretch is judged whole or not at all.
    """
    gone: list[Sequence[int]] = [
        (feed_id, state, *place)
        for state in (SHOWN, HELD, HIDDEN)
        for place in session.execute(_OLDEST, (feed_id, state, older_than, limit))
    ]
    session.executemany(_DELETE, gone)
    return len(gone)
