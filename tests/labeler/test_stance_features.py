"""Each feature of stance, by examples in four languages; and what is promised of all of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.stance.features import FUNCTIONS, features
from labeler.stance.judging import beside
from models.claims import Claim
from models.post import Post
from models.text_model import TextModel
from models.weights import Weights
from tests.support.stance import HOAX, USELESS, WIRES, matcher, seen, values

PLAIN = "Windmills poison our drinking water with copper"


def test_a_post_that_repeats_the_claim_has_it_all_and_shows_no_distance() -> None:
    found = values(f"Look: {PLAIN}")

    assert found["similarity"] > 0.5
    assert found["coverage"] > 0.9
    assert found["shared_words"] == 0.5
    assert found["longest_run"] == 1.25
    assert found["key_coverage"] > 0.9
    assert found["in_order"] > values("Copper in the water, poison to drinking windmills")["in_order"]
    assert found["missing_terms"] == found["missing_names"] == found["missing_numbers"] == 0
    assert [name for name in ("negated", "affirmed", "attribution", "question", "quotation", "irony", "correction") if found[name]] == []


def test_more_of_the_claim_is_more_likely_the_claim() -> None:
    more, less = values(PLAIN), values("Windmills near drinking water are noisy")

    assert more["similarity"] > less["similarity"]
    assert more["coverage"] > less["coverage"]
    assert more["shared_words"] > less["shared_words"]


def test_key_terms_of_the_claim_that_the_post_lacks_are_missing() -> None:
    assert values("Windmills poison our drinking water")["missing_terms"] > 0
    assert values("The moon landing was filmed, a hoax from Arizona", HOAX)["missing_numbers"] == 1
    assert values("The moon landing of 1969 was a hoax", HOAX)["missing_names"] > 0
    assert values("The moon landing of 1969 was a hoax filmed in Arizona", HOAX)["missing_names"] == 0


def test_a_post_that_talks_of_much_else_is_covered_less() -> None:
    assert (
        values(PLAIN)["post_coverage"] > values(f"{PLAIN} and yesterday my neighbour repaired the old bicycle of her aunt")["post_coverage"]
    )


@pytest.mark.parametrize(
    ("text", "langs"),
    [
        ("Windmills do not poison drinking water with copper", ("en",)),
        ("No, windmills don't poison drinking water with copper", ("en",)),
        ("Windmills have never poisoned drinking water with copper", ("en",)),
        ("Windmolens vergiftigen het drinkwater niet met koper", ("nl",)),
        ("Windmolens brengen geen koper in ons drinkwater", ("nl",)),
        ("Les éoliennes n'empoisonnent pas l'eau potable avec du cuivre", ("fr",)),
        ("Windräder vergiften das Trinkwasser nicht mit Kupfer", ("de",)),
        ("Windräder bringen kein Kupfer ins Trinkwasser", ("de",)),
    ],
)
def test_a_negation_near_the_claims_words_is_seen(text: str, langs: tuple[str, ...]) -> None:
    assert values(text, langs=langs)["negated"] == 1


def test_a_negation_far_from_the_claims_words_is_none_of_it() -> None:
    assert values(f"I could not sleep last night because the neighbours sang louder again. {PLAIN}")["negated"] == 0


def test_of_a_claim_that_denies_it_is_the_missing_negation_that_counts() -> None:
    denies, affirms = values("Umbrellas don't protect against hailstones", USELESS), values("Umbrellas protect against hailstones", USELESS)

    assert (denies["negated"], denies["affirmed"]) == (0, 0)
    assert (affirms["negated"], affirms["affirmed"]) == (0, 1)


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        ("attribution", "My uncle claims that windmills poison drinking water with copper"),
        ("attribution", "According to a leaflet, windmills poison drinking water with copper"),
        ("attribution", "Volgens een folder vergiftigen windmolens drinkwater met koper"),
        ("attribution", "Selon un tract, les éoliennes empoisonnent l'eau potable avec du cuivre"),
        ("attribution", "Angeblich vergiften Windräder Trinkwasser mit Kupfer"),
        ("question", "Do windmills poison drinking water with copper?"),
        ("question", "Windmills and copper in drinking water. Is it true"),
        ("question", "Klopt het dat windmolens drinkwater vergiftigen met koper"),
        ("question", "Est-ce que les éoliennes empoisonnent l'eau potable avec du cuivre"),
        ("question", "Stimmt es, dass Windräder Trinkwasser mit Kupfer vergiften"),
        ("quotation", "“Windmills poison drinking water with copper”, he wrote"),
        ("quotation", "Hij schreef: „Windmolens vergiftigen drinkwater met koper”"),
        ("quotation", "On lit « les éoliennes empoisonnent l'eau potable avec du cuivre »"),
        ("irony", "Windmills poison drinking water with copper 🙄"),
        ("irony", "Windmills poison drinking water with copper, yeah right"),
        ("irony", "Ja hoor, windmolens vergiftigen drinkwater met koper"),
        ("irony", "Les éoliennes empoisonnent l'eau potable avec du cuivre, mdr"),
        ("irony", "Ja klar, Windräder vergiften Trinkwasser mit Kupfer"),
        ("correction", "Debunked: windmills poison drinking water with copper"),
        ("correction", "Fact check: windmills poison drinking water with copper"),
        ("correction", "Onzin: windmolens vergiftigen drinkwater met koper"),
        ("correction", "Infox : les éoliennes empoisonnent l'eau potable avec du cuivre"),
        ("correction", "Unsinn: Windräder vergiften Trinkwasser mit Kupfer"),
    ],
)
def test_a_cue_of_distance_is_seen(feature: str, text: str) -> None:
    assert values(text)[feature] > 0


def test_a_cue_that_is_part_of_the_claim_corrects_nobody() -> None:
    assert values("The moon landing of 1969 was a hoax filmed in Arizona", HOAX)["correction"] == 0
    assert values("The hoax that the moon landing is: a lie, fake, filmed in Arizona", HOAX)["correction"] == 1


def test_a_question_about_something_else_does_not_count() -> None:
    assert values(f"Had your coffee? {PLAIN}")["question"] == 0


def test_links_are_told_apart() -> None:
    checked = values(PLAIN, links=("https://checks.example.org/windmills-copper",))
    snopes = values(f"{PLAIN} www.snopes.com/fact-check")
    doubtful = FUNCTIONS["doubtful_link"](seen(PLAIN, links=("https://news.rumour.example/a",))._replace(doubtful={"rumour.example"}))

    assert checked["fact_check_link"] == snopes["fact_check_link"] == 1
    assert values(PLAIN, links=("https://example.net/",))["fact_check_link"] == 0
    assert doubtful == 1
    assert values(PLAIN, links=("https://news.rumour.example/a",))["doubtful_link"] == 0


def test_a_link_that_is_none_is_no_link() -> None:
    assert values(PLAIN, links=("http://[broken",))["fact_check_link"] == 0


def test_quoting_another_post_length_and_language_are_told() -> None:
    quoting = values(PLAIN, quote="at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l")

    assert (quoting["quote_post"], values(PLAIN)["quote_post"]) == (1, 0)
    assert values(PLAIN)["length"] < values(f"{PLAIN} since last winter")["length"] < values("copper water " * 80)["length"] == 1
    assert (values("Windräder vergiften das Trinkwasser mit Kupfer")["other_language"], values(PLAIN)["other_language"]) == (1, 0)


def test_the_text_model_gives_its_probability_and_even_odds_when_there_is_none() -> None:
    model = TextModel(Weights(kind="text", name="copper", weights={"copper": 2.0}, features={"mask": {}, "run_lengths": [3, 5]}))
    with_model = beside(Post(PLAIN), WIRES.id, matcher(), model)

    assert with_model
    assert features(with_model)["text_model"] == pytest.approx(0.880797, abs=1e-6)
    assert values(PLAIN)["text_model"] == 0.5


@pytest.mark.parametrize(
    "sentence",
    ["{} windmills poison drinking water with copper", "My {} aunt: windmills poison drinking water with copper, and never gold"],
)
def test_who_people_are_changes_no_feature(sentence: str) -> None:
    terms = ("Mexican", "Jewish", "Native American", "Republican", "elderly", "Dutch", "trans", "Latter-day Saint")

    assert len({tuple(values(sentence.format(term)).items()) for term in terms}) == 1


def test_ways_of_speaking_change_no_feature() -> None:
    said = ("Windmills do not poison drinking water with copper", "Windmills dinnae poison drinking water with copper")

    assert values(said[0]) == values(said[1])


@settings(max_examples=100)
@given(text=st.text(max_size=300), about=st.sampled_from([WIRES, USELESS, HOAX]), links=st.lists(st.text(max_size=30), max_size=2))
def test_whatever_a_post_says_its_features_are_small_numbers(text: str, about: Claim, links: list[str]) -> None:
    found = values(text, about, links=tuple(links))

    assert found.keys() == FUNCTIONS.keys()
    assert all(0 <= value <= 20 for value in found.values())
    assert found == values(text, about, links=tuple(links))


def test_a_claim_that_is_not_in_the_bank_is_beside_nothing() -> None:
    assert beside(Post(PLAIN), "unheard of", matcher(), None) is None


@pytest.mark.parametrize(
    ("lang", "feature", "text"),
    [
        ("en", "attribution", "Posts alleging that windmills poison drinking water with copper go viral"),
        ("en", "correction", "That windmills poison drinking water with copper has been thoroughly discredited"),
        ("nl", "attribution", "Hij blijft volhouden dat windmolens drinkwater vergiftigen met koper"),
        ("nl", "correction", "Kletskoek dat windmolens drinkwater vergiftigen met koper"),
        ("nl", "negated", "Windmolens vergiftigen geenszins het drinkwater met koper"),
        ("fr", "attribution", "Elle assure que les éoliennes empoisonnent l'eau potable avec du cuivre"),
        ("fr", "correction", "Arrêtez de dire que les éoliennes empoisonnent l'eau potable avec du cuivre"),
        ("fr", "irony", "Mais oui, les éoliennes empoisonnent l'eau potable avec du cuivre"),
        ("de", "attribution", "Windräder sollen Trinkwasser mit Kupfer vergiften"),
        ("de", "negated", "Windräder vergiften nirgends Trinkwasser mit Kupfer"),
        ("de", "irony", "Na sicher, Windräder vergiften Trinkwasser mit Kupfer"),
    ],
)
def test_ways_to_keep_a_distance_that_no_judged_example_taught(lang: str, feature: str, text: str) -> None:
    assert values(text, langs=(lang,))[feature] > 0
