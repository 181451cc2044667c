"""Which claims share words with a post: an inverted index, exact, built once for a bank.

A document is one wording of a claim, with the fact-check's title and summary where they are in the same language. Two questions:
`gated` gives the documents that share words of at least some weight with the post (most posts: none), at the cost of their rare words;
`ranked` gives the best by BM25 over the fields, whatever they share.
Sources: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), 3.6; Turtle and Flood 1995 (upper bounds).
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import NamedTuple

from labeler.claims.ragged import Ragged
from labeler.claims.vocabulary import Background, Vocabulary
from labeler.claims.words import Words, words
from models.claims import Claim

FIELD_WEIGHTS = (1.0, 1.0, 0.7)
"""Of wording, title and summary."""
K1, B = 1.5, 0.5
COVERED = 0.75
"""Share of a short wording's weight that must be shared."""


class Document(NamedTuple):
    """One wording of a claim: terms of its wording, title and summary in their order, and which of them are `names`."""

    claim: int
    wording: int
    fields: tuple[Sequence[int], Sequence[int], Sequence[int]]
    names: Sequence[int]


class Tables(NamedTuple):
    """What an index is made of; a row for each document, or (`postings`, `impacts`) for each term."""

    documents: Ragged
    """(claim, wording) of each document."""
    fields: tuple[Ragged, Ragged, Ragged]
    names: Ragged
    distinct: Ragged
    postings: Ragged
    impacts: Ragged


class Index:
    """The documents of a bank. Made by `built`, or from what was kept of it."""

    def __init__(self, vocabulary: Vocabulary, tables: Tables, background: Background) -> None:
        self.vocabulary, self.tables = vocabulary, tables
        self.distinct, self.postings, self.impacts = tables.distinct, tables.postings, tables.impacts
        vocabulary.settle([len(posting) for posting in tables.postings], len(tables.documents), background)
        self._short: dict[float, dict[int, list[tuple[int, float]]]] = {}

    def __len__(self) -> int:
        return len(self.distinct)

    def document(self, number: int) -> Document:
        """One document; the wording's number is its place among the claim's wordings."""
        claim, wording = self.tables.documents[number]
        wordings, titles, summaries = self.tables.fields
        return Document(claim, wording, (wordings[number], titles[number], summaries[number]), self.tables.names[number])

    def gated(self, terms: Sequence[int], least: float) -> list[tuple[int, float]]:
        """(document, weight of the words shared) of every document that shares at least `least` with these distinct terms."""
        weights = self.vocabulary.weights
        order = sorted(terms, key=weights.__getitem__)
        hits, skipped = _bounds([weights[term] for term in order], least)
        counted: Counter[int] = Counter()
        for term in order[skipped:]:
            counted.update(self.postings[term])  # counted in C: the loop over postings is nearly all the work
        among, distinct = frozenset(terms).intersection, self.distinct
        shared = [
            (number, sum([weights[term] for term in sorted(among(distinct[number]))])) for number, count in counted.items() if count >= hits
        ]
        return [(number, mass) for number, mass in shared if mass >= least]

    def covered(self, terms: Sequence[int], least: float) -> list[int]:
        """Documents too short for `gated`: most of the wording's weight (`COVERED`), and two words of it, are shared with these terms."""
        short = self._short.get(least)
        if short is None:
            short = self._short[least] = self._shorts(least)
        weights, asked = self.vocabulary.weights, frozenset(terms)
        near = {pair for term in terms for pair in short.get(term, ())}
        found = []
        for number, needed in sorted(near):
            shared = sorted(asked.intersection(self.tables.fields[0][number]))
            if len(shared) > 1 and sum([weights[term] for term in shared]) >= needed:
                found.append(number)
        return found

    def _shorts(self, least: float) -> dict[int, list[tuple[int, float]]]:
        """By term, the short documents to look at: those of whose rarest words it is one. Without any of these too little can be shared."""
        weights = self.vocabulary.weights
        short: dict[int, list[tuple[int, float]]] = {}
        for number, wording in enumerate(self.tables.fields[0]):
            terms = sorted(set(wording), key=lambda term: (-weights[term], term))
            whole = sum([weights[term] for term in terms])
            if COVERED * whole < least:
                room = (1 - COVERED) * whole + _SLACK
                for term in terms:
                    if room < 0:
                        break
                    short.setdefault(term, []).append((number, COVERED * whole - _SLACK))
                    room -= weights[term]
        return short

    def ranked(self, terms: Iterable[int], most: int) -> list[tuple[int, float]]:
        """(document, BM25) of the best documents for these distinct terms, best first."""
        scores: dict[int, float] = {}
        for term in terms:
            rarity = self.vocabulary.rarity[term]
            for number, impact in zip(self.postings[term], self.impacts[term], strict=True):
                scores[number] = scores.get(number, 0.0) + rarity * impact
        return nsmallest(most, scores.items(), key=lambda scored: (-scored[1], scored[0]))

    def bm25(self, number: int, terms: Iterable[int]) -> float:
        """The score of one document for these terms, as `ranked` gives it."""
        score = 0.0
        for term in terms:
            posting = self.postings[term]
            at = bisect_left(posting, number)
            if at < len(posting) and posting[at] == number:
                score += self.vocabulary.rarity[term] * self.impacts[term][at]
        return score


