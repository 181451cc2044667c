"""What a feed shows, in numbers."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duration import duration
from models.looking import SAMPLE, Figures
from plainsky.pages.figures import BARS, bars, drawn, end_of, gini, in_numbers, shares, step_for

DAY = duration("1d")


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_gini_is_the_mean_difference_between_any_two_authors(posts: list[int]) -> None:
    pairs = sum(abs(one - other) for one in posts for other in posts)

    assert gini(Counter(posts)) == pytest.approx(pairs / (2 * len(posts) * sum(posts)))


@pytest.mark.parametrize(("authors", "value"), [({}, 0), ({1: 7}, 0), ({5: 1}, 0), ({1: 99, 9901: 1}, 0.98)])
def test_gini_is_0_for_equals_and_near_1_for_one_voice(authors: dict[int, int], value: float) -> None:
    assert gini(authors) == pytest.approx(value, abs=0.001)


def test_languages_are_told_without_region_and_the_rare_ones_together() -> None:
    told = shares({"en": 5, "en-US": 5, "nl": 3, "": 3, "fr": 1, "a": 1, "b": 1, "c": 1})

    assert [(one.lang, one.posts) for one in told] == [("en", 10), ("", 3), ("nl", 3), ("a", 1), ("b", 1), ("c", 1), ("*", 1)]
    assert sum(one.share for one in told) == pytest.approx(1)


@given(st.integers(1, 20 * 365 * DAY), st.integers(0, 2**50))
def test_a_chart_has_steps_that_begin_at_full_hours_or_days_and_not_too_many_bars(length: int, log_time: int) -> None:
    step = step_for(length)
    end = end_of(log_time, step)

    assert end - step <= log_time < end
    assert end % step == 0
    assert length // step <= BARS


@given(st.dictionaries(st.integers(0, 40), st.integers(1, 1_000), max_size=20))
def test_the_bars_hold_every_post_and_fit_into_the_drawing(steps: dict[int, int]) -> None:
    told = bars(steps, 100 * DAY, DAY)
    rects = drawn([bar.posts for bar in told], 640, 120)

    assert sum(bar.posts for bar in told) == sum(steps.values())
    assert all(rect.x >= 0 and rect.x + rect.width <= 640.01 and rect.y >= 0 and rect.y + rect.height <= 120.01 for rect in rects)
    assert all(rect.height >= 1 for rect, bar in zip(rects, told, strict=True) if bar.posts)


@pytest.mark.parametrize(
    ("sampled", "age", "a_day"),
    [(10, "1h", 10), (10, "2d", 5), (SAMPLE, "2d", SAMPLE / 2), (SAMPLE, "1h", 24 * SAMPLE)],
)
def test_posts_a_day_are_not_made_more_than_they_are(sampled: int, age: str, a_day: float) -> None:
    found = Figures(sampled, 0, 0, sampled, 10**15 - duration(age), {}, {1: sampled}, {})

    assert in_numbers(found, 10**15, DAY, 10**15).posts_a_day == pytest.approx(a_day)
