"""What waits for people, in which order, and what becomes of it. On both databases."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.declaration import Reports
from labeler.desk import Desk, Done, Item, queue, worth
from labeler.desk import appealed as values_of
from labeler.evidence import of_uri
from labeler.persons import Refused
from labeler.policy import LabelPolicy
from labeler.reporting import take_appeal, take_report
from labeler.reports import Reported, Subject
from labeler.sampling import Blind, answered, draw
from models import blind, decisions, matters, moderators
from models.database import Database
from models.duration import duration
from models.moderators import Moderator
from models.protocol.xrpc import XrpcError
from tests.support.labels import AUTHOR, CIDS, FLAGGED, HARMLESS, NOON, SRC, apply, deleted, issuer, judge, judged, log_rows, uri

MISLEADING, APPEAL = "com.atproto.moderation.defs#reasonMisleading", "tools.ozone.report.defs#reasonAppeal"
POLICIES = [LabelPolicy("plainsky-test", ("gtube",), "auto"), LabelPolicy("person", ("gtube",), "review", targets=("post", "account"))]
DESK = Desk(SRC, POLICIES)
ANN, BEN, EVA = (Moderator(name, rank, NOON, None) for name, rank in (("ann", "moderator"), ("ben", "lead"), ("eva", "lead")))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _moderators(database: Database) -> None:
    for one in (ANN, BEN, EVA):
        database.write_now(moderators.add, one.name, one.rank, NOON)


def report(
    database: Database, rkey: str, reporter: str = "did:plc:reporter22222222222222222", now: int = NOON, checked: bool = True
) -> None:
    asked = Reported(MISLEADING, Subject(uri(rkey), CIDS[0]))
    database.write_now(take_report, SRC, Reports(), asked, reporter, checked, now)


def appeal(database: Database, subject: Subject) -> None:
    database.write_now(take_appeal, SRC, Reports(), Reported(APPEAL, subject), AUTHOR, True, NOON)


def waiting(database: Database, who: Moderator = BEN, now: int = NOON) -> list[Item]:
    return database.read_now(queue, who, now)


def do(database: Database, what: Any, *args: Any, **options: Any) -> Done:
    """A decision, and the issuer's turn after it."""
    done: Done = database.write_now(what, *args, now=NOON, **options)
    database.write_now(issuer().issue, NOON)
    return done


def log(database: Database) -> list[str]:
    return [
        f"{'-' if row[4] else '+'}{row[3]} {row[1].rpartition('/')[2]} {CIDS.index(row[2]) if row[2] else 'all'}"
        for row in log_rows(database)
    ]


@pytest.fixture
def appealed(database: Database) -> Item:
    """An appeal against the machine's label on a post."""
    apply(database, judged("post", CIDS[0]))
    appeal(database, Subject(uri("post"), CIDS[0]))
    return waiting(database)[0]


def test_what_waits_comes_in_the_order_of_its_worth_to_whom_it_concerns(database: Database, appealed: Item) -> None:
    apply(database, judged("candidate", CIDS[0], by=judge("review", "person")))
    report(database, "one")
    report(database, "unseen", checked=False)
    for number in range(3):
        report(database, "many", f"did:plc:{'abc'[number] * 24}")
    report(database, "second")
    second = next(item for item in waiting(database) if item.uri == uri("second"))
    do(database, DESK.label, second, CIDS[0], "person", ANN, "repeats a claim", wide=True)

    assert [(item.kind, item.uri.rpartition("/")[2]) for item in waiting(database)] == [
        ("appeal", "post"),
        ("second", "second"),
        ("report", "many"),
        ("candidate", "candidate"),
        ("report", "one"),
        ("report", "unseen"),
    ]
    assert {item.kind for item in waiting(database, ANN)} == {"report", "candidate"}


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.integers(0, 10**18), st.integers(0, 10**18))
def test_worth_rises_with_strength_and_age_and_never_above_an_appeal(weak: float, strong: float, young: int, old: int) -> None:
    (weak, strong), (young, old) = sorted((weak, strong)), sorted((young, old))
    assert worth("report", weak, young) <= worth("report", strong, old) < worth("appeal", 0, 0)


