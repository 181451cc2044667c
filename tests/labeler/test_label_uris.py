"""Labels are found by the beginning of their uris, whatever of the log is sorted already. On both databases."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler import replay
from models import decisions, label_uris, labels
from models import settings as kept
from models.database import Database, Session
from models.label_uris import AT_ONCE, SORTED_UNTIL, STRETCH, Pattern
from models.labels import Label, SignedLabel
from tests.support.labels import AUTHOR, CIDS, SRC, uri

DECISION = decisions.Decision(1, AUTHOR, "", "v", "label", "person", {}, None, 0, outcome="issued")
ONE, TWO = "did:plc:one22222222222222222222", "did:plc:two22222222222222222222"


def append(session: Session, told: dict[int, str]) -> None:
    """Labels on these uris, by seq."""
    session.execute("DELETE FROM label")
    session.execute("DELETE FROM label_uri")
    kept.forget(session, SORTED_UNTIL)
    if decisions.last_id(session) == 0:
        decisions.add(session, [DECISION])
    cts = "2026-01-01T12:00:00.000Z"
    labels.append(session, [SignedLabel(seq, Label(SRC, at, "v", cts, CIDS[0]), bytes(64), 1, 0, 0) for seq, at in sorted(told.items())])


def found(database: Database, *patterns: Pattern, after: int = 0, limit: int = 1_000) -> list[int]:
    return [row.seq for row in database.read_now(label_uris.query, patterns, (SRC,), after, limit)]


def is_meant(patterns: Sequence[Pattern], at: str) -> bool:
    return any(at.startswith(pattern.uri) if pattern.prefix else at == pattern.uri for pattern in patterns)


ANY_SEQ = st.integers(1, 5 * STRETCH) | st.sampled_from([1, AT_ONCE, AT_ONCE + 1, STRETCH, STRETCH + 1, 2 * STRETCH, 2 * STRETCH + 1])
ANY_URI = st.text(st.sampled_from("aA%~é中\U0010ffff\ud7ff\ue000"), min_size=1, max_size=3) | st.sampled_from(
    [ONE, f"at://{ONE}/x", f"at://{TWO}/x"]
)
ANY_PATTERN = st.builds(Pattern, ANY_URI, st.booleans())


@settings(max_examples=40)
@given(
    told=st.dictionaries(ANY_SEQ, ANY_URI, max_size=12),
    cuts=st.lists(st.integers(0, 5 * STRETCH), max_size=3),
    patterns=st.lists(ANY_PATTERN, min_size=1, max_size=3),
    after=st.sampled_from([0, STRETCH, 2 * STRETCH + 5]),
    limit=st.sampled_from([1, 100]),
)
def test_what_is_sorted_makes_no_difference(
    database: Database, told: dict[int, str], cuts: list[int], patterns: list[Pattern], after: int, limit: int
) -> None:
    database.write_now(append, told)
    newest = {at: seq for seq, at in sorted(told.items())}
    expected = sorted(seq for at, seq in newest.items() if seq > after and is_meant(patterns, at))[:limit]

    for cut in [0, *sorted(cuts)]:
        database.write_now(label_uris.sort, min(cut, max(told, default=0)))
        assert found(database, *patterns, after=after, limit=limit) == expected
        assert database.read_now(label_uris.beginning, "a") == {at for at in told.values() if at.startswith("a")}


def test_labels_are_sorted_many_at_a_time_when_their_blocks_are_made(database: Database) -> None:
    last = 2 * AT_ONCE + 300
    told = {seq: f"at://{(ONE, TWO)[seq % 2]}/app.bsky.feed.post/{seq * 7919 % 10_007:05}" for seq in range(1, last + 1)}
    database.write_now(append, told)
    patterns = [Pattern(f"at://{ONE}/app.bsky.feed.post/0012", prefix=True), Pattern(told[last])]
    before = found(database, *patterns)
    steps = []
    while database.read_now(replay.unsealed) is not None:
        database.write_now(replay.seal)
        steps.append(database.read_now(lambda session: session.execute("SELECT count(*), max(seq) FROM label_uri")[0]))

    assert steps == [(AT_ONCE, AT_ONCE), (2 * AT_ONCE, 2 * AT_ONCE)]
    assert found(database, *patterns) == before == [seq for seq, at in told.items() if is_meant(patterns, at)]


def test_everything_of_an_account_is_found_in_all_stretches_and_after_them(database: Database) -> None:
    told = {1: "first", STRETCH: "last", 900 * STRETCH + 1: "after a head start", 901 * STRETCH + 9: "not sorted"}
    database.write_now(append, {seq: uri(rkey) for seq, rkey in told.items()} | {5: f"at://{ONE}/x"})
    database.write_now(label_uris.sort, 901 * STRETCH + 9)

    assert database.read_now(decisions.uris_of, AUTHOR) == sorted([AUTHOR, *[uri(rkey) for rkey in told.values()]])


@pytest.mark.parametrize(
    "ends", ["did:web:a.b", "at://did:plc:one/app.bsky.feed.post/3aaaaaaaaaaa2", "at://did:plc:two/app.bsky.feed.post/3aaaaaaaaaaa2"]
)
def test_labels_are_found_by_uri_however_short_it_is_and_whatever_ends_alike(database: Database, ends: str) -> None:
    twins = ["did:web:a.b", "at://did:plc:one/app.bsky.feed.post/3aaaaaaaaaaa2", "at://did:plc:two/app.bsky.feed.post/3aaaaaaaaaaa2"]
    database.write_now(append, dict(enumerate(twins, 1)))
    seq, now = twins.index(ends) + 1, "2026-02-01T12:00:00.000Z"

    assert found(database, Pattern(ends)) == [seq]
    assert [row.seq for row in database.read_now(label_uris.query, [Pattern(ends)], (), 0, 10)] == [seq]
    assert [told.seq for told in database.read_now(labels.history, SRC, [ends])] == [seq]
    assert [row.seq for row in database.read_now(labels.in_force_on, SRC, ends, now)] == [seq]
    assert [row.seq for row in database.read_now(labels.newest_on, SRC, ends, 10)] == [seq]
    assert [each.uri for each in database.read_now(labels.standing, SRC, [ends], 0)] == [ends]
    assert found(database, Pattern(ends[-5:])) == []


@pytest.mark.parametrize("asks", ["query", "beginning"])
def test_what_is_sorted_while_somebody_asks_is_found(database: Database, monkeypatch: pytest.MonkeyPatch, asks: str) -> None:
    told = {seq: uri(f"post{seq}") for seq in (1, AT_ONCE + 1, STRETCH + 1)}
    database.write_now(append, told)
    database.write_now(label_uris.sort, AT_ONCE)
    execute, looks = Session.execute, 0

    def interrupted(session: Session, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        nonlocal looks
        rows, looks = execute(session, sql, values), looks + 1
        if looks == 1:
            with monkeypatch.context() as patch:
                patch.setattr(Session, "execute", execute)
                database.write_now(label_uris.sort, STRETCH + AT_ONCE)
        return rows

    monkeypatch.setattr(Session, "execute", interrupted)
    if asks == "query":
        assert found(database, Pattern(uri("post"), prefix=True)) == list(told)
    else:
        assert database.read_now(label_uris.beginning, uri("post")) == set(told.values())
    assert looks == 2


@pytest.mark.parametrize("wide", [Pattern("at://did:web:", prefix=True), Pattern(uri("b"), prefix=True)], ids=["along the log", "by uri"])
def test_a_request_may_ask_for_as_many_beginnings_as_fit_into_its_line(database: Database, wide: Pattern) -> None:
    told = (
        {seq: uri(f"a{seq:04}") for seq in range(1, 300)} | {seq: uri(f"b{seq:04}") for seq in range(300, 320)} | {400: "at://did:web:c/d"}
    )
    database.write_now(append, told)
    patterns = [wide, *[Pattern(uri(f"a{number:04}"), prefix=number % 3 > 0) for number in range(2, 5_000, 2)]]

    assert found(database, *patterns) == [seq for seq, at in told.items() if is_meant(patterns, at)]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("wide", [Pattern("at://did:web:", prefix=True), Pattern(uri("b"), prefix=True)], ids=["along the log", "by uri"])
def test_a_label_is_not_compared_with_each_of_many_beginnings(database: Database, wide: Pattern) -> None:
    database.write_now(append, {seq: uri(f"a{seq:04}") for seq in range(1, 2_000)})

    def steps(session: Session, patterns: Sequence[Pattern]) -> int:
        """What SQLite's machine does, in hundreds."""
        ticks = itertools.count()
        session._connection.set_progress_handler(lambda: bool(next(ticks)) and False, 100)
        label_uris.query(session, patterns, (), 0, 50)
        session._connection.set_progress_handler(None, 0)
        return next(ticks)

    many = [wide, *[Pattern(uri(f"c{number}"), prefix=True) for number in range(250)]]
    assert database.read_now(steps, many) < 10 * database.read_now(steps, many[:1])


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_postgresql_goes_by_index_also_for_many_accounts_of_a_log_that_it_knows_well(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {seq: f"at://did:plc:{seq * 7919 % 10_007:024}/app.bsky.feed.post/{seq:013}" for seq in range(1, 2 * AT_ONCE)}
    database.write_now(append, told)
    database.write_now(label_uris.sort, AT_ONCE)
    database.write_now(lambda session: session.execute("ANALYZE label, label_uri"))
    patterns = [Pattern(told[seq][:37], prefix=True) for seq in range(1, 2 * AT_ONCE, 200)] + [Pattern(told[7])]
    execute, plans = Session.execute, list[str]()

    def explaining(session: Session, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        plans.append("\n".join(str(line) for (line,) in execute(session, f"EXPLAIN {sql}", values)))
        return execute(session, sql, values)

    monkeypatch.setattr(Session, "execute", explaining)
    assert found(database, *patterns) == [seq for seq, at in told.items() if is_meant(patterns, at)]
    assert "Seq Scan on label" not in plans[-1], plans[-1]
    assert database.read_now(execute, "SHOW jit") == [("off",)]
