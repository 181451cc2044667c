"""Whether a post says the opposite without a negation: the sides of a comparison change places, or another verb stands for the claim's.

Promise: pure; only words that the claim has too are compared.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from labeler.claims.vocabulary import stem
from labeler.stance.cues import COMPARISONS, THANS, Cues
from labeler.stance.said import Said

SHORTEST = 3
"""Letters of a word that says something."""
PART = 5
"""Letters of a part of a compound."""


class Sides(NamedTuple):
    """Stems before and behind a "than", without those that stand on both sides."""

    left: frozenset[str]
    right: frozenset[str]


def is_reversed(said: Said, shared: Collection[str], wording: tuple[str, ...], lang: str) -> bool:
    """Whether a post compares the other way round: "humans emit more than volcanoes" beside "volcanoes emit more than humans"."""
    claim = _sides(wording, lang)
    if claim is None:
        return False
    found = [sides for sentence in said.sentences if (sides := _sides(sentence.counting({*shared, *wording}), said.lang))]
    return any(_meet(claim.right, sides.left) and _meet(claim.left, sides.right) for sides in found)


def _meet(some: Collection[str], others: Collection[str]) -> bool:
    """Whether a stem is in both, or one begins a compound of the other: diesel, dieselauto."""
    return any(one == other or _begins(one, other) or _begins(other, one) for one in some for other in others)


def _begins(one: str, other: str) -> bool:
    return len(one) >= PART and other.startswith(one)


@lru_cache(2_000)
def _sides(words: tuple[str, ...], lang: str) -> Sides | None:
    """What is compared; None where nothing is."""
    than = next((at for at, word in enumerate(words) if word in _of(THANS, lang) and _compares(words[:at], lang)), None)
    if than is None:
        return None
    left, right = ({stem(word, lang) for word in side if len(word) >= SHORTEST} for side in (words[:than], words[than + 1 :]))
    return Sides(frozenset(left - right), frozenset(right - left))


def _compares(words: Sequence[str], lang: str) -> bool:
    known = _of(COMPARISONS, lang)
    return any(word in known or (lang != "fr" and len(word) > SHORTEST and word.endswith("er")) for word in words)


def _of(by_lang: dict[str, Cues], lang: str) -> Collection[str]:
    return by_lang.get(lang, by_lang["en"]).words