def test_a_reported_post_is_labelled_by_a_person_and_all_its_reports_are_answered(database: Database) -> None:
    report(database, "post")
    report(database, "post", "did:plc:another222222222222222222")
    (item,) = waiting(database)
    done = do(database, DESK.label, item, CIDS[1], "person", ANN, "repeats a claim rated false")

    assert (log(database), waiting(database)) == (["+person post 1"], [])
    matter = database.read_now(matters.by_id, item.id)
    assert matter
    assert (matter.outcome, matter.moderator, matter.reason, matter.decided) == ("labelled", "ann", "repeats a claim rated false", (1,))
    with pytest.raises(Refused, match="somebody else has decided"):
        do(database, DESK.dismiss, item, BEN, "no")

    do(database, DESK.undo, done, ANN, "slip")
    assert (log(database), waiting(database)) == (["+person post 1", "-person post 1"], [item])


def test_a_report_of_what_has_the_label_already_is_answered_with_yes_and_nothing_is_issued(database: Database) -> None:
    apply(database, judged("post", CIDS[0]))
    report(database, "post")
    do(database, DESK.label, waiting(database)[0], CIDS[0], "plainsky-test", ANN, "it is false")

    assert (log(database), waiting(database)) == (["+plainsky-test post 0"], [])
    matter = database.read_now(matters.by_id, 1)
    assert matter
    assert (matter.outcome, matter.reason) == ("labelled", "it is false")


def test_a_decision_is_undone_also_when_there_are_new_reports_of_the_same(database: Database) -> None:
    report(database, "post")
    done = do(database, DESK.label, waiting(database)[0], CIDS[0], "person", ANN, "by mistake")
    report(database, "post", "did:plc:another22222222222222222")
    do(database, DESK.undo, done, ANN, "a mistake")

    assert log(database) == ["+person post 0", "-person post 0"]
    assert [item.kind for item in waiting(database)] == ["report"]


def test_a_dismissed_report_changes_nothing_and_a_new_one_opens_a_new_matter(database: Database) -> None:
    report(database, "post")
    done = do(database, DESK.dismiss, waiting(database)[0], ANN, "an opinion")
    assert (log(database), waiting(database)) == ([], [])

    report(database, "post")
    assert [item.id for item in waiting(database)] == [2]
    with pytest.raises(Refused, match="new reports"):
        do(database, DESK.undo, done, ANN, "look again")
    do(database, DESK.dismiss, waiting(database)[0], ANN, "still one")
    do(database, DESK.undo, done, ANN, "look again")
    assert [item.id for item in waiting(database)] == [1]


def test_a_candidate_is_confirmed_and_answers_the_reports_of_the_same_post(database: Database) -> None:
    apply(database, judged("post", CIDS[0], by=judge("review", "person")))
    report(database, "post")
    candidate = next(item for item in waiting(database) if item.kind == "candidate")
    done = do(database, DESK.confirm, candidate, ANN, "checked")
    assert (log(database), waiting(database)) == (["+person post 0"], [])

    do(database, DESK.undo, done, ANN, "slip")
    assert log(database) == ["+person post 0", "-person post 0"]
    assert {item.kind for item in waiting(database)} == {"candidate", "report"}


def test_a_candidate_is_refused_and_that_is_undone(database: Database) -> None:
    apply(database, judged("post", CIDS[0], by=judge("review", "person")))
    done = do(database, DESK.refuse, waiting(database)[0], ANN, "satire")
    assert waiting(database) == []

    do(database, DESK.undo, done, ANN, "it is not")
    assert [item.kind for item in waiting(database)] == ["candidate"]


def test_a_wide_account_needs_a_second_person(database: Database) -> None:
    apply(database, judged("post", CIDS[0], by=judge("review", "person")))
    do(database, DESK.confirm, waiting(database)[0], ANN, "checked", wide=True)
    assert (log(database), waiting(database, ANN)) == ([], [])

    (second,) = waiting(database, BEN)
    with pytest.raises(Refused, match="another one than the first"):
        do(database, DESK.confirm, second, ANN, "again")
    do(database, DESK.confirm, second, BEN, "I agree")
    assert log(database) == ["+person post 0"]


