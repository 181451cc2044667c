"""What words that a post and a claim share tell together: names as one, what each adds to the others, their order and nearness.

Promise: pure and exact. Terms are numbers of `vocabulary`; a word's weight is large when few claims and few everyday posts have it.
Without this, "Jamie Lee Curtis" counts as three rare words, and a post about a film as one about whatever was said of its actress.
"""

import math
from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from labeler.claims.index import Index

NEAR = 4
"""Words from one of a near pair to the other, at most."""
WIDTH = 10
MOST_CLAIMS = 400
"""Of two words, one must stand in no more documents than this: else nothing is asked about them."""
OF_NEIGHBOUR = 1.5
"""What a word of a name tells, at most, beside its neighbour."""
_SEEN, _ALL = 0.02, 0.5  # so that what never came together in few claims is not taken for independent


def groups(terms: Collection[int], pairs: Iterable[tuple[int, int]], weights: Sequence[float]) -> list[float]:
    """The largest weight of each group, falling: the words of one name (`pairs` of those side by side in both texts) are one group."""
    leader = {term: term for term in terms}

    def led(term: int) -> int:
        while leader[term] != term:
            term = leader[term]
        return term

    for one, other in pairs:
        if one in leader and other in leader:
            leader[led(one)] = led(other)
    largest: dict[int, float] = {}
    for term in terms:
        by = led(term)
        largest[by] = max(largest.get(by, 0.0), weights[term])
    return sorted(largest.values(), reverse=True)


def surprises(terms: Iterable[int], pairs: Collection[tuple[int, int]], index: Index, own: range) -> dict[int, float]:
    """What each word tells when those that are rarer are known; `pairs` are of one name, `own` are the claim's own documents.

    A word that stands in most other claims with one of them tells little more: "Abedin" beside "Huma".
    """
    weights = index.vocabulary.weights
    found: dict[int, float] = {}
    known: list[tuple[int, int]] = []
    for term in sorted(terms, key=lambda term: (-weights[term], term)):
        least = weights[term]
        for other, of_other in known:
            if of_other and (both := _together(term, other, index, own)) is not None:
                least = min(least, max(0.0, -math.log(min(1.0, (both + _SEEN) / (of_other + _ALL)))))
            if (term, other) in pairs or (other, term) in pairs:
                least = min(least, OF_NEIGHBOUR)
        known.append((term, _beyond(index.postings[term], own)))
        found[term] = least
    return found


def _beyond(posting: Sequence[int], own: range) -> int:
    """How many documents of other claims."""
    return len(posting) - bisect_left(posting, own.stop) + bisect_left(posting, own.start)


def _together(one: int, other: int, index: Index, own: range) -> int | None:
    """How many documents of other claims have both; None where both words are common."""
    few, many = sorted((index.postings[one], index.postings[other]), key=len)
    if len(few) > MOST_CLAIMS:
        return None
    if len(many) < 8 * len(few):
        both: Iterable[int] = set(few).intersection(many)
    else:
        both = [number for number in few if (at := bisect_left(many, number)) < len(many) and many[at] == number]
    return sum([number not in own for number in both])


def in_order(post: Sequence[int], claim: Sequence[int], weights: Sequence[float]) -> float:
    """The largest weight of words that both have in the same order: a longest common subsequence."""
    places: dict[int, list[int]] = {}
    for place, term in enumerate(claim):
        places.setdefault(term, []).append(place)
    best = [0.0] * len(claim)
    """The largest weight that ends with each place."""
    for term in post:
        for place in reversed(places.get(term, ())):
            best[place] = max(best[place], max(best[:place], default=0.0) + weights[term])
    return max(best, default=0.0)


def near_pairs(sequence: Sequence[int], among: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of these words, in their order, that are at most `NEAR` apart."""
    at = [(place, term) for place, term in enumerate(sequence) if term in among]
    return {(term, other) for n, (place, term) in enumerate(at) for later, other in at[n + 1 : n + 1 + NEAR] if later - place <= NEAR}


def densest(sequence: Sequence[int], among: Collection[int], weights: Sequence[float]) -> float:
    """The largest weight of these words, each once, within `WIDTH` words in a row."""
    at = [(place, term) for place, term in enumerate(sequence) if term in among]
    windows = [{term for place, term in at[n:] if place - start < WIDTH} for n, (start, _) in enumerate(at)]
    return max([sum([weights[term] for term in sorted(window)]) for window in windows], default=0.0)


def neighbours(sequence: Sequence[int]) -> frozenset[tuple[int, int]]:
    """Words that stand side by side; -1 is none."""
    return frozenset([pair for pair in pairwise(sequence) if pair[0] >= 0 and pair[1] >= 0])


def longest_run(post: Sequence[Hashable], pairs: frozenset[tuple[Any, Any]], claim: Sequence[Hashable], most: int) -> int:
    """The longest run of words that both have, at most `most`; `pairs` are the post's neighbours."""
    if pairs.isdisjoint(pairwise(claim)):  # mostly, and quickly known
        return int(not frozenset(claim).isdisjoint(post))
    places: dict[Hashable, list[int]] = {}
    for place, term in enumerate(claim):
        places.setdefault(term, []).append(place)
    longest, before = 0, dict[int, int]()
    for term in post:
        at = places.get(term)
        if at is None:
            before = {}
            continue
        before = {place: before.get(place - 1, 0) + 1 for place in at}
        longest = max(longest, *before.values())
    return min(longest, most)
