"""The throttle and its queue, and the breaker: twice the quota is told, and exactly the quota is issued. On both databases."""

import logging
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.issuer import Deleted, Issuer, Judged
from labeler.limits import Breaker, Throttle
from models import decisions, label_rates
from models.database import Database, Session
from models.duration import SECOND
from models.label_rates import HOUR
from tests.support.labels import CIDS, HARMLESS, KEY, NOON, SRC, apply, deleted, judge, judged, log_rows, uri

A, B, *_ = CIDS
FEW = Throttle(per_second=2, per_hour=5, per_day=8)
DAY = 24 * HOUR


def issuer(now: int, throttle: Throttle | None = FEW, breaker: Breaker | None = None) -> Issuer:
    return Issuer(SRC, KEY, lambda: now, throttle, breaker)


def told(count: int, start: int = 0) -> list[Judged]:
    return [judged(f"post{number:03}", A) for number in range(start, start + count)]


def issued(database: Database) -> list[str]:
    """The posts that the log names, in its order."""
    return [("-" if row[4] else "") + row[1].rpartition("/")[2] for row in log_rows(database)]


def waiting(database: Database) -> dict[str, int]:
    return database.read_now(decisions.count_waiting)


@pytest.mark.parametrize(
    ("throttle", "length"),
    [
        pytest.param(Throttle(per_second=5), SECOND, id="a second"),
        pytest.param(Throttle(per_second=5, per_hour=5), HOUR, id="an hour"),
        pytest.param(Throttle(per_second=5, per_hour=5, per_day=5), DAY, id="a day"),
    ],
)
@pytest.mark.parametrize("batches", [1, 10], ids=["in one batch", "in ten"])
def test_of_twice_the_quota_exactly_the_quota_is_issued_and_the_rest_when_there_is_room(
    database: Database, throttle: Throttle, length: int, batches: int
) -> None:
    posts = told(10)
    for number in range(batches):
        apply(database, *posts[number::batches], by=issuer(NOON, throttle))

    first = issued(database)
    assert len(first) == 5
    assert waiting(database) == {"labelling": 5}

    assert database.write_now(issuer(NOON, throttle).issue, NOON + length - 1) == 0
    assert database.write_now(issuer(NOON, throttle).issue, NOON + length) == 5
    assert waiting(database) == {}
    assert sorted(issued(database)) == [f"post{number:03}" for number in range(10)]
    assert len({row[0] for row in log_rows(database)}) == 10


def test_all_windows_hold_at_once_and_through_restarts(database: Database) -> None:
    apply(database, *told(20), by=issuer(NOON))
    counts = [len(log_rows(database))]
    for now in (NOON + SECOND, NOON + 2 * SECOND, NOON + 3 * SECOND, NOON + HOUR, NOON + HOUR + SECOND, NOON + 2 * HOUR, NOON + DAY):
        database.write_now(issuer(now).issue, now)
        counts.append(len(log_rows(database)))

    assert counts == [2, 4, 5, 5, 7, 8, 8, 10]


def test_what_waits_is_issued_in_the_order_of_its_decision(database: Database) -> None:
    apply(database, *told(3), by=issuer(NOON))
    apply(database, *told(3, start=3), by=issuer(NOON + SECOND))

    assert issued(database) == ["post000", "post001", "post002", "post003"]
    assert waiting(database) == {"labelling": 2}


def test_negations_pass_before_labels_and_have_a_quarter_more_room(database: Database) -> None:
    apply(database, *told(2), by=issuer(NOON))
    apply(database, *told(2, start=2), by=issuer(NOON))
    apply(database, deleted("post000"), deleted("post001"), by=issuer(NOON))

    assert issued(database) == ["post000", "post001", "-post000"]
    assert waiting(database) == {"labelling": 2, "negating": 1}
    database.write_now(issuer(NOON).issue, NOON + SECOND)
    assert issued(database)[3:] == ["-post001", "post002"]


