"""Posts that stand elsewhere in a feed since they were edited: rows of `entry_group`, of the kind MOVED.

Promise: who reads a feed page by page meets each post once, where it stood when he began, though an edit has moved it since. Edits are
few, and most move nothing (see `docs/orders.md`); a walk that began before any move that is remembered needs to know nothing of it.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from functools import cache
from typing import NamedTuple

from models.database import Session
from models.duration import Duration, duration
from models.entries import BOUNDS, BUT, FEED, JOINED, MOVED, ORDERS, SHOWN, Items, Place

REMEMBERED: Duration = duration("1d")
"""No reader takes longer from page to page, in the log's time."""


class Stood(NamedTuple):
    """An entry that may be about to move: feed id, post id, `sort_at` (µs)."""

    feed_id: int
    post_id: int
    sort_at: int


_STANDING = "SELECT feed_id, entry.post_id, sort_at FROM wanted JOIN entry ON entry.post_id = wanted.post_id"
_LAST = f"SELECT feed_id, max(member) FROM entry_group JOIN wanted USING (feed_id) WHERE kind = {MOVED} GROUP BY feed_id"
_ADD = "INSERT INTO entry_group (feed_id, kind, member, sort_at, post_id)"
_FORGET = f"DELETE FROM entry_group WHERE feed_id = ? AND kind = {MOVED} AND member < ?"


def standing(session: Session, post_ids: Collection[int]) -> set[Stood]:
    """Where posts stand: to be asked before `entries.remove`, of posts that were edited."""
    return set(map(Stood._make, session.matching(_STANDING, {"post_id": "BIGINT"}, [(post_id,) for post_id in post_ids])))


def remember(session: Session, stood: Set[Stood], edited_at: Mapping[int, int]) -> None:
    """Which of them do not stand there any more. To be called when their entries are written anew.

    edited_at: by post id, the time (µs) of its edit. It is the move's number, so that a cursor tells the same however events were cut into
    batches; a later move has a greater one, also of two in one moment.
    """
    left = stood - standing(session, {each.post_id for each in stood})
    last: dict[int, int] = dict(session.matching(_LAST, {"feed_id": "BIGINT"}, [(each.feed_id,) for each in left]))
    rows = []
    for each in sorted(left, key=lambda each: (edited_at[each.post_id], each)):
        last[each.feed_id] = number = max(edited_at[each.post_id], last.get(each.feed_id, 0) + 1)
        rows.append((each.feed_id, MOVED, number, each.sort_at, each.post_id))
    session.insert(_ADD, sorted(rows))


def forget(session: Session, feed_id: int, before: int) -> None:
    """Forget the moves of before a time of the log (µs)."""
    session.execute(_FORGET, (feed_id, before))


# Of each post that moved after the number given: where it stood until its first move since.
_FIRST_MOVES = (
    "SELECT post_id, sort_at FROM (SELECT post_id, sort_at, row_number() OVER (PARTITION BY post_id ORDER BY member) AS rank"
    f" FROM entry_group WHERE feed_id = ? AND kind = {MOVED} AND member > ?) AS every_move WHERE rank = 1"
)


@cache
def _items(dialect: str, upwards: bool, but: int) -> str:
    order, bounds = ORDERS[upwards], f"{BOUNDS[upwards]} {BUT[but]}"
    stood = bounds.replace("sort_at", "stood_at")
    joined, last = JOINED[dialect].format(order=order), "max" if upwards else "min"
    # Each half ends by itself, so that the first is read from the key, and no further than needed.
    return (
        f"WITH moved(post_id, stood_at) AS ({_FIRST_MOVES}),"
        f" others AS (SELECT item, sort_at, tie {FEED} AND {bounds} AND post_id NOT IN (SELECT post_id FROM moved) {order} LIMIT ?),"
        f" movers AS (SELECT item, stood_at AS sort_at, tie FROM moved JOIN entry ON entry.post_id = moved.post_id"
        f" WHERE entry.feed_id = ? AND state = {SHOWN} AND {stood}),"
        f" listed AS (SELECT * FROM (SELECT * FROM others UNION ALL SELECT * FROM movers) AS both_kinds {order} LIMIT ?)"
        f" SELECT {joined}, count(*), min(sort_at), {last}(sort_at) FROM listed"
    )


def items_since(
    session: Session, since: int, feed_id: int, end: int, start: Place, limit: int, but: Sequence[int] = (), upwards: bool = False
) -> Items:
    """As `entries.items`, but for who began to read when `since` was the number of the latest move."""
    within = (feed_id, *start, end, *but, limit)
    sql = _items(session.dialect, upwards, len(but))
    joined, *span = session.execute(sql, (feed_id, since, *within, *within))[0]
    return Items(joined or "", *span)
