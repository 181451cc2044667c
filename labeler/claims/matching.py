"""Finds the claims that a post may be about, with the words that both share: index, then a linear order, then a similarity from 0 to 1.

Promises: exact and deterministic; equal claims come in the order of their ids; what a match says can be recomputed by hand from its
features and the two files of weights. Most posts cost little: they share too little with any claim, and that is known from rare words.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from labeler.claims import features
from labeler.claims.features import Side
from labeler.claims.keeping import kept
from labeler.claims.vocabulary import Background, background
from labeler.claims.words import Words, words
from models.claims import Claim
from models.weights import Weights, loads

LEAST_SHARED = 18.0
"""Weight of the words that a post must share with a claim to be a candidate: two rare words or three. No match above 0.5 has less."""
MOST = 50
"""Documents that are compared feature by feature: the best by BM25."""
REMEMBERED = 2_000
ORDER = "order"
ORDER_KIND, SIMILARITY_KIND = "claim-order", "claim-similarity"


class Match(NamedTuple):
    """A claim that a post may be about.

    `similarity`: 0 to 1, how likely it is the same claim; `order`: by this matches are sorted; `shared`: the post's words that the claim
    has too, as they stand there, folded; `features`: by name, what both numbers are made of.
    """

    claim: Claim
    wording: str
    similarity: float
    order: float
    shared: tuple[str, ...]
    features: Mapping[str, float]


class Learned(NamedTuple):
    """The two files of weights: `order` sorts candidates, `similarity` says how likely one is the claim of the post."""

    order: Weights
    similarity: Weights

    def ordered(self) -> Callable[[Sequence[float]], float]:
        """Gives the order of features in the order of `features.NAMES`."""
        return partial(dot, [self.order.weights.get(name, 0.0) for name in features.NAMES])

    def chances(self) -> Callable[[float, Sequence[float]], float]:
        """Gives the similarity, 0 to 1, of features in that order; the order that they give, over 10, is one more."""
        intercept, of_order = self.similarity.intercept, self.similarity.weights.get(ORDER, 0.0)
        weights = [self.similarity.weights.get(name, 0.0) for name in features.NAMES]

        def chance(order: float, values: Sequence[float]) -> float:
            logit = intercept + of_order * order / 10 + dot(weights, values)
            return 1 / (1 + math.exp(-max(-500.0, min(500.0, logit))))

        return chance

    def chance(self, values: Sequence[float]) -> float:
        """The similarity of some features."""
        return self.chances()(self.ordered()(values), values)


def learned() -> Learned:
    """The weights that ship with the project."""
    folder = files(__package__)
    kinds = (ORDER_KIND, "order.json"), (SIMILARITY_KIND, "similarity.json")
    return Learned(*[loads((folder / name).read_bytes(), kind) for kind, name in kinds])


class Compared(NamedTuple):
    """A document of the index beside a post: features in the order of `features.NAMES`."""

    document: int
    features: tuple[float, ...]


class Comparer:
    """A bank of claims, indexed, and what each of its documents has in common with a post."""

    def __init__(self, claims: Sequence[Claim], file: Path | None = None, posts: Background | None = None) -> None:
        self.claims = sorted(claims, key=lambda claim: claim.id)
        self.index = kept(self.claims, posts or background(), file)
        self._sides: dict[int, Side] = {}

    def candidates(self, text: Words) -> list[Compared]:
        """Documents that share at least `LEAST_SHARED` with a post, or nearly all of a short wording, best by BM25 first; mostly none."""
        index = self.index
        numbered = index.vocabulary.numbered(text)
        terms = sorted({term for terms in numbered for term in terms})
        numbers = {number for number, _ in index.gated(terms, LEAST_SHARED)}.union(index.covered(terms, LEAST_SHARED))
        if not numbers:
            return []
        scores = [(number, index.bm25(number, terms)) for number in sorted(numbers)]
        return self._compared(text, numbered, sorted(scores, key=_best_first)[:MOST])

    def ranked(self, text: Words) -> list[Compared]:
        """The best documents by BM25, however little they share."""
        numbered = self.index.vocabulary.numbered(text)
        terms = sorted({term for terms in numbered for term in terms})
        return self._compared(text, numbered, self.index.ranked(terms, MOST))

    def beside(self, claim_id: str, text: Words, wording: str | None) -> list[Compared]:
        """All documents of one claim, or that of one wording."""
        numbered = self.index.vocabulary.numbered(text)
        terms = sorted({term for terms in numbered for term in terms})
        return self._compared(text, numbered, [(number, self.index.bm25(number, terms)) for number in self._of_claim(claim_id, wording)])

    def _of_claim(self, claim_id: str, wording: str | None) -> list[int]:
        """Its documents; both claims and documents are in the order of the claims' ids."""
        claim = bisect_left(self.claims, claim_id, key=lambda one: one.id)
        if claim == len(self.claims) or self.claims[claim].id != claim_id:
            return []
        rows, wordings = self.index.tables.documents, self.claims[claim].wordings
        return [number for number in self._documents_of(claim) if wording is None or wordings[rows[number][1]].text == wording]

    def _documents_of(self, claim: int) -> range:
        """Of the claim in this place."""
        documents, rows = range(len(self.index)), self.index.tables.documents
        first, end = (bisect_left(documents, at, key=lambda number: rows[number][0]) for at in (claim, claim + 1))
        return documents[first:end]

    def _compared(self, text: Words, numbered: Sequence[tuple[int, ...]], scored: Sequence[tuple[int, float]]) -> list[Compared]:
        post = features.asked(text, numbered, self.index)
        return [Compared(number, features.compared(post, self._side(number), bm25, self.index)) for number, bm25 in scored]

    def _side(self, number: int) -> Side:
        found = self._sides.get(number)
        if found is None:
            found = self._made_side(number)
            if len(self._sides) < REMEMBERED:
                self._sides[number] = found
        return found

    def _made_side(self, number: int) -> Side:
        document = self.index.document(number)
        return features.side(document, self.claims[document.claim], self.index, self._documents_of(document.claim))

    def repeats(self, text: Words, document: int) -> bool:
        """Whether the wording stands in the post, word by word."""
        return self._side(document).says(text)

    def shared(self, text: Words, document: int) -> tuple[str, ...]:
        """The post's words that a document has, in the post's order, each once."""
        terms = self._side(document).terms
        numbered = self.index.vocabulary.numbered(text)
        return tuple(dict.fromkeys(word for word, of_word in zip(text.words, numbered, strict=True) if not terms.isdisjoint(of_word)))


