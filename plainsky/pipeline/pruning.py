"""Forgets, in small steps that ingest can slip between, what is outside every feed's window and outside the retention time.

The clock is the log's (the upstream time of the newest event stored): while no events come, nothing is forgotten.
"""

from collections.abc import Callable, Sequence

from feedgen.feed import Feed
from feedgen.orders import needed_from
from models import cursors, entries, known_labels, moves, posts
from models.database import Database
from models.duration import Duration
from plainsky.pipeline.rebuilding import sweep

STEP = 500
"""Rows removed in one transaction: a few milliseconds."""


async def prune(
    database: Database, configured: Sequence[Feed], ids: Sequence[int], retention: Duration, import_after: Duration
) -> tuple[int, int]:
    """Remove entries that no page needs, then posts older than the retention that are in no feed; return how many of each.

    import_after: how much older than its arrival a post may say to be.
    """
    log_time = await database.read(cursors.log_time)
    gone = 0
    for feed, feed_id in zip(configured, ids, strict=True):
        gone += await _prune_feed(database, feed_id, needed_from(feed, log_time, import_after))
        await database.write(moves.forget, feed_id, log_time - moves.REMEMBERED)
    while await database.write(sweep):
        pass
    await _prune_labels(database, labels_needed_from(configured, retention, import_after)(log_time))
    return gone, await _prune_posts(database, log_time - retention)


def labels_needed_from(configured: Sequence[Feed], retention: Duration, import_after: Duration) -> Callable[[int], int]:
    """From the log's time, the time (both in µs) before which no label that was put on a post can matter: the post is stored no more."""

    def floor(log_time: int) -> int:
        return min([log_time - retention, *[needed_from(feed, log_time, import_after) for feed in configured]]) if log_time else 0

    return floor


async def _prune_labels(database: Database, floor: int) -> None:
    while await database.write(known_labels.prune, floor, STEP):
        pass


async def _prune_feed(database: Database, feed_id: int, floor: int) -> int:
    total = 0
    while removed := await database.write(entries.prune, feed_id, floor, STEP):
        total += removed
    return total


async def _prune_posts(database: Database, floor: int) -> int:
    total = 0
    hour = await database.read(posts.next_hour)
    while hour is not None and hour < floor // posts.HOUR_US:
        while removed := await database.write(posts.prune_hour, hour, STEP):
            total += removed
        hour = await database.read(posts.next_hour, hour + 1)
    return total
