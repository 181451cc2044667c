"""Claims are found in posts exactly, the same way every time, and with the words that both share."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.claims import features, seed
from labeler.claims.index import COVERED, built
from labeler.claims.keeping import kept
from labeler.claims.matching import LEAST_SHARED, Match, Matcher, learned
from labeler.claims.vocabulary import background
from labeler.claims.words import guessed, words
from models.claims import Claim
from tests.support.claims import NOW, claim

GHENT = claim("Cheese from Ghent cures chronic hiccups within 14 minutes", title="Does Ghent cheese cure hiccups?")
POST = "My aunt swears that cheese from #Ghent cured her chronic hiccups in 14 minutes!!"


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    return [*seed.claims(NOW), GHENT]


@pytest.fixture(scope="module")
def matcher(claims: list[Claim]) -> Matcher:
    return Matcher(claims)


def evidence(matches: list[Match], id: str) -> tuple[str, ...]:
    return next(match.shared for match in matches if match.claim.id == id)


def test_a_post_finds_its_claim_with_the_words_that_both_share(matcher: Matcher) -> None:
    first = matcher.candidates(POST)[0]

    assert first.claim is not None
    assert (first.claim.id, first.wording) == (GHENT.id, GHENT.wordings[0].text)
    assert first.shared == ("cheese", "ghent", "cured", "chronic", "hiccups", "14", "minutes")


@pytest.mark.parametrize(
    "post",
    ["", "Good morning!", "🧀🧀🧀", "https://example.org/" + "a" * 3000, "the of and", "今日はいい天気", "#" * 500, "a" * 5000],
)
def test_a_post_that_says_nothing_of_a_claim_has_no_candidates(matcher: Matcher, post: str) -> None:
    assert matcher.candidates(post) == []


def test_the_same_post_gives_the_same_answer_in_any_order_of_the_bank(claims: list[Claim], matcher: Matcher) -> None:
    again = Matcher(list(reversed(claims)))

    assert again.search(POST) == matcher.search(POST)
    assert again.candidates(POST) == matcher.candidates(POST)


def test_an_unrelated_claim_does_not_change_the_words_of_the_evidence(claims: list[Claim], matcher: Matcher) -> None:
    more = Matcher([*claims, claim("Penguins invented the accordion"), claim("Le vélo a peur des citrons", "fr")])

    assert evidence(more.search(POST), GHENT.id) == evidence(matcher.search(POST), GHENT.id)


def test_numbers_can_be_recomputed_from_the_features_and_the_weights(matcher: Matcher) -> None:
    by = learned()
    match = matcher.search(POST)[0]

    assert list(match.features) == list(features.NAMES)
    assert match.order == pytest.approx(sum(by.order.weights.get(name, 0.0) * value for name, value in match.features.items()), abs=1e-9)
    assert match.similarity == pytest.approx(by.chance(tuple(match.features.values())), abs=1e-12)
    assert 0 <= match.similarity <= 1


@pytest.mark.parametrize(
    ("post", "lang", "claim_en"),
    [
        ("Wist je dat 5G corona veroorzaakt? Die zendmasten verspreiden het virus", "nl", "5G causes COVID"),
        ("Les chemtrails des avions empoisonnent toute la population", "fr", "Chemtrails from planes poison the population"),
        ("Windräder verursachen angeblich Krebs", "de", "Wind turbines cause cancer"),
        ("They spray #chemtrails from planes to poison the whole population", "en", "Chemtrails from planes poison the population"),
    ],
)
def test_a_claim_is_found_in_the_posts_language_even_when_another_is_declared(
    matcher: Matcher, post: str, lang: str, claim_en: str
) -> None:
    for declared in (lang, "en", "ja"):
        assert matcher.search(post, (declared,))[0].claim.wordings[0].text == claim_en


def test_candidates_are_exactly_the_claims_that_share_enough(claims: list[Claim], matcher: Matcher) -> None:
    index = built(sorted(claims, key=lambda one: one.id), background())
    for text in [wording.text for one in claims[::5] for wording in one.wordings] + [POST]:
        terms = sorted({term for some in index.vocabulary.numbered(words(text)) for term in some})
        every = {
            number: sum(index.vocabulary.weights[term] for term in terms if term in index.distinct[number]) for number in range(len(index))
        }

        found = dict(index.gated(terms, LEAST_SHARED))

        assert found.keys() == {number for number, mass in every.items() if mass >= LEAST_SHARED}
        assert all(abs(mass - every[number]) < 1e-9 for number, mass in found.items())


def test_short_claims_are_candidates_when_nearly_all_of_them_is_said(matcher: Matcher) -> None:
    """They weigh too little to share as much as long ones must."""
    first = matcher.candidates("Everybody knows that vaccines cause autism")[0]

    assert first.wording == "Vaccines cause autism"
    assert [match for match in matcher.candidates("Vaccines saved my life") if match.wording == first.wording] == []


def test_short_candidates_are_exactly_those_that_are_covered(claims: list[Claim]) -> None:
    index = built(sorted(claims, key=lambda one: one.id), background())
    weights, wordings = index.vocabulary.weights, index.tables.fields[0]
    for text in [wording.text for one in claims[::7] for wording in one.wordings]:
        terms = sorted({term for some in index.vocabulary.numbered(words(text)) for term in some})

        def weight(number: int, only: set[int] | None = None) -> float:
            return sum(weights[term] for term in set(wordings[number]) if only is None or term in only)

        assert index.covered(terms, LEAST_SHARED) == [
            number
            for number in range(len(index))
            if COVERED * weight(number) < LEAST_SHARED
            and weight(number, set(terms)) >= COVERED * weight(number) - 1e-9
            and len(set(terms) & set(wordings[number])) > 1
        ]


@settings(max_examples=25)
@given(text=st.text(max_size=400) | st.lists(st.sampled_from(POST.split()), max_size=40).map(" ".join))
def test_no_text_does_harm_and_the_gate_loses_no_candidate(text: str) -> None:
    index = built([GHENT, claim("Mustard makes you taller")], background())
    terms = sorted({term for some in index.vocabulary.numbered(words(text)) for term in some})

    for least in (1.0, 5.0, LEAST_SHARED):
        every = {
            number: sum(index.vocabulary.weights[term] for term in terms if term in index.distinct[number]) for number in range(len(index))
        }
        assert {number for number, _ in index.gated(terms, least)} == {number for number, mass in every.items() if mass >= least}


def test_an_empty_bank_finds_nothing() -> None:
    assert Matcher([]).candidates(POST) == Matcher([]).search(POST) == []


def test_a_kept_index_answers_as_a_built_one(tmp_path: Path, claims: list[Claim], matcher: Matcher) -> None:
    file = tmp_path / "claims.index"

    made, from_file = Matcher(claims, file=file), Matcher(claims, file=file)

    assert made.search(POST) == from_file.search(POST) == matcher.search(POST)
    assert [path.name for path in tmp_path.iterdir()] == ["claims.index"]


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\x93abc"])
def test_a_damaged_or_foreign_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    file, other = tmp_path / "claims.index", [claim("Mustard makes you taller")]
    kept(other, background(), file)
    if damage:
        file.write_bytes(damage)

    again = kept([GHENT], background(), file)

    assert len(again) == 1
    assert "mustard" not in again.vocabulary.terms
    assert len(kept([GHENT], background(), file)) == 1


def test_a_folder_that_is_not_there_makes_the_start_slower_no_more(tmp_path: Path) -> None:
    assert len(kept([GHENT], background(), tmp_path / "none" / "claims.index")) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("#SaveTheWhales now", ("save", "whales"), id="a hashtag in humps"),
        pytest.param("@RepJimDonovan resigns", ("rep", "jim", "donovan", "resigns"), id="a handle"),
        pytest.param("12,000 died, 1.5 % of 3.000.000", ("12000", "died", "1.5", "3000000"), id="numbers"),
        pytest.param("since 9/11 24/7 (3/12)", ("since", "9/11", "24/7", "3/12"), id="two numbers that are one"),
        pytest.param("on 26/12/1862, 11/", ("26", "12", "1862", "11"), id="the year of a date"),
        pytest.param("COVID-19, covid19 and #Covid_19", ("covid", "covid", "covid"), id="one name of a disease"),
        pytest.param("see https://example.org/very/rare www.example.org", ("see",), id="addresses"),
        pytest.param("L’élection d'hier", ("élection", "hier"), id="elisions"),
        pytest.param("ＮＡＴＯ lies", ("nato", "lies"), id="width"),
    ],
)
def test_a_text_is_cut_into_the_words_that_tell(text: str, found: tuple[str, ...]) -> None:
    assert words(text).words == found


def test_names_and_numbers_are_noted() -> None:
    cut = words("Angela Merkel sold 5G masts")

    assert (cut.names, cut.numbers) == ({"angela", "merkel"}, {"5g"})


@pytest.mark.parametrize(
    ("text", "declared", "lang"),
    [
        ("De prik is niet veilig voor kinderen", (), "nl"),
        ("Le vaccin n'est pas sûr pour les enfants", ("en",), "fr"),
        ("Die Impfung ist nicht sicher für Kinder", ("nl",), "de"),
        ("Vaccines autism", ("nl-BE",), "nl"),
        ("Vaccines autism", ("ja",), "en"),
    ],
)
def test_the_language_is_that_of_the_small_words_and_else_the_declared_one(text: str, declared: tuple[str, ...], lang: str) -> None:
    assert words(text, declared).lang == lang
    assert guessed([], declared) in ("en", "nl")


def test_a_compound_is_found_by_its_parts() -> None:
    index = built([claim("Het corona vaccin maakt magnetisch", "nl")], background())

    (of_compound,) = index.vocabulary.numbered(words("coronavaccin", ("nl",)))

    assert [index.vocabulary.terms[term] for term in of_compound] == ["corona", "vaccin"]
