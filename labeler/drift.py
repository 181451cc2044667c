"""Has the network moved away from what the model was trained on? Compares the posts of a while with the training's everyday posts.

Promises: pure; the state is a fixed number of counts, however many posts come; nothing of a post is kept.
Measures: population stability index of the scores (below 0.1 steady, above 0.25 drifted: the usual reading in credit scoring), share of
words that the model knows, share of posts that match a claim.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log
from typing import Any, Literal, NamedTuple, TypeAlias

from attrs import field, frozen

State: TypeAlias = Literal["steady", "moving", "drifted", "too few posts"]

MOVING, DRIFTED = 0.1, 0.25
FEWEST = 1_000
"""Posts below which nothing is said: the index of ten bins moves by chance."""
_FLOOR = 1e-4  # of a share, so that an empty bin does not make the index infinite


@frozen
class Baseline:
    """The everyday posts of the training: ends between bins of scores (rising), each bin's share, the mean coverage."""

    edges: tuple[float, ...] = field()
    shares: tuple[float, ...] = field()
    coverage: float

    @edges.validator
    def _rising(self, _attribute: object, edges: tuple[float, ...]) -> None:
        if not edges or any(high <= low for low, high in pairwise(edges)):
            raise ValueError("edges: expected rising numbers")

    @shares.validator
    def _whole(self, _attribute: object, shares: tuple[float, ...]) -> None:
        if len(shares) != len(self.edges) + 1 or abs(sum(shares) - 1) > 1e-4 or min(shares) < 0:
            raise ValueError(f"shares: expected {len(self.edges) + 1} shares that sum to 1")

    @classmethod
    def of(cls, scores: Sequence[float], coverages: Sequence[float], bins: int = 10) -> "Baseline":
        """Bins that hold as many posts each; ValueError of too few different scores."""
        ranked = sorted(scores)
        edges = tuple(dict.fromkeys(round(ranked[len(ranked) * n // bins], 6) for n in range(1, bins)))
        counts = [0] * (len(edges) + 1)
        for score in ranked:
            counts[bisect_right(edges, score)] += 1
        return cls(edges, tuple(count / len(ranked) for count in counts), sum(coverages) / len(coverages))

    @classmethod
    def from_plain(cls, table: Mapping[str, Any]) -> "Baseline":
        """As a model's file keeps it."""
        return cls(tuple(table["edges"]), tuple(table["shares"]), table["coverage"])


class Measures(NamedTuple):
    """What the while was like. `shift` is the stability index of the scores; `coverage` and `matches` are shares."""

    posts: int
    shift: float
    coverage: float
    coverage_then: float
    matches: float

    @property
    def state(self) -> State:
        """What the index says."""
        if self.posts < FEWEST:
            return "too few posts"
        return "drifted" if self.shift > DRIFTED else "moving" if self.shift > MOVING else "steady"


class Window:
    """Counts of the latest posts: between `size` and twice as many, of which the older half is forgotten at once."""

    def __init__(self, baseline: Baseline, size: int = 50_000) -> None:
        self._baseline, self._size = baseline, size
        self._older, self._newer = _counts(baseline), _counts(baseline)

    def add(self, value: float, coverage: float, matched: bool) -> None:
        """One post: its score, the share of its words that the model knows, whether it matched a claim."""
        if self._newer.posts >= self._size:
            self._older, self._newer = self._newer, _counts(self._baseline)
        self._newer.add(bisect_right(self._baseline.edges, value), coverage, matched)

    def measures(self) -> Measures:
        """What the window's posts were like."""
        both = self._older + self._newer
        posts = both.posts or 1
        shift = stability_index(self._baseline.shares, [count / posts for count in both.bins]) if both.posts else 0.0
        return Measures(both.posts, shift, both.coverage / posts, self._baseline.coverage, both.matches / posts)


class _Counts:
    """Sums over posts."""

    def __init__(self, bins: list[int], posts: int = 0, coverage: float = 0.0, matches: int = 0) -> None:
        self.bins, self.posts, self.coverage, self.matches = bins, posts, coverage, matches

    def add(self, place: int, coverage: float, matched: bool) -> None:
        self.bins[place] += 1
        self.posts += 1
        self.coverage += coverage
        self.matches += matched

    def __add__(self, other: "_Counts") -> "_Counts":
        bins = [one + two for one, two in zip(self.bins, other.bins, strict=True)]
        return _Counts(bins, self.posts + other.posts, self.coverage + other.coverage, self.matches + other.matches)


def _counts(baseline: Baseline) -> _Counts:
    return _Counts([0] * len(baseline.shares))


def stability_index(then: Sequence[float], now: Sequence[float]) -> float:
    """Sum over bins of (now - then) x ln(now / then); 0 when nothing moved, never negative."""
    pairs = [(max(one, _FLOOR), max(two, _FLOOR)) for one, two in zip(then, now, strict=True)]
    return sum((two - one) * log(two / one) for one, two in pairs)
