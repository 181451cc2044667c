"""The signal claim_match: who asserts a claim is found, with all that it follows from; who denies, asks or mocks is not."""

import json

import msgspec
import pytest

from labeler import signals
from labeler.claims import seed
from labeler.claims.bank import Bank, in_force
from labeler.claims.ratings import Ratings
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from labeler.signals import Finding, Given
from labeler.stance.judging import Stance, shipped
from models.post import Post
from models.scorecard import Scorecard, recomputed
from models.weights import Weights
from tests.support.claims import claim
from tests.support.labels import AUTHOR
from tests.support.stance import BANK, all_given

QUOTED = "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"


def look(text: str, given: Given | None = None, **fields: object) -> Finding | None:
    """What the signal says of a post."""
    return signals.load("claim_match", given or all_given()).look(Post(text, **fields))  # type: ignore[arg-type]


ASSERTING = {
    "en": "The moon landing of 1969 was a hoax filmed in Arizona, share this with everybody",
    "nl": "Windmolens vergiftigen ons drinkwater met koper, en de politiek zwijgt erover",
    "fr": "Les éoliennes empoisonnent notre eau potable avec du cuivre, réveillez-vous",
    "de": "Windräder vergiften unser Trinkwasser mit Kupfer, teilt das bitte weiter",
}


@pytest.mark.parametrize("lang", ASSERTING)
def test_who_asserts_a_claim_is_found_in_four_languages(lang: str) -> None:
    found = look(ASSERTING[lang], langs=(lang,))

    assert found
    assert found.weight > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Windmills do not poison drinking water with copper",
        "Non, les éoliennes n'empoisonnent pas l'eau potable avec du cuivre",
        "Nee hoor, windmolens vergiftigen het drinkwater niet met koper",
        "Quatsch: Windräder vergiften kein Trinkwasser mit Kupfer",
        "Do windmills poison drinking water with copper?",
        "Klopt het dat windmolens drinkwater vergiftigen met koper",
        "My uncle claims that windmills poison drinking water with copper",
        "Windmills poison drinking water with copper 🙄",
        "“Windmills poison drinking water with copper”",
        "Fact check: windmills poison drinking water with copper",
        "Umbrellas protect against hailstones, of course they do",
        "Good morning to everybody, here is my breakfast",
        "",
    ],
)
def test_who_denies_asks_reports_mocks_or_talks_of_something_else_is_not(text: str) -> None:
    assert look(text) is None


def test_who_quotes_another_post_is_not_judged_by_it() -> None:
    assert look(ASSERTING["en"], quote=QUOTED) is None


def test_a_claim_that_is_not_rated_false_supports_nothing() -> None:
    true = "Bicycles outnumber residents of Copenhagen"

    assert look(true) is None
    assert look(true, all_given()._replace(ratings=Ratings(false=("True",))))


def test_without_a_bank_nothing_is_found() -> None:
    assert look(ASSERTING["en"], Given()) is None


def test_the_evidence_tells_the_claim_its_fact_check_and_every_number() -> None:
    found = look("Look! Windmills poison our drinking water with copper everywhere")

    assert found
    assert isinstance(found.details, dict)
    details = json.loads(msgspec.json.encode(found.details))
    assert (found.text, found.position) == ("Windmills poison our drinking water with copper", 6)
    assert details["claim"] == {
        "id": "wires",
        "wording": "Windmills poison drinking water with copper",
        "rating": "False",
        "publisher": "Ghent Checks",
        "url": "https://checks.example.org/windmills-copper",
        "reviewed_on": None,
    }
    assert details["shared"] == ["windmills", "poison", "drinking", "water", "copper"]
    assert recomputed(details["scorecard"], shipped()) == []
    state = all_given().bank.state
    assert state
    assert details["hashes"]["claims"] == state.hash
    assert details["hashes"]["scorecard"] == shipped().hash


