"""Claims are read from what fact-checkers publish, whatever its form; what is no claim is dropped with a reason."""

import json
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.claims import cleaning
from labeler.claims.ratings import FALSE, MIXED, TRUE, Ratings, plain
from labeler.claims.reading import NotClaims, Reading
from models.claims import Claim, Wording
from tests.support.claims import NOW

REVIEW = {
    "@context": "https://schema.org",
    "@type": "ClaimReview",
    "url": "https://checks.example/ghent#top",
    "claimReviewed": "Cheese from Ghent cures &amp;quot;hiccups&amp;quot;",
    "datePublished": "2026-03-04T10:00:00+01:00",
    "inLanguage": "en-GB",
    "headline": "Does <b>cheese</b> cure hiccups?",
    "author": {"@type": "Organization", "name": "Ghent Checks"},
    "reviewRating": {"@type": "Rating", "ratingValue": 1, "bestRating": 5, "alternateName": "False"},
}


def read(data: Any, **given: str) -> tuple[list[Claim], dict[str, int]]:
    reading = Reading(data if isinstance(data, bytes) else json.dumps(data).encode(), "test", NOW, **given)
    return list(reading), dict(reading.dropped)


def one(review: dict[str, Any]) -> Claim:
    (claim,), dropped = read(review)
    assert dropped == {}
    return claim


def test_a_review_becomes_a_claim_in_plain_words() -> None:
    claim = one(REVIEW)

    assert claim.wordings == (Wording('Cheese from Ghent cures "hiccups"', "en"),)
    assert (claim.rating, claim.publisher, claim.url) == ("False", "Ghent Checks", "https://checks.example/ghent")
    assert (claim.reviewed_on, claim.lang, claim.title) == ("2026-03-04", "en", "Does cheese cure hiccups?")


PAGE = f"<!doctype html><html><script type='application/ld+json'>{json.dumps(REVIEW)}</script><p>Text</p></html>"
GOOGLE = {
    "claims": [
        {
            "text": 'Cheese from Ghent cures "hiccups"',
            "claimReview": [
                {
                    "publisher": {"name": "Ghent Checks", "site": "checks.example"},
                    "url": "https://checks.example/ghent",
                    "title": "Does cheese cure hiccups?",
                    "reviewDate": "2026-03-04T00:00:00Z",
                    "textualRating": "False",
                    "languageCode": "en",
                }
            ],
        }
    ]
}
CSV = (
    "\ufeffClaim;Rating;Publisher;URL;Date;Language;Title\r\n"
    '"Cheese from Ghent cures ""hiccups""";False;Ghent Checks;https://checks.example/ghent;04.03.2026;en;Does cheese cure hiccups?\r\n'
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(REVIEW, id="one object"),
        pytest.param([{"@type": "WebPage"}, REVIEW], id="a list with other things"),
        pytest.param({"@context": "x", "@graph": [{"@type": "WebSite"}, REVIEW]}, id="a graph"),
        pytest.param({"@type": "DataFeed", "dataFeedElement": [{"@type": "DataFeedItem", "item": [REVIEW]}]}, id="the DataCommons feed"),
        pytest.param({"dataFeedElement": [{"item": REVIEW}]}, id="a feed whose item is no list"),
        pytest.param(GOOGLE, id="an answer of Google's tools"),
        pytest.param(f"{json.dumps(REVIEW)}\n\n".encode(), id="JSON lines"),
        pytest.param(PAGE.encode(), id="a web page"),
        pytest.param(CSV.encode(), id="a table"),
        pytest.param({**REVIEW, "@type": ["Article", "schema:ClaimReview"]}, id="several types"),
        pytest.param({**REVIEW, "claimReviewed": ["", {"@value": REVIEW["claimReviewed"]}]}, id="lists and values"),
        pytest.param({**REVIEW, "claimReviewed": None, "itemReviewed": {"name": REVIEW["claimReviewed"]}}, id="the claim in itemReviewed"),
        pytest.param({**REVIEW, "reviewRating": [None, {"alternateName": ["False"]}]}, id="a list of ratings"),
        pytest.param({**REVIEW, "reviewRating": "False"}, id="a rating that is text"),
        pytest.param({**REVIEW, "inLanguage": {"@type": "Language", "name": "English"}}, id="a language by name"),
    ],
)
def test_a_review_is_found_in_every_form(data: Any) -> None:
    assert one(data) == one(REVIEW)


