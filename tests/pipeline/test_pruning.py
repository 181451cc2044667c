"""What is outside every window and the retention is forgotten, in steps that ingest slips between (plainsky/pipeline/pruning.py)."""

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from feedgen.feed import Feed, Quota
from feedgen.rules import load
from models import entries, posts
from models.database import Database
from models.duration import Duration, duration
from models.protocol.syntax import tid_of
from plainsky.config.loading import parse
from plainsky.ingest import Position
from plainsky.pipeline import pruning
from plainsky.pipeline.pruning import prune
from plainsky.service import Service
from tests.support.garden import account, at, created, deleted, did, rkey, updated, uri
from tests.support.kept import Kept

HOUR = 3600
DAY = 24 * HOUR
ONE_DAY, TWO_DAYS = duration("1d"), duration("2d")


def feed(rkey: str, tag: str, window: str, quota: Quota | None = None) -> Feed:
    return Feed(rkey, rkey, (load("hashtag")(any=(tag,)),), window=duration(window), per_author=quota)


SHORT, LONG, CALM = feed("short", "garden", "1d"), feed("long", "cats", "7d"), feed("calm", "garden", "1d", Quota(1, duration("6h")))


EDITIONS = """
[service]
hostname = "localhost"
port = 0

[store]
url = "@URL@"

[ingest]
source = "replay"
path = "none"
import_after = "7d"

[[feeds]]
rkey = "daily"
name = "Daily"
order = "edition"
edition = { at = ["12:00"], timezone = "UTC" }
window = "1d"
per_author = { posts = 1, every = "1h" }

[[feeds.include]]
kind = "hashtag"
any = ["garden"]
"""


class Garden:
    """Feeds of several windows over a database; `days` pass by a post that is in none of them."""

    def __init__(self, database: Database) -> None:
        self.database, self.kept = database, Kept(database, (SHORT, LONG, CALM))
        self.store, self.shown = self.kept.store, self.kept.shown

    def passes(self, seconds: int) -> None:
        """The log's time goes on to so many seconds after noon."""
        self.store([created(5, seconds, seconds, "nothing")])

    def prune(self, retention: Duration = TWO_DAYS) -> tuple[int, int]:
        return asyncio.run(prune(self.database, self.kept.feeds, self.kept.ids, retention, ONE_DAY))

    def count(self, table: str) -> int:
        return int(self.database.read_now(lambda session: session.execute(f"SELECT count(*) FROM {table}"))[0][0])

    def rkeys(self) -> set[str]:
        """The keys of all rows of posts, tombstones too."""
        return {row[0] for row in self.database.read_now(lambda session: session.execute("SELECT rkey FROM post"))}

    def entries_of(self, rkey: str) -> int:
        number = self.kept.ids[[one.rkey for one in self.kept.feeds].index(rkey)]
        return int(self.database.read_now(lambda session: session.execute("SELECT count(*) FROM entry WHERE feed_id = ?", (number,)))[0][0])


@pytest.fixture
def garden(database: Database) -> Garden:
    return Garden(database)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pruning, "STEP", 3)
    return


def test_entries_outside_the_window_go_and_others_stay(garden: Garden) -> None:
    garden.store([created(0, 1, 1), created(0, DAY, DAY), created(0, DAY + 9, DAY + 9)])
    garden.passes(2 * DAY)

    assert garden.prune()[0] == 2  # of both feeds
    assert garden.shown("short") == [uri(0, DAY + 9), uri(0, DAY)]


def test_an_entry_exactly_as_old_as_the_window_stays(garden: Garden) -> None:
    garden.store([created(0, 100, 100), created(0, 99, 99)])
    garden.passes(100 + DAY)

    garden.prune()

    assert garden.shown("short") == [uri(0, 100)]


def test_each_feed_has_a_window_of_its_own(garden: Garden) -> None:
    garden.store([created(0, 1, 1, "#garden and #cats")])
    garden.passes(3 * DAY)

    garden.prune()

    assert (garden.shown("short"), garden.shown("long")) == ([], [uri(0, 1)])


def test_posts_outside_the_retention_go_unless_they_are_in_a_feed(garden: Garden) -> None:
    garden.store([created(0, 1, 1, "nothing"), created(0, 2, 2, "#cats"), created(0, DAY, DAY, "nothing")])
    garden.passes(3 * DAY)

    assert garden.prune() == (0, 1)
    assert garden.rkeys() == {rkey(2), rkey(DAY), rkey(3 * DAY)}


def test_a_retention_longer_than_every_window_keeps_posts_that_are_in_no_feed_any_more(garden: Garden) -> None:
    garden.store([created(0, 1, 1)])
    garden.passes(3 * DAY)

    assert garden.prune(duration("5d")) == (2, 0)
    assert garden.rkeys() == {rkey(1), rkey(3 * DAY)}


def test_tombstones_go_too(garden: Garden) -> None:
    garden.store([created(0, 1, 1), deleted(0, 1, 2), deleted(0, 3, 3), deleted(0, DAY * 2, DAY * 2)])
    garden.store([account(1, 4, active=False, status="deleted"), updated(2, 5, 5, "nothing"), deleted(2, 5, 6)])
    garden.passes(3 * DAY)

    assert garden.prune() == (0, 3)
    assert garden.rkeys() == {rkey(DAY * 2), rkey(3 * DAY)}


