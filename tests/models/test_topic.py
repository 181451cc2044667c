"""A topic's score: a visible sum over what a post says, the same everywhere."""

import json
import math
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.post import Post
from models.topic import FEATURES, Scored, Topic, said
from models.weights import BadWeights, Weights, dumps

ROOT = Path(__file__).parents[2]
CLIMATE = {"climate": 2.0, "sea level": 3.0, "weather": 0.5, "climate of fear": -2.0}


def terms(weights: dict[str, float], post: Post | str) -> Scored:
    """The score by weights of the config."""
    return Topic.of_terms(weights).score(Post(post) if isinstance(post, str) else post)


def model(weights: dict[str, float], intercept: float = 0.0) -> Topic:
    """A topic model."""
    return Topic.of_weights(Weights("topic", "climate", weights, intercept, FEATURES))


def test_the_weights_of_what_a_post_says_are_added_up_and_told_the_strongest_first() -> None:
    assert terms(CLIMATE, "Weather, climate and the SEA\nLEVEL") == (
        5.5 / 6.5,
        5.5,
        (("sea level", 3.0), ("climate", 2.0), ("weather", 0.5)),
    )


def test_a_term_counts_once_however_often_it_is_said() -> None:
    assert terms(CLIMATE, "climate climate climate") == terms(CLIMATE, "climate")


def test_what_speaks_against_a_topic_is_taken_away() -> None:
    assert terms(CLIMATE, "a climate of fear") == (0.0, 0.0, (("climate", 2.0), ("climate of fear", -2.0)))


def test_terms_are_looked_for_in_text_alt_texts_and_link_card() -> None:
    post = Post("climate", alts=("", "the sea level"), card=("Weather", "today"))

    assert [term for term, _ in terms(CLIMATE, post).found] == ["sea level", "climate", "weather"]


def test_a_phrase_does_not_reach_from_one_place_into_the_next() -> None:
    assert terms(CLIMATE, Post("the sea", alts=("level",))).found == ()
    assert "sea level" not in said(Post("the sea", alts=("level", "sea"), card=("level", "")))


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("art", "party", False),
        ("STRASSE", "auf der Straße", True),
        ("c++", "I like C++!", True),
        ("気候", "世界の気候変動", True),
        ("☕", "morning ☕\ufe0f", True),
        ("cafe", "café", False),
        ("solidar*", "Solidarität", True),
        ("*crisis", "klimaatcrisis", True),
        ("climate", "@climate.example.org and https://example.org/climate", False),
    ],
)
def test_a_term_is_found_as_a_keyword_is(term: str, text: str, found: bool) -> None:
    assert terms({term: 1.0}, text).found == (((term, 1.0),) if found else ())


def test_a_sum_is_what_an_operator_expects() -> None:
    assert terms({"a": 0.7, "b": 0.1}, "a b").sum == 0.8


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "at least one term"),
        ({"a": 0.0}, '"a" = 0.0: expected a weight from -1000 to 1000, other than 0'),
        ({"a": math.nan}, '"a" = nan'),
        ({"a": math.inf}, '"a" = inf'),
        ({"a": 1001.0}, '"a" = 1001'),
        ({"a": -1.0}, "at least one weight above 0"),
        ({"Straße": 1.0, "STRASSE": 2.0}, '"STRASSE" is the same as "Straße"'),
        ({" ": 1.0}, "expected a word or phrase"),
        ({"\u00ad": 1.0}, "expected a word or phrase"),
        ({"two\nlines": 1.0}, "expected a word or phrase"),
        ({"@alice.example.org": 1.0}, "not looked for in addresses and handles"),
        ({"x" * 101: 1.0}, "expected a word or phrase"),
        ({str(number): 1.0 for number in range(1001)}, "at most 1000 terms, found 1001"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_terms_that_make_no_sense_are_refused(weights: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Topic.of_terms(weights)


words = st.sampled_from(["climate", "sea", "level", "ice", "été", "気候", "football", "c++"])
some_weights = st.dictionaries(words, st.floats(-1000, 1000).filter(bool), min_size=1, max_size=8).filter(lambda w: max(w.values()) > 0)
some_words = st.lists(words, max_size=30)


@given(some_weights, some_words, st.randoms(use_true_random=False))
def test_the_order_of_terms_and_of_words_makes_no_difference(weights: dict[str, float], text: list[str], random: Random) -> None:
    one = terms(weights, " ".join(text))
    shuffled, other_text = list(weights.items()), list(text)
    random.shuffle(shuffled)
    random.shuffle(other_text)

    assert terms(dict(shuffled), " ".join(other_text)) == one


@given(some_weights, some_words, words)
def test_a_word_that_speaks_for_the_topic_never_lowers_a_score(weights: dict[str, float], text: list[str], word: str) -> None:
    if weights.get(word, 0) > 0:
        assert terms(weights, " ".join([*text, word])).value >= terms(weights, " ".join(text)).value


@given(some_weights, some_words, st.floats(-1e6, 1e6))
def test_a_score_is_from_0_to_below_1(weights: dict[str, float], text: list[str], intercept: float) -> None:
    assert 0 <= terms(weights, " ".join(text)).value < 1
    assert 0 <= model(weights, intercept).score(Post(" ".join(text))).value < 1


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=20))
def test_a_models_value_rises_with_its_sum_and_is_the_logistic_function(intercepts: list[float]) -> None:
    scored = sorted((model({"x": 1.0}, intercept).score(Post("")) for intercept in intercepts), key=lambda one: one.sum)

    assert [one.value for one in scored] == sorted(one.value for one in scored)
    assert all(math.isclose(one.value, 1 / (1 + math.exp(-one.sum)), rel_tol=1e-12) for one in scored)


