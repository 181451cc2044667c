"""Brings the feeds of the database in line with the feeds of the config: new and changed ones are filled from the stored posts.

A feed is begun, filled in steps and finished; whoever is killed in between begins it again (its rules hash is only written at the end).
"""

from collections.abc import Mapping, Sequence

from feedgen.feed import Feed
from feedgen.matcher import Matcher
from models import entries, feeds, posts
from models.database import Database, Session
from plainsky.pipeline.storing import entry_rows, quotas_of, touched_by, uri_of

STEP = 1_000
"""Posts judged in one transaction."""


def align(database: Database, configured: Sequence[Feed], matcher: Matcher, hashes: Mapping[str, str]) -> list[int]:
    """The number of each configured feed, in their order; `hashes` maps an rkey to the hash of its rules.

    `matcher` was made of `configured`. Blocks: call it from a thread, before ingest starts.
    """
    known = database.read_now(feeds.known)
    for rkey in known.keys() - {feed.rkey for feed in configured}:
        _remove(database, known[rkey])
    ids = [known[feed.rkey].id if feed.rkey in known else 0 for feed in configured]
    stale = [index for index, feed in enumerate(configured) if feed.rkey not in known or known[feed.rkey].rules_hash != hashes[feed.rkey]]
    for index in stale:
        ids[index] = database.write_now(feeds.begin, configured[index].rkey)
        _empty(database, ids[index])
    if stale:
        _fill(database, configured, matcher, ids, frozenset(stale))
    for index in stale:
        rkey = configured[index].rkey
        database.write_now(feeds.finish, rkey, hashes[rkey])
    return ids


def _remove(database: Database, feed: feeds.Known) -> None:
    _empty(database, feed.id)
    database.write_now(feeds.forget, feed.rkey)


def _empty(database: Database, feed_id: int) -> None:
    while database.write_now(entries.prune, feed_id, limit=10 * STEP):
        pass


def _fill(database: Database, configured: Sequence[Feed], matcher: Matcher, ids: Sequence[int], stale: frozenset[int]) -> None:
    quotas = quotas_of(configured, ids)
    after = 0
    while step := database.read_now(posts.scan, after, STEP):
        after = step[-1].id
        database.write_now(_judge_again, step, matcher, ids, stale, quotas)


def _judge_again(
    session: Session,
    step: Sequence[posts.Judged],
    matcher: Matcher,
    ids: Sequence[int],
    stale: frozenset[int],
    quotas: Mapping[int, entries.Quota],
) -> None:
    numbers = {ids[index] for index in stale}
    rows: list[entries.Entry] = []
    touched: set[entries.Touched] = set()
    for post in step:
        admissions = matcher.match(post.account.did, post.post)
        entered = entry_rows(admissions, ids, post.account, post.sort_at, post.id, uri_of(post.account.did, post.rkey))
        entered = [row for row in entered if row[0] in numbers]
        rows += entered
        touched.update(touched_by(entered, quotas, post.account))
    entries.add(session, rows)
    entries.apply_quota(session, quotas, touched)
