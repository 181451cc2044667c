"""A topic: terms with weights, so that the sum over what a post says tells how much it is about the topic.

The weights are the operator's own ("terms", from the config) or learned from the operator's examples ("model", a file of `models.weights`).
Promises: a score is a pure function of the post's words, never of engagement or author; the same bits on every machine and in every
order of the terms (correctly rounded sums and exponentials, no BLAS); each term counts once, however often it is said.
"""

import decimal
import math
import re
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import pairwise
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self

from attrs import field, frozen

from models.cleaning import words
from models.post import Post
from models.text import UNSPACED, finder, fold, without_addresses
from models.weights import BadWeights, Filed, Weights, hash_of, loads

KIND = "topic"
"""What a topic model's file says that it is."""
FEATURES = {"version": 1, "places": ["text", "alt", "link"], "words": [1, 2], "value": "1 when said, however often"}
"""How a post becomes terms. The version rises when `said` gives anything else, so that no model is asked about what it was not made for."""

MAX_TERMS = 1_000
MAX_TERM = 100
MAX_WEIGHT = 1_000
"""Of a term in the config. With the number of terms it bounds every sum, so that no score reaches 1."""

_DECIMALS = 9
"""Of a sum of the operator's weights: to the operator 0.7 and 0.1 is 0.8, to a computer a little less."""
_STEEPEST = 36
"""A sum from which a model is as sure as a float below 1 can say; beyond 700 in the negative, as one above 0 can."""
# Neither a phrase (NUL) nor a word (line break) reaches from one place into the next.
_APART = "\n\0\n"
_UNSPACED_RUN = re.compile(f"(?:(?![\u3001-\u3004\u3008-\u3020\u3030\u3036-\u303f\u30a0\u30fb]){UNSPACED.pattern})+")  # but no punctuation
_FIRST_UNSPACED = "\u0e00"
_EXACT = decimal.Context(prec=20, traps=[])
_ONE = decimal.Decimal(1)


class Scored(NamedTuple):
    """How much a post is about a topic.

    `value`: from 0 (not at all) to below 1. `sum`: what it is made of, the weights of what was found (and a model's intercept: log-odds).
    `found`: each term that the post says with its weight, the strongest first, as the topic writes it.
    """

    value: float
    sum: float
    found: tuple[tuple[str, float], ...]


@frozen
class Topic(Filed):
    """What a post is scored by. Two are equal when their `hash` is (SHA-256 in hexadecimal, for a model that of its file's contents)."""

    made_by = "plainsky train-topic"
    name: str = field(eq=False)
    kind: Literal["terms", "model"] = field(eq=False)
    weights: Mapping[str, float] = field(eq=False, repr=False)
    intercept: float = field(eq=False)
    card: Mapping[str, Any] = field(eq=False, repr=False)
    hash: str
    _find: "Callable[[Post], Set[str]]" = field(eq=False, repr=False)

    @classmethod
    def of_terms(cls, weights: Mapping[str, float], name: str = "") -> Self:
        """A topic of words and phrases with weights of the operator's own. ValueError, naming the term, when one makes no sense."""
        by_fold = _checked(weights)
        plain = {term: float(weight) for term, weight in weights.items()}
        hash_ = hash_of({"kind": "terms", "weights": plain})
        return cls(name, "terms", MappingProxyType(plain), 0.0, {}, hash_, _standing_free(by_fold))

    @classmethod
    def of_weights(cls, weights: Weights) -> Self:
        """A topic model. BadWeights when it takes posts apart in another way than this Plainsky does."""
        if dict(weights.features) != FEATURES:
            raise BadWeights("features: expected those that this Plainsky knows: train the topic anew")
        known = frozenset(weights.weights)
        return cls(
            weights.name, "model", weights.weights, float(weights.intercept), weights.card, weights.hash, lambda post: said(post) & known
        )

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """The topic model in a file's bytes, as `plainsky train-topic` writes it."""
        return cls.of_weights(loads(data, KIND))

    def score(self, post: Post) -> Scored:
        """How much the post is about the topic, and by which of its words."""
        weights = self.weights
        found = sorted([(term, weights[term]) for term in self._find(post)])
        found.sort(key=itemgetter(1), reverse=True)  # stable, so that of equal weights the first in the alphabet comes first
        said_weights = [weight for _, weight in found]
        if self.kind == "model":
            log_odds = math.fsum([self.intercept, *said_weights])
            return Scored(_sigmoid(log_odds), log_odds, tuple(found))
        sum_ = total(said_weights)
        return Scored(sum_ / (1 + sum_) if sum_ > 0 else 0.0, sum_, tuple(found))


