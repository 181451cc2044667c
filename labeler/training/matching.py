"""Learns how claims are ordered for a post, and how likely the first is the post's claim: `order.json` and `similarity.json`.

The order is learned from the lists of candidates: the chance of the right claim, which is the softmax of the sums, is made the largest
(Cao et al. 2007, ListNet with one right answer). The similarity, which decides whether anything is said at all, is a logistic regression
on first candidates: right ones, wrong ones, and those of everyday posts. Same input, same weights.
A pair counts once as it is, and once without the signature of the tweet ("— Name (@handle) October 3, 2019"): real posts have none, and
what is learned must not rest on dates.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import evolve

from labeler.claims import features
from labeler.claims.matching import ORDER, ORDER_KIND, SIMILARITY_KIND, Compared, Comparer, Learned, dot
from labeler.claims.vocabulary import Background
from labeler.claims.words import words
from labeler.training import library
from models.weights import Weights

STRENGTH_ORDER = 0.1
"""Of the regularisation: scikit-learn's C."""
OF_POST = ("post_length",)
"""The same for all candidates of a post: they order nothing."""
TELLING = (
    ORDER,
    "bm25",
    "overlap",
    "post_coverage",
    "summary_coverage",
    "second_missing",
    "shared_numbers",
    "shared_weight",
    "fourth_rarest",
    "second_group",
    "third_group",
    "fourth_group",
    "group_coverage",
    "title_group_coverage",
    "second_surprise",
    "title_surprise",
    "shared_twice",
    "longest_phrase",
    "names_and_deeds",
    "post_length",
)
"""Features that say whether the first candidate is the claim at all. All of them together do it no better."""
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


SIGNATURE = re.compile(r"\s*— [^—]{0,80}\(@\w{1,20}\)\s+[A-Z][a-z]{2,8} \d{1,2}, \d{2,4}\s*\"?\s*$")


def unsigned(text: str) -> str:
    """A tweet as it is embedded in a page, without who wrote it and when."""
    return SIGNATURE.sub("", text)


class Seen(NamedTuple):
    """A post's candidates, best by BM25 first, and which of them are right (none of an everyday post's)."""

    found: Sequence[Compared]
    right: Sequence[bool]


def seen(comparer: Comparer, text: str, claims: Collection[str], gate: bool = False) -> Seen:
    """What the matcher would look at for a post."""
    cut = words(text)
    found = comparer.candidates(cut) if gate else comparer.ranked(cut)
    return Seen(found, [comparer.claims[comparer.index.document(one.document).claim].id in claims for one in found])


FORMS = ("as they are", "without signatures")
"""Of the pairs' posts: `unsigned`."""


class Pairs(NamedTuple):
    """What is seen of each pair in one of the `FORMS`: the best by BM25, and the candidates."""

    ranked: Sequence[Seen]
    gated: Sequence[Seen]


class Fold(NamedTuple):
    """What is learned from when a fold is held out, and what came of it."""

    pairs: Sequence[Pairs]
    others: Sequence[Seen]
    learned: Learned


class Recipe(NamedTuple):
    """How the similarity is learned: from which features, how strongly (scikit-learn's C), also from wrong first candidates of pairs or
    not, and from so many everyday posts, those that it would find most similar, or from all."""

    names: Sequence[str] = TELLING
    strength: float = 3.0
    wrong: bool = True
    hardest: int | None = None


def fitted(pairs: Sequence[Pairs], others: Sequence[Seen], card: Mapping[str, Any] | None = None) -> Learned:
    """Weights from what was seen of pairs, in several forms that share the weight of one, and of everyday posts."""
    names = [name for name in features.NAMES if name not in OF_POST]
    order = Weights(
        kind=ORDER_KIND, name="order of candidates", weights=_named(names, _order([one for form in pairs for one in form.ranked], names))
    )
    return Learned(evolve(order, card=card or {}), similarity(pairs, others, order, Recipe(), card))


