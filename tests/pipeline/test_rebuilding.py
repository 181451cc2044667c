"""The feeds of the database follow the feeds of the config: filled anew from the stored posts (plainsky/pipeline/rebuilding.py)."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.admissions import Admission
from feedgen.feed import Feed, Quota
from feedgen.matcher import Matcher
from feedgen.rules import load
from models import entries, feeds
from models.database import Database
from models.duration import duration
from models.events import Event
from models.post import Post
from plainsky.config.hashing import rules_hash
from plainsky.pipeline import rebuilding
from plainsky.pipeline.entering import layout
from plainsky.pipeline.judging import Rooms
from plainsky.pipeline.pruning import prune
from plainsky.pipeline.rebuilding import align
from plainsky.pipeline.storing import Storer
from tests.support.garden import account, created, deleted, updated, uri
from tests.support.kept import migrated


def feed(rkey: str, *tags: str, quota: Quota | None = None, window: str = "2w", name: str = "Feed") -> Feed:
    return Feed(rkey, name, (load("hashtag")(any=tags),), window=duration(window), per_author=quota)


GARDEN, CATS = feed("garden", "garden"), feed("cats", "cats")
ONE_AN_HOUR = Quota(1, duration("1h"))


def aligned(database: Database, configured: Sequence[Feed], matcher: Matcher) -> Rooms:
    return align(database, configured, lambda ids: Rooms(layout(configured, ids), matcher, None, None), hashes(configured))


class House:
    """A database whose feeds follow a config that changes."""

    def __init__(self, database: Database, *configured: Feed) -> None:
        self.database = database
        self.configure(*configured)

    def configure(self, *configured: Feed) -> None:
        """As a start with this config does."""
        rooms = aligned(self.database, configured, Matcher(configured))
        self.feeds, self.ids = configured, rooms.layout.feed_ids
        self._storer = Storer(rooms, duration("1d"))

    def store(self, *events: Event) -> None:
        self.database.write_now(self._storer.store, self._storer.fold(events), None)

    def shown(self, rkey: str) -> list[str]:
        return [entry.uri for entry in self.page(rkey)]

    def page(self, rkey: str) -> list[entries.Shown]:
        number = self.ids[[one.rkey for one in self.feeds].index(rkey)]
        return self.database.read_now(entries.page, number, 0, entries.TOP, 1000)

    def rows(self) -> dict[str, list[tuple[int, int, int, str, str, str]]]:
        """All entries of each feed in whatever state, without the numbers that the database gives."""
        sql = "SELECT state, sort_at, tie, item FROM entry WHERE feed_id = ? ORDER BY state, sort_at, tie"
        pairs = zip(self.feeds, self.ids, strict=True)
        return {one.rkey: self.database.read_now(lambda session, n=number: session.execute(sql, (n,))) for one, number in pairs}

    def known(self) -> dict[str, feeds.Known]:
        return self.database.read_now(feeds.known)


def hashes(configured: Sequence[Feed]) -> dict[str, str]:
    return {one.rkey: rules_hash(one) for one in configured}


STORY = (created(0, 1, 1), created(0, 2, 2, "#cats"), created(1, 3, 3, "#garden #cats"), created(1, 4, 4, "#dogs"))


@pytest.fixture
def house(database: Database) -> House:
    house = House(database, GARDEN)
    house.store(*STORY)
    return house


def test_a_new_feed_is_filled_from_the_stored_posts(house: House) -> None:
    house.configure(GARDEN, CATS)

    assert house.shown("cats") == [uri(1, 3), uri(0, 2)]
    assert house.page("cats")[0].why.startswith("include[0] hashtag: ")
    assert house.shown("garden") == [uri(1, 3), uri(0, 1)]


def test_a_feed_whose_rules_changed_is_filled_anew_and_what_it_was_is_gone(house: House) -> None:
    house.configure(feed("garden", "dogs", "cats"))

    assert house.shown("garden") == [uri(1, 4), uri(1, 3), uri(0, 2)]
    assert list(house.known()) == ["garden"]
    assert [row[0] for row in house.database.read_now(lambda session: session.execute("SELECT DISTINCT feed_id FROM entry"))] == house.ids


def test_until_a_feed_is_whole_its_readers_have_what_it_was(house: House) -> None:
    before = house.page("garden")
    plan = house.database.write_now(rebuilding.begin, (CATS,), {"cats": "other"})
    changed = house.database.write_now(rebuilding.begin, (GARDEN,), {"garden": "other"})

    assert house.page("garden") == before
    assert house.known()["garden"].id == house.ids[0]
    assert changed.stale == {changed.ids["garden"]} != {house.ids[0]}
    assert plan.gone == ["garden"]


def test_a_feed_whose_rules_did_not_change_is_left_as_it_is(house: House) -> None:
    before, rows = house.known(), house.rows()
    house.configure(feed("garden", "garden", name="Another name", window="1d"))

    assert (house.known(), house.rows()) == (before, rows)


def test_a_rebuilt_feed_has_a_new_version_for_other_processes(house: House) -> None:
    before = house.known()["garden"].version
    house.configure(feed("garden", "dogs"))

    assert house.known()["garden"].version > before


def test_a_feed_that_is_configured_no_more_leaves_nothing_behind(house: House) -> None:
    house.configure(CATS)

    assert list(house.known()) == ["cats"]
    assert [row[0] for row in house.database.read_now(lambda session: session.execute("SELECT DISTINCT feed_id FROM entry"))] == house.ids
    house.configure(CATS, GARDEN)
    assert house.shown("garden") == [uri(1, 3), uri(0, 1)]


def test_posts_of_hidden_accounts_stay_hidden_and_come_back_with_their_author(house: House) -> None:
    house.store(account(0, 10, active=False, status="deactivated"))
    house.configure(GARDEN, CATS)
    assert (house.shown("garden"), house.shown("cats")) == ([uri(1, 3)], [uri(1, 3)])

    house.store(account(0, 11, active=True))
    assert (house.shown("garden"), house.shown("cats")) == ([uri(1, 3), uri(0, 1)], [uri(1, 3), uri(0, 2)])


def test_deleted_posts_do_not_come_back(house: House) -> None:
    house.store(deleted(0, 2, 10), account(1, 11, active=False, status="deleted"))
    house.configure(GARDEN, CATS)

    assert (house.shown("garden"), house.shown("cats")) == ([uri(0, 1)], [])


def test_the_quota_holds_in_a_rebuilt_feed_whatever_the_order_of_arrival(house: House) -> None:
    house.store(created(0, 9, 9), created(0, 7, 7), created(0, 3601, 3601))
    house.configure(feed("garden", "garden", quota=ONE_AN_HOUR))
    assert house.shown("garden") == [uri(0, 3601), uri(1, 3), uri(0, 1)]

    house.store(deleted(0, 1, 5000))
    assert house.shown("garden") == [uri(0, 3601), uri(0, 7), uri(1, 3)]


def test_a_quota_that_is_taken_away_shows_what_was_held_back(house: House) -> None:
    house.configure(feed("garden", "garden", quota=ONE_AN_HOUR))
    house.store(created(0, 7, 7))
    assert house.shown("garden") == [uri(1, 3), uri(0, 1)]

    house.configure(GARDEN)
    assert house.shown("garden") == [uri(0, 7), uri(1, 3), uri(0, 1)]


class PowerCut(BaseException):
    """The process is gone."""


class Mortal(Matcher):
    """A matcher in a process that is killed at its nth post."""

    def __init__(self, configured: Sequence[Feed], posts: int) -> None:
        super().__init__(configured)
        self._posts = posts

    def match_each(self, posts: Sequence[tuple[str, Post]]) -> Iterator[list[Admission]]:
        self._posts -= len(posts)
        if self._posts < 0:
            raise PowerCut
        return super().match_each(posts)


@pytest.mark.parametrize("killed_at", range(5))
def test_whoever_is_killed_half_way_builds_it_again(house: House, killed_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "STEP", 1)
    configured = (GARDEN, feed("cats", "cats", "dogs", quota=ONE_AN_HOUR))
    try:
        aligned(house.database, configured, Mortal(configured, killed_at))
    except PowerCut:
        assert house.known()["cats"].rules_hash is None

    house.configure(*configured)

    assert house.shown("cats") == [uri(1, 3), uri(0, 2)]
    assert house.shown("garden") == [uri(1, 3), uri(0, 1)]
    assert house.known()["cats"].rules_hash == rules_hash(configured[1])


def test_a_feed_half_built_and_then_taken_out_of_the_config_is_gone(house: House) -> None:
    house.database.write_now(feeds.begin, "cats")

    house.configure(GARDEN)

    assert list(house.known()) == ["garden"]


def test_what_was_pruned_is_in_no_rebuilt_feed(house: House) -> None:
    house.database.write_now(
        lambda session: session.execute("INSERT INTO cursor (host, cursor, time_us, current) VALUES ('x', 1, ?, 1)", (2 * 10**15,))
    )
    asyncio.run(prune(house.database, house.feeds, house.ids, duration("1d"), duration("1d")))

    house.configure(GARDEN, CATS)

    assert house.rows() == {"garden": [], "cats": []}


def test_of_thousands_of_feeds_none_costs_a_look_at_all_the_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """That made a start with 10,000 feeds one of minutes: so nobody reads all feeds, or sorts out the stale ones, once for each."""
    looked: list[str] = []
    known, stale = feeds.known, rebuilding.Plan.stale.fget
    assert stale
    monkeypatch.setattr(feeds, "known", lambda session: looked.append("known") or known(session))
    monkeypatch.setattr(rebuilding.Plan, "stale", property(lambda plan: looked.append("stale") or stale(plan)))

    def looks(*configured: Feed) -> list[str]:
        looked.clear()
        House(database, *configured)
        return looked.copy()

    few, many = ([feed(f"{kind}{number}", "garden") for number in range(count)] for kind, count in (("few", 2), ("many", 90)))
    assert looks(*few) == looks(*many)
    assert looks(*few) == looks(*many)  # and now each time others are given up
    assert set(known_now := database.read_now(known)) == {one.rkey for one in many}
    assert all(one.rules_hash for one in known_now.values())


TEXTS = ("#garden", "#cats", "#garden #cats", "nothing")
FEEDS = st.tuples(
    st.sampled_from((("garden",), ("cats",), ("garden", "cats"))), st.sampled_from((None, ONE_AN_HOUR, Quota(2, duration("6h"))))
)


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """What three accounts did, each thing at its own minute."""
    events: list[Event] = []
    for step in range(1, draw(st.integers(2, 14))):
        author, second = draw(st.integers(0, 2)), 600 * step
        choice = draw(st.sampled_from(["create"] * 4 + ["update", "delete", "account"]))
        post = 600 * draw(st.integers(1, step))
        if choice == "create":
            events.append(created(author, second, second, draw(st.sampled_from(TEXTS))))
        elif choice == "update":
            events.append(updated(author, post, second, draw(st.sampled_from(TEXTS))))
        elif choice == "delete":
            events.append(deleted(author, post, second))
        else:
            events.append(account(author, second, draw(st.booleans()), None))
    return events


@settings(max_examples=30)
@given(stories(), st.lists(FEEDS, min_size=1, max_size=3), st.lists(FEEDS, min_size=1, max_size=3), st.integers(0, 14))
def test_a_rebuilt_feed_equals_one_that_had_these_rules_from_the_start(
    sqlite_template: bytes,
    story: list[Event],
    before: list[tuple[tuple[str, ...], Quota | None]],
    after: list[tuple[tuple[str, ...], Quota | None]],
    cut: int,
) -> None:
    first, then = ([feed(f"feed{n}", *tags, quota=quota) for n, (tags, quota) in enumerate(listed)] for listed in (before, after))
    with tempfile.TemporaryDirectory() as folder:
        always, changed = (migrated(Path(folder) / name, sqlite_template) for name in ("a.sqlite", "b.sqlite"))
        try:
            one, other = House(always, *then), House(changed, *first)
            one.store(*story)
            other.store(*story[:cut])
            other.configure(*then)
            other.store(*story[cut:])

            assert other.rows() == one.rows()
        finally:
            always.close()
            changed.close()
