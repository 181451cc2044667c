"""The rule `topic`: by terms or by a model, indexed or asked, checked with its file, and part of the feed's hash."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedgen.feed import Feed
from feedgen.matcher import Matcher, explain
from feedgen.rules import Rule, load
from models.post import Post
from models.topic import FEATURES, Topic
from models.weights import Weights, dumps
from plainsky.config.errors import ConfigErrors
from plainsky.config.hashing import config_hash, rules_hash
from plainsky.config.loading import parse

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
CLIMATE = {"climate": 2.0, "Sea level": 3.0, "weather": 0.5, "climate of fear": -2.0}
CONFIG = '[service]\nhostname = "feeds.example.org"\n[[feeds]]\nrkey = "a"\nname = "A"\n[[feeds.include]]\nkind = "topic"\n'


def by_terms(weights: dict[str, float], at_least: float = 2.0) -> Rule:
    return load("topic")(terms=weights, at_least=at_least)


def by_model(weights: dict[str, float], intercept: float, at_least: float = 0.5) -> Rule:
    return load("topic")(model=Topic.of_weights(Weights("topic", "climate", weights, intercept, FEATURES)), at_least=at_least)


def feed(*include: Rule, require: tuple[Rule, ...] = ()) -> Feed:
    return Feed(rkey="a", name="A", include=include, require=require)


def entered(feeds: list[Feed], post: Post) -> list[tuple[int, tuple[str, ...]]]:
    return sorted((number, one.words) for one in Matcher(feeds).match(DID, post) for number in one.feeds)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The climate", ("climate",)),
        ("Weather, climate, SEA LEVEL", ("Sea level", "climate", "weather")),
        ("the weather", None),
        ("a climate of fear", None),
        ("a climate of fear about the sea level", ("Sea level", "climate")),
        ("", None),
    ],
)
def test_a_post_is_about_a_topic_when_its_terms_add_up(text: str, words: tuple[str, ...] | None) -> None:
    assert by_terms(CLIMATE).match(DID, Post(text)) == words
    assert entered([feed(by_terms(CLIMATE))], Post(text)) == ([(0, words)] if words else [])


def test_weights_of_tenths_add_up_as_they_do_on_paper() -> None:
    assert by_terms({"a": 0.7, "b": 0.1}, 0.8).match(DID, Post("a b")) == ("a", "b")


def test_a_post_is_about_a_topic_when_the_model_is_sure_enough() -> None:
    rule = by_model({"climate": 2.0, "sea level": 1.0, "cup": -3.0}, -1.0, 0.7)

    assert rule.match(DID, Post("climate and sea level")) == ("climate", "sea level")
    assert rule.match(DID, Post("climate, sea level, cup")) is None
    assert rule.match(DID, Post("hello")) is None


def test_a_model_that_says_yes_to_everything_is_asked_about_everything() -> None:
    assert entered([feed(by_model({"cup": -3.0}, 1.0))], Post("hello")) == [(0, ())]
    assert entered([feed(by_model({"cup": -3.0}, 1.0))], Post("the cup")) == []


def test_a_post_without_a_term_that_speaks_for_the_topic_is_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = Matcher([feed(by_terms(CLIMATE)), feed(load("keyword")(any=("fox",)), require=(by_terms(CLIMATE),))])

    def scored(topic: Topic, post: Post) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(Topic, "score", scored)
    assert matcher.match(DID, Post("climatic, a climateer")) == matcher.match(DID, Post("the fox of fear")) == []
    with pytest.raises(AssertionError, match="asked"):
        matcher.match(DID, Post("weather"))


def test_a_model_is_asked_once_for_all_feeds_and_then_for_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, score = [], Topic.score
    matcher = Matcher([feed(by_model({"climate": 2.0}, -1.0, 0.9)) for _ in range(100)])

    def counted(topic: Topic, post: Post) -> Any:
        asked.append(topic)
        return score(topic, post)

    monkeypatch.setattr(Topic, "score", counted)
    assert matcher.match(DID, Post("climate")) == []
    assert len(asked) == 1


vocabulary = st.sampled_from(["climate", "sea level", "sea", "été", "気候", "cup", "C++"])
sizes = st.sampled_from([-2.0, -0.5, 0.5, 1.0, 3.0])
weights = st.dictionaries(vocabulary, sizes, min_size=1).filter(lambda found: max(found.values()) > 0)
rules = st.one_of(
    weights.map(lambda found: by_terms(found, 0.5)),
    st.builds(by_model, weights, st.sampled_from([-1.0, 0.0, 1.0]), st.sampled_from([0.3, 0.9])),
)
places = st.lists(st.sampled_from(["climate", "sea", "level", "ÉTÉ", "気候", "cup", "c++", ",", "fox"]), max_size=6).map(" ".join)


@given(st.lists(rules, min_size=1, max_size=3), rules, st.builds(Post, places, alts=st.tuples(places), card=st.tuples(places, places)))
def test_the_index_knows_what_the_rules_themselves_say(include: list[Rule], required: Rule, post: Post) -> None:
    feeds = [feed(*include), feed(*include, require=(required,)), feed(load("all")(rules=(*include, required)))]

    assert [number for number, _ in entered(feeds, post)] == [n for n, one in enumerate(feeds) if explain(one, DID, post).enters]


def problems(lines: str) -> list[str]:
    """What is wrong with a feed with such a rule."""
    with pytest.raises(ConfigErrors) as caught:
        parse(CONFIG + lines)
    return [str(problem).removeprefix("feeds[0].include[0].") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("at_least = 2", ["terms: expected either `terms` or `model`"]),
        ("terms = { a = 1 }", ["at_least: required key is missing"]),
        ("terms = 3\nat_least = 1", ["terms: 3: expected a table, like { key = ... }"]),
        ('terms = ["a"]\nat_least = 1', ['terms: ["a"]: expected a table, like { key = ... }']),
        ('terms = { a = "x", "b c" = true }\nat_least = 1', ['terms.a: "x": expected a number', 'terms."b c": true: expected a number']),
        ("terms = { a = nan }\nat_least = 1", ['terms: "a" = nan: expected a weight from -1000 to 1000, other than 0']),
        ("terms = { a = 1, A = 2 }\nat_least = 1", ['terms: "A" is the same as "a": expected each term once']),
        (
            "terms = { a = 1.5, b = 1, c = -1 }\nat_least = 3",
            ["at_least: 3: expected at most 2.5: no post can reach more, as the weights add up to that"],
        ),
        ("terms = { a = 1 }\nat_least = 0", ["at_least: 0: expected a number above 0, or every post would be about the topic"]),
        ("terms = { a = 1 }\nat_least = nan", ["at_least: NaN: expected a number above 0, or every post would be about the topic"]),
        ('model = "no.json"\nat_least = 0.5', ['model: "no.json": no such file: `plainsky train-topic` makes one']),
        ('model = "odd.json"\nat_least = 0.5', ['model: "odd.json": this is no JSON: Expecting value: line 1 column 1 (char 0)']),
        ('model = "good.json"\nat_least = 1', ["at_least: 1: expected a score above 0 and below 1, like 0.5"]),
        ('model = "good.json"\nterms = { a = 1 }\nat_least = 1', ["terms: expected either `terms` or `model`, not both"]),
        ('model = "changed.json"\nat_least = 0.5', None),
        ("model = 3\nat_least = 0.5", ["model: 3: expected text in quotes"]),
        ('models = "good.json"\nat_least = 0.5', ["models: unknown key, did you mean 'model'?"]),
    ],
)
def test_what_makes_no_sense_is_told_at_its_place(
    lines: str, said: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good = dumps(Weights("topic", "climate", {"climate": 2.0}, -1.0, FEATURES))
    Path("odd.json").write_bytes(b"\x80pickle"[1:])
    Path("good.json").write_bytes(good)
    Path("changed.json").write_bytes(good.replace(b"2.0", b"9.0"))

    told = problems(lines)
    assert told == said if said else "changed after it was written" in told[0]


def test_a_changed_model_file_makes_other_rules(tmp_path: Path) -> None:
    file = tmp_path / "climate.json"
    text = f'{CONFIG}model = "{file}"\nat_least = 0.5'
    file.write_bytes(dumps(Weights("topic", "climate", {"climate": 2.0}, -1.0, FEATURES)))
    first, again = parse(text), parse(text)
    file.write_bytes(dumps(Weights("topic", "climate", {"climate": 2.5}, -1.0, FEATURES)))
    other = parse(text)

    assert first == again != other
    assert (config_hash(first), rules_hash(first.feeds[0])) == (config_hash(again), rules_hash(again.feeds[0]))
    assert config_hash(first) != config_hash(other)
    assert rules_hash(first.feeds[0]) != rules_hash(other.feeds[0])


def test_terms_make_the_same_rules_in_whatever_order_they_are_written() -> None:
    one, same, other = (
        parse(f"{CONFIG}terms = {{ {terms} }}\nat_least = 2").feeds[0]
        for terms in ('climate = 2, "sea level" = 3.0', '"sea level" = 3, climate = 2', 'climate = 2, "sea level" = 2')
    )

    assert one == same != other
    assert hash(one.include[0]) == hash(same.include[0])
    assert rules_hash(one) == rules_hash(same) != rules_hash(other)


def test_a_topic_says_in_plain_words_what_it_asks_for() -> None:
    assert by_terms({"climate": 2.0, "sea level": 2.5}, 2).plain_words() == (
        "says words that add up to 2 or more of “climate” 2, “sea level” 2.5"
    )
    assert by_model({}, 0.0, 0.5).plain_words() == "scores 0.5 or more by the topic model “climate”"
