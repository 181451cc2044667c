"""What people decide, and what the machine makes of it afterwards. On both databases."""

from typing import Any

import pytest

from labeler.issuer import Issuer
from labeler.judge import Judge
from labeler.limits import Breaker
from labeler.persons import By, Persons, Refused
from labeler.policy import LabelPolicy
from models import accounts, decisions, posts
from models.accounts import Account
from models.database import Database
from models.duration import duration
from tests.support.labels import AUTHOR, CIDS, FLAGGED, HARMLESS, KEY, NOON, SRC, apply, deleted, issuer, judge, judged, log_rows, uri

A, B, *_ = CIDS
ANN, BEN = By("moderator", "repeats a claim rated false", "ann"), By("moderator", "I agree", "ben")
POLICIES = [LabelPolicy("plainsky-test", ("gtube",), "auto"), LabelPolicy("person", ("gtube",), "review", targets=("post", "account"))]
PERSONS = Persons(SRC, POLICIES)


def do(database: Database, what: Any, *args: Any, **options: Any) -> Any:
    """A person's decision, and the issuer's turn after it."""
    done = database.write_now(what, *args, now=NOON, **options)
    database.write_now(issuer().issue, NOON)
    return done


def log(database: Database) -> list[str]:
    versions = {A: "A", B: "B", "": "all"}
    return [f"{'-' if row[4] else '+'}{row[3]} {row[1].rpartition('/')[2]} {versions[row[2]]}" for row in log_rows(database)]


def waiting(database: Database) -> dict[str, int]:
    return database.read_now(decisions.count_waiting)


def test_a_person_labels_a_version_and_takes_it_back_with_the_same_cid(database: Database) -> None:
    decided = do(database, PERSONS.label, uri("post"), A, "person", ANN)
    do(database, PERSONS.negate, uri("post"), None, "person", BEN)

    assert log(database) == ["+person post A", "-person post A"]
    assert (decided.role, decided.moderator, decided.reason) == ("moderator", "ann", "repeats a claim rated false")
    assert [(one.action, one.mode, one.outcome) for one in database.read_now(decisions.of_uri, uri("post"))] == [
        ("label", "person", "issued"),
        ("negate", "person", "issued"),
    ]


def test_a_negation_without_cid_takes_the_label_from_every_version(database: Database) -> None:
    do(database, PERSONS.label, uri("post"), A, "person", ANN)
    do(database, PERSONS.label, uri("post"), None, "person", ANN)
    do(database, PERSONS.negate, uri("post"), None, "person", ANN)

    assert sorted(log(database)[2:]) == ["-person post A", "-person post all"]


def test_what_a_person_took_back_the_machine_does_not_give_again_to_the_version_nor_to_the_text(database: Database) -> None:
    apply(database, judged("post", A))
    do(database, PERSONS.negate, uri("post"), A, "plainsky-test", ANN)
    apply(database, judged("post", A), judged("post", B), judged("copy", A))
    assert log(database) == ["+plainsky-test post A", "-plainsky-test post A"]

    apply(database, judged("other", A, FLAGGED.__class__(text=FLAGGED.text + " and more")))
    assert log(database)[2:] == ["+plainsky-test other A"]


def test_a_person_may_leave_the_text_to_the_machine(database: Database) -> None:
    apply(database, judged("post", A))
    do(database, PERSONS.negate, uri("post"), A, "plainsky-test", ANN, bar=False)
    apply(database, judged("copy", A))

    assert log(database)[2:] == ["+plainsky-test copy A"]


def test_a_persons_label_stands_whatever_the_machine_says_until_the_post_changes(database: Database) -> None:
    do(database, PERSONS.label, uri("post"), A, "person", ANN)
    apply(database, judged("post", A, HARMLESS))
    assert log(database) == ["+person post A"]

    apply(database, judged("post", B, HARMLESS))
    assert log(database) == ["+person post A", "-person post A"]