def similarity(
    pairs: Sequence[Pairs], others: Sequence[Seen], order: Weights, by: Recipe, card: Mapping[str, Any] | None = None
) -> Weights:
    """Weights of the similarity of what an order puts first."""
    firsts = [(first(one, order), 1 / len(pairs)) for form in pairs for one in form.gated if one.found]
    rated = [_Rated(_telling(found, order, by.names), right, count) for (found, right), count in firsts if right or by.wrong]
    everyday = [_Rated(_telling(first(one, order)[0], order, by.names), False, 1.0) for one in others if one.found]
    weights, base = _similarity([*rated, *everyday], by.strength)
    if by.hardest:
        everyday.sort(key=lambda one: -dot(weights, one.values))
        weights, base = _similarity([*rated, *everyday[: by.hardest]], by.strength)
    return Weights(
        kind=SIMILARITY_KIND, name="same claim", weights=_named(by.names, weights), intercept=round(base, DIGITS), card=card or {}
    )


def _named(names: Sequence[str], values: Iterable[float]) -> dict[str, float]:
    return dict(zip(names, [round(float(value), DIGITS) for value in values], strict=True))


def _order(ranked: Sequence[Seen], names: Sequence[str]) -> Any:
    """Weights at which the right claims are likeliest."""
    numpy = library("numpy")
    columns = [features.NAMES.index(name) for name in names]
    lists = [(numpy.array([one.features for one in some.found])[:, columns], numpy.array(some.right)) for some in ranked if any(some.right)]
    every = numpy.concatenate([numpy.array([one.features for one in some.found])[:, columns] for some in ranked if some.found])
    spread = every.std(0) + 1e-9
    longest = max(len(right) for _, right in lists)
    tables, absent, wanted = (numpy.zeros((len(lists), longest, *more)) for more in ((len(columns),), (), ()))
    absent -= numpy.inf
    for n, (table, right) in enumerate(lists):
        tables[n, : len(right)] = table / spread
        absent[n, : len(right)] = 0
        wanted[n, : len(right)] = right / right.sum()

    def loss(at: Any) -> Any:
        sums = tables @ at + absent
        sums -= sums.max(1, keepdims=True)
        chances = numpy.exp(sums)
        whole = chances.sum(1, keepdims=True)
        told = (wanted * (numpy.where(absent < 0, 0, sums) - numpy.log(whole))).sum()
        away = (chances / whole - wanted).reshape(-1) @ tables.reshape(-1, len(columns))
        return -STRENGTH_ORDER * told + 0.5 * at @ at, STRENGTH_ORDER * away + at

    start, options = numpy.zeros(len(columns)), {"maxiter": 1_000, "ftol": 1e-12, "gtol": 1e-7}
    return library("scipy.optimize").minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x / spread


class _Rated(NamedTuple):
    """A first candidate's features, whether it is right, and what it counts."""

    values: Sequence[float]
    right: bool
    weight: float


def _similarity(firsts: Sequence[_Rated], strength: float) -> tuple[Any, float]:
    numpy, linear_model = library("numpy"), library("sklearn.linear_model")
    table = numpy.array([one.values for one in firsts])
    mean, spread = table.mean(0), table.std(0) + 1e-9
    model = linear_model.LogisticRegression(C=strength, max_iter=5_000, tol=1e-6)
    model.fit((table - mean) / spread, [one.right for one in firsts], [one.weight for one in firsts])
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ mean)


def _telling(compared: Compared, order: Weights, names: Sequence[str]) -> list[float]:
    values = dict(zip(features.NAMES, compared.features, strict=True))
    values[ORDER] = _sum(compared, order) / 10
    return [values[name] for name in names]


def _sum(compared: Compared, order: Weights) -> float:
    return dot([order.weights.get(name, 0.0) for name in features.NAMES], compared.features)


def scores(one: Seen, order: Weights) -> list[float]:
    """By what the order sorts a post's candidates."""
    return [_sum(compared, order) for compared in one.found]


def first(one: Seen, order: Weights) -> tuple[Compared, bool]:
    """The candidate that the order puts first, and whether it is right."""
    values = scores(one, order)
    best = max(range(len(values)), key=lambda at: (values[at], -at))
    return one.found[best], one.right[best]
