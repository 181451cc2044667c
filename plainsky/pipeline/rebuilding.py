"""Brings the feeds of the database in line with the feeds of the config: new and changed ones are filled from the stored posts.

A feed is begun, filled in steps and finished, and only then shown: whoever is killed in between begins it again. `align` does so at a
start; `plainsky.pipeline.switching` while posts are stored.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from feedgen.feed import Feed
from models import cursors, entries, feeds, posts
from models.database import Database, Session
from plainsky.pipeline.entering import Entered, apply_quotas, judged
from plainsky.pipeline.judging import STEP, Rooms

RoomsOf: TypeAlias = Callable[[Sequence[int]], Rooms]
"""The rooms, given the number of each configured feed."""


class Plan(msgspec.Struct, frozen=True):
    """What is to be done: `ids` are the numbers of the configured feeds, `before` those of the feeds there were, both by rkey.

    `stale` are the numbers to be filled; `hashes` maps an rkey to the hash of its rules.
    """

    ids: Mapping[str, int]
    before: Mapping[str, int]
    hashes: Mapping[str, str]

    @property
    def stale(self) -> frozenset[int]:
        """The numbers to be filled."""
        return frozenset(feed_id for rkey, feed_id in self.ids.items() if self.before.get(rkey) != feed_id)

    @property
    def gone(self) -> list[str]:
        """The feeds that are configured no more."""
        return sorted(self.before.keys() - self.ids.keys())


Record: TypeAlias = Callable[[Session, Plan], object]
"""Writes down what changes, in the transaction that changes it, while the entries there were are still there."""


def nothing(session: Session, plan: Plan) -> None:
    """Writes down nothing."""


def align(database: Database, configured: Sequence[Feed], rooms_of: RoomsOf, hashes: Mapping[str, str], record: Record = nothing) -> Rooms:
    """The rooms, their feeds numbered and filled; `hashes` maps an rkey to the hash of its rules.

    Blocks: call it from a thread, while nothing is ingested.
    """
    while database.write_now(sweep, True):
        pass
    plan = database.write_now(begin, configured, hashes)
    rooms = rooms_of([plan.ids[feed.rkey] for feed in configured])
    after: int | None = 0 if plan.stale else None
    while after is not None:
        after = database.write_now(fill, rooms, plan.stale, after)
    database.write_now(finish, plan, record)
    while database.write_now(sweep):
        pass
    return rooms


def begin(session: Session, configured: Sequence[Feed], hashes: Mapping[str, str]) -> Plan:
    """Number the feeds; those that are new, or whose rules are others than before, get a new number."""
    known = {rkey: feed for rkey, feed in feeds.known(session).items() if not rkey.startswith(" ")}
    before = {rkey: feed.id for rkey, feed in known.items() if feed.rules_hash is not None}
    current = {rkey for rkey in before if known[rkey].rules_hash == hashes.get(rkey)}
    ids = {feed.rkey: before[feed.rkey] if feed.rkey in current else feeds.begin(session, feed.rkey) for feed in configured}
    return Plan(ids, {rkey: feed.id for rkey, feed in known.items()}, hashes)


def fill(session: Session, rooms: Rooms, stale: frozenset[int], after: int) -> int | None:
    """Judge the next stored posts for these feeds, those with numbers above `after`; the last one's number, None when all are done.

    What is there already stays, so that posts may be stored, changed and removed between two steps by the same rooms.
    """
    step = posts.scan(session, after, STEP)
    if not step:
        return None
    entered = Entered(rooms.layout)
    judged(session, rooms.matcher, rooms.own_src, step, cursors.log_time(session), entered)
    entered.write_absent(session, stale)
    apply_quotas(session, rooms.layout, entered.touched)
    return step[-1].id


def finish(session: Session, plan: Plan, record: Record) -> None:
    """From now on the feeds are those of the plan."""
    record(session, plan)
    stale = plan.stale
    for rkey, feed_id in plan.ids.items():
        if feed_id in stale:
            feeds.finish(session, rkey, feed_id, plan.hashes[rkey])
    for rkey in plan.gone:
        feeds.give_up(session, rkey)


def sweep(session: Session, begun: bool = False) -> bool:
    """Remove some entries of feeds that were given up (`begun`: also of those left half filled); True when there may be more."""
    nameless = feeds.nameless(session, begun)
    for feed_id in nameless[:_SWEPT]:
        if entries.prune(session, feed_id, limit=STEP):
            return True
        feeds.forget(session, feed_id)
    return len(nameless) > _SWEPT


_SWEPT = 100
"""Empty feeds forgotten in one transaction."""