def test_a_candidate_is_confirmed_by_a_decision_of_its_own_that_names_it(database: Database) -> None:
    apply(database, judged("post", A, by=judge("review", "person")))
    (candidate,) = database.read_now(decisions.waiting, "person")
    decided = do(database, PERSONS.confirm, candidate.id, ANN)

    assert log(database) == ["+person post A"]
    assert waiting(database) == {}
    chain = database.read_now(decisions.chain, decided.id)
    assert [(one.id, one.role) for one in chain] == [(decided.id, "moderator"), (candidate.id, "machine")]
    assert chain[1].evidence["findings"][0]["weight"] == 1.0
    apply(database, judged("post", A, by=judge("review", "person")))
    assert log(database) == ["+person post A"]


def test_a_candidate_that_is_rejected_is_not_asked_again_nor_its_text(database: Database) -> None:
    apply(database, judged("post", A, by=judge("review", "person")))
    (candidate,) = database.read_now(decisions.waiting, "person")
    no = do(database, PERSONS.reject, candidate.id, ANN)
    apply(database, judged("post", A, by=judge("review", "person")), judged("copy", A, by=judge("review", "person")))
    assert (log(database), waiting(database)) == ([], {})

    do(database, PERSONS.undo, no.id, ANN)
    assert [one.id for one in database.read_now(decisions.waiting, "person")] == [candidate.id]


def test_a_candidate_goes_when_the_machine_may_give_the_label_alone(database: Database) -> None:
    apply(database, judged("post", A, by=judge("review")))
    apply(database, judged("post", A))

    assert (log(database), waiting(database)) == (["+plainsky-test post A"], {})


@pytest.mark.parametrize("change", [deleted("post"), judged("post", B, HARMLESS)], ids=["deleted", "edited"])
def test_a_candidate_goes_with_its_version(database: Database, change: Any) -> None:
    apply(database, judged("post", A, by=judge("review", "person")), change)

    assert waiting(database) == {}
    assert log(database) == []


def test_what_the_breaker_held_back_is_confirmed_like_any_candidate(database: Database) -> None:
    by = Issuer(SRC, KEY, lambda: NOON, None, Breaker(per_hour=1))
    apply(database, judged("post", A), judged("held", A), by=by)
    apply(database, judged("held", A), by=by)
    (held,) = database.read_now(decisions.waiting, "person")
    do(database, PERSONS.confirm, held.id, ANN)

    assert log(database) == ["+plainsky-test post A", "+plainsky-test held A"]


@pytest.mark.parametrize("uri_", [AUTHOR, f"at://{AUTHOR}/app.bsky.actor.profile/self"], ids=["account", "profile"])
def test_a_label_on_an_account_needs_two_people(database: Database, uri_: str) -> None:
    first = do(database, PERSONS.label, uri_, None, "person", ANN)
    assert (log(database), waiting(database)) == ([], {"second": 1})
    with pytest.raises(Refused, match="another one than the first"):
        do(database, PERSONS.confirm, first.id, ANN)
    with pytest.raises(Refused, match="waits for a second person already"):
        do(database, PERSONS.label, uri_, None, "person", BEN)

    do(database, PERSONS.confirm, first.id, BEN)

    assert [row[1:5] for row in log_rows(database)] == [(uri_, "", "person", 0)]
    do(database, PERSONS.negate, uri_, None, "person", BEN)
    assert len(log_rows(database)) == 2, "one person is enough to take it back"


@pytest.mark.parametrize("name", ["ann", "Ann", " ann", "ann\N{NO-BREAK SPACE}", "\N{FULLWIDTH LATIN SMALL LETTER A}nn"])
def test_nobody_is_a_second_person_by_another_spelling_of_the_name(database: Database, name: str) -> None:
    asked = do(database, PERSONS.label, AUTHOR, None, "person", ANN)

    with pytest.raises(Refused, match="another one than the first"):
        do(database, PERSONS.confirm, asked.id, By("moderator", "and I again", name))


