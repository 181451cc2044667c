"""A file of weights: the same bytes every time, readable, and refused when it is not as it was written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.weights import MAX_BYTES, BadWeights, Filed, Weights, dumps, hash_of, loads

CLIMATE = Weights(
    kind="topic",
    name="climate",
    weights={"weather": 0.25, "sea level": 2.5, "football": -1.75, "klimaat": 2.5},
    intercept=-0.5,
    features={"ngrams": [1, 2]},
    card={"data": {"yes": 20}, "limits": ["Trained on few posts."]},
)


def changed(change: Callable[[dict[str, Any]], object], sign: bool = True) -> bytes:
    """The file after a change, with the hash that fits."""
    table = json.loads(dumps(CLIMATE))
    change(table)
    if sign:
        table["hash"] = hash_of({key: value for key, value in table.items() if key != "hash"})
    return json.dumps(table).encode()


def refused(data: bytes, kind: str = "topic") -> str:
    """Why it is."""
    with pytest.raises(BadWeights) as caught:
        loads(data, kind)
    return str(caught.value)


def test_what_is_written_is_read_again() -> None:
    again = loads(dumps(CLIMATE), "topic")

    assert again == CLIMATE
    assert (again.name, again.weights, again.intercept) == ("climate", CLIMATE.weights, -0.5)
    assert (again.features, again.card) == (CLIMATE.features, CLIMATE.card)


terms = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=10)


@given(st.dictionaries(terms, st.floats(-1e6, 1e6)), st.floats(-1e6, 1e6), st.randoms(use_true_random=False))
def test_the_same_weights_give_the_same_bytes_in_whatever_order_they_come(weights: dict[str, float], intercept: float, random: Any) -> None:
    shuffled = list(weights.items())
    random.shuffle(shuffled)
    one, other = Weights("topic", "x", weights, intercept), Weights("topic", "x", dict(shuffled), intercept)

    assert one == other
    assert dumps(one) == dumps(other) == dumps(loads(dumps(one), "topic"))
    assert dict(loads(dumps(one), "topic").weights) == weights


def test_a_file_shows_one_weight_a_line_the_largest_first() -> None:
    lines = dumps(CLIMATE).decode().splitlines()

    assert [line.strip(" ,") for line in lines[-6:-2]] == ['"klimaat": 2.5', '"sea level": 2.5', '"weather": 0.25', '"football": -1.75']


def test_the_hash_can_be_recomputed_with_any_json_library() -> None:
    table = json.loads(dumps(CLIMATE))
    said = {key: value for key, value in table.items() if key != "hash"}

    assert table["hash"] == CLIMATE.hash == hash_of(said)
    assert len(CLIMATE.hash) == 64


def test_a_file_may_be_laid_out_anew() -> None:
    assert loads(changed(lambda table: None, sign=False), "topic") == CLIMATE


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda table: table["weights"].update(weather=9), id="a weight"),
        pytest.param(lambda table: table["weights"].pop("weather"), id="a term less"),
        pytest.param(lambda table: table["card"].update(limits=[]), id="the card"),
        pytest.param(lambda table: table.update(name="weather"), id="the name"),
        pytest.param(lambda table: table.update(intercept=3), id="the intercept"),
        pytest.param(lambda table: table.update(hash=None), id="the hash"),
    ],
)
def test_a_file_that_was_changed_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    assert "changed after it was written" in refused(changed(change, sign=False))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda t: t.update(version=2), "version: 2: this Plainsky reads version 1", id="a later version"),
        pytest.param(lambda t: t.update(version=True), "version: true: this Plainsky", id="true is no version"),
        pytest.param(lambda t: t.pop("version"), "version: null: this Plainsky", id="no version"),
        pytest.param(lambda t: t.update(kind="text_model"), 'kind: "text_model": expected "topic"', id="another kind"),
        pytest.param(lambda t: t.pop("card"), '"card": required key is missing', id="a missing key"),
        pytest.param(lambda t: t.update(bias=1), '"bias": unknown key', id="an unknown key"),
        pytest.param(lambda t: t.update(name=""), 'name: "": expected 1 to 100', id="no name"),
        pytest.param(lambda t: t.update(name=["x"]), 'name: ["x"]: expected', id="a list is no name"),
        pytest.param(lambda t: t.update(card=[]), "card: expected an object", id="a list is no card"),
        pytest.param(lambda t: t.update(weights=[1]), "weights: expected an object", id="a list is no table of weights"),
        pytest.param(lambda t: t.update(intercept="1"), 'intercept: "1": expected a number', id="text is no number"),
        pytest.param(lambda t: t.update(intercept=False), "intercept: false: expected a number", id="nor is false"),
        pytest.param(lambda t: t["weights"].update(x=1e7), 'weights: "x": 10000000.0: expected a number from -1000000', id="too large"),
        pytest.param(lambda t: t["weights"].update(x=10**400), 'weights: "x": 1000', id="far too large"),
        pytest.param(lambda t: t["weights"].update(x=None), 'weights: "x": null: expected a number', id="null"),
        pytest.param(lambda t: t["weights"].update({"": 1}), 'weights: "": expected a term', id="an empty term"),
        pytest.param(lambda t: t["weights"].update({"a\nb": 1}), 'weights: "a\\nb": expected a term', id="a line break in a term"),
        pytest.param(lambda t: t["weights"].update({"x" * 201: 1}), "expected a term of 1 to 200", id="a long term"),
        pytest.param(
            lambda t: t.update(weights={str(number): 0 for number in range(100_001)}),
            "weights: expected at most 100000, found 100001",
            id="too many weights",
        ),
    ],
)
def test_a_file_that_says_what_it_must_not_is_refused_with_the_place(change: Callable[[dict[str, Any]], object], said: str) -> None:
    assert said in refused(changed(change))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "this is no JSON", id="nothing"),
        pytest.param(b"\x80\x04pickle", "this is no JSON", id="bytes"),
        pytest.param(b"[]", "the file: expected an object", id="a list"),
        pytest.param(b'{"a":' * 100_000, "too deeply", id="without end"),
        pytest.param(b"[" * 100_000, "too deeply", id="lists without end"),
        pytest.param(b'{"version": NaN}', "NaN is no number", id="NaN"),
        pytest.param(b'{"version": -Infinity}', "-Infinity is no number", id="infinity"),
        pytest.param(b'{"version": 1' + b"0" * 5000 + b"}", "this is no JSON", id="a number of 5000 digits"),
        pytest.param(b'{"version": 1, "version": 1}', '"version" stands twice', id="a key twice"),
        pytest.param(b" " * (MAX_BYTES + 1), "at most 16 MiB", id="too large"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, said: str) -> None:
    assert said in refused(data)


def test_a_number_beyond_all_numbers_is_refused_wherever_it_stands() -> None:
    assert "1e999 is no number" in refused(dumps(CLIMATE).replace(b": 0.25", b": 1e999"))
    assert "1e999 is no number" in refused(changed(lambda table: table["features"].update(bound=0.25)).replace(b": 0.25", b": 1e999"))


@given(st.binary(max_size=200) | st.integers(0, len(dumps(CLIMATE)) - 2))
def test_whatever_is_in_a_file_nothing_but_badweights_is_raised(odd: bytes | int) -> None:
    data = dumps(CLIMATE)
    data = odd if isinstance(odd, bytes) else data[:odd]
    with pytest.raises(BadWeights):
        loads(data, "topic")


@pytest.mark.parametrize(
    "wrong", [{"weights": {"x": float("nan")}}, {"weights": {"x": float("inf")}}, {"name": " "}, {"weights": {"": 1.0}}]
)
def test_what_no_file_may_say_cannot_be_made_either(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadWeights):
        Weights(**{"kind": "topic", "name": "x", "weights": {}, **wrong})


class Kept(Filed):
    """Weights as the config would name them."""

    def __init__(self, weights: Weights) -> None:
        self.hash = weights.hash

    @classmethod
    def loads(cls, data: bytes) -> Self:
        return cls(loads(data, "topic"))


def test_a_value_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "climate.json").write_bytes(dumps(CLIMATE))

    assert Kept.read(tmp_path / "climate.json").hash == CLIMATE.hash


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.json", "no such file"), (tmp_path, "cannot be read: Is a directory"), ("a\0b", "cannot be read")):
        with pytest.raises(BadWeights, match=said):
            Kept.read(path)


def test_a_file_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(MAX_BYTES * 4)

    with pytest.raises(BadWeights, match="at most 16 MiB"):
        Kept.read(tmp_path / "large.json")
