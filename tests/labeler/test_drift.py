"""Drift: what the network's posts look like to the model now, beside its training."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.drift import FEWEST, Baseline, Window, stability_index

CHANCE = random.Random(3)
THEN = [CHANCE.gauss(-3, 1) for _ in range(5000)]
BASELINE = Baseline.of(THEN, [0.8] * len(THEN))
shares = st.lists(st.floats(0.001, 1), min_size=4, max_size=4).map(lambda parts: [part / sum(parts) for part in parts])


def watched(scores: list[float], size: int = 50_000) -> Window:
    """A window that saw these scores; every tenth post matched."""
    window = Window(BASELINE, size)
    for number, score in enumerate(scores):
        window.add(score, 0.6, matched=number % 10 == 0)
    return window


@pytest.mark.parametrize(("moved", "state"), [(0.0, "steady"), (0.35, "moving"), (2.0, "drifted")], ids=["same", "a little", "far"])
def test_the_state_tells_how_far_scores_moved(moved: float, state: str) -> None:
    chance = random.Random(5)
    found = watched([chance.gauss(-3 + moved, 1) for _ in range(5000)]).measures()

    assert found.state == state
    assert (found.posts, found.coverage_then) == (5000, pytest.approx(0.8))
    assert (found.coverage, found.matches) == (pytest.approx(0.6), pytest.approx(0.1))


def test_of_few_posts_nothing_is_said() -> None:
    assert watched([]).measures() == (0, 0.0, 0.0, pytest.approx(0.8), 0.0)
    assert watched([9.0] * (FEWEST - 1)).measures().state == "too few posts"


def test_a_window_forgets_and_its_state_is_bounded() -> None:
    window = watched([9.0] * 3000 + THEN[:2000], size=1000)

    assert window.measures().posts == 2000
    assert window.measures().state == "steady"


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
