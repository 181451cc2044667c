"""Forgets, in small steps that ingest can slip between, what is outside every feed's window and outside the retention time.

The clock is the log's (the upstream time of the newest event stored): while no events come, nothing is forgotten.
"""

from collections.abc import Sequence

from feedgen.feed import Feed
from models import cursors, entries, posts
from models.database import Database
from models.duration import Duration

STEP = 500
"""Rows removed in one transaction: a few milliseconds."""


async def prune(database: Database, configured: Sequence[Feed], ids: Sequence[int], retention: Duration) -> tuple[int, int]:
    """Remove entries outside their feed's window, then posts older than the retention that are in no feed; return how many of each."""
    log_time = await database.read(cursors.log_time)
    gone = 0
    for feed, feed_id in zip(configured, ids, strict=True):
        # One stretch of the quota more, since a stretch is judged whole.
        kept = feed.window + (feed.per_author.every if feed.per_author else 0)
        gone += await _prune_feed(database, feed_id, log_time - kept)
    return gone, await _prune_posts(database, log_time - retention)


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