def test_what_a_graph_only_refers_to_is_looked_up() -> None:
    publisher = {"@id": "#org", "@type": "Organization", "name": "Ghent Checks"}

    claim = one({"@graph": [{**REVIEW, "author": {"@id": "#org"}}, publisher]})

    assert claim.publisher == "Ghent Checks"


@pytest.mark.parametrize(
    ("change", "publisher"),
    [
        pytest.param({"author": None}, "checks.example", id="nobody named: the site"),
        pytest.param({"author": "https://www.ghentchecks.example/"}, "ghentchecks.example", id="an address: its host"),
        pytest.param({"publisher": {"name": "The Paper"}}, "The Paper", id="the publisher before the author"),
    ],
)
def test_somebody_stands_for_a_review(change: dict[str, Any], publisher: str) -> None:
    assert one({**REVIEW, **change}).publisher == publisher


def test_a_rating_in_numbers_means_nothing_by_itself() -> None:
    claim = one({**REVIEW, "reviewRating": {"ratingValue": 1, "bestRating": 5, "worstRating": 1}})

    assert (claim.rating, Ratings().meaning(claim.rating)) == ("1/5", "unknown")
    assert Ratings(false=("1/5",)).meaning(claim.rating) == "false"


@pytest.mark.parametrize(
    ("review", "reason"),
    [
        pytest.param({**REVIEW, "claimReviewed": " &nbsp;<br> "}, "no claim", id="no claim"),
        pytest.param({**REVIEW, "claimReviewed": 7}, "no claim", id="a number for a claim"),
        pytest.param({**REVIEW, "reviewRating": {}}, "no rating", id="no rating"),
        pytest.param({**REVIEW, "claimReviewed": "Cheese!"}, "claim too short", id="one word"),
    ],
)
def test_what_is_no_claim_is_dropped_and_the_rest_is_kept(review: dict[str, Any], reason: str) -> None:
    claims, dropped = read([review, REVIEW])

    assert ([claim.id for claim in claims], dropped) == ([one(REVIEW).id], {reason: 1})


def test_a_broken_line_costs_only_itself() -> None:
    claims, dropped = read(b"{broken\n" + json.dumps(REVIEW).encode() + b"\n[[[\n")

    assert (len(claims), dropped) == (1, {"not JSON": 2})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"<html><p>No data</p></html>", "ClaimReview", id="a page without data"),
        pytest.param(b"name,size\na,1\n", "one of claim, wording", id="a table of other things"),
        pytest.param(b"", "neither JSON", id="nothing"),
        pytest.param(b"\x1f\x8b\x08\x00rest", "gzip: unpack it first", id="a packed file"),
        pytest.param(b"PK\x03\x04rest", "zip: unpack it first", id="a spreadsheet or another packed file"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_was_expected(data: bytes, told: str) -> None:
    with pytest.raises(NotClaims, match=told):
        read(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
def test_a_table_is_read_in_whatever_way_its_letters_are_written(encoding: str) -> None:
    (claim,), _ = read("claim;rating\nDe crème brûlée geneest angst;Onwaar\n".encode(encoding))

    assert claim.wordings[0].text == "De crème brûlée geneest angst"


def test_one_broken_letter_does_not_change_how_the_others_are_read() -> None:
    (claim,), _ = read("claim,rating\nDe crème brûlée geneest angst,Onwaar\n".encode() + b"\xff")

    assert claim.wordings[0].text == "De crème brûlée geneest angst"


def test_an_address_may_be_an_object_and_a_claim_may_tell_its_language_itself() -> None:
    said = {"claimReviewed": {"@value": "Kaas geneest de hik", "@language": "nl"}, "url": {"@id": "https://checks.example/kaas"}}

    claim = one({**REVIEW, **said, "inLanguage": None})

    assert (claim.url, claim.wordings) == ("https://checks.example/kaas", (Wording("Kaas geneest de hik", "nl"),))


def test_what_a_file_does_not_say_can_be_given() -> None:
    (claim,), _ = read(b"text\tverdict\nMustard makes you taller\tFalse\n", lang="nl", publisher="Me")

    assert (claim.wordings[0].lang, claim.lang, claim.publisher) == ("nl", "nl", "Me")


def test_the_same_review_has_the_same_id_everywhere() -> None:
    other = list(Reading(json.dumps([REVIEW]).encode(), "elsewhere", NOW + 1))

    assert [claim.id for claim in other] == [one(REVIEW).id]


def test_long_texts_are_cut() -> None:
    assert len(one({**REVIEW, "claimReviewed": "cheese " * 10_000}).wordings[0].text) <= cleaning.LONGEST


def test_a_deep_document_is_searched_so_far_and_no_further() -> None:
    deep: Any = REVIEW
    for _ in range(500):
        deep = [deep]

    assert read({"a": deep}) == ([], {})


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-04", "2026-03-04"),
        ("2026-03-04T23:59:59-08:00", "2026-03-04"),
        ("20260304", "2026-03-04"),
        ("4 March 2026", "2026-03-04"),
        ("March 4, 2026", "2026-03-04"),
        ("4 maart 2026", "2026-03-04"),
        ("le 4 février 2026", "2026-02-04"),
        ("4. März 2026", "2026-03-04"),
        ("04.03.2026", "2026-03-04"),
        ("25/03/2026", "2026-03-25"),
        ("03/25/2026", "2026-03-25"),
        ("Wed, 04 Mar 2026 10:00:00 GMT", "2026-03-04"),
        (1772582400, "2026-03-04"),
        (1772582400000, "2026-03-04"),
        (["", "2026-03-04"], "2026-03-04"),
        ("03/04/2026", None),
        ("2026-13-01", None),
        ("soon", None),
        ("0001-01-01", None),
        (True, None),
        (1e300, None),
        (None, None),
    ],
)
def test_a_date_is_understood_in_any_usual_form_or_not_guessed(written: Any, day: str | None) -> None:
    assert cleaning.day(written) == day