def built(claims: Sequence[Claim], background: Background) -> Index:
    """The index of all wordings of these claims; `background` says which words are common in everyday posts."""
    vocabulary = Vocabulary()
    documents = [document for n, claim in enumerate(claims) for document in _documents(vocabulary, n, claim)]
    fields = [Ragged.of("I", (document.fields[at] for document in documents)) for at in range(3)]
    postings, impacts = _inverted(documents, [max(1.0, field.mean()) for field in fields], len(vocabulary.terms))
    tables = Tables(
        Ragged.of("I", ((document.claim, document.wording) for document in documents)),
        (fields[0], fields[1], fields[2]),
        Ragged.of("I", (document.names for document in documents)),
        Ragged.of("I", (sorted({term for field in document.fields for term in field}) for document in documents)),
        Ragged.of("I", postings),
        Ragged.of("f", impacts),
    )
    return Index(vocabulary, tables, background)


def _documents(vocabulary: Vocabulary, n: int, claim: Claim) -> Iterator[Document]:
    about: dict[str, tuple[list[int], list[int], frozenset[int]]] = {}
    for at, (text, lang) in enumerate(claim.wordings):
        cut = words(text, lang=lang or None)
        if cut.lang not in about:
            of_review = claim.lang in (cut.lang, "")
            title = words(claim.title if of_review else "", lang=cut.lang)
            summary = words(claim.summary if of_review else "", lang=cut.lang)
            about[cut.lang] = _terms(vocabulary, title), _terms(vocabulary, summary), _named(vocabulary, summary)
        of_title, of_summary, names = about[cut.lang]
        yield Document(n, at, (_terms(vocabulary, cut), of_title, of_summary), sorted(names | _named(vocabulary, cut)))


def _terms(vocabulary: Vocabulary, cut: Words) -> list[int]:
    return [vocabulary.learned(word, cut.lang) for word in cut.words]


def _named(vocabulary: Vocabulary, cut: Words) -> frozenset[int]:
    return frozenset([vocabulary.learned(word, cut.lang) for word in cut.words if word in cut.names])


def _inverted(documents: Sequence[Document], means: Sequence[float], terms: int) -> "tuple[list[array[int]], list[array[float]]]":
    postings: list[array[int]] = [array("I") for _ in range(terms)]
    impacts: list[array[float]] = [array("f") for _ in range(terms)]
    for number, document in enumerate(documents):
        shares: dict[int, float] = {}
        for field, weight, mean in zip(document.fields, FIELD_WEIGHTS, means, strict=True):
            share = weight / (1 - B + B * len(field) / mean)
            for term in field:
                shares[term] = shares.get(term, 0.0) + share
        for term, share in shares.items():
            postings[term].append(number)
            impacts[term].append(share * (K1 + 1) / (share + K1))
    return postings, impacts


_SLACK = 1e-9  # sums in another order may differ in their last digit


def _bounds(weights: Sequence[float], least: float) -> tuple[int, int]:
    """How many of the rarer words a document must have, when so many of the commonest are not looked at: (hits, skipped).

    `weights` rise. A document with fewer hits has at most the two (or one, or no) largest weights and all that were skipped: too little.
    """
    few = next((few for few in (2, 1) if sum(weights[-few:]) < least), 0)
    room = least - (sum(weights[-few:]) if few else 0.0)
    skipped = 0
    for weight in weights:
        room -= weight
        if room <= _SLACK:
            break
        skipped += 1
    return few + 1, skipped
