"""The precision gate on a real database: judgements open it, bad ones close it, and what was issued stays."""

from random import Random

import pytest

from labeler import renewing
from labeler.claims.bank import Bank, in_force
from labeler.gate import Gate, Judged, Key, judged
from labeler.judge import Judge
from labeler.measured import measured
from labeler.policy import LabelPolicy
from labeler.sampling import answered, draw
from labeler.signals import Given
from models import accounts, decisions
from models.accounts import Account
from models.blind import Given as Said
from models.database import Database, Session
from models.duration import duration
from models.post import Post
from tests.support.garden import created
from tests.support.kept import Kept
from tests.support.labels import AUTHOR, CIDS, NOON, apply, deleted, issuer, log_rows, uri
from tests.support.labels import judged as told
from tests.support.stance import BANK

VALUE = "likely-disinformation"
POLICY = LabelPolicy(VALUE, ("claim_match",), "auto", threshold=0.5)
FALSE = "Windräder vergiften unser Trinkwasser mit Kupfer, teilt das bitte weiter"
GIVEN = Given(Bank(in_force(BANK)))


@pytest.fixture
def judge() -> Judge:
    return Judge([POLICY], Gate(), given=GIVEN)


def find(database: Database, judge: Judge, name: str, count: int = 1, lang: str = "de") -> None:
    """Posts that assert a claim."""
    apply(database, *(told(f"{name}{number:03}", CIDS[0], Post(FALSE, langs=(lang,)), judge) for number in range(count)))


def ask(database: Database, judge: Judge, count: int, said: Said, who: str = "ann") -> None:
    """As `plainsky review --sample` asks, whose answer is always the same."""

    def asking(session: Session) -> None:
        for number in range(count):
            if number == 20:
                session.execute("ANALYZE")  # PostgreSQL does so by itself in a minute, and takes tables for empty until then
            asked = draw(session, judge.rules, who, Random(number))
            assert asked
            answered(session, asked, who, said, NOON)

    database.write_now(asking)


def look(database: Database, judge: Judge) -> Gate:
    """As the service does every few seconds."""
    judge.gate.sample = database.read_now(judged)
    return judge.gate


def modes(database: Database, rkey: str) -> list[tuple[str, str, str | None]]:
    """(action, mode, what is waited for) of what was decided of a post."""
    return [(one.action, one.mode, one.waits_for) for one in database.read_now(decisions.of_uri, uri(rkey))]


def test_300_judgements_make_a_label_automatic_bad_ones_take_that_back_and_what_was_issued_stays(database: Database, judge: Judge) -> None:
    find(database, judge, "a", 300)
    assert modes(database, "a000") == [("none", "review", "person")]
    ask(database, judge, 299, "yes")
    assert look(database, judge).sample == {Key(VALUE, judge.rules[VALUE], "de"): Judged(right=299)}
    find(database, judge, "too-early")
    assert modes(database, "too-early000") == [("none", "review", "person")]

    ask(database, judge, 1, "yes")
    look(database, judge)
    find(database, judge, "b", 60)
    find(database, judge, "dutch", lang="nl")
    assert modes(database, "b000") == [("label", "auto", None)]
    assert modes(database, "dutch000") == [("none", "review", "person")]
    issued = log_rows(database)
    assert len(issued) == 60

    ask(database, judge, 60, "no")
    look(database, judge)
    found = measured(judge)
    assert [(one.language, one.mode, one.in_force) for one in found] == [("de", "auto", "review"), ("nl", "auto", "review")]
    assert (sum(one.judgements for one in found), sum(one.wrong for one in found)) == (360, 60)
    find(database, judge, "c")
    find(database, judge, "b", 60)  # told again
    assert modes(database, "c000") == [("none", "review", "person")]
    later = NOON + POLICY.expires - duration("1h")
    assert database.write_now(renewing.renew, issuer(later), judge, [POLICY], later).labels == 0
    assert log_rows(database) == issued


def test_judgements_of_what_another_model_or_threshold_found_do_not_count(database: Database, judge: Judge) -> None:
    find(database, judge, "a", 3)
    ask(database, judge, 3, "yes")
    other = Judge([LabelPolicy(VALUE, ("claim_match",), "auto", threshold=0.6)], look(database, judge), given=GIVEN)

    (one,) = measured(other)
    assert (one.judgements, one.language) == (0, "")
    assert database.read_now(draw, other.rules, "ben", Random(1)) is None


def test_a_post_counts_once_and_right_only_where_all_who_were_asked_agree(database: Database, judge: Judge) -> None:
    find(database, judge, "a")
    for who, said, found in (
        ("ann", "yes", Judged(right=1)),
        ("ben", "yes", Judged(right=1)),
        ("eva", "unsure", Judged(undecided=1)),
        ("dan", "no", Judged(wrong=1)),
    ):
        ask(database, judge, 1, said, who)  # type: ignore[arg-type]
        assert list(look(database, judge).sample.values()) == [found]


def test_judgements_stay_when_the_post_is_gone_and_a_post_in_two_languages_counts_in_both(database: Database, judge: Judge) -> None:
    apply(database, told("two", CIDS[0], Post(FALSE, langs=("de-AT", "de", "nl")), judge))
    ask(database, judge, 1, "yes")
    apply(database, deleted("two"))

    assert sorted((key.lang, one.right) for key, one in look(database, judge).sample.items()) == [("de", 1), ("nl", 1)]


def test_what_is_gone_hidden_or_left_to_people_for_its_doubts_is_not_drawn(database: Database, judge: Judge) -> None:
    find(database, judge, "gone")
    apply(database, deleted("gone000"))
    doubtful = Judge([LabelPolicy(VALUE, ("claim_match",), "auto", threshold=0.5, abstain=("claim_match",))], given=GIVEN)
    find(database, doubtful, "doubtful")
    assert database.read_now(draw, judge.rules, "ann", Random(1)) is None
    assert database.read_now(draw, doubtful.rules, "ann", Random(1)) is None

    find(database, judge, "hidden")
    assert database.read_now(draw, judge.rules, "ann", Random(1)) is not None
    database.write_now(accounts.add, [Account(9, AUTHOR, active=False, status="deactivated")])
    assert database.read_now(draw, judge.rules, "ann", Random(1)) is None


def test_posts_that_were_not_found_are_among_the_questions_and_count_for_nothing(database: Database, judge: Judge) -> None:
    Kept(database).store([created(0, number, number) for number in range(1, 40)])
    find(database, judge, "a", 40)
    drawn = [database.read_now(draw, judge.rules, "ann", Random(seed)) for seed in range(200)]
    others = [one for one in drawn if one and one.decision_id is None]

    assert 20 < len(others) < 80
    assert {one.rules_hash for one in others} == {None}
    database.write_now(answered, others[0], "ann", "no", NOON)
    assert look(database, judge).sample == {}