def test_a_second_persons_no_that_is_undone_waits_for_a_second_person_again(database: Database) -> None:
    asked = do(database, PERSONS.label, AUTHOR, None, "person", ANN)
    refused = do(database, PERSONS.reject, asked.id, BEN)
    do(database, PERSONS.undo, refused.id, BEN)

    assert waiting(database) == {"second": 1}
    with pytest.raises(Refused, match="another one than the first"):
        do(database, PERSONS.confirm, asked.id, ANN)
    do(database, PERSONS.confirm, asked.id, BEN)
    assert log(database) == [f"+person {AUTHOR} all"]


def test_a_second_persons_yes_that_is_undone_takes_the_label_back_and_waits_for_a_second_person_again(database: Database) -> None:
    asked = do(database, PERSONS.label, AUTHOR, None, "person", ANN)
    agreed = do(database, PERSONS.confirm, asked.id, BEN)
    again = do(database, PERSONS.undo, agreed.id, BEN)

    assert log(database) == [f"+person {AUTHOR} all", f"-person {AUTHOR} all"]
    assert (again.moderator, again.reason, again.waits_for) == ("ann", "repeats a claim rated false", "second")
    do(database, PERSONS.confirm, again.id, BEN)
    assert log(database)[2:] == [f"+person {AUTHOR} all"]


def test_a_label_on_an_account_with_a_wide_reach_needs_two_people(database: Database) -> None:
    first = do(database, PERSONS.label, uri("post"), A, "person", ANN, wide=True)
    assert log(database) == []
    do(database, PERSONS.confirm, first.id, BEN)

    assert log(database) == ["+person post A"]


def test_what_waits_for_a_second_person_goes_with_its_version(database: Database) -> None:
    do(database, PERSONS.label, uri("post"), A, "person", ANN, wide=True)
    apply(database, deleted("post"))

    assert waiting(database) == {}


@pytest.mark.parametrize("undone", ["label", "negate"])
def test_a_decision_can_be_undone(database: Database, undone: str) -> None:
    decided = do(database, PERSONS.label, uri("post"), A, "person", ANN)
    if undone == "negate":
        (decided,) = do(database, PERSONS.negate, uri("post"), A, "person", ANN)
    do(database, PERSONS.undo, decided.id, BEN)

    assert log(database)[-1] == ("+person post A" if undone == "negate" else "-person post A")


def test_a_negation_that_is_undone_gives_the_label_for_the_same_reasons_and_with_the_same_end(database: Database) -> None:
    apply(database, judged("post", A))
    do(database, PERSONS.label, uri("other"), A, "person", ANN, life=duration("3d"))
    for rkey, val in (("post", "plainsky-test"), ("other", "person")):
        (negated,) = do(database, PERSONS.negate, uri(rkey), None, val, ANN)
        again = do(database, PERSONS.undo, negated.id, ANN)
        assert [one.id for one in database.read_now(decisions.chain, again.id)][1:] == [1 if rkey == "post" else 2]
    assert (again.life, again.evidence) == (duration("3d"), {"ends": True})


def test_a_no_is_not_asked_again_when_the_post_is_gone_meanwhile(database: Database) -> None:
    apply(database, judged("post", A, by=judge("review")))
    refused = do(database, PERSONS.reject, 1, ANN)
    apply(database, deleted("post"))

    with pytest.raises(Refused, match="deleted"):
        do(database, PERSONS.undo, refused.id, ANN)
    assert waiting(database) == {}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("life", [0, duration("52w") + 1, duration("999999w")])
def test_a_label_that_would_live_longer_than_a_year_is_refused_and_holds_up_nothing(database: Database, life: int) -> None:
    with pytest.raises(Refused, match="52 weeks"):
        do(database, PERSONS.label, uri("post"), A, "person", ANN, life=life)
    do(database, PERSONS.label, uri("post"), A, "person", ANN, life=duration("52w"))

    assert log(database) == ["+person post A"]