def test_a_label_that_waits_is_dropped_with_its_post_and_never_negated(database: Database) -> None:
    apply(database, *told(4), by=issuer(NOON))
    apply(database, deleted("post002"), judged("post003", B, HARMLESS), by=issuer(NOON))

    assert waiting(database) == {}
    assert [(one.action, one.outcome) for one in database.read_now(decisions.of_uri, uri("post002"))] == [("label", "superseded")]
    database.write_now(issuer(NOON).issue, NOON + HOUR)
    assert issued(database) == ["post000", "post001"]


def test_a_negation_that_waits_is_dropped_when_the_reason_is_back(database: Database) -> None:
    apply(database, *told(2), deleted("post000"), deleted("post001"), by=issuer(NOON))
    assert waiting(database) == {"negating": 1}
    apply(database, judged("post001", A), by=issuer(NOON))

    assert waiting(database) == {}
    assert issued(database) == ["post000", "post001", "-post000"]


def test_labels_of_a_clock_that_was_far_ahead_do_not_stop_the_stream(database: Database) -> None:
    apply(database, *told(2), by=issuer(NOON + 400 * DAY))
    apply(database, *told(2, start=2), by=issuer(NOON))

    assert len(issued(database)) == 4


def test_a_head_start_of_seq_after_a_loss_counts_nothing_that_is_not_there(database: Database) -> None:
    apply(database, *told(2), by=issuer(NOON))
    database.write_now(lambda session: session.execute("UPDATE label SET seq = seq + 1000000"))
    apply(database, *told(1, start=2), by=issuer(NOON + HOUR))

    assert [row[0] for row in log_rows(database)] == [1_000_001, 1_000_002, 1_000_003]


def test_after_a_loss_labels_begin_above_all_that_was_ever_sent_and_go_on_from_there(database: Database) -> None:
    apply(database, *told(1))
    for count in (1, 2):
        apply(database, *told(1, start=count), by=Issuer(SRC, KEY, lambda: NOON + HOUR, seq_above=1_000_000))
    apply(database, *told(1, start=3), by=Issuer(SRC, KEY, lambda: NOON + HOUR))

    assert [row[0] for row in log_rows(database)] == [1, 1_000_001, 1_000_002, 1_000_003]


STORY = st.lists(
    st.tuples(st.integers(0, 3_000_000), st.lists(st.tuples(st.integers(0, 5), st.sampled_from([A, B, None])), min_size=1, max_size=4)),
    max_size=8,
)


@settings(max_examples=20)
@given(story=STORY, cuts=st.sets(st.integers(0, 40)))
def test_at_any_time_no_window_is_overfull_and_the_log_does_not_depend_on_how_it_is_cut(
    database: Database, story: list[tuple[int, list[tuple[int, str | None]]]], cuts: set[int]
) -> None:
    throttle = Throttle(per_second=2, per_hour=6, per_day=9)

    def log(cut: bool) -> list[tuple[Any, ...]]:
        now, number = NOON, 0
        for pause, events in story:
            now += pause
            items: list[Judged | Deleted] = []
            for post, cid in events:
                items.append(judged(f"post{post}", cid) if cid else deleted(f"post{post}"))
                number += 1
                if cut and number in cuts:
                    apply(database, *items, by=issuer(now, throttle))
                    items = []
            apply(database, *items, by=issuer(now, throttle))
        database.write_now(issuer(now, throttle).issue, now)
        rows = database.read_now(lambda session: session.execute("SELECT seq, uri, cid, neg, cts, issued_at FROM label ORDER BY seq"))
        database.write_now(_empty)
        return rows

    together, apart = log(cut=False), log(cut=True)

    assert together == apart
    times = [(row[5], row[3]) for row in together]
    for labels_only, windows in ((True, throttle.for_labels), (False, throttle.for_negations)):
        for most, length in windows:
            for position, (at, neg) in enumerate(times):
                if neg != labels_only:
                    assert sum(at - length < other <= at for other, _ in times[: position + 1]) <= most