def test_an_upheld_appeal_negates_with_the_same_cid_bars_the_text_and_is_counted(database: Database, appealed: Item) -> None:
    assert database.read_now(matters.appeals_in_public) == {"open": 1, "upheld": 0, "rejected": 0}
    done = do(database, DESK.uphold, appealed, BEN, "satire, and marked as such")
    apply(database, judged("copy", CIDS[1]))

    assert log(database) == ["+plainsky-test post 0", "-plainsky-test post 0"]
    assert [(one.role, one.reason, one.moderator) for one in done.decided] == [("appeal", "satire, and marked as such", "ben")]
    assert database.read_now(matters.appeals_in_public) == {"open": 0, "upheld": 1, "rejected": 0}

    do(database, DESK.undo, done, BEN, "slip")
    apply(database, judged("another", CIDS[2]))
    assert log(database)[2:] == ["+plainsky-test post 0", "+plainsky-test another 2"]
    assert [item.kind for item in waiting(database)] == ["appeal"]


def test_an_appeal_is_upheld_also_when_the_label_has_ended_meanwhile(database: Database, appealed: Item) -> None:
    apply(database, judged("post", CIDS[1], HARMLESS))
    assert do(database, DESK.uphold, appealed, BEN, "right").decided == ()
    apply(database, judged("copy", CIDS[1]))

    assert log(database) == ["+plainsky-test post 0", "-plainsky-test post 0"]


def both(database: Database) -> Item:
    """An appeal against two labels on one post."""
    apply(database, judged("post", CIDS[0], by=judge("auto", "plainsky-test", "person")))
    appeal(database, Subject(uri("post"), CIDS[0]))
    return waiting(database)[0]


def test_an_upheld_appeal_that_is_undone_and_rejected_is_told_as_such_when_it_comes_again(database: Database, appealed: Item) -> None:
    done = do(database, DESK.uphold, appealed, BEN, "it is satire")
    do(database, DESK.undo, done, BEN, "no, it is not")
    assert log(database) == ["+plainsky-test post 0", "-plainsky-test post 0", "+plainsky-test post 0"]
    do(database, DESK.keep, waiting(database)[0], BEN, "it repeats the claim as true")

    with pytest.raises(XrpcError, match="it repeats the claim as true"):
        appeal(database, Subject(uri("post"), CIDS[0]))


def test_of_two_labels_one_may_go_and_the_other_stay_each_with_its_reason(database: Database) -> None:
    item = both(database)
    assert database.read_now(values_of, item) == ["person", "plainsky-test"]
    do(database, DESK.uphold, item, BEN, "satire", vals=["person"], kept="it still says so")

    assert log(database) == ["+plainsky-test post 0", "+person post 0", "-person post 0"]
    assert waiting(database) == []
    assert database.read_now(matters.appeals_in_public) == {"open": 0, "upheld": 1, "rejected": 1}
    told = database.read_now(of_uri, SRC, (), uri("post"), NOON)
    assert {one.val: [(each.state, each.reason) for each in one.appeals] for one in told} == {
        "person": [("upheld", "satire")],
        "plainsky-test": [("rejected", "it still says so")],
    }
    with pytest.raises(XrpcError, match="Your appeal was rejected: it still says so"):
        appeal(database, Subject(uri("post"), CIDS[0]))
    apply(database, judged("twin", CIDS[1], by=judge("auto", "plainsky-test", "person")))
    assert log(database)[3:] == ["+plainsky-test twin 1"]


def test_an_appeal_that_was_split_is_one_again_when_that_is_undone(database: Database) -> None:
    item = both(database)
    before = database.read_now(matters.by_id, item.id)
    done = do(database, DESK.uphold, item, BEN, "satire", vals=["plainsky-test"], kept="it still says so")
    do(database, DESK.undo, done, BEN, "a mistake")

    assert database.read_now(matters.of_uri, uri("post")) == [before]
    assert [found.id for found in waiting(database)] == [item.id]
    with pytest.raises(Refused, match="not against such a label"):
        do(database, DESK.uphold, item, BEN, "satire", vals=["another"], kept="no")