def test_what_is_known_to_be_gone_or_edited_is_not_labelled(database: Database) -> None:
    accounts_of = [Account(1, AUTHOR), Account(2, SRC.replace("labeler", "deleted"), active=False, status="deleted")]
    stored: list[posts.NewPost] = [
        (1, 1, "edited", "3l", B, NOON, NOON, posts.packed(HARMLESS)),
        (2, 1, "gone", "3l", None, NOON, NOON, None),
    ]
    database.write_now(lambda session: (accounts.add(session, accounts_of), posts.add(session, stored)))

    for subject, cid, why in (
        (uri("edited"), A, "edited since"),
        (uri("gone"), A, "the post was deleted"),
        (uri("gone"), None, "the post was deleted"),
        (accounts_of[1].did, None, "the account was deleted"),
        (uri("post", accounts_of[1].did), None, "the account was deleted"),
    ):
        with pytest.raises(Refused, match=why):
            do(database, PERSONS.label, subject, cid, "person", ANN)
    do(database, PERSONS.label, uri("edited"), B, "person", ANN)
    assert log(database) == ["+person edited B"]


def test_all_labels_of_a_value_are_taken_back_in_steps_and_the_rest_stands(database: Database) -> None:
    two = Judge([LabelPolicy("plainsky-test", ("gtube",), "auto"), LabelPolicy("person", ("gtube",), "auto")])
    apply(database, *[judged(f"post{number}", A, by=two) for number in range(5)])
    after: int | None = 0
    counts = []
    while after is not None:
        count, after = do(database, PERSONS.negate_all, "person", ANN, after=after, limit=2)
        counts.append(count)

    assert counts == [2, 2, 1]
    assert sorted(log(database)[10:]) == [f"-person post{number} A" for number in range(5)]
    apply(database, judged("post0", A, by=two))
    assert len(log(database)) == 15, "a person's word stands above the machine's"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        pytest.param((PERSONS.label, uri("post"), A, "other"), "has no label", id="a value that the config does not have"),
        pytest.param((PERSONS.label, AUTHOR, None, "plainsky-test"), "for posts only", id="an account, for a label of posts"),
        pytest.param((PERSONS.label, "https://bsky.app/profile/x/post/y", None, "person"), "expected a DID", id="a web address"),
        pytest.param((PERSONS.label, "at://alice.test/app.bsky.feed.post/x", None, "person"), "author's DID", id="a handle"),
        pytest.param((PERSONS.label, uri("post"), "abc", "person"), "expected the cid", id="no cid"),
        pytest.param((PERSONS.label, AUTHOR, A, "person"), "an account has none", id="an account with a cid"),
        pytest.param((PERSONS.label, uri("post", SRC), A, "person"), "never show", id="our own post"),
        pytest.param((PERSONS.label, f"at://{AUTHOR}/app.bsky.graph.list/x", None, "person"), "only posts and accounts", id="a list"),
        pytest.param((PERSONS.negate, uri("post"), None, "person"), "does not stand", id="nothing to take back"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_reason(database: Database, call: tuple[Any, ...], why: str) -> None:
    with pytest.raises(Refused, match=why):
        do(database, *call, ANN)
    assert log_rows(database) == []


def test_a_label_that_stands_is_not_put_again(database: Database) -> None:
    do(database, PERSONS.label, uri("post"), A, "person", ANN)

    with pytest.raises(Refused, match="stands there already"):
        do(database, PERSONS.label, uri("post"), A, "person", BEN)


@pytest.mark.parametrize(("reason", "who"), [("", "ann"), ("  ", "ann"), ("because", "")])
def test_a_decision_without_reason_or_name_is_none(reason: str, who: str) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        By("moderator", reason, who)
