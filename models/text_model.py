"""The text model: how far a text reads like those that fact-checkers rated false. It ranks what people look at, and never labels alone.

What it is: one number a term, and nothing else. Terms are words, pairs of neighbouring words, and short runs of letters inside a word.
Score = intercept + sum of the weights of the distinct words and pairs in the text / square root of how many of them the model knows
                  + the same over its runs of letters. A calculator gives the same, to 1e-9; so does scikit-learn (tests judge by it).
Promises: identity terms are masked before features are made, so they weigh nothing; pure; bounded in memory and in time a post.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import exp, sqrt
from typing import Any, NamedTuple, Self

from models.cleaning import runs
from models.masking import NEUTRAL, Mask
from models.weights import BadWeights, Filed, Weights, loads

KIND = "text"
STRONGEST = 5
MAX_PAIR = 2
MAX_RUN = 6
"""No run of letters is longer, and no term has more than two words: a weight quotes nobody."""

UNKNOWN, MASKED = -1, -2
_NO_NUMBERS = frozenset({UNKNOWN, MASKED})
_CACHED_WORDS = 30_000


class Term(NamedTuple):
    """What one term adds: `product` = `weight` / square root of the number of known terms of its sort."""

    term: str
    weight: float
    product: float


class Scored(NamedTuple):
    """`value` is in log-odds (0 is even odds, in the mix of the training data); `terms` are those that moved it most, the strongest first.

    `coverage` is the share of the text's unmasked words that the model knows: where it is low, the value says little.
    """

    value: float
    terms: tuple[Term, ...]
    coverage: float

    @property
    def probability(self) -> float:
        """`probability` of the value."""
        return probability(self.value)


def probability(value: float) -> float:
    """Log-odds between 0 and 1, in the mix of the training data: in the wild false posts are rarer, so it is too high there."""
    return 1 / (1 + exp(-value)) if value > -700 else 0.0


class _Word(NamedTuple):
    """What the model knows of one word as it stands in a text: the form it counts as ("0" for a number, `NEUTRAL` when masked), the form's
    number, the numbers of the runs in it, its pairs by the form that follows."""

    form: str
    number: int
    runs: tuple[int, ...]
    pairs: Mapping[str, int]


class TextModel(Filed):
    """The model in a file of weights; BadWeights when the file is none."""

    made_by = "plainsky train text-model"

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.hash = weights.hash
        self.mask = _mask_of(weights.features)
        self.run_lengths = _run_lengths(weights.features)
        _check_terms(weights.weights, self.mask, self.run_lengths)
        # Numbers go by strength, so that the lowest numbers of a text are its strongest terms.
        self._terms = sorted(weights.weights, key=lambda term: (-abs(weights.weights[term]), term))
        self._values = [float(weights.weights[term]) for term in self._terms]
        self._known = _Known(self._terms, self.run_lengths, self.mask)

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """The model in a file's bytes."""
        return cls(loads(data, KIND))

    def words(self, text: str) -> list[str]:
        """What the model sees of a text: folded words, masked ones as `NEUTRAL`."""
        return self.mask.words(text)

    def score(self, text: str) -> Scored:
        """How a text is scored, and the terms that moved it most."""
        known = self._known
        facts = [known[word] for word in self.mask.phrases(runs(text))]
        numbers = [number for _, number, _, _ in facts]
        masked, unknown = numbers.count(MASKED), numbers.count(UNKNOWN)
        whole = set(numbers) - _NO_NUMBERS
        pairs: Mapping[str, int] = {}
        for form, _, _, following in facts:
            if pairs and form in pairs:
                whole.add(pairs[form])
            pairs = following
        letters = set(chain.from_iterable([found for _, _, found, _ in facts if found]))
        open_words = len(facts) - masked
        return self._scored(sorted(whole), sorted(letters), (open_words - unknown) / open_words if open_words else 0.0)

    def _scored(self, whole: Sequence[int], runs: Sequence[int], coverage: float) -> Scored:
        values, value = self._values, float(self.weights.intercept)
        strongest: list[tuple[float, int, float]] = []
        for numbers in (whole, runs):
            if numbers:
                share = 1 / sqrt(len(numbers))
                value += sum([values[number] for number in numbers]) * share
                strongest += [(-abs(values[number] * share), number, share) for number in numbers[:STRONGEST]]
        strongest.sort()
        terms = [Term(self._terms[number], values[number], values[number] * share) for _, number, share in strongest[:STRONGEST]]
        return Scored(value, tuple(terms), coverage)