def test_a_model_knows_words_and_pairs_of_words() -> None:
    topic = model({"sea": 1.0, "sea level": 2.0, "level": -0.5, "気候": 4.0, "候": 0.25}, -0.5)

    assert topic.score(Post("Sea, level! @sea.example.org https://sea.example/")).found == (
        ("sea level", 2.0),
        ("sea", 1.0),
        ("level", -0.5),
    )
    assert topic.score(Post("Sea, level!")).sum == 2.0
    assert topic.score(Post("世界の気候変動。")).found == (("気候", 4.0), ("候", 0.25))
    assert topic.score(Post("")) == (0.37754066879814546, -0.5, ())


def test_in_scripts_without_spaces_no_pair_reaches_over_punctuation() -> None:
    assert said(Post("気候。変")) == {"気", "候", "変", "気候"}


def test_anyone_can_recompute_a_score_from_the_file_alone() -> None:
    file = dumps(Weights("topic", "climate", {"sea level": 2.25, "sea": 0.1, "rises": 0.7, "cup": -1.3}, -0.4, FEATURES))
    text = "The sea level rises, and rises."

    table = json.loads(file)
    found = re.findall(r"\w+", text.lower())
    pairs = [f"{one} {two}" for one, two in pairwise(found)]
    total = table["intercept"] + sum(table["weights"].get(term, 0) for term in {*found, *pairs})
    assert math.isclose(Topic.loads(file).score(Post(text)).value, 1 / (1 + math.exp(-total)), rel_tol=1e-12)


def test_a_score_is_the_same_bits_everywhere() -> None:
    """Written down once: a change here is a change of every trained model's scores, and needs another version of FEATURES."""
    post = Post(
        "L’été à Gent: 30 °C, la sécheresse &amp; the @sea.example.org level… 気候変動 حرارة हिन्दी https://a.example/sea",
        alts=("STRASSE mit Wasser",),
        card=("Sea-level rise", ""),
    )
    weights = {term: 0.1 * number - 1.8 for number, term in enumerate(sorted(said(post)))}

    assert "|".join(sorted(said(post))) == WRITTEN_DOWN
    assert model(weights, 0.3).score(post).value.hex() == "0x1.f86f89c2183afp-1"


def test_a_score_does_not_depend_on_the_process() -> None:
    program = """
from models.post import Post
from models.topic import FEATURES, Topic
from models.weights import Weights
post = Post(" ".join(f"w{n}" for n in range(100)))
weights = {f"w{n}": (-1) ** n * 1.1 ** (n % 37) / 3 for n in range(100)}
print(Topic.of_weights(Weights("topic", "x", weights, -0.1, FEATURES)).score(post), Topic.of_terms(weights).score(post))
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1


def test_a_model_that_takes_posts_apart_in_another_way_is_refused() -> None:
    with pytest.raises(BadWeights, match="features: expected those that this Plainsky knows"):
        Topic.loads(dumps(Weights("topic", "x", {}, 0.0, {**FEATURES, "version": 2})))


def test_two_topics_are_equal_when_their_contents_are() -> None:
    assert Topic.of_terms({"a": 1.0, "b": 2.0}) == Topic.of_terms({"b": 2.0, "a": 1.0}) != Topic.of_terms({"a": 1.0})
    assert model({"a": 1.0}) == model({"a": 1.0}) != model({"a": 2.0})
    assert len({model({"a": 1.0}), model({"a": 1.0}), Topic.of_terms({"a": 1.0})}) == 2


def test_a_file_that_is_not_there_is_told_with_what_makes_one() -> None:
    with pytest.raises(BadWeights, match="no such file: `plainsky train-topic` makes one"):
        Topic.read("/nowhere/climate.json")


WRITTEN_DOWN = (
    "0|0 c|c|c la|gent|gent 0|l|l été|la|la sécheresse|level|level rise|level حرارة|mit|mit wasser|rise|sea|sea level|strasse|"
    "strasse mit|sécheresse|sécheresse the|the|the level|wasser|à|à gent|été|été à|حرارة|حرارة हिन्दी|हिन्दी|候|候変|動|変|変動|気|気候"
)
