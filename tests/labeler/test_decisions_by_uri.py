"""What was decided is found by uri, and by account, without reading the whole table."""

from collections.abc import Sequence
from typing import Any

import pytest

from models import decisions
from models.database import Database, Session
from tests.support.labels import AUTHOR, CIDS, apply, deleted, judge, judged, uri

A, B, *_ = CIDS


class Planned(Session):
    """Notes how SQLite would go about each statement."""

    def __init__(self, session: Session) -> None:
        super().__init__(session._connection, session.dialect)
        self.plans: list[str] = []

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.plans += [row[3] for row in super().execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        return super().execute(sql, values)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_no_question_about_a_post_or_an_account_reads_the_whole_table(database: Database) -> None:
    def plans(session: Session) -> list[str]:
        planned = Planned(session)
        for count in (1, 3, 300):
            decisions.known(planned, [uri(f"post{number}") for number in range(count)])
        decisions.of_uri(planned, uri("post"))
        decisions.uris_of(planned, AUTHOR)
        decisions.purge(planned, [(uri("post"), 1), (uri("other"), 1)])
        return planned.plans

    found = database.write_now(plans)
    assert any("decision_by_tail" in plan for plan in found)
    assert any("decision_unissued" in plan for plan in found)
    assert not [plan for plan in found if plan.startswith(("SCAN decision", "SCAN label"))]


def test_decisions_are_found_by_uri_however_short_it_is_and_whatever_ends_alike(database: Database) -> None:
    twins = ["did:web:a.b", "at://did:plc:one/app.bsky.feed.post/3aaaaaaaaaaa2", "at://did:plc:two/app.bsky.feed.post/3aaaaaaaaaaa2"]

    def write(session: Session) -> None:
        rows = [decisions.Decision(number, at, "", "v", "none", "person", {}, None, 0) for number, at in enumerate(twins, 1)]
        decisions.add(session, rows)

    database.write_now(write)

    assert [one.uri for one in database.read_now(decisions.known, twins)] == twins
    for number, at in enumerate(twins, 1):
        assert [one.id for one in database.read_now(decisions.known, [at])] == [number]
        assert [one.id for one in database.read_now(decisions.of_uri, at)] == [number]
    assert database.read_now(decisions.known, ["b", twins[0][-5:]]) == []


def test_of_an_account_all_is_found_whatever_came_of_it(database: Database) -> None:
    apply(database, judged("issued", A), judged("shadow", A, by=judge("shadow", "one")), judged("review", A, by=judge("review", "one")))
    apply(database, deleted("review"), judged("gone", B))
    apply(database, deleted("gone"))

    assert database.read_now(decisions.uris_of, AUTHOR) == [uri(rkey) for rkey in ("gone", "issued", "review", "shadow")]

    account = decisions.Decision(99, AUTHOR, "", "v", "label", "person", {}, None, 0, outcome="issued")
    database.write_now(decisions.add, [account])
    assert AUTHOR in database.read_now(decisions.uris_of, AUTHOR)