def test_a_rejected_appeal_keeps_label_and_reason(database: Database, appealed: Item) -> None:
    do(database, DESK.keep, appealed, BEN, "it repeats the claim as true")

    matter = database.read_now(matters.by_id, appealed.id)
    assert matter
    assert (log(database), matter.outcome, matter.reason) == (["+plainsky-test post 0"], "rejected", "it repeats the claim as true")


def test_an_appeal_is_for_a_lead_who_did_not_give_the_label_if_there_is_another(database: Database) -> None:
    report(database, "post")
    do(database, DESK.label, waiting(database)[0], CIDS[0], "person", BEN, "false")
    appeal(database, Subject(uri("post"), CIDS[0]))
    (item,) = waiting(database)

    with pytest.raises(Refused, match="decided by a lead"):
        do(database, DESK.uphold, item, ANN, "right")
    with pytest.raises(Refused, match="eva should decide"):
        do(database, DESK.keep, item, BEN, "no")
    database.write_now(moderators.remove, "eva", NOON)
    do(database, DESK.keep, item, BEN, "no")


def test_the_second_person_gave_the_label_too_and_does_not_decide_the_appeal_if_there_is_another(database: Database) -> None:
    apply(database, judged("post", CIDS[0], by=judge("review", "person")))
    do(database, DESK.confirm, waiting(database)[0], ANN, "false", wide=True)
    do(database, DESK.confirm, waiting(database)[0], BEN, "false indeed")
    appeal(database, Subject(uri("post"), CIDS[0]))
    (item,) = waiting(database)

    with pytest.raises(Refused, match="eva should decide"):
        do(database, DESK.keep, item, BEN, "no")
    do(database, DESK.uphold, item, EVA, "satire")
    assert log(database) == ["+person post 0", "-person post 0"]


def test_an_appeal_against_an_account_label_takes_it_back_from_the_profile_too(database: Database) -> None:
    profile = f"at://{AUTHOR}/app.bsky.actor.profile/self"
    for number, subject in enumerate((AUTHOR, profile)):
        report_of = Reported(MISLEADING, Subject(subject, CIDS[0] if number else ""))
        database.write_now(take_report, SRC, Reports(), report_of, "did:plc:reporter22222222222222222", True, NOON)
        done = do(database, DESK.label, next(one for one in waiting(database) if one.uri == subject), None, "person", ANN, "impostor")
        second = Item("second", done.decided[0].id, subject, "", "person", NOON, 0)
        do(database, DESK.confirm, second, EVA, "yes")
    appeal(database, Subject(AUTHOR))
    do(database, DESK.uphold, waiting(database)[0], BEN, "it is him")

    assert sorted(line[0] for line in log(database)) == ["+", "+", "-", "-"]


def test_moderators_are_added_promoted_and_removed(database: Database) -> None:
    assert database.write_now(moderators.add, "ann", "moderator", NOON) is False
    assert database.write_now(moderators.add, "ann", "lead", NOON) is True
    assert database.write_now(moderators.remove, "ben", NOON) is True
    assert database.write_now(moderators.remove, "ben", NOON) is False
    assert [(one.name, one.rank) for one in database.read_now(moderators.known)] == [("ann", "lead"), ("eva", "lead")]


def test_blind_questions_are_of_posts_that_live_and_each_is_asked_once(database: Database) -> None:
    apply(database, judged("a", CIDS[0], by=judge("shadow")), judged("b", CIDS[1], FLAGGED), judged("c", CIDS[0]), deleted("c"))

    asked: list[Blind] = []
    while drawn := database.read_now(draw, judge().rules, "ann", Random(len(asked))):
        asked.append(drawn)
        answer = blind.Given.__args__[len(asked) - 1]  # type: ignore[attr-defined]
        database.write_now(answered, drawn, "ann", answer, NOON + duration("1s"))

    assert sorted((one.uri, one.post.text) for one in asked) == [(uri("a"), FLAGGED.text), (uri("b"), FLAGGED.text)]
    assert [(one.val, one.found, one.answer, one.posts) for one in database.read_now(blind.tallies)] == [
        ("plainsky-test", True, "no", 1),
        ("plainsky-test", True, "yes", 1),
    ]
    assert database.read_now(draw, judge().rules, "ben", Random(1)) is not None
    assert database.read_now(decisions.count_waiting) == {}
