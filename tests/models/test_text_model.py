"""The text model: equal to scikit-learn, recomputed by hand, blind to identity, closed to files that are not its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.training.fitting import pipeline
from labeler.training.swaps import DIALECTS, SLOTS, TEMPLATES, spreads
from models.cleaning import MAX_TEXT, MAX_WORD, words
from models.masking import NEUTRAL, Mask, read_terms
from models.text_model import STRONGEST, Scored, TextModel, run_of, run_term
from models.weights import BadWeights, Weights, dumps

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "labeler/models/text.json"
MASK = {"religion": {"en": "*muslim* christian*"}, "people": {"en": "asylum-seeker asylum-seekers german*"}}
WEIGHTS = {"cure": 2.0, "the water": -1.5, "water": 0.5, "0": 0.25, "cur*": 1.0, "*ures": -3.0, "*ate*": 0.125, "rain": 0.75}
FEATURES = {"mask": MASK, "run_lengths": [3, 5]}


def weights(**changes: object) -> Weights:
    """A small model's file."""
    table: dict[str, object] = {"kind": "text", "name": "small", "weights": WEIGHTS, "intercept": -0.5, "features": FEATURES}
    return Weights(**(table | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module", name="shipped")
def _shipped() -> TextModel:
    return TextModel.read(SHIPPED)


def test_a_score_is_what_a_calculator_says() -> None:
    scored = TextModel(weights()).score("The water cures! Does the WATER cure 1,234 christians? https://example.org/rain")

    # Known words and pairs: cure, water, "the water", 0. Known runs: cur*, *ures, *ate*.
    assert scored.value == pytest.approx(-0.5 + (2.0 + 0.5 - 1.5 + 0.25) / sqrt(4) + (1.0 - 3.0 + 0.125) / sqrt(3), abs=1e-12)
    assert [term.term for term in scored.terms] == ["*ures", "cure", "the water", "cur*", "water"]
    assert [term.product for term in scored.terms] == pytest.approx([-3 / sqrt(3), 1.0, -0.75, 1 / sqrt(3), 0.25])


def test_the_terms_are_the_strongest_five_and_coverage_counts_words_that_are_not_masked() -> None:
    scored = TextModel(weights()).score("water cure muslims zebra")

    assert len(scored.terms) <= STRONGEST
    assert scored.coverage == pytest.approx(2 / 3)


@pytest.mark.parametrize("text", ["", "   ", "🙂", "日本語のテキスト", "muslim", "https://example.org", "\x00\ud800", "a" * 5000])
def test_a_text_without_known_words_has_the_score_of_nothing(text: str) -> None:
    assert TextModel(weights()).score(text) == Scored(-0.5, (), 0.0)


SMALL = TextModel(weights())


@cache
def judge() -> Any:
    """The small model as a pipeline of scikit-learn."""
    return pipeline(SMALL)


def theirs(text: str) -> float:
    """scikit-learn's score of a text, by the small model."""
    return float(judge().decision_function([text])[0])


@given(st.text(max_size=200))
def test_any_text_has_a_score_equal_to_that_of_scikit_learn(text: str) -> None:
    assert SMALL.score(text).value == pytest.approx(theirs(text), abs=1e-9)


PIECES = [
    "The water",
    "cures",
    "cure",
    "rainy",
    "RAIN!",
    "12",
    "asylum seekers",
    "rate",
    "curate",
    "water",
    "https://t.co/x",
    "@bob.example",
    "☃",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_texts_of_known_words_too(pieces: list[str]) -> None:
    assert SMALL.score(" ".join(pieces)).value == pytest.approx(theirs(" ".join(pieces)), abs=1e-9)


def test_the_shipped_model_equals_scikit_learn_on_sentences_of_every_kind(shipped: TextModel) -> None:
    texts = [template.format(word) for lang, templates in TEMPLATES.items() for template in templates for word in ("new", "virus")]
    texts += [claim for claim in (ROOT / "plainsky/sample/stories.txt").read_text(encoding="utf-8").splitlines() if claim]

    ours = [shipped.score(text).value for text in texts]
    assert max(abs(one - two) for one, two in zip(ours, pipeline(shipped).decision_function(texts), strict=True)) < 1e-9


def recomputed(table: dict[str, object], seen: list[str]) -> float:
    """The score from the JSON alone, in the words of the model card."""
    weights: dict[str, float] = table["weights"]  # type: ignore[assignment]
    whole = {term for term in [*seen, *map(" ".join, pairwise(seen))] if term in weights}
    runs = set()
    for word in seen:
        for length in (3, 4, 5):
            for start in range(len(word) + 3 - length):
                run = run_term(f" {word} "[start : start + length])
                if run in weights and word != NEUTRAL:
                    runs.add(run)
    total: float = table["intercept"]  # type: ignore[assignment]
    for terms in (whole, runs):
        total += sum(weights[term] for term in terms) / sqrt(len(terms)) if terms else 0
    return total


def test_a_hundred_decisions_are_recomputed_from_the_json_alone(shipped: TextModel) -> None:
    table = json.loads(SHIPPED.read_bytes())
    texts = [
        f"{a} {b}"
        for a in ("Doctors admit", "My garden", "Breaking: 5G", "New cases in", "They hide")
        for b in list(shipped.weights.weights)[:20]
    ]

    assert len(texts) == 100
    for text in texts:
        assert shipped.score(text).value == pytest.approx(recomputed(table, shipped.words(text)), abs=1e-9)


def test_swapping_identity_religion_nationality_party_and_dialect_words_changes_nothing(shipped: TextModel) -> None:
    found = spreads(lambda text: shipped.score(text).value)

    assert {one.group for one in found} == {*SLOTS, "dialect"}
    assert {one.lang for one in found} == {*TEMPLATES, *DIALECTS} == {"en", "nl", "fr", "de"}
    assert sum(one.sentences for one in found) > 250
    assert {one.spread for one in found} == {0.0}


def test_without_the_mask_the_same_words_do_change_scores(shipped: TextModel) -> None:
    """So the test above can fail."""
    table = {**WEIGHTS, "muslim": 1.0}
    unmasked = TextModel(weights(weights=table, features={"mask": {}, "run_lengths": [3, 5]}))

    assert max(one.spread for one in spreads(lambda text: unmasked.score(text).value)) > 0


@pytest.mark.parametrize("word", ["Muslims", "non-muslim", "#StopMuslims", "German", "asylum seekers", "Asylum-seeker"])
def test_masked_words_are_the_neutral_mark(word: str) -> None:
    assert set(Mask(MASK).words(word)) <= {NEUTRAL, "non"}


def test_a_part_of_a_masked_phrase_stands_where_it_is_alone() -> None:
    assert Mask(MASK).words("asylum for two seekers, asylum seekers") == ["asylum", "for", "two", "seekers", NEUTRAL, NEUTRAL]


MASKED = "american marokkaanse algérienne türkische jewish joodse juive jüdische republican finna dinnae septante"
SEEN = "vaccine vaccin impfstoff virus water police hospital cause die cure school climate"


def test_the_list_masks_in_four_languages_and_leaves_what_is_said() -> None:
    mask = Mask(read_terms())

    assert set(mask.words(MASKED)) == {NEUTRAL}
    assert mask.words(SEEN) == SEEN.split()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("See https://example.org/a?b=c now", ["see", "now"]),
        ("see www.example.org/x, example.org/long-na... and @bob.example.org", ["see", "and"]),
        ("<b>Bold</b> &amp; &#72;at", ["bold", "hat"]),
        ("ＦＵＬＬ STRASSE straße İstanbul", ["full", "strasse", "strasse", "istanbul"]),
        ("1,234 cases in 2020, covid19", ["0", "0", "cases", "in", "0", "covid19"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("snake_case don't 'quoted'", ["snake", "case", "don", "t", "quoted"]),
        ("x" * (MAX_WORD + 1) + " y", ["y"]),
    ],
    ids=["url", "cut short", "markup", "folded", "numbers", "invisible", "punctuation", "too long"],
)
def test_cleaning_leaves_words(text: str, seen: list[str]) -> None:
    assert words(text) == seen


def test_a_text_is_read_to_its_bound() -> None:
    assert len(words("a " * MAX_TEXT)) == MAX_TEXT // 2


@given(st.text(alphabet=st.characters(categories=["L"]), min_size=1, max_size=5), st.sampled_from(["{}", " {}", "{} "]))
def test_a_run_of_letters_can_be_read_back_from_its_term(letters: str, form: str) -> None:
    assert run_of(run_term(form.format(letters))) == form.format(letters)


@dataclass
class Forged:
    """A change to a file, and what is said of it."""

    change: dict[str, object]
    said: str


FORGED = {
    "a weight": Forged({"weights": {**WEIGHTS, "cure": 9.0}}, "changed after it was written"),
    "the intercept": Forged({"intercept": 5.0}, "changed after it was written"),
    "its card": Forged({"card": {"summary": "perfect"}}, "changed after it was written"),
    "another kind": Forged({"kind": "topic"}, 'kind: "topic": expected "text"'),
    "another version": Forged({"version": 99}, "version: 99"),
    "an unknown key": Forged({"code": "print(1)"}, '"code": unknown key'),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_file_that_was_tampered_with_or_is_foreign_is_refused(forged: Forged, tmp_path: Path) -> None:
    file = tmp_path / "text.json"
    file.write_text(json.dumps(json.loads(dumps(weights())) | forged.change))

    with pytest.raises(BadWeights, match=forged.said):
        TextModel.read(file)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80\x04\x95", b"cos\nsystem\n", b"[]", b"{}", b"[" * 100_000],
    ids=["empty", "pickle", "old pickle", "list", "object", "deep"],
)
def test_what_is_no_json_of_weights_is_refused(data: bytes) -> None:
    with pytest.raises(BadWeights):
        TextModel.loads(data)


WRONG = {
    "masked": ({"weights": {"christians": 1.0}}, "'christians': a masked word carries no weight"),
    "masked in a pair": ({"weights": {"the muslims": 1.0}}, "a masked word carries no weight"),
    "neutral": ({"weights": {"the _": 1.0}}, "a masked word carries no weight"),
    "a quotation": ({"weights": {"they said so": 1.0}}, "expected at most 2 words"),
    "a long run": ({"weights": {"*doctor*": 1.0}}, "expected a run of 3 to 5 letters"),
    "no mask": ({"features": {"run_lengths": [3, 5]}}, "features.mask"),
    "a mask of numbers": ({"features": {"mask": {"a": {"en": 1}}, "run_lengths": [3, 5]}}, "features.mask"),
    "an empty term": ({"features": {"mask": {"a": {"en": "* x"}}, "run_lengths": [3, 5]}}, r"features.mask: '\*'"),
    "no lengths": ({"features": {"mask": {}}}, "features.run_lengths"),
    "lengths too long": ({"features": {"mask": {}, "run_lengths": [3, 50]}}, "features.run_lengths"),
}


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_a_file_with_a_right_hash_and_wrong_contents_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(BadWeights, match=said):
        TextModel.loads(dumps(weights(**change)))


def test_the_shipped_file_is_small_names_no_masked_word_and_quotes_nobody(shipped: TextModel) -> None:
    assert SHIPPED.stat().st_size <= 2 << 20
    assert max(len(run_of(term)) for term in shipped.weights.weights if "*" in term) <= 5
    assert max(term.count(" ") for term in shipped.weights.weights if "*" not in term) == 1
    assert [term for term in shipped.weights.weights if "*" not in term and NEUTRAL in shipped.words(term)] == []


def test_serving_loads_no_scikit_learn_and_no_numpy() -> None:
    code = (
        "import sys; from models.text_model import TextModel; from labeler import drift, gate; from pathlib import Path\n"
        "TextModel.read(Path('labeler/models/text.json')).score('The water cures')\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'scipy', 'sklearn', 'pickle', 'joblib'}))"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_no_room_uses_pickle() -> None:
    files = [file for room in ("plainsky", "feedgen", "labeler", "models") for file in (ROOT / room).rglob("*.py")]

    assert [
        file for file in files if {"import pickle", "import joblib", "import skops"} & set(file.read_text(encoding="utf-8").splitlines())
    ] == []
    assert [
        file for room in ("labeler", "models") for ending in ("pkl", "pickle", "joblib") for file in (ROOT / room).rglob(f"*.{ending}")
    ] == []
