"""Takes other feeds and rules into use while posts are stored, between two batches.

What changes is filled under new numbers beside the feeds there are, in steps between which batches are stored into both; then all is
taken into use at once. Promise: no event waits longer than a step, none is lost, and the feeds hold what they would hold had these rules
always been there. Until the end readers have the feeds there were, and when it fails, nothing has changed.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from feedgen.feed import Feed
from models.database import Database
from plainsky.knowing.known import Known
from plainsky.patience import patiently
from plainsky.pipeline.entering import layout
from plainsky.pipeline.judging import Rooms
from plainsky.pipeline.rebuilding import Plan, Record, begin, fill, finish, sweep
from plainsky.pipeline.storing import Storer


class Wanted(Protocol):
    """What is to be taken into use: the feeds, the hashes of their rules, what they know, and the rooms, given the feeds' numbers."""

    @property
    def feeds(self) -> Sequence[Feed]:
        """As configured."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """By rkey."""

    @property
    def known(self) -> Known:
        """What the rooms are made with."""

    def rooms(self, feed_ids: Sequence[int]) -> Rooms:
        """What the pipeline decides with."""


class Switch(NamedTuple):
    """`record` writes it down, in the transaction that takes it into use; `follow` is called right after, before anything is stored."""

    wanted: Wanted
    record: Record
    follow: Callable[[Rooms], None]


async def switch(database: Database, storer: Storer, new: Switch) -> None:
    """Take it into use. To be called while nobody learns: what is known must not change meanwhile (`plainsky.pipeline.learning`)."""
    while await patiently(database.write, sweep, True):
        pass
    before, wanted = storer.rooms, new.wanted
    plan = await patiently(database.write, begin, wanted.feeds, wanted.hashes)
    rooms = await asyncio.to_thread(wanted.rooms, [plan.ids[feed.rkey] for feed in wanted.feeds])
    try:
        if plan.stale:
            await _fill(database, storer, plan, await asyncio.to_thread(_both, before, wanted, plan))
        async with storer.turn:
            await patiently(database.write, finish, plan, new.record)
            storer.rooms = rooms
            storer.forget()
            new.follow(rooms)
    except Exception:
        async with storer.turn:
            storer.rooms = before
        raise


def _both(before: Rooms, new: Wanted, plan: Plan) -> Rooms:
    """The rooms for as long as it takes: the feeds there were, then those that are filled."""
    there = list(zip(before.layout.feed_ids, before.layout.feeds, strict=True))
    stale = plan.stale
    filled = [(plan.ids[feed.rkey], feed) for feed in new.feeds if plan.ids[feed.rkey] in stale]
    ids, feeds = [feed_id for feed_id, _ in (*there, *filled)], [feed for _, feed in (*there, *filled)]
    return msgspec.structs.replace(before, layout=layout(feeds, ids), matcher=new.known.matcher(feeds), known=new.known)


async def _fill(database: Database, storer: Storer, plan: Plan, both: Rooms) -> None:
    async with storer.turn:
        storer.rooms = both
    after: int | None = 0
    while after is not None:
        async with storer.turn:
            after = await patiently(database.write, fill, both, plan.stale, after)
