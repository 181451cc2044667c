"""The scorecard: a sum that a calculator gives too, abstentions, and files that are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scorecard import SAME, Scorecard, probability, recomputed
from models.weights import BadWeights, Weights, dumps

FEATURES = {"threshold": 1.0, "abstain": {"negated": 0}}


def card(**fields: object) -> Scorecard:
    """Similarity for, negation against."""
    given = {"weights": {"similarity": 4.0, "negated": -2.5, "length": 0.0}, "intercept": -2.0, "features": FEATURES, **fields}
    return Scorecard(Weights(kind="scorecard", name="test", **given))  # type: ignore[arg-type]


def test_a_decision_is_a_sum_of_products_beside_a_threshold() -> None:
    decision = card().decide({"similarity": 0.75, "negated": 0.0, "length": 0.4})

    assert [(row.feature, row.product) for row in decision.rows] == [("length", 0.0), ("negated", 0.0), ("similarity", 3.0)]
    assert (decision.sum, decision.threshold, decision.asserts, decision.abstentions) == (1.0, 1.0, True, ())
    assert decision.probability == pytest.approx(0.731058578, abs=1e-9)


def test_weights_within_their_signs_are_taken() -> None:
    assert card(features={**FEATURES, "signs": {"similarity": 1, "negated": -1, "length": 0, "gone": 1}}).threshold == 1.0


def test_below_the_threshold_nothing_is_asserted() -> None:
    assert not card().decide({"similarity": 0.7499, "negated": 0.0, "length": 0.0}).asserts


def test_an_abstention_silences_any_sum() -> None:
    decision = card().decide({"similarity": 2.0, "negated": 1.0, "length": 0.0})

    assert decision.sum > decision.threshold
    assert (decision.asserts, decision.abstentions) == (False, ("negated",))


def test_a_missing_feature_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        card().decide({"similarity": 1.0})


VALUES = st.fixed_dictionaries({name: st.floats(-50, 50) for name in ("similarity", "negated", "length")})


@given(values=VALUES)
def test_a_stored_decision_can_be_recomputed_from_its_json(values: dict[str, float]) -> None:
    stored = json.loads(json.dumps(card().decide(values).plain()))

    assert recomputed(stored) == recomputed(stored, card()) == []
    by_hand = stored["intercept"] + sum(row["value"] * row["weight"] for row in stored["features"])
    assert abs(by_hand - stored["sum"]) <= SAME
    assert 0 <= probability(by_hand) <= 1


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [("sum", 9.0, "sum:"), ("probability", 0.5, "probability:"), ("intercept", 1.0, "sum:")],
)
def test_a_stored_decision_that_was_altered_does_not_follow(key: str, value: float, told: str) -> None:
    stored = card().decide({"similarity": 1.0, "negated": 0.0, "length": 0.4}).plain()

    assert any(line.startswith(told) for line in recomputed({**stored, key: value}))


def test_a_decision_by_other_weights_is_told_from_the_files_own() -> None:
    stored = card(weights={"similarity": 5.0, "negated": -2.5, "length": 0.0}).decide({"similarity": 1, "negated": 0, "length": 0}).plain()

    assert recomputed(stored) == []
    assert recomputed(stored, card()) == ["similarity: weight 5.0, in the file 4.0"]
    assert any("threshold" in line for line in recomputed({**stored, "threshold": 0.0}, card()))
    assert any("abstentions" in line for line in recomputed({**stored, "abstentions": ["negated"]}, card()))


def test_a_product_that_was_altered_is_found() -> None:
    stored = card().decide({"similarity": 1.0, "negated": 0.0, "length": 0.4}).plain()
    stored["features"][2]["product"] = 3.0

    assert recomputed(stored) == ["similarity: 1.0 x 4.0 is not 3.0"]


def test_a_file_comes_back_as_it_was_and_a_foreign_or_tampered_one_is_refused() -> None:
    data = dumps(card().weights)

    assert Scorecard.loads(data).hash == card().hash
    with pytest.raises(BadWeights, match="changed after it was written"):
        Scorecard.loads(data.replace(b"4.0", b"4.5"))
    with pytest.raises(BadWeights, match="kind"):
        Scorecard.loads(dumps(Weights(kind="topic", name="x", weights={})))
    with pytest.raises(BadWeights):
        Scorecard.loads(b"\x80\x04pickle")


@pytest.mark.parametrize(
    ("features", "why"),
    [
        ({}, "threshold"),
        ({"threshold": "high", "abstain": {}}, "threshold"),
        ({"threshold": True, "abstain": {}}, "threshold"),
        ({"threshold": 1.0}, "abstain"),
        ({"threshold": 1.0, "abstain": {"unheard": 0}}, "unheard"),
        ({"threshold": 1.0, "abstain": {"negated": None}}, "abstain.negated"),
        ({**FEATURES, "signs": {"similarity": -1}}, "'similarity': 4 has the sign that features.signs forbids"),
        ({**FEATURES, "signs": {"similarity": "+"}}, "features.signs"),
        ({**FEATURES, "signs": []}, "features.signs"),
    ],
)
def test_a_file_without_threshold_or_with_abstentions_or_signs_that_are_not_its_own_is_refused(
    features: dict[str, object], why: str
) -> None:
    with pytest.raises(BadWeights, match=why):
        card(features=features)
