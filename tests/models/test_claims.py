"""The claim bank keeps what was published, on SQLite and on PostgreSQL alike."""

import pytest

from models import claims as bank
from models.claims import Claim, Source, Wording, wording_key
from models.database import Database
from tests.support.claims import NOW, claim

DUTCH = Wording("Gentse kaas geneest de hik", "nl")


def kept(database: Database, *claims: Claim, now: int = NOW) -> list[Claim]:
    database.write_now(bank.put, claims, now)
    return database.read_now(bank.active)


def test_a_claim_comes_back_as_it_was_put(database: Database) -> None:
    made = claim(
        url="https://checks.example/ghent?x=100%",
        reviewed_on="2026-03-04",
        title="Does cheese cure hiccups? 🧀",
        summary="It does not.",
        wordings=(Wording("Cheese from Ghent cures hiccups", "en"), DUTCH),
    )

    assert kept(database, made) == [made]
    assert database.read_now(bank.of_ids, [made.id, "none"]) == [made]


def test_putting_again_replaces(database: Database) -> None:
    before = claim(wordings=(Wording("Cheese from Ghent cures hiccups", "en"), DUTCH))
    after = claim(rating="Mixture")
    assert before.id == after.id

    kept(database, before)

    assert kept(database, after) == [after]


def test_a_retired_claim_counts_no_more_and_can_be_taken_back(database: Database) -> None:
    made = claim()
    kept(database, made)

    assert database.write_now(bank.set_status, made.id, "retired", NOW + 1)
    retired = database.read_now(bank.active), database.read_now(bank.of_ids, [made.id])[0].status
    assert database.write_now(bank.set_status, made.id, "active", NOW + 2)

    assert retired == ([], "retired")
    assert database.read_now(bank.active) == [made]
    assert not database.write_now(bank.set_status, "none", "retired", NOW)


def test_the_version_changes_with_every_change(database: Database) -> None:
    seen = [database.read_now(bank.version)]
    made = claim()
    for change in (
        lambda: database.write_now(bank.put, [made], NOW),
        lambda: database.write_now(bank.put, [claim(rating="True")], NOW + 1),
        lambda: database.write_now(bank.set_status, made.id, "retired", NOW + 2),
    ):
        change()
        seen.append(database.read_now(bank.version))

    assert len(set(seen)) == len(seen)
    assert seen[-1] == database.read_now(bank.version)


def test_claims_are_alike_by_any_wording_or_the_fact_check(database: Database) -> None:
    by_wording = claim(wordings=(Wording("Cheese from Ghent cures hiccups", "en"), DUTCH))
    by_url = claim("Mustard makes you taller", url="https://checks.example/mustard")
    kept(database, by_wording, by_url, claim("Rain falls upwards in Bruges"))

    asked = [claim("GENTSE kaas geneest de hik!", publisher="Other"), claim("Mosterd maakt lang", url="https://checks.example/mustard")]

    assert {one.id for one in database.read_now(bank.alike, asked)} == {by_wording.id, by_url.id}


def test_a_list_holds_claims_with_each_of_the_words_newest_first(database: Database) -> None:
    old = claim("Ghent cheese is 100% moon", reviewed_on="2020-01-01")
    new = claim("Ghent beer is from the moon", reviewed_on="2026-01-01")
    kept(database, old, new)
    database.write_now(bank.set_status, old.id, "retired", NOW)

    def ids(words: list[str], status: bank.Status | None = None) -> list[str]:
        return [one.id for one in database.read_now(bank.listed, words, status, 10)]

    assert ids(["GHENT", "moon"]) == [new.id, old.id]
    assert ids(["100%"]) == [old.id]
    assert ids(["100_"]) == []
    assert ids([], "active") == [new.id]
    assert ids([old.id]) == [old.id]


def test_claims_are_counted_by_rating_publisher_language_and_status(database: Database) -> None:
    kept(database, claim(), claim("Mustard makes you taller"), claim("Rain falls upwards", rating="True"))

    assert [tuple(row) for row in database.read_now(bank.counted)] == [
        ("False", "Ghent Checks", "en", "active", 2),
        ("True", "Ghent Checks", "en", "active", 1),
    ]


def test_a_source_remembers_how_it_went(database: Database) -> None:
    for source in (Source("https://a.example", "e", None, 5, 1, NOW, NOW), Source("https://a.example", tried_at=NOW, error="HTTP 500")):
        database.write_now(bank.put_source, source)

        assert database.read_now(bank.sources) == {source.source: source}


def test_a_claim_without_words_cannot_be_made() -> None:
    for wordings in ((), (Wording("", "en"),)):
        with pytest.raises(ValueError, match="wording"):
            claim(wordings=wordings)


@pytest.mark.parametrize("same", ["ghent: CHEESE, cures!", "Ｇｈｅｎｔ cheese cures", " Ghent  cheese\ncures "])
def test_wordings_have_one_key_whatever_their_case_width_and_punctuation(same: str) -> None:
    assert wording_key(same) == wording_key("Ghent cheese cures") != wording_key("Ghent cheese cured")