def test_the_weight_is_one_at_the_scorecards_threshold() -> None:
    sure = Scorecard(
        Weights(
            kind="scorecard",
            name="x",
            weights=dict.fromkeys(shipped().weights.weights, 0.0),
            intercept=0.7,
            features={"threshold": 0.7, "abstain": {}},
        )
    )
    signal = signals.load("claim_match", all_given())
    signal._stance = Stance(sure)  # type: ignore[attr-defined]

    found = signal.look(Post(ASSERTING["en"]))

    assert found
    assert found.weight == 1.0


def test_another_model_or_meaning_of_ratings_makes_other_rules_and_more_claims_do_not() -> None:
    def rules(given: Given) -> str:
        return Judge([LabelPolicy("likely-disinformation", ("claim_match",))], given=given).rules["likely-disinformation"]

    first = rules(all_given())
    assert first == rules(Given()) == rules(Given(Bank(in_force(BANK[:1]))))
    assert first != rules(all_given()._replace(ratings=Ratings(false=("Nonsense",))))
    assert first != rules(all_given()._replace(doubtful=frozenset({"hoax.example"})))

    shown = shipped().weights
    other = Weights(kind="scorecard", name="x", weights=shown.weights, intercept=shown.intercept - 0.001, features=shown.features)
    assert first != rules(all_given()._replace(scorecard=Scorecard(other)))


def test_a_bank_that_changes_changes_what_is_found_and_its_hash() -> None:
    bank = Bank(in_force([*BANK]))
    signal = signals.load("claim_match", Given(bank))
    before = bank.state
    assert before
    assert in_force([*reversed(BANK)]).hash == before.hash

    bank.state = in_force([])

    assert signal.look(Post(ASSERTING["en"])) is None
    assert bank.state.hash != before.hash


def test_a_label_on_claims_is_for_people_to_decide() -> None:
    policy = LabelPolicy("likely-disinformation", ("claim_match",), "review", threshold=0.5)
    (verdict,) = Judge([policy], given=all_given()).judge(AUTHOR, Post(ASSERTING["de"], langs=("de",)))

    assert verdict.mode == "review"
    assert verdict.evidence["findings"][0]["details"]["claim"]["id"] == "wires"
    auto = LabelPolicy("likely-disinformation", ("claim_match",), "auto", threshold=0.5)
    assert [verdict.mode for verdict in Judge([auto], given=all_given()).judge(AUTHOR, Post(ASSERTING["de"], langs=("de",)))] == ["review"]


@pytest.mark.parametrize(
    ("wording", "rating", "found"),
    [
        pytest.param("The moon landing of 1969 was a hoax, filmed in Arizona!", "unknown", True, id="nobody rated the same"),
        pytest.param("Moon landing of 1969: hoax filmed in Arizona?", "Legend", True, id="a rating that says nothing"),
        pytest.param("The moon landing of 1969 was a hoax, filmed in Arizona!", "True", False, id="rated true"),
        pytest.param("The moon landing of 1969 was a hoax, filmed in Arizona!", "Mixture", False, id="rated a mixture"),
        pytest.param("The moon landing of 1969 was no hoax filmed in Arizona", "unknown", False, id="the contrary"),
        pytest.param("The moon landing of 1969 was a hoax filmed in Arizona, share this", "unknown", False, id="more than that"),
    ],
)
def test_an_unrated_claim_hides_none_that_says_the_same_and_is_rated_false(wording: str, rating: str, found: bool) -> None:
    other = claim(wording, id="a", rating=rating, publisher="Another")
    given = Given(Bank(in_force([other, *BANK, *seed.claims(0)])))
    matches = given.bank.state.matcher.candidates(wording) if given.bank.state else []

    seen = look(wording.replace("?", ""), given)

    assert matches[0].claim.id == "a"
    assert (seen is not None) is found
    assert seen is None or (isinstance(seen.details, dict) and seen.details["claim"]["id"] == "hoax")
