"""Labels end by themselves, and are renewed while they hold. On both databases."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from labeler.issuer import Issuer
from labeler.issuing import RENEW_SECONDS, Issuing
from labeler.judge import Judge
from labeler.limits import Throttle
from labeler.persons import By, Persons
from labeler.policy import LabelPolicy
from labeler.renewing import AT_ONCE, ending, renew
from models import decisions, labels
from models.database import Database
from models.duration import SECOND, duration
from tests.support.labels import AUTHOR, CIDS, HARMLESS, KEY, NOON, SRC, apply, deleted, issuer, judged, log_rows, uri

A, B, *_ = CIDS
DAY = duration("1d")
POLICY = LabelPolicy("plainsky-test", ("gtube",), "auto", expires=duration("30d"))
BY = By("operator", "seen by a person", "ann")


def renewed(database: Database, now: int, *policies: LabelPolicy, by: Issuer | None = None) -> int:
    used = policies or (POLICY,)
    return database.write_now(renew, by or issuer(now), Judge(used), used, now).labels


def ends(database: Database) -> list[str]:
    rows = database.read_now(lambda session: session.execute("SELECT substr(exp, 1, 10), neg FROM label ORDER BY seq"))
    return ["-" if neg else str(exp) for exp, neg in rows]


def test_a_machines_label_ends_as_its_policy_says(database: Database) -> None:
    apply(database, judged("post", A, by=Judge([LabelPolicy("plainsky-test", ("gtube",), "auto", expires=duration("3d"))])))

    assert ends(database) == ["2026-01-04"]


def test_a_label_is_renewed_in_the_last_third_of_its_life_with_the_same_cid_and_decision(database: Database) -> None:
    apply(database, judged("post", A))

    assert renewed(database, NOON + 19 * DAY) == 0
    assert renewed(database, NOON + 20 * DAY + SECOND) == 1
    assert renewed(database, NOON + 20 * DAY + 2 * SECOND) == 0

    first, second = database.read_now(lambda session: session.execute("SELECT uri, cid, val, decision_id FROM label ORDER BY seq"))
    assert first == second
    assert ends(database) == ["2026-01-31", "2026-02-20"]


def test_a_label_that_ended_is_not_renewed_and_a_post_told_again_is_labelled_anew(database: Database) -> None:
    apply(database, judged("post", A))

    assert renewed(database, NOON + 31 * DAY) == 0
    apply(database, judged("post", A), by=issuer(NOON + 31 * DAY))

    assert ends(database) == ["2026-01-31", "2026-03-03"]


@pytest.mark.parametrize("change", [deleted("post"), judged("post", B, HARMLESS)], ids=["deleted", "edited"])
def test_what_was_negated_is_not_renewed(database: Database, change: Any) -> None:
    apply(database, judged("post", A), change)

    assert renewed(database, NOON + 25 * DAY) == 0


def test_a_label_whose_reason_is_gone_by_the_rules_of_today_is_negated_instead(database: Database) -> None:
    apply(database, judged("post", A))

    assert renewed(database, NOON + 25 * DAY, LabelPolicy("plainsky-test", ("gtube",), "auto", threshold=2.0)) == 1
    assert ends(database) == ["2026-01-31", "-"]


@pytest.mark.parametrize("mode", ["shadow", "review"])
def test_a_label_that_the_machine_may_not_give_any_more_dies(database: Database, mode: Any) -> None:
    apply(database, judged("post", A))

    assert renewed(database, NOON + 25 * DAY, LabelPolicy("plainsky-test", ("gtube",), mode)) == 0


def test_a_label_that_a_person_took_from_the_same_words_elsewhere_is_negated_instead(database: Database) -> None:
    apply(database, judged("post", A), judged("copy", B))
    database.write_now(Persons(SRC, [POLICY]).negate, uri("post"), None, "plainsky-test", BY, NOON)
    database.write_now(issuer().issue, NOON)

    renewed(database, NOON + 21 * DAY)
    assert [(row[1], row[2], row[4]) for row in log_rows(database)][2:] == [(uri("post"), A, 1), (uri("copy"), B, 1)]


def test_a_persons_label_is_renewed_but_not_one_that_she_let_end(database: Database) -> None:
    persons = Persons(SRC, [POLICY])
    database.write_now(persons.label, uri("post"), A, "plainsky-test", BY, NOON)
    database.write_now(persons.label, uri("other"), A, "plainsky-test", BY, NOON, life=30 * DAY)
    database.write_now(issuer().issue, NOON)

    assert renewed(database, NOON + 25 * DAY) == 1
    assert log_rows(database)[-1][1] == uri("post")


def test_only_what_was_seen_to_be_there_in_its_version_is_renewed_where_somebody_can_be_asked(database: Database) -> None:
    apply(database, *[judged(rkey, A) for rkey in ("there", "gone", "edited", "unasked")])
    persons = Persons(SRC, [LabelPolicy("plainsky-test", ("gtube",), targets=("post", "account"))])
    database.write_now(persons.label, uri("any"), None, "plainsky-test", BY, NOON)
    account = database.write_now(persons.label, AUTHOR, None, "plainsky-test", BY, NOON)
    database.write_now(persons.confirm, account.id, By("operator", "so it is", "ben"), NOON)
    database.write_now(issuer().issue, NOON)
    later = NOON + 25 * DAY

    asked = database.read_now(ending, SRC, [POLICY], later, {})
    assert sorted(asked.uris) == sorted(uri(rkey) for rkey in ("any", "there", "gone", "edited", "unasked"))
    assert asked.after == {}
    there = {uri("there"): A, uri("gone"): None, uri("edited"): B, uri("any"): B}
    assert database.write_now(renew, issuer(later), Judge([POLICY]), [POLICY], later, there).labels == 3
    assert sorted(row[1] for row in log_rows(database)[6:]) == sorted([AUTHOR, uri("any"), uri("there")])


def test_what_is_not_renewed_does_not_stand_in_the_way_of_the_rest(database: Database) -> None:
    for number in range(3):
        apply(database, *[judged(f"{number}-{one:03}", A) for one in range(AT_ONCE // 2)], by=issuer(NOON + number * SECOND))
    later = NOON + 25 * DAY

    first = database.read_now(ending, SRC, [POLICY], later, {})
    second = database.read_now(ending, SRC, [POLICY], later, first.after)
    assert (len(first.uris), len(second.uris), second.after) == (AT_ONCE, AT_ONCE // 2, {})
    there = dict.fromkeys([*first.uris, *second.uris], A)
    assert database.write_now(renew, issuer(later), Judge([POLICY]), [POLICY], later, there, first.after).labels == AT_ONCE // 2


async def test_while_nobody_can_say_whether_posts_are_there_nothing_is_renewed_and_nothing_waits_for_the_answer(database: Database) -> None:
    apply(database, judged("post", A))
    answers: list[asyncio.Future[dict[str, str | None] | None]] = []

    async def there(uris: Sequence[str]) -> dict[str, str | None] | None:
        assert uris == [uri("post")]
        answers.append(asyncio.get_running_loop().create_future())
        return await answers[-1]

    working = Issuing(database, issuer(NOON + 25 * DAY), Judge([POLICY]), [POLICY], lambda: None, lambda: True, there=there)

    async def turns(seconds: float, told: dict[str, str | None] | None) -> int:
        before = len(answers)
        while len(answers) == before:
            await working.step(seconds)
        answers[-1].set_result(told)
        while working.is_renewing:
            await asyncio.sleep(0)
            await working.step(seconds)
        return len(await asyncio.to_thread(log_rows, database))

    assert await turns(0, None) == 1
    assert await turns(RENEW_SECONDS, {uri("post"): None}) == 1
    assert await turns(2 * RENEW_SECONDS, {uri("post"): A}) == 2


async def test_of_many_labels_that_end_soon_all_are_renewed_as_fast_as_the_throttle_lets(database: Database) -> None:
    many = AT_ONCE + 50
    now = NOON + 25 * DAY
    apply(database, *[judged(f"gone{number}", A) for number in range(5)])
    for at in range(0, many, 5):  # times of their own: after one of them the next batch begins
        apply(database, *[judged(f"post{number:03}", A) for number in range(at, at + 5)], by=issuer(NOON + at * SECOND))

    async def there(uris: Sequence[str]) -> dict[str, str | None]:
        return {uri: None if "gone" in uri else A for uri in uris}

    def clock() -> int:
        nonlocal now
        now += SECOND // 2
        return now

    throttled = Issuer(SRC, KEY, clock, Throttle(per_second=5))
    working = Issuing(database, throttled, Judge([POLICY]), [POLICY], lambda: None, lambda: True, poll=0, there=there, ask=0)
    while not working.is_renewing:
        await working.step(0)
    while working.is_renewing:
        await working.step(1)
        await asyncio.sleep(0)

    rows = await asyncio.to_thread(log_rows, database)
    assert sorted(row[1] for row in rows[many + 5 :]) == [uri(f"post{number:03}") for number in range(many)]


def test_renewing_keeps_to_the_throttle_and_lets_what_is_new_go_first(database: Database) -> None:
    apply(database, *[judged(f"post{number}", A) for number in range(3)])
    later = NOON + 25 * DAY
    throttled = Issuer(SRC, KEY, lambda: later, Throttle(per_second=2))

    assert renewed(database, later, by=throttled) == 2
    apply(database, judged("new", A), by=throttled)
    assert renewed(database, later + SECOND, by=throttled) == 0
    assert database.write_now(throttled.issue, later + SECOND) == 1
    assert renewed(database, later + SECOND, by=throttled) == 1


def test_a_deleted_posts_words_are_forgotten_and_their_hash_and_evidence_stay(database: Database) -> None:
    apply(database, judged("post", A))
    (before,) = database.read_now(decisions.of_uri, uri("post"))
    apply(database, deleted("post"))

    after, _ = database.read_now(decisions.of_uri, uri("post"))
    assert before.body is not None
    assert "PLAINSKY" in before.body
    assert after.body is None
    assert after.text_hash == before.text_hash
    assert [finding["text"] for finding in after.evidence["findings"]] == [""]
    assert after.evidence["score"] == before.evidence["score"]
    everything = database.read_now(lambda session: session.execute("SELECT * FROM decision"))
    assert "PLAINSKY-GTUBE" not in repr(everything)


def test_everything_of_an_account_is_found_by_its_did(database: Database) -> None:
    apply(database, judged("b", A), judged("a", A))
    found = database.read_now(decisions.uris_of, AUTHOR)

    assert found == [uri("a"), uri("b")]
    assert database.read_now(decisions.uris_of, AUTHOR[:-1]) == []
    assert database.read_now(labels.last_seq) == 2
