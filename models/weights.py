"""Weights that were learned from examples, in a JSON file that people can read, compare and recompute by hand.

Promises: the same weights give the same bytes. A file carries the SHA-256 of what it says: one that was changed, is of another kind or
version, or holds what is no number is refused, with what is wrong and where. Reading a file runs nothing (as pickle would) and is bounded.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, Self

from attrs import field, frozen

VERSION = 1
"""Of the file's form. A file of another version is refused, never guessed at."""

MAX_BYTES = 16 << 20
MAX_WEIGHTS = 100_000
MAX_WEIGHT = 1e6
"""No weight is larger, so that the sum of any number of them is a number."""
MAX_NAME = 100
MAX_TERM = 200


class BadWeights(ValueError):
    """Not a file of weights, or not one as it was written; the message says what is wrong, and where in the file."""


def _frozen(table: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(table))


@frozen
class Weights:
    """A weight for each term, and where they come from. Two are equal when their `hash` is.

    `kind`: what the weights are for ("topic"). `name`: whatever its maker called it. `features`: how a text becomes terms, as plain JSON.
    `card`: what people should know before they rely on it (data, metrics, limits), as plain JSON. `hash`: SHA-256, in hexadecimal.
    """

    kind: str = field(eq=False)
    name: str = field(eq=False)
    weights: Mapping[str, float] = field(eq=False, converter=_frozen, repr=False)
    intercept: float = field(eq=False, default=0.0)
    features: Mapping[str, Any] = field(eq=False, factory=dict, converter=_frozen)
    card: Mapping[str, Any] = field(eq=False, factory=dict, converter=_frozen, repr=False)
    hash: str = field(init=False)

    @hash.default
    def _hash(self) -> str:
        _check(self)
        return hash_of(_said(self))


class Filed:
    """A value that the config names by the file it is kept in; two are equal when their `hash` is."""

    made_by: ClassVar[str] = ""
    """The command that makes such a file, for who has none."""
    hash: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """The value in a file's bytes; BadWeights when they are not as they should be."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The value in a file; BadWeights also when the file cannot be read."""
        try:
            with Path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise BadWeights("no such file" + (f": `{cls.made_by}` makes one" if cls.made_by else "")) from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise BadWeights(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
        return cls.loads(data)


def dumps(weights: Weights) -> bytes:
    """The file: one weight a line, the largest first. Ends with a line break."""
    said = _said(weights)
    ranked = {term: said["weights"][term] for term in sorted(said["weights"], key=lambda term: (-said["weights"][term], term))}
    table = {"version": VERSION, "kind": weights.kind, "name": weights.name, "hash": weights.hash, **said, "weights": ranked}
    return (json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def loads(data: bytes, kind: str) -> Weights:
    """The weights in a file's bytes; BadWeights when it is no such file, is of another kind or version, or was changed since."""
    try:
        return _weights(_table(data), kind)
    except RecursionError:
        raise BadWeights("this is no file of weights: its values stand in each other too deeply") from None


def _weights(table: dict[str, Any], kind: str) -> Weights:
    _same("version", table.get("version"), VERSION, "this Plainsky reads version")
    _same("kind", table.get("kind"), kind, "expected")
    if wrong := sorted(_KEYS ^ table.keys()):
        raise BadWeights(f"{_shown(wrong[0])}: {'required key is missing' if wrong[0] in _KEYS else 'unknown key'}")
    made = Weights(
        kind=kind,
        name=table["name"],
        weights=_object("weights", table["weights"]),
        intercept=table["intercept"],
        features=_object("features", table["features"]),
        card=_object("card", table["card"]),
    )
    if table["hash"] != made.hash:
        raise BadWeights(f"hash: {_shown(table['hash'])}: changed after it was written, what it says now gives {made.hash}")
    return made


_KEYS = frozenset({"version", "kind", "name", "hash", "card", "features", "intercept", "weights"})


def hash_of(said: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON object written with sorted keys, without spaces, in ASCII."""
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _said(weights: Weights) -> dict[str, Any]:
    return {
        "version": VERSION,
        "kind": weights.kind,
        "name": weights.name,
        "card": dict(weights.card),
        "features": dict(weights.features),
        "intercept": float(weights.intercept),
        "weights": {term: float(weight) for term, weight in weights.weights.items()},
    }


def _check(weights: Weights) -> None:
    """What a program may get wrong as well as a file."""
    if not _is_text(weights.name, MAX_NAME):
        raise BadWeights(f"name: {_shown(weights.name)}: expected 1 to {MAX_NAME} printable characters")
    if len(weights.weights) > MAX_WEIGHTS:
        raise BadWeights(f"weights: expected at most {MAX_WEIGHTS}, found {len(weights.weights)}")
    _number("intercept", weights.intercept)
    for term, weight in weights.weights.items():
        if not _is_text(term, MAX_TERM):
            raise BadWeights(f"weights: {_shown(term)}: expected a term of 1 to {MAX_TERM} printable characters")
        _number(f"weights: {_shown(term)}", weight)


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable() and not value.isspace()


def _table(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise BadWeights(f"expected at most {MAX_BYTES >> 20} MiB")
    try:
        return _object("the file", json.loads(data.decode(), object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_number))
    except BadWeights:
        raise
    except ValueError as error:
        raise BadWeights(f"this is no JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that stands in it twice would show a reader one value and mean another."""
    table = dict(pairs)
    if len(table) < len(pairs):
        raise BadWeights(f"{_shown(Counter(key for key, _ in pairs).most_common(1)[0][0])} stands twice in one object")
    return table


def _finite(written: str) -> float:
    """A number; 1e400 is written like one, and would be read as infinity."""
    number = float(written)
    return number if isfinite(number) else _no_number(written[:60])


def _no_number(word: str) -> NoReturn:
    raise BadWeights(f"{word} is no number that a weight may be")


def _same(key: str, found: Any, wanted: Any, expected: str) -> None:
    if type(found) is not type(wanted) or found != wanted:
        raise BadWeights(f"{key}: {_shown(found)}: {expected} {_shown(wanted)}")


def _object(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadWeights(f"{where}: expected an object of keys")
    return value


def _number(where: str, value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= MAX_WEIGHT:  # also refuses NaN
        raise BadWeights(f"{where}: {_shown(value)}: expected a number from {-MAX_WEIGHT:.0f} to {MAX_WEIGHT:.0f}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
