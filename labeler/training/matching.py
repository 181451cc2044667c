"""Learns how claims are ordered for a post, and how likely the first is the post's claim: `order.json` and `similarity.json`.

The order is learned from pairs of candidates (a logistic regression on the differences of their features, without intercept), the
similarity from first candidates: right ones, wrong ones, and those of everyday posts. Same input, same weights.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from labeler.claims import features
from labeler.claims.matching import ORDER_KIND, SIMILARITY_KIND, Compared, Comparer, Learned, dot
from labeler.claims.vocabulary import Background
from labeler.claims.words import words
from labeler.training import library
from models.weights import Weights

STRENGTH_ORDER, STRENGTH_SIMILARITY = 1.0, 1.0
"""Of the regularisation: scikit-learn's C."""
MOST_WRONG = 30
DIGITS = 6
LEAST_POSTS = 4
"""Posts that must have a word before it is counted at all."""


class Pair(NamedTuple):
    """A post and the ids of the claims that it repeats."""

    text: str
    claims: frozenset[str]


def frequencies(texts: Sequence[str]) -> Background:
    """How common words are in everyday posts in English, for `background.json`; rare ones may name people, and are left out."""
    cut = [words(text) for text in texts]
    english = [one for one in cut if one.lang == "en"]
    counts = Counter(word for one in english for word in set(one.words))
    return Background(
        len(english), {"en": {word: counts[word] for word in sorted(counts) if counts[word] >= LEAST_POSTS and word.isascii()}}
    )


class Seen(NamedTuple):
    """A post's candidates, best by BM25 first, and which of them are right (none of an everyday post's)."""

    found: Sequence[Compared]
    right: Sequence[bool]


def seen(comparer: Comparer, text: str, claims: Collection[str], gate: bool = False) -> Seen:
    """What the matcher would look at for a post."""
    cut = words(text)
    found = comparer.candidates(cut) if gate else comparer.ranked(cut)
    return Seen(found, [comparer.claims[comparer.index.document(one.document).claim].id in claims for one in found])


def fitted(ranked: Sequence[Seen], gated: Sequence[Seen], others: Sequence[Seen], card: Mapping[str, Any] | None = None) -> Learned:
    """Weights from what was seen: the order from the best by BM25 of each pair, the similarity from the first candidates."""
    order = Weights(kind=ORDER_KIND, name="order of candidates", weights=_named(_order(ranked)), card=card or {})
    weights, base = _similarity([first(one, order) for one in (*gated, *others) if one.found])
    similarity = Weights(kind=SIMILARITY_KIND, name="same claim", weights=_named(weights), intercept=round(base, DIGITS), card=card or {})
    return Learned(order, similarity)


def _named(values: Iterable[float]) -> dict[str, float]:
    return dict(zip(features.NAMES, [round(float(value), DIGITS) for value in values], strict=True))


def _order(ranked: Sequence[Seen]) -> Any:
    numpy, linear_model = library("numpy"), library("sklearn.linear_model")
    rows, signs = [], []
    for one in ranked:
        table = numpy.array([compared.features for compared in one.found])
        wrong = [at for at, right in enumerate(one.right) if not right][:MOST_WRONG]
        for at in [at for at, right in enumerate(one.right) if right]:
            for n, other in enumerate(wrong):
                sign = 1 if n % 2 else -1  # both classes, evenly
                rows.append(sign * (table[at] - table[other]))
                signs.append(sign)
    differences = numpy.array(rows)
    spread = differences.std(0) + 1e-9
    model = linear_model.LogisticRegression(C=STRENGTH_ORDER, fit_intercept=False, max_iter=5_000).fit(differences / spread, signs)
    return model.coef_[0] / spread


def _similarity(firsts: Sequence[tuple[Compared, bool]]) -> tuple[Any, float]:
    numpy, linear_model = library("numpy"), library("sklearn.linear_model")
    table = numpy.array([compared.features for compared, _ in firsts])
    mean, spread = table.mean(0), table.std(0) + 1e-9
    model = linear_model.LogisticRegression(C=STRENGTH_SIMILARITY, max_iter=5_000)
    model.fit((table - mean) / spread, [right for _, right in firsts])
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ mean)


def scores(one: Seen, order: Weights) -> list[float]:
    """By what the order sorts a post's candidates."""
    weights = [order.weights[name] for name in features.NAMES]
    return [dot(weights, compared.features) for compared in one.found]


def first(one: Seen, order: Weights) -> tuple[Compared, bool]:
    """The candidate that the order puts first, and whether it is right."""
    values = scores(one, order)
    best = max(range(len(values)), key=lambda at: (values[at], -at))
    return one.found[best], one.right[best]