def test_held_and_hidden_entries_go_with_the_shown_ones(garden: Garden) -> None:
    garden.store([created(0, 1, 1), created(0, 2, 2), created(1, 3, 3), account(1, 4, active=False, status="deactivated")])
    assert garden.count("entry") == 6
    garden.passes(3 * DAY)

    assert garden.prune() == (6, 3)
    assert garden.count("entry") == 0


def test_a_stretch_of_the_quota_is_judged_whole(garden: Garden) -> None:
    """Of a stretch of which only a part lies in the window nothing is forgotten: a delete would promote the wrong post."""
    begin = 6 * HOUR  # noon is the beginning of a stretch, and so is this
    first, second, third = begin + 60, begin + 3 * HOUR, begin + 5 * HOUR
    garden.store([created(0, second, second), created(0, first, first), created(0, third, third)])
    garden.passes(begin + 4 * HOUR + DAY)
    garden.prune()
    assert garden.entries_of("calm") == 3

    garden.store([updated(0, third, begin + 4 * HOUR + DAY + 1, "#garden again")])
    assert garden.shown("calm") == [uri(0, first)]

    garden.passes(begin + 13 * HOUR + DAY)
    garden.prune()
    assert garden.entries_of("calm") == 0


def test_the_logs_time_is_the_clock(garden: Garden) -> None:
    assert garden.prune() == (0, 0)

    garden.store([created(0, 1, 1)])
    assert garden.prune(duration("1s")) == (0, 0)

    garden.passes(10 * DAY)
    assert garden.prune(duration("1s")) == (2, 1)


@pytest.mark.usefixtures("small_steps")
def test_it_goes_in_small_steps_with_room_for_a_write_between_two(garden: Garden) -> None:
    garden.store([created(0, number, number) for number in range(1, 31)])
    garden.passes(3 * DAY)
    left: list[int] = []
    written: list[int] = []

    async def ingest() -> None:
        for number in range(1, 11):
            event = created(1, 3 * DAY + number, 3 * DAY + number, "#cats")
            await garden.database.write(garden.kept.storer.store, garden.kept.storer.fold([event]), None)
            left.append(garden.count("entry") - number)
            written.append(number)

    async def both() -> tuple[int, int]:
        pruned, _ = await asyncio.gather(prune(garden.database, garden.kept.feeds, garden.kept.ids, TWO_DAYS, ONE_DAY), ingest())
        return pruned

    assert asyncio.run(both()) == (60, 30)
    assert len([count for count in left if 0 < count < 60]) >= 5, "writes came between the steps"
    assert garden.shown("long") == [uri(1, 3 * DAY + number) for number in range(10, 0, -1)]


def test_a_post_that_enters_a_feed_between_two_steps_is_not_forgotten(garden: Garden) -> None:
    garden.store([created(0, 1, 1, "nothing")])
    garden.passes(3 * DAY)
    asyncio.run(garden.database.write(entries.prune, garden.kept.ids[0], at(0)))
    garden.store([updated(0, 1, 3 * DAY + 1, "#cats")])

    assert garden.prune()[1] == 0
    assert garden.shown("long") == [uri(0, 1)]
    assert garden.database.read_now(posts.by_uri, did(0), rkey(1)) is not None


def test_posts_from_the_beginning_of_time_cost_no_more_than_others(garden: Garden) -> None:
    """A revision or an edit may be dated half a million hours back; each look for an account's posts goes by hours."""
    ancient = replace(created(0, 1, 1), rev=tid_of(60 * 10**6, 1), record={"text": "#cats"})
    garden.store([ancient, created(0, 2, 2, "#cats"), created(1, 3, 3, "#cats")])
    steps: list[int] = []
    garden.database.write_now(lambda session: steps.append(len(posts.of_account(session, 1))))

    garden.store([account(0, 4, active=False, status="deactivated")])

    assert steps == [2]
    assert garden.shown("long") == [uri(1, 3)]
    garden.passes(10)
    assert garden.prune() == (1, 1)


def test_a_forgotten_post_that_is_edited_or_deleted_late_makes_no_trouble(garden: Garden) -> None:
    garden.store([created(0, 1, 1), created(0, 2, 2)])
    garden.passes(3 * DAY)
    garden.prune()

    garden.store([deleted(0, 1, 3 * DAY + 1), updated(0, 2, 3 * DAY + 2, "#garden")])

    assert [entry.sort_at for entry in garden.kept.page("short")] == [at(2)]  # where it stood, far outside the window
    garden.prune()
    assert garden.shown("short") == []


async def test_a_service_keeps_what_editions_need_for_as_long_as_its_config_lets_posts_be_backdated(sqlite_url: str) -> None:
    """A post may say to be of a stretch that others arrived in up to `import_after` before: the quota must know these."""
    service = Service(parse(EDITIONS.replace("@URL@", sqlite_url)))
    await service.start()
    try:
        later = 6 * DAY
        for event in (created(0, 1, 1), created(5, later, later, "nothing")):
            batch = service.storer.fold([event]), Position("replay x", 1, event.time_us)
            await service.database.write(service.storer.store, *batch)

        await service._prune()

        assert await service.database.read(lambda session: session.execute("SELECT count(*) FROM entry")) == [(1,)]
    finally:
        await service.stop()
