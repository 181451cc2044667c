"""The claims that ship with the project are well-formed, different from each other, and found by their own words."""

from collections import Counter

import pytest

from labeler.claims import cleaning, seed
from labeler.claims.matching import Matcher
from labeler.claims.merging import merged
from labeler.claims.ratings import Ratings
from models.claims import Claim, wording_key
from tests.support.claims import NOW

TOPICS = {"vaccines", "health", "climate", "migration", "elections", "technology", "science", "disasters"}


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    return seed.claims(NOW)


@pytest.fixture(scope="module")
def matcher(claims: list[Claim]) -> Matcher:
    return Matcher(claims)


def test_there_are_150_claims_spread_over_the_topics(claims: list[Claim]) -> None:
    topics = seed.by_topic()

    assert set(topics) == TOPICS
    assert len(claims) >= 150
    assert min(map(len, topics.values())) >= 15


def test_every_claim_is_worded_in_every_language(claims: list[Claim]) -> None:
    for claim in claims:
        assert {wording.lang for wording in claim.wordings} == set(seed.LANGUAGES), claim.wordings[0]


def test_no_wording_stands_twice(claims: list[Claim]) -> None:
    keys = Counter((wording.lang, wording_key(wording.text)) for claim in claims for wording in claim.wordings)

    assert [key for key, count in keys.items() if count > 1] == []
    assert {claim.id for claim in merged([], claims)} == {claim.id for claim in claims}


def test_wordings_are_clean_and_of_a_length_that_people_write(claims: list[Claim]) -> None:
    for claim in claims:
        for text, _ in claim.wordings:
            assert text == cleaning.plain(text)
            assert 12 <= len(text) <= 140, text
            assert 3 <= len(text.split()) <= 24, text


def test_every_seed_counts_as_false(claims: list[Claim]) -> None:
    assert {Ratings().meaning(claim.rating) for claim in claims} == {"false"}


def test_a_publisher_is_named_with_its_page_or_not_at_all(claims: list[Claim]) -> None:
    for claim in claims:
        assert bool(claim.publisher) == bool(claim.url)
        assert claim.url is None or cleaning.link(claim.url) == claim.url


def test_the_exact_wording_of_a_claim_is_a_candidate_in_every_language(claims: list[Claim], matcher: Matcher) -> None:
    missed = [
        text for claim in claims for text, lang in claim.wordings if claim.id not in {m.claim.id for m in matcher.candidates(text, (lang,))}
    ]

    assert missed == []


def test_the_exact_wording_of_a_claim_finds_it_first_in_every_language(claims: list[Claim], matcher: Matcher) -> None:
    missed = [text for claim in claims for text, lang in claim.wordings if matcher.search(text, (lang,))[0].claim.id != claim.id]

    assert missed == []