class Matcher:
    """Asks a bank of claims about posts. `file` keeps what was built, for the next start; `posts` says which words are common."""

    def __init__(
        self, claims: Sequence[Claim], by: Learned | None = None, file: Path | None = None, posts: Background | None = None
    ) -> None:
        by = by or learned()
        self._comparer = Comparer(claims, file, posts)
        self._ordered, self._chance = by.ordered(), by.chances()

    def candidates(self, text: str, langs: Sequence[str] = ()) -> list[Match]:
        """Claims that share enough with a post, most likely first; mostly none. `langs` as the post declares them."""
        cut = words(text, langs)
        found = self._comparer.candidates(cut)
        return self._matches(cut, found) if found else []

    def search(self, text: str, langs: Sequence[str] = ()) -> list[Match]:
        """The best claims of the bank for a text, however little they share, most likely first."""
        cut = words(text, langs)
        return self._matches(cut, self._comparer.ranked(cut))

    def beside(self, claim_id: str, text: str, lang: str, wording: str | None = None) -> Match | None:
        """One claim of the bank beside a text in a language, however little they share; None when there is no such claim.

        wording: the one to look at; else that which comes first.
        """
        cut = words(text, lang=lang)
        return next(iter(self._matches(cut, self._comparer.beside(claim_id, cut, wording))), None)

    def _matches(self, cut: Words, found: Sequence[Compared]) -> list[Match]:
        """One match for each claim: by its wording that comes first."""
        comparer = self._comparer
        # A claim that stands in the post word by word comes first, whatever was learned.
        ordered = sorted([(not comparer.repeats(cut, one.document), -self._ordered(one.features), one) for one in found])
        matches: dict[int, Match] = {}
        for _, minus, one in ordered:
            document = comparer.index.document(one.document)
            if document.claim not in matches:
                claim = comparer.claims[document.claim]
                matches[document.claim] = Match(
                    claim,
                    claim.wordings[document.wording].text,
                    self._chance(-minus, one.features),
                    -minus,
                    comparer.shared(cut, one.document),
                    dict(zip(features.NAMES, one.features, strict=True)),
                )
        return list(matches.values())


def _best_first(scored: tuple[int, float]) -> tuple[float, int]:
    return -scored[1], scored[0]


def dot(weights: Sequence[float], values: Sequence[float]) -> float:
    """The sum of the products."""
    return sum([weight * value for weight, value in zip(weights, values, strict=True)])
