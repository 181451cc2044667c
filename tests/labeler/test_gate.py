"""The precision gate: "auto" needs the promised lower bound, per label and language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.gate import Judged, Promise, allowed, mode

VALUE = "likely-disinformation"
small = st.integers(0, 2000)


def test_285_right_of_300_open_the_gate_and_the_reason_says_why() -> None:
    answer = allowed(VALUE, "en", Judged(right=285, wrong=15))

    assert answer.allowed
    assert answer.reason == (
        "likely-disinformation in en: 285 of 300 judged right (95.0%, with 95 % certainty between 91.9% and 96.9%),"
        " at least the promised 90%"
    )


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        (Judged(), "0 of the 300 judgements that are needed"),
        (Judged(right=299), "299 of the 300 judgements that are needed"),
        (Judged(right=275, wrong=25), "promised are at least 90%, so people decide"),
        (Judged(right=275, undecided=25), "275 of 300 judged right"),
    ],
    ids=["none", "too few, all right", "too many wrong", "undecided counts as wrong"],
)
def test_otherwise_the_gate_is_closed_and_says_what_is_missing(judged: Judged, said: str) -> None:
    answer = allowed(VALUE, "nl", judged)

    assert not answer.allowed
    assert said in answer.reason


def test_auto_falls_back_to_review_where_it_is_not_earned_and_other_modes_stay() -> None:
    judged = {(VALUE, "en"): Judged(right=300)}

    assert mode("auto", VALUE, "en", judged) == "auto"
    assert mode("auto", VALUE, "nl", judged) == "review"
    assert mode("auto", "another", "en", judged) == "review"
    assert mode("shadow", VALUE, "en", judged) == "shadow"


@given(small, small, small)
def test_one_more_wrong_never_opens_and_one_more_right_never_closes(right: int, wrong: int, undecided: int) -> None:
    now = allowed(VALUE, "en", Judged(right, wrong, undecided)).allowed
    worse, better = Judged(right, wrong + 1, undecided), Judged(right + 1, wrong, undecided)

    assert not (allowed(VALUE, "en", worse).allowed and not now) or worse.of == Promise().judgements
    assert allowed(VALUE, "en", better).allowed or not now


@pytest.mark.parametrize("promise", [{"precision": 0.0}, {"precision": 1.0}, {"judgements": 0}, {"judgements": True and 0.5}], ids=str)
def test_a_promise_that_is_none_is_refused(promise: dict[str, float]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Promise(**promise)  # type: ignore[arg-type]


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="right"):
        Judged(right=-1)
