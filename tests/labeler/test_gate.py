"""The precision gate: "auto" needs the promised lower bound, per label and language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.gate import Gate, Judged, Key, Promise, allowed, primary
from labeler.policy import LabelPolicy

VALUE = "likely-disinformation"
small = st.integers(0, 2000)


def test_285_right_of_300_open_the_gate_and_the_reason_says_why() -> None:
    answer = allowed(VALUE, "en", Judged(right=285, wrong=15), Promise())

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
    answer = allowed(VALUE, "nl", judged, Promise())

    assert not answer.allowed
    assert said in answer.reason


@pytest.mark.parametrize(
    ("wanted", "langs", "rules", "in_force"),
    [
        ("auto", ("en",), "now", "auto"),
        ("auto", ("en-GB",), "now", "auto"),
        ("auto", ("nl",), "now", "review"),
        ("auto", ("en", "nl"), "now", "review"),
        ("auto", (), "now", "review"),
        ("auto", ("en",), "with another model", "review"),
        ("review", ("en",), "now", "review"),
        ("shadow", ("en",), "now", "shadow"),
    ],
)
def test_auto_is_review_where_it_is_not_earned_and_other_modes_stay(wanted: str, langs: tuple[str, ...], rules: str, in_force: str) -> None:
    gate = Gate({Key(VALUE, "now", "en"): Judged(right=300)})

    assert LabelPolicy(VALUE, ("claim_match",), wanted).mode_in(langs, rules, gate) == in_force  # type: ignore[arg-type]


def test_a_label_has_a_promise_of_its_own() -> None:
    gate = Gate({Key(VALUE, "now", "en"): Judged(right=98, wrong=2)})

    assert LabelPolicy(VALUE, ("claim_match",), "auto", promise=Promise(0.9, 100)).mode_in(("en",), "now", gate) == "auto"
    assert LabelPolicy(VALUE, ("claim_match",), "auto", promise=Promise(0.95, 100)).mode_in(("en",), "now", gate) == "review"


def test_a_test_label_claims_nothing_and_needs_no_judgement() -> None:
    assert LabelPolicy("plainsky-test", ("gtube",), "auto").mode_in(("en",), "now", Gate()) == "auto"
    assert LabelPolicy("plainsky-test", ("gtube", "claim_match"), "auto").mode_in(("en",), "now", Gate()) == "review"


def test_languages_are_told_apart_by_what_they_begin_with() -> None:
    assert primary(("nl-BE", "NL", "fr")) == ("fr", "nl")
    assert primary(()) == ("",)


@given(small, small, small)
def test_one_more_wrong_never_opens_and_one_more_right_never_closes(right: int, wrong: int, undecided: int) -> None:
    now = allowed(VALUE, "en", Judged(right, wrong, undecided), Promise()).allowed
    worse, better = Judged(right, wrong + 1, undecided), Judged(right + 1, wrong, undecided)

    assert not (allowed(VALUE, "en", worse, Promise()).allowed and not now) or worse.of == Promise().judgements
    assert allowed(VALUE, "en", better, Promise()).allowed or not now


@pytest.mark.parametrize("promise", [{"precision": 0.0}, {"precision": 1.0}, {"judgements": 0}, {"judgements": True and 0.5}], ids=str)
def test_a_promise_that_is_none_is_refused(promise: dict[str, float]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Promise(**promise)  # type: ignore[arg-type]


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="right"):
        Judged(right=-1)
