"""Has the network moved away from what the model was trained on? Compares the posts of a while with the training's everyday posts.

Promises: pure; the state is a fixed number of counts, however many posts come; nothing of a post is kept.
Measures: population stability index of the scores (below 0.1 steady, above 0.25 drifted: the usual reading in credit scoring), share of
words that the model knows, share of posts that there is a reason to label.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log
from typing import Any, Literal, NamedTuple, TypeAlias

from attrs import field, frozen

State: TypeAlias = Literal["steady", "moving", "drifted", "too few posts"]

MOVING, DRIFTED = 0.1, 0.25
"""Of the index, and how far the share of known words may fall."""
MORE = 10.0
"""How many times as many posts as the model's card expects at most may match."""
FEWEST = 1_000
"""Posts below which nothing is said: the index of ten bins moves by chance."""
FEWEST_MATCHES = 10
_EVERYDAY = "Everyday posts above the threshold"  # the title of the card's table
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


def expected_matches(card: Mapping[str, Any]) -> float | None:
    """The largest share of everyday posts above the threshold that the scorecard's card holds for possible; None when it says nothing."""
    for table in card.get("metrics", ()):
        rows = [row for row in table["rows"] if row[0] == "all"] if table["title"].startswith(_EVERYDAY) else []
        if rows and table["columns"][-1] == "to":
            return float(rows[0][-1]) / 10_000
    return None


class Measures(NamedTuple):
    """What the while was like. `shift` is the stability index of the scores of `posts`; `coverage` is a share of their words.

    `matches` is the share of the `judged` posts that there was a reason to label, `matches_then` the most that is expected.
    """

    posts: int
    shift: float
    coverage: float
    coverage_then: float
    judged: int
    matches: float
    matches_then: float | None = None

    @property
    def state(self) -> State:
        """What the worst of the measures says."""
        if self.posts < FEWEST:
            return "too few posts"
        worst = max(self.shift, self.coverage_then - self.coverage)
        return "drifted" if worst > DRIFTED or self.too_many_match else "moving" if worst > MOVING else "steady"

    @property
    def too_many_match(self) -> bool:
        """Far more posts match than the card expects, and not by chance."""
        many = self.matches * self.judged >= FEWEST_MATCHES
        return many and self.matches_then is not None and self.matches > MORE * self.matches_then


class Window:
    """Counts of the latest posts: those of which the score was asked are between `size` and twice as many; the older half goes at once."""

    def __init__(self, baseline: Baseline, size: int = 50_000, matches_then: float | None = None) -> None:
        self._baseline, self._size, self._matches_then = baseline, size, matches_then
        self._older, self._newer = _counts(baseline), _counts(baseline)

    def count(self, matched: bool) -> None:
        """One post was judged."""
        self._newer.judged += 1
        self._newer.matches += matched

    def add(self, value: float, coverage: float) -> None:
        """The score of one of them, and the share of its words that the model knows."""
        if self._newer.posts >= self._size:
            self._older, self._newer = self._newer, _counts(self._baseline)
        self._newer.add(bisect_right(self._baseline.edges, value), coverage)

    def measures(self) -> Measures:
        """What the window's posts were like."""
        both = self._older + self._newer
        posts, matches = both.posts or 1, both.matches / (both.judged or 1)
        shift = stability_index(self._baseline.shares, [count / posts for count in both.bins]) if both.posts else 0.0
        return Measures(both.posts, shift, both.coverage / posts, self._baseline.coverage, both.judged, matches, self._matches_then)

    def plain(self) -> list[dict[str, Any]]:
        """All that is known, as plain data."""
        return [vars(self._older), vars(self._newer)]

    def restore(self, plain: Sequence[Mapping[str, Any]]) -> None:
        """Go on from there; what was counted in other bins is left out."""
        counts = [_Counts(**each) for each in plain]
        if all(len(each.bins) == len(self._baseline.shares) for each in counts):
            self._older, self._newer = counts


class _Counts:
    """Sums over posts."""

    def __init__(self, bins: list[int], posts: int = 0, coverage: float = 0.0, judged: int = 0, matches: int = 0) -> None:
        self.bins, self.posts, self.coverage, self.judged, self.matches = bins, posts, coverage, judged, matches

    def add(self, place: int, coverage: float) -> None:
        self.bins[place] += 1
        self.posts += 1
        self.coverage += coverage

    def __add__(self, other: "_Counts") -> "_Counts":
        bins = [one + two for one, two in zip(self.bins, other.bins, strict=True)]
        posts, coverage = self.posts + other.posts, self.coverage + other.coverage
        return _Counts(bins, posts, coverage, self.judged + other.judged, self.matches + other.matches)


def _counts(baseline: Baseline) -> _Counts:
    return _Counts([0] * len(baseline.shares))


def stability_index(then: Sequence[float], now: Sequence[float]) -> float:
    """Sum over bins of (now - then) x ln(now / then); 0 when nothing moved, never negative."""
    pairs = [(max(one, _FLOOR), max(two, _FLOOR)) for one, two in zip(then, now, strict=True)]
    return sum((two - one) * log(two / one) for one, two in pairs)
