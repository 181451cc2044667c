"""Lists and starter packs are read through the AppView, again and again; the last good copy counts (plainsky/knowing)."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from models import lists
from models.database import Database
from models.duration import duration
from plainsky.asking import appview
from plainsky.asking.appview import Unreadable, read_list
from plainsky.knowing.known import Known
from plainsky.knowing.lists import Lists
from plainsky.metrics import Metrics
from plainsky.pipeline.storing import Outcome
from tests.support.garden import created, did, uri
from tests.support.learning import ASKING, FRIENDS, PACK, Learning
from tests.support.neighbours import Neighbours, list_uri, members
from tests.support.tokens import Clock

REFRESH = duration("15m")


@pytest.fixture
async def neighbours() -> AsyncIterator[Neighbours]:
    async with Neighbours() as running:
        running.lists = {FRIENDS: ("Friends", members([0])), PACK: ("unused", []), ASKING: ("No feeds please", members([2]))}
        running.packs = {PACK: list_uri("of-pack")}
        running.lists[list_uri("of-pack")] = ("Of the pack", members([1]))
        yield running


class Reading:
    """The job, its pipeline and its clock."""

    def __init__(self, database: Database, neighbours: Neighbours, known: Known | None = None) -> None:
        self.kept = Learning(database, known=known)
        self.clock = Clock()
        self.outcomes: list[Outcome] = []
        self.job = Lists(database, self.kept.storer, neighbours.url, REFRESH, {ASKING}, self.outcomes.append, self.clock)

    async def after(self, seconds: float) -> None:
        """Time passes, and what is due is read."""
        self.clock.now += seconds
        await self.job.once()


@pytest.fixture
def reading(database: Database, neighbours: Neighbours) -> Reading:
    return Reading(database, neighbours)


async def test_lists_and_starter_packs_are_read_at_once_and_followed(reading: Reading, neighbours: Neighbours) -> None:
    kept = reading.kept
    kept.store([created(number, number, number) for number in range(3)])
    await reading.after(0)
    assert (kept.shown("friends"), kept.shown("pack")) == ([uri(0, 0)], [uri(1, 1)])
    assert kept.out() == {did(2)}
    assert {feed for outcome in reading.outcomes for feed in outcome.feeds} >= {kept.ids[0], kept.ids[1]}
    assert reading.job.ages() == dict.fromkeys(sorted([FRIENDS, PACK, ASKING]), 0.0)

    neighbours.lists[FRIENDS] = ("Friends", members([1]))
    await reading.after(14 * 60)
    assert kept.shown("friends") == [uri(0, 0)]
    await reading.after(60)
    assert kept.shown("friends") == [uri(1, 1)]


async def test_a_long_list_is_read_to_its_end(reading: Reading, neighbours: Neighbours) -> None:
    neighbours.page = 2
    everybody = members(range(8))
    neighbours.lists[FRIENDS] = ("All", everybody)

    assert await read_list(neighbours.url, FRIENDS) == ("All", frozenset(everybody))
    assert sum("getList" in path for path in neighbours.asked) == 4


FAILURES = {
    "an error": web.Response(status=500, text="oops"),
    "no JSON": web.Response(text="<html>"),
    "another shape": web.json_response({"items": "none"}),
    "a list nobody knows": web.json_response({"error": "InvalidRequest", "message": "List not found"}, status=400),
    "endless brackets": web.Response(text="[" * 100_000),
    "pages in circles": web.json_response({"list": {"uri": FRIENDS, "name": "x"}, "items": [], "cursor": "again"}),
    "a redirect": web.Response(status=302, headers={"Location": "/elsewhere"}),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
async def test_a_list_that_cannot_be_read_keeps_its_last_copy_and_grows_old(
    reading: Reading, neighbours: Neighbours, answer: web.Response
) -> None:
    kept = reading.kept
    kept.store([created(0, 0, 0)])
    await reading.after(0)
    neighbours.raw = answer

    for _ in range(30):
        await reading.after(900)
    assert kept.shown("friends") == [uri(0, 0)]
    assert reading.job.ages()[FRIENDS] == 30 * 900

    neighbours.raw = None
    await reading.after(900)
    assert reading.job.ages()[FRIENDS] == 0


async def test_a_list_that_fails_is_asked_for_sooner_than_usual_then_less_and_less_often(reading: Reading, neighbours: Neighbours) -> None:
    neighbours.raw = FAILURES["an error"]

    def asked() -> int:
        return sum(FRIENDS.rpartition("/")[2] in path for path in neighbours.asked)

    times = []
    for second in range(3600):
        before = asked()
        await reading.after(1)
        if asked() > before:
            times.append(second)
    assert times == [0, 10, 30, 70, 150, 310, 630, 1270, 2170, 3070]
    assert reading.job.ages()[FRIENDS] == math.inf


async def test_an_appview_that_hangs_costs_a_bounded_time(neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appview, "PAGE_SECONDS", 0.05)
    neighbours.hangs = True

    with pytest.raises(Unreadable, match="TimeoutError"):
        await read_list(neighbours.url, FRIENDS)


async def test_an_unchanged_list_builds_no_rules_anew(reading: Reading) -> None:
    await reading.after(0)
    before = reading.kept.storer.rooms

    await reading.after(900)
    assert reading.kept.storer.rooms is before


async def test_the_last_copy_counts_from_the_start_on(reading: Reading, neighbours: Neighbours, database: Database) -> None:
    reading.kept.store([created(0, 0, 0)])
    await reading.after(0)
    neighbours.raw = FAILURES["an error"]

    again = Reading(database, neighbours, Known(lists=database.read_now(lists.known)))
    await again.after(0)
    again.kept.store([created(0, 1, 1)])
    assert again.kept.shown("friends") == [uri(0, 1), uri(0, 0)]


async def test_the_job_goes_on_until_it_is_cancelled(database: Database, neighbours: Neighbours) -> None:
    kept = Learning(database)
    read = asyncio.Event()
    job = asyncio.create_task(Lists(database, kept.storer, neighbours.url, duration("1s"), (), lambda _: read.set()).run())
    for _ in range(3):
        async with asyncio.timeout(10):
            await read.wait()
        read.clear()
    job.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await job


def test_ages_are_a_gauge_by_list() -> None:
    metrics = Metrics()
    metrics.watch_by("plainsky_list_age_seconds", "How old.", "list", lambda: {FRIENDS: 12.0, PACK: math.inf})

    text = metrics.text().decode()
    assert f'plainsky_list_age_seconds{{list="{FRIENDS}"}} 12.0' in text
    assert f'plainsky_list_age_seconds{{list="{PACK}"}} +Inf' in text
