"""What a post and a wording of a claim have in common, as named numbers that a person can check.

Promises: pure and exact; a claim that is added to the bank changes them only through how rare words are. Weights of words are those of
`vocabulary`: a word's weight is large when few claims and few everyday posts have it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from labeler.claims.index import Document, Index
from labeler.claims.vocabulary import is_number
from labeler.claims.words import Words, words
from models.claims import Claim

NAMES = (
    "bm25",  # the retrieval score over wording, title and summary
    "claim_coverage",  # share of the wording's weight that the post has, 0 to 1
    "title_coverage",
    "summary_coverage",
    "coverage",  # of all three together
    "post_coverage",  # share of the post's weight that the claim has
    "best_coverage",  # the better of wording and title
    "shared_words",
    "shared_claim_words",
    "shared_weight",
    "second_rarest",  # weight of the second rarest word shared
    "third_rarest",
    "rarest_missing",  # weight of the rarest word of the wording that the post lacks
    "second_missing",
    "shared_pairs",  # weight of neighbouring words that both have side by side
    "longest_run",  # words in a row that both have, at most 6
    "longest_title_run",
    "closeness",  # share of shared words between the first and the last of them in the post
    "shared_numbers",
    "missing_numbers",  # numbers of the claim that the post lacks
    "shared_names",  # weight of words written with a capital in the claim that the post has
    "missing_names",
    "letter_coverage",  # share of the wording's runs of four letters that the post has
    "title_letter_coverage",
    "overlap",  # words shared over words of either
    "weight_times_coverage",
    "weight_beyond",  # shared weight above 25
)
LONGEST_RUN = 6
GRAM = 4
_BEYOND = 25.0


class Asked(NamedTuple):
    """A post, made ready to be compared."""

    sequence: tuple[int, ...]
    """Its terms in order; -1 is a word that no claim has."""
    terms: frozenset[int]
    weight: float
    pairs: frozenset[tuple[int, int]]
    numbers: frozenset[int]
    grams: frozenset[str]


class Side(NamedTuple):
    """A document, made ready to be compared. By field: wording, title, summary."""

    sequences: tuple[tuple[int, ...], ...]
    sets: tuple[frozenset[int], ...]
    weights: tuple[float, ...]
    terms: frozenset[int]
    weight: float
    pairs: frozenset[tuple[int, int]]
    numbers: frozenset[int]
    names: frozenset[int]
    grams: tuple[frozenset[str], frozenset[str]]
    spelled: str
    """The wording, folded, between spaces."""


def asked(text: Words, numbered: Sequence[tuple[int, ...]], index: Index) -> Asked:
    """A post against this index; `numbered` are the terms of its words."""
    vocabulary = index.vocabulary
    sequence = tuple([term for terms in numbered for term in (terms or (-1,))])
    terms = frozenset(sequence) - {-1}
    unknown = len({word for word, terms in zip(text.words, numbered, strict=True) if not terms})
    return Asked(
        sequence,
        terms,
        sum([vocabulary.weights[term] for term in sorted(terms)]) + unknown * vocabulary.unknown,
        _pairs(sequence),
        frozenset([term for word, terms in zip(text.words, numbered, strict=True) for term in terms if word in text.numbers]),
        _grams(text.text),
    )


def side(document: Document, claim: Claim, index: Index) -> Side:
    """A document of this index; `claim` is the one that it words."""
    vocabulary = index.vocabulary
    # A claim without title or summary is compared as if they said the same: their absence is no sign against a match.
    wording = tuple(document.fields[0])
    sequences = tuple([tuple(field) or wording for field in document.fields])
    sets = tuple([frozenset(sequence) for sequence in sequences])
    terms = frozenset().union(*sets)
    weigh = vocabulary.weights.__getitem__
    text, lang = claim.wordings[document.wording]
    spelled = (
        words(text, lang=lang or None).text,
        words(claim.title, lang=lang or None).text if document.fields[1] else words(text, lang=lang or None).text,
    )
    return Side(
        sequences,
        sets,
        tuple([sum(map(weigh, sorted(field))) for field in sets]),
        terms,
        sum(map(weigh, sorted(terms))),
        frozenset().union(*map(_pairs, sequences)),
        frozenset([term for term in terms if is_number(vocabulary.terms[term])]),
        frozenset(document.names),
        (_grams(spelled[0]), _grams(spelled[1])),
        f" {spelled[0]} ",
    )


def compared(post: Asked, claim: Side, bm25: float, weights: Sequence[float]) -> tuple[float, ...]:
    """The features in the order of `NAMES`; `weights` are the terms'."""
    sets = claim.sets
    shared = post.terms & claim.terms
    of_wording = post.terms & sets[0]
    rarest = sorted([weights[term] for term in shared], reverse=True)
    missing = sorted([weights[term] for term in sets[0] - post.terms], reverse=True)
    mass = sum(rarest)
    covered = [sum([weights[term] for term in post.terms & field]) / (whole + 1) for field, whole in zip(sets, claim.weights, strict=True)]
    best = max(covered[0], covered[1])
    return (
        bm25 / 10,
        covered[0],
        covered[1],
        covered[2],
        mass / (claim.weight + 1),
        mass / (post.weight + 1),
        best,
        len(shared) / 10,
        len(of_wording) / 10,
        mass / 10,
        _at(rarest, 1),
        _at(rarest, 2),
        _at(missing, 0),
        _at(missing, 1),
        sum([weights[a] + weights[b] for a, b in post.pairs & claim.pairs]) / 20,
        _run(post.sequence, claim.sequences[0]) / 4,
        _run(post.sequence, claim.sequences[1]) / 4,
        _closeness(post.sequence, shared),
        float(len(claim.numbers & post.numbers)),
        float(len(claim.numbers - post.terms)),
        sum([weights[term] for term in claim.names & post.terms]) / 10,
        sum([weights[term] for term in claim.names - post.terms]) / 10,
        len(post.grams & claim.grams[0]) / (len(claim.grams[0]) + 1),
        len(post.grams & claim.grams[1]) / (len(claim.grams[1]) + 1),
        len(shared) / (len(post.terms | claim.terms) + 1),
        mass * best / 10,
        max(0.0, mass - _BEYOND) / 10,
    )


def _at(weights: Sequence[float], place: int) -> float:
    return weights[place] / 10 if len(weights) > place else 0.0


def _pairs(sequence: Sequence[int]) -> frozenset[tuple[int, int]]:
    return frozenset([pair for pair in pairwise(sequence) if pair[0] >= 0 and pair[1] >= 0])


def _grams(text: str) -> frozenset[str]:
    return frozenset([text[at : at + GRAM] for at in range(len(text) - GRAM + 1)])


def _run(post: Sequence[int], claim: Sequence[int]) -> int:
    """The longest run of terms that both have, at most LONGEST_RUN."""
    places: dict[int, list[int]] = {}
    for place, term in enumerate(claim):
        places.setdefault(term, []).append(place)
    longest, before = 0, dict[int, int]()
    for term in post:
        before = {place: before.get(place - 1, 0) + 1 for place in places.get(term, ())}
        longest = max(longest, *before.values()) if before else longest
    return min(longest, LONGEST_RUN)


def _closeness(post: Sequence[int], shared: frozenset[int]) -> float:
    places = [place for place, term in enumerate(post) if term in shared]
    return len(shared) / (places[-1] - places[0] + 1) if places else 0.0
