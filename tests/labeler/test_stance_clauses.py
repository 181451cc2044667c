"""How a post is read: letters as they are meant, whose sentence the claim stands in, what is compared with what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.claims import seed
from labeler.stance.letters import is_mocking, legible, upright
from models.claims import Claim
from models.text import fold
from tests.support.stance import values

PLAIN = "windmills poison drinking water with copper"


def seeded(begins: str) -> Claim:
    """A claim that ships with the project."""
    return next(one for one in seed.claims(0) if one.wordings[0].text.startswith(begins))


VOLCANOES, PENSIONERS, PAID = seeded("Volcanoes emit"), seeded("Migrants get more money"), seeded("WhatsApp will become")


@pytest.mark.parametrize(
    "written",
    [
        "not",
        "n0t",
        "n\u043et",
        "ｎｏｔ",
        "ɴᴏᴛ",
        "n\u0337o\u0337t\u0337",
        "n o t",
        "NOT",
        "n\u0334\u030do\u0310t\u0330",
        "n\u200dot",
        "n\u00adot",
    ],
)
def test_a_negation_is_read_however_it_is_typed(written: str) -> None:
    assert values(f"Windmills do {written} poison drinking water with copper")["negated"] == 1


@pytest.mark.parametrize("sign", ["'", "’", "´", "`", "′", "ʼ", " "])
def test_whatever_is_typed_for_an_apostrophe_is_one(sign: str) -> None:
    assert values(f"Windmills don{sign}t poison drinking water with copper")["negated"] == 1


def test_words_of_other_scripts_and_numbers_in_words_stay_what_they_are() -> None:
    assert legible(fold("СССР и НАТО")) == "ссср и нато"
    assert legible(fold("5G, CO2, H2O and covid19, as written in Ελλάδα")) == "5g, co2, h2o and covid19, as written in ελλάδα"


@pytest.mark.parametrize("text", ["WiNdMiLlS pOiSoN our WaTeR", "Windmills poison w\u0336a\u0336t\u0336e\u0336r\u0336"])
def test_changing_case_and_struck_letters_are_no_plain_speech(text: str) -> None:
    assert is_mocking(text)
    assert values(f"{text}: {PLAIN}")["irony"] == 1


def test_names_and_hashtags_in_changing_case_mock_nobody() -> None:
    assert not is_mocking("McDonald on YouTube, an iPhone and #SaveTheChildren @JoeBloggs")


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_letters_of_any_text_are_read_without_complaint_and_twice_the_same(text: str) -> None:
    once = legible(fold(upright(text)))

    assert len(once) <= 3 * len(fold(upright(text))) + 1
    assert is_mocking(text) is is_mocking(text)


@pytest.mark.parametrize(
    ("text", "langs"),
    [
        (f"The idea that {PLAIN}", ("en",)),
        (f"My neighbour is sure of it: {PLAIN}", ("en",)),
        ("Het idee dat windmolens drinkwater vergiftigen met koper", ("nl",)),
        ("L'idée que les éoliennes empoisonnent l'eau potable avec du cuivre", ("fr",)),
        ("Der Gedanke, dass Windräder Trinkwasser mit Kupfer vergiften", ("de",)),
    ],
)
def test_what_stands_behind_a_that_or_somebodys_colon_is_somebodys(text: str, langs: tuple[str, ...]) -> None:
    assert values(text, langs=langs)["attribution"] == 1


@pytest.mark.parametrize(
    ("text", "langs"),
    [
        (f"It is proven that {PLAIN}", ("en",)),
        (f"Did you know that {PLAIN}", ("en",)),
        (f"BREAKING: {PLAIN}", ("en",)),
        (f"⚠️: {PLAIN}", ("en",)),
        ("Bewezen dat windmolens drinkwater vergiftigen met koper", ("nl",)),
        ("Alerte : les éoliennes empoisonnent l'eau potable avec du cuivre", ("fr",)),
        ("Bewiesen ist, dass Windräder Trinkwasser mit Kupfer vergiften", ("de",)),
    ],
)
def test_who_calls_it_proven_or_announces_it_says_it_himself(text: str, langs: tuple[str, ...]) -> None:
    assert values(text, langs=langs)["attribution"] == 0


@pytest.mark.parametrize("lead", ["If", "Whether", "They asked if all these", "Nobody checked whether"])
def test_what_is_only_supposed_is_not_asserted(lead: str) -> None:
    assert values(f"{lead} {PLAIN}")["question"] == 1


def test_a_short_question_behind_a_claim_asks_about_it() -> None:
    assert values(f"{PLAIN}. Really?")["question"] == 1
    assert values(f"{PLAIN}. Who of you would still want to live beside such a thing?")["question"] == 0


@pytest.mark.parametrize("quoted", ["'{}'", "‘{}’", "»{}«", "«{}»", "‹{}›", "‚{}‘", "> {}"])
def test_quotation_marks_of_all_languages_are_known(quoted: str) -> None:
    assert values(quoted.format(PLAIN))["quotation"] == 1


def test_an_apostrophe_opens_no_quotation() -> None:
    assert values(f"Don't you see it's the mayors' doing, {PLAIN} y'all")["quotation"] == 0


@pytest.mark.parametrize(
    ("about", "text", "lang"),
    [
        (VOLCANOES, "Humans emit a hundred times more carbon dioxide than volcanoes", "en"),
        (VOLCANOES, "De mens stoot veel meer CO2 uit dan vulkanen", "nl"),
        (VOLCANOES, "Les humains émettent bien plus de CO2 que les volcans", "fr"),
        (VOLCANOES, "Der Mensch stößt viel mehr CO2 aus als Vulkane", "de"),
        (PENSIONERS, "Pensioners get more money from the state than migrants", "en"),
    ],
)
def test_a_comparison_the_other_way_round_says_the_opposite(about: Claim, text: str, lang: str) -> None:
    assert values(text, about, langs=(lang,))["negated"] == 1


def test_a_comparison_the_same_way_round_says_the_same() -> None:
    for wording in VOLCANOES.wordings:
        assert values(wording.text, VOLCANOES, langs=(wording.lang,))["negated"] == 0


def test_what_prevents_does_not_cause() -> None:
    causes = seeded("Sunscreen causes skin cancer")

    assert values("Sunscreen prevents skin cancer", causes)["negated"] == 1
    assert values("Sunscreen causes skin cancer, and nothing prevents it better than shade and a hat do", causes)["negated"] == 1
    assert values("Copper prevents rot, and windmills poison drinking water with it")["negated"] == 0


@pytest.mark.parametrize("word", ["heißt es", "Ammenmärchen", "#FakeNews", "urban legends", "anti-vaxxers"])
def test_a_cue_is_found_as_people_write_it(word: str) -> None:
    found = values(f"Windräder vergiften Trinkwasser mit Kupfer {word}", langs=("de",))

    assert found["correction"] + found["attribution"] > 0


def test_a_page_that_calls_itself_a_fact_check_is_one() -> None:
    assert values(PLAIN, links=("https://www.example.com/news/fact-check/windmills",))["fact_check_link"] == 1
    assert values(f"{PLAIN} https://example.com/faktencheck/1")["fact_check_link"] == 1
    assert values(PLAIN, links=("https://www.example.com/news/windmills",))["fact_check_link"] == 0


@pytest.mark.parametrize(
    "sentence",
    [
        "The {0} idea that windmills poison drinking water with copper",
        "{0}: windmills poison drinking water with copper",
        "If {0} windmills poison drinking water with copper. {0}?",
        "A {0} thing is known {0} that windmills poison drinking water with copper",
        "{0} people are more often told than {0} people: windmills poison drinking water with copper",
        "Windmills poison drinking water with copper. {0} {0} {0} {0}?",
    ],
)
def test_who_people_are_changes_nothing_about_whose_sentence_it_is(sentence: str) -> None:
    terms = ("Mexican", "Jewish", "Native American", "Republican", "elderly", "Quaker", "trans", "Latter-day Saint", "foreigner")

    assert len({tuple(values(sentence.format(term)).items()) for term in terms}) == 1


def test_a_condition_that_is_the_claims_own_keeps_no_distance() -> None:
    assert values("Als je dit bericht niet doorstuurt, wordt WhatsApp betalend", PAID, langs=("nl",))["question"] == 0
    assert values("Als vulkanen meer CO2 uitstoten dan de mens, eet ik mijn schoen op", VOLCANOES, langs=("nl",))["question"] == 1
