"""How many posts of one author and of one thread a feed shows: which entries are held back.

Promise: what is held back is a pure function of the feed's entries and its quotas, whatever the order in which they came: in each stretch
of time that posts were written in, those that were indexed first are shown. First the author's quota decides; of what it leaves, the
thread's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol, TypeAlias

from models.database import Session
from models.entries import HELD, HELD_IN_THREAD, HIDDEN, SHOWN, THREAD, Touched
from models.posts import HOUR_US


class Quota(Protocol):
    """At most `posts` posts of one author or thread in each stretch of `every` µs; with `more` "none", no post of those who write more."""

    @property
    def posts(self) -> int:
        """How many are shown."""

    @property
    def every(self) -> int:
        """The stretch, counted from the epoch, in µs."""

    @property
    def more(self) -> str:
        """What becomes of those who write more: "held" (the later posts) or "none" (all of them)."""


class Quotas(NamedTuple):
    """What a feed allows."""

    per_author: Quota | None
    per_thread: Quota | None


# The way to an author's entries of some hours: both indexes append as time goes on, so that they cost little to keep.
# SQLite takes CROSS JOIN as an order to go this way round, and `+` as one to leave the key of `entry` alone, and to compare hours as
# plain values (with a type it would not use the index on the expression).
_ENTRY = "post.sort_at, post.indexed_at, entry.tie, entry.sort_at, entry.state, entry.post_id"
_OF_AUTHOR = (
    f"SELECT entry.feed_id, post.account_id, {_ENTRY} FROM wanted CROSS JOIN post CROSS JOIN entry"
    f" WHERE post.sort_at / {HOUR_US} = +wanted.hour AND post.account_id = wanted.account_id"
    f" AND entry.post_id = post.id AND +entry.feed_id = wanted.feed_id AND entry.state <> {HIDDEN}"
)
_AUTHOR_COLUMNS = {"feed_id": "BIGINT", "account_id": "BIGINT", "hour": "BIGINT"}
_OF_THREAD = (
    f"SELECT entry.feed_id, entry_group.member, {_ENTRY} FROM wanted CROSS JOIN entry_group CROSS JOIN post CROSS JOIN entry"
    f" WHERE entry_group.feed_id = wanted.feed_id AND entry_group.kind = {THREAD} AND entry_group.member = wanted.thread"
    " AND entry_group.sort_at >= wanted.since AND entry_group.sort_at < wanted.till AND post.id = entry_group.post_id"
    f" AND post.sort_at = entry_group.sort_at AND entry.post_id = post.id AND +entry.feed_id = wanted.feed_id"
    f" AND entry.state NOT IN ({HIDDEN}, {HELD})"
)
_THREAD_COLUMNS = {"feed_id": "BIGINT", "thread": "BIGINT", "since": "BIGINT", "till": "BIGINT"}
_THREADS = (
    "SELECT entry_group.feed_id, member, sort_at FROM wanted CROSS JOIN entry_group"
    f" WHERE entry_group.post_id = wanted.post_id AND +entry_group.feed_id = wanted.feed_id AND entry_group.kind = {THREAD}"
)
_SET_STATE = "UPDATE entry SET state = ? WHERE feed_id = ? AND state = ? AND sort_at = ? AND tie = ?"

_Bucket: TypeAlias = tuple[int, int, int]  # feed, author or thread, number of the stretch since the epoch


class _Standing(NamedTuple):
    """An entry in its bucket, in the order in which quotas are given out."""

    indexed_at: int
    tie: int
    sort_at: int
    state: int
    post_id: int


def apply(session: Session, quotas: Mapping[int, Quotas], touched: Collection[Touched]) -> None:
    """In each stretch of time that was touched, show what the feed allows and hold back the rest.

    quotas: by feed id. To be called when the batch's posts, entries and groups are all written.
    """
    changed = _apply_authors(session, {feed_id: each.per_author for feed_id, each in quotas.items() if each.per_author}, touched)
    per_thread = {feed_id: each.per_thread for feed_id, each in quotas.items() if each.per_thread}
    threads = {(t.feed_id, t.thread, t.sort_at) for t in touched if t.feed_id in per_thread and t.thread is not None}
    moved = [(feed_id, post_id) for feed_id, post_id in changed if feed_id in per_thread]
    threads.update(session.matching(_THREADS, {"feed_id": "BIGINT", "post_id": "BIGINT"}, moved))
    _apply_threads(session, per_thread, threads)


def _apply_authors(session: Session, quotas: Mapping[int, Quota], touched: Collection[Touched]) -> set[tuple[int, int]]:
    """(feed, post) of what changed."""
    buckets = {(t.feed_id, t.account_id, t.sort_at // quotas[t.feed_id].every) for t in touched if t.feed_id in quotas}
    standing = _standing(quotas, session.matching(_OF_AUTHOR, _AUTHOR_COLUMNS, list(_hours(quotas, buckets))))
    changes = [
        (feed_id, one, SHOWN if one.state == HELD else HELD)
        for feed_id, author, stretch in buckets
        for one, shown in _ranked(quotas[feed_id], standing[feed_id, author, stretch])
        if shown == (one.state == HELD)
    ]
    _change(session, changes)
    return {(feed_id, one.post_id) for feed_id, one, _ in changes}


def _apply_threads(session: Session, quotas: Mapping[int, Quota], threads: Iterable[tuple[int, int, int]]) -> None:
    buckets = {(feed_id, thread, sort_at // quotas[feed_id].every) for feed_id, thread, sort_at in threads}
    wanted = [(f, thread, n * quotas[f].every, (n + 1) * quotas[f].every) for f, thread, n in buckets]
    standing = _standing(quotas, session.matching(_OF_THREAD, _THREAD_COLUMNS, wanted))
    changes = [
        (feed_id, one, SHOWN if shown else HELD_IN_THREAD)
        for feed_id, thread, stretch in buckets
        for one, shown in _ranked(quotas[feed_id], standing[feed_id, thread, stretch])
        if shown != (one.state == SHOWN)
    ]
    _change(session, changes)


def _standing(quotas: Mapping[int, Quota], rows: Iterable[tuple[int, ...]]) -> dict[_Bucket, list[_Standing]]:
    found: dict[_Bucket, list[_Standing]] = defaultdict(list)
    for feed_id, member, written_at, indexed_at, tie, sort_at, state, post_id in rows:
        found[feed_id, member, written_at // quotas[feed_id].every].append(_Standing(indexed_at, tie, sort_at, state, post_id))
    return found


def _ranked(quota: Quota, standing: list[_Standing]) -> Iterator[tuple[_Standing, bool]]:
    """Each entry of a bucket, and whether the quota lets it be shown."""
    room = 0 if quota.more == "none" and len(standing) > quota.posts else quota.posts
    return ((one, rank < room) for rank, one in enumerate(sorted(standing)))


def _change(session: Session, changes: Iterable[tuple[int, _Standing, int]]) -> None:
    session.executemany(_SET_STATE, [(due, feed_id, one.state, one.sort_at, one.tie) for feed_id, one, due in changes])


def _hours(quotas: Mapping[int, Quota], buckets: Iterable[_Bucket]) -> set[tuple[int, int, int]]:
    return {
        (feed_id, account_id, hour)
        for feed_id, account_id, number in buckets
        for every in (quotas[feed_id].every,)
        for hour in range(number * every // HOUR_US, ((number + 1) * every - 1) // HOUR_US + 1)
    }