def _empty(session: Session) -> None:
    for table in ("label", "decision", "label_hour", "label_breaker"):
        session.execute(f"DELETE FROM {table}")


BREAKER = Breaker(per_hour=6, times=3.0, at_least=2)


def test_of_twice_the_breakers_budget_exactly_the_budget_is_issued_and_the_rest_waits_for_a_person(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        for post in told(12):
            apply(database, post, by=issuer(NOON, None, BREAKER))

    assert issued(database) == [f"post{number:03}" for number in range(6)]
    assert waiting(database) == {"person": 6}
    assert [record.message for record in caplog.records] == [
        'the breaker of label "plainsky-test" has tripped: more than 6 labels in one hour. What follows waits for a person: docs/labels.md'
    ]
    assert list(database.read_now(label_rates.tripped)) == ["plainsky-test"]


def test_a_tripped_breaker_stays_so_until_a_person_resumes(database: Database) -> None:
    apply(database, *told(7), by=issuer(NOON, None, BREAKER))
    apply(database, *told(1, start=7), by=issuer(NOON + 5 * HOUR, None, BREAKER))
    assert waiting(database) == {"person": 2}

    assert database.write_now(label_rates.resume, "plainsky-test", (NOON + 5 * HOUR) // HOUR)
    apply(database, *told(1, start=8), by=issuer(NOON + 5 * HOUR, None, BREAKER))

    assert issued(database)[6:] == ["post008"]
    assert waiting(database) == {"person": 2}
    assert not database.write_now(label_rates.resume, "plainsky-test", 0)


def test_a_label_is_held_to_its_own_baseline_once_there_is_one(database: Database) -> None:
    for hour in range(24):
        apply(database, *told(1, start=hour), by=issuer(NOON + hour * HOUR, None, BREAKER))
    apply(database, *told(9, start=100), by=issuer(NOON + 24 * HOUR, None, BREAKER))

    assert len(issued(database)) == 24 + 3
    assert waiting(database) == {"person": 6}
    assert "usual are 1.0" in next(iter(database.read_now(label_rates.tripped).values())).why


def test_each_label_has_a_breaker_of_its_own_and_negations_none(database: Database) -> None:
    apply(database, *[judged(f"post{n}", A, by=judge("auto", "one")) for n in range(9)], by=issuer(NOON, None, BREAKER))
    apply(database, judged("post9", A, by=judge("auto", "two")), by=issuer(NOON, None, BREAKER))
    apply(database, *[deleted(f"post{n}") for n in range(9)], by=issuer(NOON, None, BREAKER))

    kinds = Counter((row[3], row[4]) for row in log_rows(database))
    assert kinds == {("one", 0): 6, ("two", 0): 1, ("one", 1): 6}
    assert waiting(database) == {}, "what waited for a person went with its post"


def test_a_transaction_that_fails_counts_nothing(database: Database) -> None:
    def fail(session: Session) -> None:
        issuer(NOON, FEW, BREAKER).apply(session, told(2))
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        database.write_now(fail)
    apply(database, *told(2), by=issuer(NOON, FEW, BREAKER))

    assert len(issued(database)) == 2
    assert database.read_now(label_rates.in_hour, "plainsky-test", NOON // HOUR) == 2


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Throttle(per_second=6), "the network takes no more"),
        (lambda: Throttle(per_hour=10_001), "the network takes no more"),
        (lambda: Throttle(per_day=0), "from 1 to 100,000"),
        (lambda: Breaker(per_hour=0), ">= 1"),
    ],
)
def test_limits_above_what_the_network_takes_are_refused(make: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()


def test_negations_never_pass_what_the_network_takes() -> None:
    assert [window.labels for window in Throttle().for_negations] == [5, 10_000, 100_000]
