"""A feed's entries by certain authors: what a viewer of a followed feed is shown. Read only; who asks is not known here."""

from collections.abc import Collection

from models.database import Session
from models.entries import AUTHOR, SHOWN, Items, Place

# The group finds an author's entries of the stretch, newest first; SQLite takes CROSS JOIN as an order to go this way round, and `+` as one
# to find the entry by its post.
_FROM = (
    "SELECT entry.sort_at, entry.tie, entry.item FROM wanted CROSS JOIN account CROSS JOIN entry_group CROSS JOIN entry"
    " WHERE account.did = wanted.did AND entry_group.feed_id = {feed} AND entry_group.kind = {author} AND entry_group.member = account.id"
    " AND entry_group.sort_at BETWEEN {low} AND {high} AND entry.post_id = entry_group.post_id AND +entry.feed_id = {feed}"
    " AND entry.state = {shown} AND entry.sort_at BETWEEN {low} AND {high}"
)


def items(
    session: Session, dids: Collection[str], feed_id: int, end: int, start: Place, limit: int, but: Collection[int], upwards: bool
) -> Items:
    """As `models.entries.items`, of the entries whose authors are among `dids`; moves are not told."""
    low, high = (start[0], end) if upwards else (end, start[0])
    sql = _FROM.format(feed=int(feed_id), author=AUTHOR, shown=SHOWN, low=int(low), high=int(high))
    rows = session.matching(sql, {"did": "TEXT"}, [(did,) for did in sorted(dids)]) if dids else []
    beyond = [row for row in rows if row[1] not in but and ((row[0], row[1]) >= start if upwards else (row[0], row[1]) <= start)]
    page = sorted(beyond, key=lambda row: (row[0], row[1]), reverse=not upwards)[:limit]
    oldest, last = (min(page)[0], page[-1][0]) if page else (None, None)
    return Items(",".join(row[2] for row in page), len(page), oldest, last)
