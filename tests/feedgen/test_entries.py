"""The table `entry`: what a feed's order and an author's quota come to, whatever happened in whichever order."""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.feed import Quota
from models import entries, quotas
from models.database import Database, Session
from models.entries import HELD, HIDDEN, SHOWN, TOP
from tests.support.feeds import Sown, begin, entry, every, filled, settle, uri, write
from tests.support.garden import NOON

HOUR = 3_600_000_000
ON_BOTH = settings(max_examples=12)


def shown(session: Session, feed_id: int = 1) -> list[str]:
    return [row.uri for row in entries.page(session, feed_id, 0, TOP, 1000)]


def states(session: Session) -> dict[int, int]:
    return dict(session.execute("SELECT post_id, state FROM entry WHERE feed_id = 1"))


def wipe(session: Session) -> None:
    for table in ("entry", "entry_group", "post", "feed", "account"):
        session.execute(f"DELETE FROM {table}")
    begin(session)


@ON_BOTH
@given(times=st.lists(st.integers(0, 5), min_size=1, max_size=30), seed=st.integers())
def test_the_order_is_the_same_whichever_way_posts_arrive(database: Database, times: list[int], seed: int) -> None:
    new = [entry(number, at) for number, at in enumerate(times, 1)]
    expected = [e.uri for e in sorted(new, key=lambda e: (e.sort_at, e.tie), reverse=True)]
    random.Random(seed).shuffle(new)

    database.write_now(wipe)
    for one in new:
        database.write_now(write, [one])

    assert database.read_now(shown) == expected


def test_a_repeat_changes_nothing_whatever_state_the_entry_is_in(database: Database) -> None:
    filled(database, [entry(1, 0), entry(2, 1)])
    database.write_now(entries.hide, [2])
    before = database.read_now(states)

    database.write_now(entries.add, [entry(1, 0).row, entry(2, 1).row])

    assert database.read_now(states) == before == {1: SHOWN, 2: HIDDEN}


def test_removing_tells_the_feed_the_author_and_the_time(database: Database) -> None:
    filled(database, [entry(1, 5, author=2), entry(2, 6)])

    assert database.write_now(entries.remove, [1, 99]) == {entries.Touched(1, 2, NOON + 5)}
    assert database.read_now(shown) == [uri(2)]


def test_many_posts_are_hidden_and_shown_again_at_once(database: Database) -> None:
    filled(database, [entry(number, number) for number in range(1, 3001)])

    assert len(database.write_now(entries.hide, range(1, 3001))) == 3000
    assert database.read_now(shown) == []
    assert len(database.write_now(entries.show, range(1, 3001))) == 3000
    assert len(database.read_now(shown)) == 1000


def lawful(live: dict[int, Sown], hidden: set[int], quota: Quota) -> dict[int, int]:
    """The quota's law, by brute force."""
    buckets = defaultdict(list)
    for number, e in live.items():
        if e.account_id not in hidden:
            buckets[e.account_id, e.sort_at // quota.every].append((e.sort_at, e.tie, number))
    due = dict.fromkeys(live, HIDDEN)
    for bucket in buckets.values():
        for rank, (_, _, number) in enumerate(sorted(bucket)):
            due[number] = SHOWN if rank < quota.posts else HELD
    return due


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 8 * HOUR), st.integers(1, 3)),
        st.tuples(st.just("remove"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("hide"), st.integers(1, 3), st.just(0)),
        st.tuples(st.just("show"), st.integers(1, 3), st.just(0)),
    ),
    max_size=30,
)


@ON_BOTH
@given(steps=STEPS, length=st.sampled_from(["90s", "50m", "1h", "6h"]), allowed=st.integers(1, 2))
def test_the_quota_shows_an_authors_earliest_posts_of_each_stretch(
    database: Database, steps: list[tuple[str, int, int]], length: str, allowed: int
) -> None:
    quota, live, hidden = every(length, allowed), dict[int, Sown](), set[int]()
    database.write_now(wipe)
    for number, (what, value, author) in enumerate(steps, 1):
        if what == "add" and author not in hidden:
            live[number] = entry(number, value, author)
            database.write_now(write, [live[number]], quota)
        elif what == "remove" and live:
            gone = sorted(live)[value % len(live)]
            del live[gone]
            database.write_now(lambda s, ids, q: settle(s, entries.remove(s, ids), q), [gone], quota)
        elif what in ("hide", "show"):
            change = entries.hide if what == "hide" else entries.show
            (hidden.add if what == "hide" else hidden.discard)(value)
            ids = [n for n, e in live.items() if e.account_id == value]
            database.write_now(lambda s, c, i, q: settle(s, c(s, i), q), change, ids, quota)

    assert database.read_now(states) == lawful(live, hidden, quota)


def test_deleting_a_shown_post_promotes_the_next(database: Database) -> None:
    quota = every("6h", 1)
    database.write_now(begin)
    database.write_now(write, [entry(1, 0), entry(2, 1), entry(3, 2)], quota)
    assert database.read_now(shown) == [uri(1)]

    database.write_now(lambda s: settle(s, entries.remove(s, [1]), quota))

    assert database.read_now(shown) == [uri(2)]


def test_pruning_takes_the_oldest_of_every_state_in_steps(database: Database) -> None:
    filled(database, [entry(number, number) for number in range(1, 11)])
    database.write_now(entries.hide, [1, 2])

    assert database.write_now(entries.prune, 1, NOON + 6, 2) == 4  # two hidden, two shown
    assert database.write_now(entries.prune, 1, NOON + 6, 2) == 1
    assert database.write_now(entries.prune, 1, NOON + 6, 2) == 0
    assert sorted(database.read_now(states)) == [6, 7, 8, 9, 10]


def test_counting_ends_where_it_costs_too_much(database: Database) -> None:
    filled(database, [entry(number, number) for number in range(1, 11)])

    assert database.read_now(entries.count, 1, NOON + 5) == 6
    assert database.read_now(entries.count, 1, NOON, 3) == 3


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_way_to_an_entry_goes_through_an_index(database: Database) -> None:
    def plan(session: Session, sql: str, count: int) -> str:
        return " ".join(row[3] for row in session.execute("EXPLAIN QUERY PLAN " + sql, [1] * count))

    wanted = "WITH wanted(feed_id, account_id, hour) AS (VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))) "
    assert "sort_at>? AND (sort_at,tie)<(?,?)" in database.read_now(plan, entries._items("sqlite", False, 2), 8)
    assert "(sort_at,tie)>(?,?) AND sort_at<?" in database.read_now(plan, entries._items("sqlite", True, 2), 8)
    assert "SEARCH entry_group USING PRIMARY KEY (feed_id=? AND kind=?)" in database.read_now(plan, entries._items("sqlite", True, 2), 8)
    author = database.read_now(plan, wanted + quotas._OF_AUTHOR, 3)
    assert "post_by_hour (<expr>=? AND account_id=?)" in author
    assert "entry_by_post (post_id=?)" in author
