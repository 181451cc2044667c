"""What becomes of labels when posts are written, edited, deleted and told twice, on both databases."""

import json
import threading
from typing import Any

import pytest

from labeler import replay
from labeler.issuer import Deleted, Issuer, Judged
from labeler.signing import verify
from models import decisions, label_uris
from models.database import Database, Session
from models.label_uris import Pattern
from models.post import Post
from tests.support import labels as world
from tests.support.labels import FLAGGED, HARMLESS, KEY, NOON, SRC, apply, decoded, deleted, issuer, judge, judged, log_rows, uri

A, B, C, _ = world.CIDS
VERSIONS = {A: "A", B: "B", C: "C"}


def edited(cid: str, post: Post = FLAGGED) -> Judged:
    return judged("post", cid, post)


GONE = deleted("post")


@pytest.mark.parametrize(
    ("items", "log"),
    [
        pytest.param([edited(A)], "+A", id="a post with a reason is labelled"),
        pytest.param([edited(A, HARMLESS)], "", id="a post without a reason is not"),
        pytest.param([edited(A), edited(A)], "+A", id="a post told twice is labelled once"),
        pytest.param([edited(A), edited(B, HARMLESS)], "+A -A", id="an edit that takes the reason away negates with the identical cid"),
        pytest.param([edited(A), edited(B)], "+A -A +B", id="an edit that keeps the reason negates the old cid, then labels the new"),
        pytest.param([edited(A, HARMLESS), edited(B)], "+B", id="an edit that brings a reason is labelled"),
        pytest.param([edited(A), edited(B), edited(B)], "+A -A +B", id="an edit told twice changes nothing the second time"),
        pytest.param([edited(A), GONE], "+A -A", id="a deleted post's label is negated"),
        pytest.param([edited(A), GONE, GONE], "+A -A", id="a deletion told twice negates once"),
        pytest.param([GONE], "", id="the deletion of a post never labelled says nothing"),
        pytest.param([edited(A), GONE, edited(A)], "+A -A +A", id="a post written again as it was is labelled again"),
        pytest.param([edited(A), edited(B, HARMLESS), edited(A)], "+A -A +A", id="an edit back to the labelled version is labelled again"),
        pytest.param([edited(A), edited(A, HARMLESS)], "+A -A", id="the same version judged otherwise is negated"),
        pytest.param([edited(A), edited(B), GONE], "+A -A +B -B", id="only what stands is negated"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in a batch each"])
def test_labels_follow_the_post(database: Database, items: list[Judged | Deleted], log: str, together: bool) -> None:
    for batch in [items] if together else [[item] for item in items]:
        apply(database, *batch)

    rows = log_rows(database)
    assert log.split() == [("-" if neg else "+") + VERSIONS[cid] for _, _, cid, _, neg, *_ in rows]
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))


def test_apply_tells_whether_the_stream_has_something_new(database: Database) -> None:
    assert [apply(database, item) for item in (edited(A), edited(A), GONE, GONE)] == [True, False, True, False]
    assert apply(database) is False


def test_labels_of_other_posts_and_values_are_left_alone(database: Database) -> None:
    two = judge("auto", "one", "two")
    apply(database, judged("post", A, by=two), judged("other", A, by=two))

    apply(database, judged("post", A, by=judge("auto", "two")))

    assert [row[1:5] for row in log_rows(database)[4:]] == [(uri("post"), A, "one", 1)]


def test_a_label_of_another_source_is_neither_counted_nor_negated(database: Database) -> None:
    apply(database, edited(A), by=Issuer("did:plc:before222222222222222222", KEY, lambda: NOON))

    apply(database, edited(A))
    apply(database, GONE)

    assert [row[4] for row in log_rows(database)] == [0, 0, 1]


@pytest.mark.parametrize("mode", ["shadow", "review"])
def test_shadow_and_review_record_a_decision_once_and_emit_nothing(database: Database, mode: Any) -> None:
    for _ in range(2):
        assert apply(database, judged("post", A, by=judge(mode))) is False

    assert log_rows(database) == []
    (decision,) = database.read_now(decisions.of_uri, uri("post"))
    assert (decision.action, decision.mode, decision.cid, decision.decided_at) == ("none", mode, A, NOON)
    assert decision.evidence["findings"][0]["kind"] == "gtube"


def test_each_version_of_a_post_is_recorded_in_shadow(database: Database) -> None:
    apply(database, judged("post", A, by=judge("shadow")), judged("post", B, by=judge("shadow")))

    assert [decision.cid for decision in database.read_now(decisions.of_uri, uri("post"))] == [A, B]


def test_a_policy_put_back_to_shadow_issues_no_more_and_lets_the_label_stand_until_the_post_changes(database: Database) -> None:
    apply(database, edited(A))

    apply(database, judged("post", A, by=judge("shadow")))
    assert len(log_rows(database)) == 1
    apply(database, judged("post", B, by=judge("shadow")))

    assert [(row[2], row[4]) for row in log_rows(database)] == [(A, 0), (A, 1)]


def test_every_label_has_its_decision_with_the_evidence(database: Database) -> None:
    apply(database, edited(A), edited(B), edited(B, HARMLESS), edited(C), GONE)

    reasons = [(row[6], json.loads(row[8])) for row in log_rows(database)]
    finding = {"kind": "gtube", "text": "", "position": 6, "weight": 1.0}  # what a deleted post said is not kept
    found = {"findings": [finding], "score": 1.0, "threshold": 1.0, "versions": {"gtube": 1}}
    assert reasons == [
        ("label", found),
        ("negate", {"cause": "edited", "cid": B}),
        ("label", found),
        ("negate", {"cause": "rejudged"}),
        ("label", found),
        ("negate", {"cause": "deleted"}),
    ]
    by_rules = [decision.rules_hash for decision in database.read_now(decisions.of_uri, uri("post")) if decision.action == "label"]
    assert set(by_rules) == {judge().judge(world.AUTHOR, FLAGGED)[0].rules_hash}


def test_cts_is_later_than_all_that_was_said_of_the_post_even_when_the_clock_stands_or_goes_back(database: Database) -> None:
    apply(database, edited(A), edited(B))
    apply(database, GONE, by=issuer(NOON - 3_600_000_000))
    apply(database, judged("other", A), by=issuer(NOON + 999))

    assert [row[5] for row in log_rows(database)] == [f"2026-01-01T12:00:00.{ms:03}Z" for ms in (0, 1, 2, 3, 0)]


def test_each_frame_holds_the_signed_label_as_it_stands_in_the_log(database: Database) -> None:
    apply(database, edited(A), GONE)

    (block,) = database.read_now(replay.following, 0)
    (state,) = database.read_now(label_uris.query, [Pattern(uri("post"))], (), 0, 10)
    header, body = decoded(block.frame)

    assert header == {"op": 1, "t": "#labels"}
    assert body["seq"] == block.last_seq == 2
    assert body["labels"][1] == {**state.label.fields(), "sig": state.sig}
    assert state.label.fields() == {
        "ver": 1,
        "src": SRC,
        "uri": uri("post"),
        "cid": A,
        "val": "plainsky-test",
        "neg": True,
        "cts": "2026-01-01T12:00:00.001Z",
    }
    assert verify(state.label, state.sig, KEY.public_key)
    assert "neg" not in body["labels"][0]
    assert body["labels"][0]["exp"] == "2026-01-31T12:00:00.000Z"


def test_a_transaction_that_fails_leaves_neither_label_nor_decision_and_its_seq_is_given_to_the_next(database: Database) -> None:
    def fail(session: Session) -> None:
        issuer().apply(session, [edited(A)])
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        database.write_now(fail)

    assert database.read_now(decisions.of_uri, uri("post")) == []
    apply(database, edited(A))
    assert [row[0] for row in log_rows(database)] == [1]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_two_processes_that_issue_at_once_commit_in_the_order_of_seq(database: Database, database_url: str) -> None:
    other = Database(database_url)
    began, finish = threading.Event(), threading.Event()

    def slowly(session: Session) -> None:
        issuer().apply(session, [judged("first", A)])
        began.set()
        finish.wait(10)

    try:
        first = threading.Thread(target=database.write_now, args=(slowly,))
        first.start()
        began.wait(10)
        second = threading.Thread(target=other.write_now, args=(issuer().apply, [judged("second", A), judged("first", A)]))
        second.start()
        second.join(0.2)
        assert second.is_alive()
        assert log_rows(database) == []
        finish.set()
        first.join(10)
        second.join(10)
    finally:
        finish.set()
        other.close()

    assert [(row[0], row[1]) for row in log_rows(database)] == [(1, uri("first")), (2, uri("second"))]


def test_posts_that_concern_no_label_cost_no_query_and_a_batch_costs_the_same_for_one_as_for_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    execute = Session.execute

    def counting(session: Session, sql: str, values: Any = ()) -> list[Any]:
        asked.append(sql)
        return execute(session, sql, values)

    monkeypatch.setattr(Session, "execute", counting)
    lock = 1 if database.dialect == "postgresql" else 0

    apply(database)
    assert asked == []
    apply(database, *[deleted(f"post{number}") for number in range(60)])
    assert len(asked) == 2 + lock