@pytest.mark.parametrize(
    ("rating", "meaning"),
    [
        ("False", "false"),
        ("FALSE!", "false"),
        ("“Pants on Fire!”", "false"),
        ("❌ Faux", "false"),
        ("False. There is no such cheese.", "false"),
        ("Incorrect – the cheese is from Bruges", "false"),
        ("ONWAAR", "false"),
        ("Falsch", "false"),
        ("Mostly False", "mixed"),
        ("Half-True", "mixed"),
        ("Misleading", "mixed"),
        ("Deels onwaar", "mixed"),
        ("Vrai", "true"),
        ("Not false", "unknown"),
        ("False headline but true story", "unknown"),
        ("It is false to say that this is false", "unknown"),
        ("", "unknown"),
        ("Satire", "unknown"),
    ],
)
def test_a_rating_means_what_the_table_says_and_otherwise_nothing(rating: str, meaning: str) -> None:
    assert Ratings().meaning(rating) == meaning


def test_no_rating_has_two_meanings() -> None:
    tables = [{plain(word) for line in table.split("\n") for word in line.split("; ") if word} for table in (FALSE, MIXED, TRUE)]

    assert [one & other for one, other in combinations(tables, 2)] == [set()] * 3


def test_the_config_adds_meanings_and_overrides_them() -> None:
    ratings = Ratings(false=("Satire", "Mostly false"), unknown=("Fake",))

    assert [ratings.meaning(word) for word in ("satire", "Mostly False", "fake", "False")] == ["false", "false", "unknown", "false"]
    with pytest.raises(ValueError, match="twice"):
        Ratings(false=("Satire",), mixed=("satire!",))
    with pytest.raises(ValueError, match="in words"):
        Ratings(false=("!!",))


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*REVIEW, "name", "@id", "@value"]), inner, max_size=5),
    max_leaves=15,
)


@given(review=st.dictionaries(st.sampled_from([*REVIEW, "itemReviewed", "publisher", "description"]), values), at=st.sampled_from("abc"))
def test_no_value_in_a_review_does_harm(review: dict[str, Any], at: str) -> None:
    document = {"a": review, "b": [{"@type": "ClaimReview", **review}], "c": {"@graph": [REVIEW, {**REVIEW, **review}]}}[at]

    claims, _ = read(document)

    assert len(claims) >= (at == "c")
    assert all(claim.wordings[0].text and claim.rating and "\0" not in claim.title for claim in claims)


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_do_harm(data: bytes) -> None:
    try:
        claims, _ = read(data)
    except NotClaims:
        claims = []

    assert all(claim.wordings[0].text for claim in claims)
