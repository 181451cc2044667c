"""What a label means to those who read the log: the state that each consumer comes to, and what our own queryLabels says of it.

The cases are those that the specification (atproto.com/specs/label) and the tests of Ozone and bsky-watch's labeler agree on.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from labeler import replay
from labeler.issuer import Issuer
from labeler.judge import Judge
from labeler.persons import By, Persons, Refused
from labeler.policy import LabelPolicy
from labeler.signing import key_id, verify
from models import label_uris
from models.database import Database
from models.duration import duration
from models.label_uris import Pattern
from models.protocol.syntax import parse_datetime
from tests.support.labels import AUTHOR, CIDS, KEY, NOON, SRC, apply, decoded, deleted, judged, label_many, uri

A, B, *_ = CIDS
BY = By("operator", "a test", "ann")
POLICIES = [LabelPolicy("one", ("gtube",), "review", targets=("post", "account")), LabelPolicy("two", ("gtube",), "review")]
PERSONS = Persons(SRC, POLICIES)
HOUR = duration("1h")


class Said(NamedTuple):
    """Minutes after noon: somebody says or takes back."""

    minute: int
    neg: bool
    cid: str | None = A
    val: str = "one"
    life: int | None = None


def say(minute: int, cid: str | None = A, val: str = "one", life: int | None = None) -> Said:
    return Said(minute, False, cid, val, life)


def unsay(minute: int, cid: str | None = A, val: str = "one") -> Said:
    return Said(minute, True, cid, val)


def tell(database: Database, said: Said) -> None:
    now = NOON + said.minute * 60_000_000
    if said.neg:
        database.write_now(PERSONS.negate, uri("post"), said.cid, said.val, BY, now)
    else:
        database.write_now(PERSONS.label, uri("post"), said.cid, said.val, BY, now, life=said.life)
    database.write_now(Issuer(SRC, KEY, lambda: now).issue, now)


def in_force(rows: list[dict[str, Any]], now: int) -> set[tuple[str, str]]:
    """(val, cid) that a consumer shows at `now`: of each (src, uri, cid, val) the last cts, unless negated or past exp."""
    last: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["src"], row["uri"], row.get("cid", ""), row["val"])
        if key not in last or row["cts"] > last[key]["cts"]:
            last[key] = row
    return {
        (row["val"], row.get("cid", ""))
        for row in last.values()
        if not row.get("neg") and (parse_datetime(row.get("exp", "9999-12-31T23:59:59Z")) or 0) > now
    }


def streamed(database: Database) -> list[dict[str, Any]]:
    after, read = 0, []
    while blocks := database.read_now(replay.following, after):
        read += [label for block in blocks for label in decoded(block.frame)[1]["labels"]]
        after = blocks[-1].last_seq
    return read


def queried(database: Database) -> list[dict[str, Any]]:
    return [row.label.fields() for row in database.read_now(label_uris.query, [Pattern("", prefix=True)], (), 0, 250)]


@pytest.mark.parametrize(
    ("story", "force"),
    [
        pytest.param([say(0)], {("one", A)}, id="said"),
        pytest.param([say(0), unsay(1)], set(), id="taken back"),
        pytest.param([say(0), unsay(1), say(2)], {("one", A)}, id="said again after it was taken back"),
        pytest.param([say(0), say(1, val="two")], {("one", A), ("two", A)}, id="two values stand beside each other"),
        pytest.param([say(0), say(1, val="two"), unsay(2)], {("two", A)}, id="one of two values is taken back"),
        pytest.param([say(0), say(1, cid=B)], {("one", A), ("one", B)}, id="two versions carry it"),
        pytest.param([say(0), say(1, cid=B), unsay(2)], {("one", B)}, id="it is taken from one version, with that cid"),
        pytest.param([say(0), say(1, cid=B), unsay(2, cid=None)], set(), id="without a cid it is taken from all versions"),
        pytest.param([say(0, cid=None)], {("one", "")}, id="said of all versions"),
        pytest.param([say(0, cid=None), say(1)], {("one", ""), ("one", A)}, id="said of all versions and of one"),
        pytest.param([say(0, life=HOUR)], set(), id="it has ended"),
        pytest.param([say(0, life=HOUR), say(90)], {("one", A)}, id="said again after it ended"),
        pytest.param([say(0, life=24 * HOUR)], {("one", A)}, id="it will end"),
    ],
)
@pytest.mark.parametrize("read", [streamed, queried], ids=["from the stream", "from queryLabels"])
def test_whoever_reads_comes_to_the_same_labels_in_force(
    database: Database, story: list[Said], force: set[tuple[str, str]], read: Callable[[Database], list[dict[str, Any]]]
) -> None:
    for said in story:
        tell(database, said)

    assert in_force(read(database), NOON + 2 * HOUR) == force


def test_saying_the_same_twice_adds_nothing(database: Database) -> None:
    tell(database, say(0))
    with pytest.raises(Refused):
        tell(database, say(1))

    assert len(streamed(database)) == 1


def test_taking_back_what_does_not_stand_adds_nothing(database: Database) -> None:
    with pytest.raises(Refused):
        tell(database, unsay(0))

    assert streamed(database) == []


def test_the_stream_tells_all_that_was_said_and_query_labels_the_last_word(database: Database) -> None:
    for said in (say(0), unsay(1), say(2), unsay(3)):
        tell(database, said)

    assert [label.get("neg", False) for label in streamed(database)] == [False, True, False, True]
    assert [label.get("neg", False) for label in queried(database)] == [True]


def test_seq_rises_without_gaps_and_cts_with_it_for_each_subject(database: Database) -> None:
    for minute in range(4):
        tell(database, say(minute) if minute % 2 == 0 else unsay(minute))
    rows = database.read_now(lambda session: session.execute("SELECT seq, cts FROM label ORDER BY seq"))

    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)


def test_after_a_change_of_key_every_label_is_signed_anew_and_keeps_seq_and_cts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "SIZE", 8)
    monkeypatch.setattr("models.label_blocks.SIZE", 8)
    label_many(database, 20)
    database.write_now(replay.seal)
    before = streamed(database)
    new = KEY.__class__(b"\x09" * 32)
    issuer = Issuer(SRC, new, lambda: NOON)

    after: int | None = 0
    steps = []
    while (after := database.write_now(replay.resign, issuer, after)) is not None:
        steps.append(after)

    told = streamed(database)
    assert steps == [8, 16, 20]
    assert [{**label, "sig": b""} for label in told] == [{**label, "sig": b""} for label in before]
    found = database.read_now(label_uris.query, [Pattern("", prefix=True)], (), 0, 250)
    assert {row.key_id for row in found} == {key_id(new.public_key)}
    assert all(verify(row.label, row.sig, new.public_key) for row in found)
    assert [label["sig"] for label in told] == [row.sig for row in found]
    assert database.write_now(replay.resign, issuer, 0) is None, "the next start finds it done"


def test_blocks_hold_the_same_labels_as_the_log_and_each_cursor_goes_on_behind_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "SIZE", 8)
    monkeypatch.setattr("models.label_blocks.SIZE", 8)
    label_many(database, 30)
    without = {cursor: _from(database, cursor) for cursor in range(31)}
    database.write_now(replay.seal)

    assert database.read_now(replay.unsealed) is None
    assert {cursor: _from(database, cursor) for cursor in range(31)} == without
    assert all(len(told) == 30 - cursor for cursor, told in without.items())


def test_a_log_that_begins_later_is_read_over_the_gap(database: Database) -> None:
    label_many(database, 3)
    database.write_now(lambda session: session.execute("UPDATE label SET seq = seq + 100000 WHERE seq > 1"))
    database.write_now(replay.seal)

    assert len(_from(database, 0)) == 3
    assert len(_from(database, 1)) == 2


def _from(database: Database, cursor: int) -> list[str]:
    read: list[str] = []
    while blocks := database.read_now(replay.following, cursor):
        read += [label["uri"] for block in blocks for label in decoded(block.frame)[1]["labels"]]
        cursor = blocks[-1].last_seq
    return read


def test_the_machine_and_people_write_one_log(database: Database) -> None:
    judge = Judge([LabelPolicy("plainsky-test", ("gtube",), "auto")])
    apply(database, judged("post", A, by=judge))
    tell(database, say(1))
    apply(database, deleted("post"))

    assert [(label["val"], label.get("neg", False)) for label in streamed(database)] == [
        ("plainsky-test", False),
        ("one", False),
        ("one", True),
        ("plainsky-test", True),
    ]
    assert AUTHOR in streamed(database)[0]["uri"]