def total(weights: Iterable[float]) -> float:
    """The sum of weights of the config, in whatever order they come."""
    return round(math.fsum(weights), _DECIMALS)


def said(post: Post) -> Set[str]:
    """The words of a post and its pairs of neighbouring words, of text, alt texts and link card; what models are trained on.

    In scripts without spaces it is each character and each pair of neighbours, which is often what others would call a word.
    """
    found: set[str] = set()
    for place in (post.text, *post.alts, *post.card):
        if place:
            here = words(place)
            found.update(here)
            found.update(map(" ".join, pairwise(here)))
            if not place.isascii() and max(place) >= _FIRST_UNSPACED:
                for run in _UNSPACED_RUN.findall(fold(place)):
                    found.update(run)
                    found.update(map("".join, pairwise(run)))
    return found


def text_of(post: Post) -> str:
    """All that a post says in words (text, alt texts, link card), folded, without addresses: where terms of the config are looked for."""
    return without_addresses(fold(_APART.join((post.text, *post.alts, *post.card)) if post.alts or post.card else post.text))


def folded(term: str) -> str:
    """The spelling in which a term of the config is compared."""
    return fold(term).strip()


def _sigmoid(log_odds: float) -> float:
    # Not math.exp: libraries of C round it differently in the last bit. decimal rounds correctly everywhere; 5 µs.
    odds = _EXACT.create_decimal_from_float(-min(log_odds, _STEEPEST)).exp(_EXACT)
    return float(_EXACT.divide(_ONE, _EXACT.add(_ONE, odds)))


def _standing_free(by_fold: Mapping[str, str]) -> "Callable[[Post], Set[str]]":
    terms = list(by_fold.values())
    find = finder({folded: number for number, folded in enumerate(by_fold)})
    return lambda post: {terms[number] for number in find([text_of(post)])[0]}


def _checked(weights: Mapping[str, float]) -> dict[str, str]:
    """The terms by their folded spelling."""
    if not weights:
        raise ValueError("expected at least one term")
    if len(weights) > MAX_TERMS:
        raise ValueError(f"expected at most {MAX_TERMS} terms, found {len(weights)}")
    by_fold: dict[str, str] = {}
    for term, weight in weights.items():
        _check(term, weight)
        first = by_fold.setdefault(folded(term), term)
        if first != term:
            raise ValueError(f'"{term}" is the same as "{first}": expected each term once')
    if max(weights.values()) <= 0:
        raise ValueError("expected at least one weight above 0, or no post is ever about the topic")
    return by_fold


def _check(term: str, weight: float) -> None:
    if not term.isprintable() or not folded(term) or len(term) > MAX_TERM:
        raise ValueError(f"{term!a:.60}: expected a word or phrase of 1 to {MAX_TERM} printable characters")
    if without_addresses(folded(term)) != folded(term):
        raise ValueError(f'"{term}": expected words, which are not looked for in addresses and handles')
    if not 0 < abs(weight) <= MAX_WEIGHT:  # also refuses NaN
        raise ValueError(f'"{term}" = {weight}: expected a weight from -{MAX_WEIGHT} to {MAX_WEIGHT}, other than 0')
