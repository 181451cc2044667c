"""The statistics of reports: intervals, rank quality, calibration. Pure Python, deterministic; every figure can come with its interval.

Sources: Wilson 1927; Hanley and McNeil 1982; Brier 1950; expected calibration error as in Guo et al. 2017.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

Z = 1.959963984540054
"""Standard deviations of a two-sided interval of 95 %."""


class Estimate(NamedTuple):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, of: int, z: float = Z) -> Estimate:
    """A share and Wilson's interval, which is right also for few cases and for shares near 0 and 1; (0, 0, 1) of none."""
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    if not of:
        return Estimate(0.0, 0.0, 1.0)
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    # Rounding may push an end past the share itself, or past 0 and 1.
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """The chance that a random positive scores higher than a random negative, a tie counting half; 0.5 when there is none of either."""
    if not positives or not negatives:
        return 0.5
    ranked = sorted(negatives)
    below = sum(bisect_left(ranked, score) + bisect_right(ranked, score) for score in positives)
    return below / (2 * len(positives) * len(negatives))


def auc_with_interval(scores: Sequence[float], labels: Sequence[int]) -> Estimate:
    """`auc` of scored cases labelled 1 or 0, with the interval of Hanley and McNeil 1982: no resampling of tens of thousands of cases."""
    positives, negatives = ([score for score, label in zip(scores, labels, strict=True) if label == wanted] for wanted in (1, 0))
    value = auc(positives, negatives)
    if not positives or not negatives:
        return Estimate(value, 0.0, 1.0)
    one, two = value / (2 - value), 2 * value * value / (1 + value)
    spread = value * (1 - value) + (len(positives) - 1) * (one - value * value) + (len(negatives) - 1) * (two - value * value)
    half = Z * sqrt(max(0.0, spread) / (len(positives) * len(negatives)))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def quantile(ranked: Sequence[float], share: float) -> float:
    """The value below which that share of the sorted values lies, interpolated; ValueError of none."""
    if not ranked:
        raise ValueError("no values, so no quantile")
    place = share * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


class Bin(NamedTuple):
    """Cases whose probability lies between `low` and `high`: how many, the mean probability, the share that is 1."""

    low: float
    high: float
    cases: int
    mean: float
    share: Estimate


def calibration(probabilities: Sequence[float], labels: Sequence[int], bins: int = 10) -> list[Bin]:
    """Bins of equal width, without empty ones."""
    held: list[list[tuple[float, int]]] = [[] for _ in range(bins)]
    for probability, label in zip(probabilities, labels, strict=True):
        held[min(int(probability * bins), bins - 1)].append((probability, label))
    return [
        Bin(n / bins, (n + 1) / bins, len(cases), sum(p for p, _ in cases) / len(cases), wilson(sum(one for _, one in cases), len(cases)))
        for n, cases in enumerate(held)
        if cases
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance between probability and share, weighted by cases."""
    return sum(found.cases * abs(found.mean - found.share.value) for found in bins) / max(1, sum(found.cases for found in bins))


def brier(probabilities: Sequence[float], labels: Sequence[int]) -> float:
    """Mean squared distance between probability and label; 0.25 for one who always says one half."""
    return sum((p - label) ** 2 for p, label in zip(probabilities, labels, strict=True)) / max(1, len(labels))


def precision_at(prevalence: float, recall: float, false_alarms: float) -> float:
    """The share of flagged posts that are rightly flagged, where that share of all posts is false."""
    caught, wrong = prevalence * recall, (1 - prevalence) * false_alarms
    return caught / (caught + wrong) if caught + wrong else 0.0
