"""The statistics of reports: laws, and figures that others published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.training.statistics import (
    auc,
    auc_with_interval,
    brier,
    calibration,
    calibration_error,
    precision_at,
    quantile,
    wilson,
)

counts = st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
scores = st.lists(st.floats(-5, 5), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(285, 300, 0.919, 0.969), (95, 100, 0.888, 0.978), (380, 400, 0.924, 0.967), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0)],
    ids=lambda value: str(value),
)
def test_wilson_gives_the_known_intervals(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)

    assert (round(found.low, 3), round(found.high, 3)) == (low, high)


@given(counts)
def test_the_interval_holds_the_share_and_is_a_share_itself(case: tuple[int, int]) -> None:
    value, low, high = wilson(*case)

    assert 0 <= low <= value <= high <= 1
    assert low < high


@given(counts)
def test_misses_have_the_mirrored_interval(case: tuple[int, int]) -> None:
    hits, of = case

    assert wilson(of - hits, of).low == pytest.approx(1 - wilson(hits, of).high)


@given(counts)
def test_more_cases_of_the_same_share_make_the_interval_narrower(case: tuple[int, int]) -> None:
    few, many = wilson(*case), wilson(case[0] * 4, case[1] * 4)

    assert many.high - many.low < few.high - few.low


def test_nothing_judged_says_nothing_and_more_hits_than_cases_are_refused() -> None:
    assert wilson(0, 0) == (0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2 is no share"):
        wilson(3, 2)


@given(scores, scores)
def test_auc_is_the_share_of_pairs_in_the_right_order(positives: list[float], negatives: list[float]) -> None:
    pairs = [(one > two) + 0.5 * (one == two) for one in positives for two in negatives]

    assert auc(positives, negatives) == pytest.approx(sum(pairs) / len(pairs))
    assert auc(negatives, positives) == pytest.approx(1 - auc(positives, negatives))


def test_auc_of_one_class_alone_is_chance_with_no_certainty() -> None:
    assert auc([], [1.0]) == 0.5
    assert auc_with_interval([1.0, 2.0], [1, 1]) == (0.5, 0.0, 1.0)


@given(scores, scores)
def test_the_interval_of_auc_holds_it(positives: list[float], negatives: list[float]) -> None:
    value, low, high = auc_with_interval([*positives, *negatives], [1] * len(positives) + [0] * len(negatives))

    assert 0 <= low <= value <= high <= 1


@given(scores, st.floats(0, 1))
def test_a_quantile_lies_among_the_values(values: list[float], share: float) -> None:
    ranked = sorted(values)

    assert ranked[0] - 1e-9 <= quantile(ranked, share) <= ranked[-1] + 1e-9
    assert (quantile(ranked, 0), quantile(ranked, 1)) == (ranked[0], ranked[-1])


def test_a_quantile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no quantile"):
        quantile([], 0.5)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=50))
def test_calibration_counts_each_case_once(cases: list[tuple[float, int]]) -> None:
    bins = calibration(*zip(*cases, strict=True))

    assert sum(found.cases for found in bins) == len(cases)
    assert all(found.low - 1e-9 <= found.mean <= found.high + 1e-9 for found in bins)
    assert 0 <= calibration_error(bins) <= 1


def test_who_knows_is_calibrated_and_who_guesses_is_not_sharp() -> None:
    assert calibration_error(calibration([0.0, 1.0], [0, 1])) == 0
    assert brier([0.0, 1.0], [0, 1]) == 0
    assert brier([0.5, 0.5], [0, 1]) == 0.25


def test_precision_falls_with_prevalence() -> None:
    """The arithmetic that decides the design: recall .9 with .05 false alarms is right in 15 % at 1 % prevalence, in 1.8 % at 0.1 %."""
    assert round(precision_at(0.01, 0.9, 0.05), 2) == 0.15
    assert round(precision_at(0.001, 0.9, 0.05), 3) == 0.018
    assert precision_at(0.0, 0.5, 0.0) == 0.0
