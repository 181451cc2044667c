"""What a post and a wording of a claim have in common, as named numbers that a person can check.

Promises: pure and exact; a claim that is added to the bank changes them only through how rare words are. Weights of words are those of
`vocabulary`: a word's weight is large when few claims and few everyday posts have it.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from labeler.claims.index import Document, Index
from labeler.claims.together import densest, groups, in_order, longest_run, near_pairs, neighbours, surprises
from labeler.claims.vocabulary import is_number
from labeler.claims.words import Words, words
from models.claims import Claim

NAMES = (
    "bm25",  # the retrieval score over wording, title and summary
    "claim_coverage",  # share of the wording's weight that the post has, 0 to 1
    "title_coverage",
    "summary_coverage",  # `OF_NO_SUMMARY` where there is none
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
    "shared_numbers",
    "missing_numbers",  # numbers of the claim that the post lacks
    "shared_names",  # weight of words written with a capital in the claim that the post has
    "missing_names",
    "letter_coverage",  # share of the wording's runs of four letters that the post has
    "title_letter_coverage",
    "overlap",  # words shared over words of either
    "weight_times_coverage",
    "weight_beyond",  # shared weight above 25
    "fourth_rarest",
    "second_group",  # names side by side in both are one group: "Jamie Lee Curtis" tells what its rarest word tells; the second such
    "third_group",
    "fourth_group",
    "group_coverage",  # share of the wording's weight that the post has, counted by groups
    "title_group_coverage",
    "surprise",  # weight of shared words, each by what it tells when the rarer ones are known
    "second_surprise",
    "third_surprise",
    "fourth_surprise",
    "title_surprise",  # of the words that the title has, too
    "key_coverage",  # of the words that stand both in wording and title
    "key_missing",  # weight of the rarest of these that the post lacks
    "shared_twice",  # weight of shared words that the claim has at least twice
    "in_order",  # weight of the wording's words that the post has in the same order
    "near_pairs",  # weight of shared words at most four apart in both
    "in_ten_words",  # the largest weight of shared words within ten words of the post
    "longest_phrase",  # words in a row that both have, small words too, at most 10
    "longest_title_phrase",
    "names_and_deeds",  # square root of the share of the claim's names times that of its other words: one without the other is nothing
    "quoted_coverage",  # share of the weight of what the claim has between quotation marks
    "claim_weight",
    "post_length",  # logarithm of the post's words
)
LONGEST_RUN, LONGEST_PHRASE = 6, 10
OF_NO_SUMMARY = 0.2
"""What posts have of the summary of the claim that comes first, on average: to have no summary is no sign for a match, and none against."""
GRAM = 4
_BEYOND = 25.0
_Pair = tuple[int, int]
_QUOTED = re.compile(r"[\"“„«‘]([^\"“”„«»’]{3,300})[\"”“»’]")


class Asked(NamedTuple):
    """A post, made ready to be compared."""

    sequence: tuple[int, ...]
    """Its terms in order; -1 is a word that no claim has."""
    terms: frozenset[int]
    weight: float
    pairs: frozenset[tuple[int, int]]
    numbers: frozenset[int]
    grams: frozenset[str]
    spoken: tuple[str, ...]
    """Its words, small ones too."""
    spoken_pairs: frozenset[tuple[str, str]]


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
    spoken: tuple[tuple[str, ...], ...]
    """The words of each field, small ones too."""
    key: frozenset[int]
    twice: frozenset[int]
    quoted: frozenset[int]
    deeds: tuple[frozenset[int], frozenset[int]]
    """What is neither name nor number in wording and title."""
    summarised: bool
    own: range
    """The documents of its claim."""

    def says(self, words: Words) -> bool:
        """Whether the wording stands in a text, word by word."""
        return f" {' '.join(self.spoken[0])} " in f" {words.text} "


def asked(text: Words, numbered: Sequence[tuple[int, ...]], index: Index) -> Asked:
    """A post against this index; `numbered` are the terms of its words."""
    vocabulary = index.vocabulary
    sequence = tuple([term for terms in numbered for term in (terms or (-1,))])
    terms = frozenset(sequence) - {-1}
    spoken = tuple(text.text.split())
    unknown = len({word for word, terms in zip(text.words, numbered, strict=True) if not terms})
    return Asked(
        sequence,
        terms,
        sum([vocabulary.weights[term] for term in sorted(terms)]) + unknown * vocabulary.unknown,
        neighbours(sequence),
        frozenset([term for word, terms in zip(text.words, numbered, strict=True) for term in terms if word in text.numbers]),
        _grams(text.text),
        spoken,
        frozenset(pairwise(spoken)),
    )


def side(document: Document, claim: Claim, index: Index, own: range) -> Side:
    """A document of this index; `claim` is the one that it words, `own` are all documents of that."""
    vocabulary = index.vocabulary
    # A claim without title or summary is compared as if they said the same: their absence is no sign against a match.
    wording = tuple(document.fields[0])
    sequences = tuple([tuple(field) or wording for field in document.fields])
    sets = tuple([frozenset(sequence) for sequence in sequences])
    terms = frozenset().union(*sets)
    weigh = vocabulary.weights.__getitem__
    spelled = _spelled(document, claim)
    counted = Counter([term for field in sets for term in field])
    names, numbers = frozenset(document.names), frozenset([term for term in terms if is_number(vocabulary.terms[term])])
    return Side(
        sequences,
        sets,
        tuple([sum(map(weigh, sorted(field))) for field in sets]),
        terms,
        sum(map(weigh, sorted(terms))),
        frozenset().union(*map(neighbours, sequences)),
        numbers,
        names,
        (_grams(spelled[0]), _grams(spelled[1])),
        tuple([tuple(text.split()) for text in spelled]),
        sets[0] & sets[1],
        frozenset([term for term, count in counted.items() if count > 1]),
        _quoted(document, claim, index),
        (sets[0] - names - numbers, sets[1] - names - numbers),
        bool(document.fields[2]),
        own,
    )


def _spelled(document: Document, claim: Claim) -> tuple[str, str, str]:
    text, lang = claim.wordings[document.wording]
    wording, *about = [words(one, lang=lang or None).text for one in (text, claim.title, claim.summary)]
    title, summary = [one if field else wording for one, field in zip(about, document.fields[1:], strict=True)]
    return wording, title, summary


def _quoted(document: Document, claim: Claim, index: Index) -> frozenset[int]:
    """The terms of what stands between quotation marks in wording or title."""
    text, lang = claim.wordings[document.wording]
    found = _QUOTED.findall(f"{text} {claim.title if document.fields[1] else ''}")
    cut = words(" ".join(found), lang=lang or None)
    return frozenset([term for terms in index.vocabulary.numbered(cut) for term in terms]) if found else frozenset()


def compared(post: Asked, claim: Side, bm25: float, index: Index) -> tuple[float, ...]:
    """The features in the order of `NAMES`."""
    weights = index.vocabulary.weights
    shared = post.terms & claim.terms
    rarest = sorted([weights[term] for term in shared], reverse=True)
    # Names that stand side by side in both.
    pairs = frozenset([pair for pair in post.pairs & claim.pairs if claim.names.issuperset(pair)])
    return (
        *_of_words(post, claim, bm25, weights, shared, rarest),
        _at(rarest, 3),
        *_of_groups(post, claim, weights, shared, sorted(pairs)),
        *_of_surprise(post, claim, index, shared, pairs),
        *_of_place(post, claim, weights, shared),
        math.sqrt(_covered(claim.names, post, weights) * max([_covered(deeds, post, weights) for deeds in claim.deeds])),
        _covered(claim.quoted, post, weights),
        claim.weights[0] / 30,
        math.log(len(post.sequence) + 1),
    )


def _of_words(
    post: Asked, claim: Side, bm25: float, weights: Sequence[float], shared: frozenset[int], rarest: Sequence[float]
) -> tuple[float, ...]:
    """From "bm25" to "weight_beyond"."""
    sets = claim.sets
    missing = sorted([weights[term] for term in sets[0] - post.terms], reverse=True)
    mass = sum(rarest)
    covered = [sum([weights[term] for term in post.terms & field]) / (whole + 1) for field, whole in zip(sets, claim.weights, strict=True)]
    best = max(covered[0], covered[1])
    return (
        bm25 / 10,
        covered[0],
        covered[1],
        covered[2] if claim.summarised else OF_NO_SUMMARY,
        mass / (claim.weight + 1),
        mass / (post.weight + 1),
        best,
        len(shared) / 10,
        len(post.terms & sets[0]) / 10,
        mass / 10,
        _at(rarest, 1),
        _at(rarest, 2),
        _at(missing, 0),
        _at(missing, 1),
        sum([weights[a] + weights[b] for a, b in post.pairs & claim.pairs]) / 20,
        longest_run(post.sequence, post.pairs, claim.sequences[0], LONGEST_RUN) / 4,
        longest_run(post.sequence, post.pairs, claim.sequences[1], LONGEST_RUN) / 4,
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


def _of_groups(post: Asked, claim: Side, weights: Sequence[float], shared: frozenset[int], pairs: Sequence[_Pair]) -> tuple[float, ...]:
    """From "second_group" to "title_group_coverage"."""
    found = groups(sorted(shared), pairs, weights)

    def coverage(field: int) -> float:
        terms = sorted(post.terms & claim.sets[field])
        mass = sum(groups(terms, pairs, weights))
        return mass / (claim.weights[field] - sum([weights[term] for term in terms]) + mass + 1)

    return _at(found, 1), _at(found, 2), _at(found, 3), coverage(0), coverage(1)


def _of_surprise(post: Asked, claim: Side, index: Index, shared: frozenset[int], pairs: frozenset[_Pair]) -> tuple[float, ...]:
    """From "surprise" to "shared_twice"."""
    weights = index.vocabulary.weights
    of_term = surprises(shared, pairs, index, claim.own)
    found = sorted(of_term.values(), reverse=True)
    return (
        sum(found) / 10,
        _at(found, 1),
        _at(found, 2),
        _at(found, 3),
        sum([of_term[term] for term in sorted(shared & claim.sets[1])]) / 10,
        _covered(claim.key, post, weights),
        max([weights[term] for term in claim.key - post.terms], default=0.0) / 10,
        sum([weights[term] for term in sorted(shared & claim.twice)]) / 10,
    )


def _of_place(post: Asked, claim: Side, weights: Sequence[float], shared: frozenset[int]) -> tuple[float, ...]:
    """From "in_order" to "longest_title_phrase"."""
    near = near_pairs(post.sequence, shared) & set().union(*[near_pairs(field, shared) for field in claim.sequences])
    wording, title, summary = [longest_run(post.spoken, post.spoken_pairs, spoken, LONGEST_PHRASE) for spoken in claim.spoken]
    return (
        in_order(post.sequence, claim.sequences[0], weights) / 10,
        sum([min(weights[a], weights[b]) for a, b in sorted(near) if a != b]) / 20,
        densest(post.sequence, shared, weights) / 10,
        max(wording, summary) / 4,
        title / 4,
    )


def _covered(terms: frozenset[int], post: Asked, weights: Sequence[float]) -> float:
    """The share of their weight that the post has; 0 of none."""
    return sum([weights[term] for term in sorted(terms & post.terms)]) / (sum([weights[term] for term in sorted(terms)]) + 1)


def _at(weights: Sequence[float], place: int) -> float:
    return weights[place] / 10 if len(weights) > place else 0.0


def _grams(text: str) -> frozenset[str]:
    return frozenset([text[at : at + GRAM] for at in range(len(text) - GRAM + 1)])
