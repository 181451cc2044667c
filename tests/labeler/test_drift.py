"""Drift: what the network's posts look like to the model now, beside its training."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.drift import FEWEST, Baseline, Window, expected_matches, stability_index
from labeler.stance.judging import shipped

CHANCE = random.Random(3)
THEN = [CHANCE.gauss(-3, 1) for _ in range(5000)]
BASELINE = Baseline.of(THEN, [0.65] * len(THEN))
shares = st.lists(st.floats(0.001, 1), min_size=4, max_size=4).map(lambda parts: [part / sum(parts) for part in parts])


def watched(scores: list[float], size: int = 50_000) -> Window:
    """A window that saw these scores; every tenth post matched."""
    window = Window(BASELINE, size)
    for number, score in enumerate(scores):
        window.count(matched=number % 10 == 0)
        window.add(score, 0.6)
    return window


@pytest.mark.parametrize(("moved", "state"), [(0.0, "steady"), (0.35, "moving"), (2.0, "drifted")], ids=["same", "a little", "far"])
def test_the_state_tells_how_far_scores_moved(moved: float, state: str) -> None:
    chance = random.Random(5)
    found = watched([chance.gauss(-3 + moved, 1) for _ in range(5000)]).measures()

    assert found.state == state
    assert (found.posts, found.coverage_then) == (5000, pytest.approx(0.65))
    assert (found.coverage, found.matches) == (pytest.approx(0.6), pytest.approx(0.1))


def test_of_few_posts_nothing_is_said() -> None:
    assert watched([]).measures() == (0, 0.0, 0.0, pytest.approx(0.65), 0, 0.0, None)
    assert watched([9.0] * (FEWEST - 1)).measures().state == "too few posts"


def test_a_window_forgets_and_its_state_is_bounded() -> None:
    window = watched([9.0] * 3000 + THEN[:2000], size=1000)

    assert window.measures().posts == 2000
    assert window.measures().state == "steady"


@pytest.mark.parametrize(("coverage", "state"), [(0.6, "steady"), (0.5, "moving"), (0.3, "drifted")])
def test_the_state_tells_when_words_are_known_no_more(coverage: float, state: str) -> None:
    window = Window(BASELINE)
    for score in THEN:
        window.add(score, coverage)

    assert window.measures().state == state


@pytest.mark.parametrize(
    ("every", "then", "state"),
    [(1000, 0.0001, "steady"), (500, 0.0001, "drifted"), (500, 0.001, "steady"), (500, None, "steady"), (5001, 1e-9, "steady")],
    ids=["as often as it may be", "too often", "as expected", "nothing is expected", "by chance"],
)
def test_the_state_tells_when_far_more_match_than_the_card_expects(every: int, then: float | None, state: str) -> None:
    window = Window(BASELINE, matches_then=then)
    for number, score in enumerate(THEN, 1):
        window.add(score, 0.65)
        window.count(number % every == 0)

    assert window.measures().state == state


def test_the_scorecards_card_says_how_many_matches_are_expected() -> None:
    assert 0 < (expected_matches(shipped().weights.card) or 0) < 0.001
    assert expected_matches({}) is None


def test_counts_are_kept_and_restored_and_those_of_other_bins_are_not() -> None:
    window, again, other = watched(THEN, size=3000), Window(BASELINE, 3000), Window(Baseline.of(THEN, [0.65], bins=4))
    kept = json.loads(json.dumps(window.plain()))

    again.restore(kept)
    other.restore(kept)

    assert again.measures() == window.measures()
    assert other.measures().posts == 0


@given(shares, shares)
def test_the_index_is_never_negative_symmetric_and_zero_for_the_same(then: list[float], now: list[float]) -> None:
    assert stability_index(then, now) >= 0
    assert stability_index(then, now) == pytest.approx(stability_index(now, then))
    assert stability_index(then, then) == 0


def test_an_empty_bin_does_not_make_it_infinite() -> None:
    assert math.isfinite(stability_index([0.5, 0.5, 0.0], [0.0, 0.5, 0.5]))


@pytest.mark.parametrize(
    ("edges", "parts"),
    [((), (1.0,)), ((2.0, 1.0), (0.2, 0.2, 0.6)), ((1.0,), (0.5, 0.6)), ((1.0,), (1.0,))],
    ids=["none", "falling", "sum", "few"],
)
def test_a_baseline_that_is_none_is_refused(edges: tuple[float, ...], parts: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Baseline(edges, parts, 0.5)


def test_a_baseline_is_read_back_from_a_models_file() -> None:
    table = {"edges": list(BASELINE.edges), "shares": list(BASELINE.shares), "coverage": BASELINE.coverage}

    assert Baseline.from_plain(table) == BASELINE