def _mask_of(features: Mapping[str, Any]) -> Mask:
    mask = features.get("mask")
    if not isinstance(mask, dict) or not all(isinstance(by_lang, dict) for by_lang in mask.values()):
        raise BadWeights("features.mask: expected groups of terms by language")
    if not all(isinstance(text, str) for by_lang in mask.values() for text in by_lang.values()):
        raise BadWeights("features.mask: expected terms between spaces")
    try:
        return Mask(mask)
    except ValueError as error:
        raise BadWeights(f"features.mask: {error}") from None


def _run_lengths(features: Mapping[str, Any]) -> tuple[int, int]:
    lengths = features.get("run_lengths")
    if not isinstance(lengths, list) or len(lengths) != 2 or not all(type(length) is int for length in lengths):
        raise BadWeights("features.run_lengths: expected the shortest and the longest")
    shortest, longest = lengths
    if not 1 <= shortest <= longest <= MAX_RUN:
        raise BadWeights(f"features.run_lengths: expected lengths from 1 to {MAX_RUN}")
    return shortest, longest


def _check_terms(terms: Iterable[str], mask: Mask, run_lengths: tuple[int, int]) -> None:
    """A file with a weight for a masked word is no model of ours, whoever made it (invariant 12)."""
    for term in terms:
        if "*" in term:
            if not run_lengths[0] <= len(run_of(term)) <= run_lengths[1]:
                raise BadWeights(f"weights: {term!r}: expected a run of {run_lengths[0]} to {run_lengths[1]} letters")
        elif len(words := term.split(" ")) > MAX_PAIR:
            raise BadWeights(f"weights: {term!r}: expected at most {MAX_PAIR} words")
        elif any(word == NEUTRAL or mask.form(word) == NEUTRAL for word in words):
            raise BadWeights(f"weights: {term!r}: a masked word carries no weight")


class _Known(dict[str, _Word]):
    """Word -> what the model knows of it. Remembers words, and forgets them all when they are too many."""

    def __init__(self, terms: Sequence[str], run_lengths: tuple[int, int], mask: Mask) -> None:
        super().__init__()
        self._form = mask.form
        self._lengths = range(run_lengths[0], run_lengths[1] + 1)
        self._whole = {term: number for number, term in enumerate(terms) if "*" not in term}
        self._runs = {run_of(term): number for number, term in enumerate(terms) if "*" in term}
        self._pairs: dict[str, dict[str, int]] = {}
        for term, number in self._whole.items():
            first, _, second = term.partition(" ")
            if second:
                self._pairs.setdefault(first, {})[second] = number

    def __missing__(self, word: str) -> _Word:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        form = self._form(word)
        if form == NEUTRAL:
            fact = _NOTHING
        else:
            fact = _Word(form, self._whole.get(form, UNKNOWN), self._runs_in(form), self._pairs.get(form, _NO_PAIRS))
        self[word] = fact
        return fact

    def _runs_in(self, form: str) -> tuple[int, ...]:
        """What scikit-learn's `char_wb` makes of a word (a beginning or end counts as one letter), as far as the model knows it."""
        padded, get = f" {form} ", self._runs.get
        size = len(padded) + 1
        return tuple(
            [
                number
                for length in self._lengths
                for start in range(size - length)
                if (number := get(padded[start : start + length])) is not None
            ]
        )


_NO_PAIRS: Mapping[str, int] = {}
_NOTHING = _Word(NEUTRAL, MASKED, (), _NO_PAIRS)


def run_term(run: str) -> str:
    """A run of letters as a term: "vac*" at a word's beginning, "*tion" at its end, "*cin*" within. `run` has a space for either end."""
    return f"{run[1:]}*" if run[0] == " " else f"*{run[:-1]}" if run[-1] == " " else f"*{run}*"


def run_of(term: str) -> str:
    """`run_term`, backwards."""
    return term[1:-1] if term[0] == term[-1] == "*" else f" {term[:-1]}" if term[-1] == "*" else f"{term[1:]} "
