"""The scorecard: a few named numbers, each with one weight, and a sum beside a threshold. A calculator gives the same decision.

sum = intercept + value x weight of every feature. At the threshold or above, and without an abstention, the post asserts the claim.
Abstentions are in the file, too: a feature above its bound, and nothing is said, whatever the sum.
Promises: pure; the decision holds all that it follows from, so that `recomputed` needs no file, and with the file sees that it is its own.
"""

from collections.abc import Mapping
from math import exp, fsum
from typing import Any, NamedTuple, Self

from models.weights import BadWeights, Filed, Weights, loads

KIND = "scorecard"
SAME = 1e-9
"""How far a recomputed number may be from the one that was stored."""


class Row(NamedTuple):
    """What one feature adds: `product` = `value` x `weight`."""

    feature: str
    value: float
    weight: float
    product: float


class Decision(NamedTuple):
    """What the scorecard says of a post beside a claim; `abstentions` are the features for which it says nothing."""

    rows: tuple[Row, ...]
    intercept: float
    sum: float
    threshold: float
    abstentions: tuple[str, ...]

    @property
    def asserts(self) -> bool:
        """Whether the post is taken to assert the claim."""
        return self.sum >= self.threshold and not self.abstentions

    @property
    def probability(self) -> float:
        """Of asserting, in the mix of the training data."""
        return probability(self.sum)

    def plain(self) -> dict[str, Any]:
        """As evidence keeps it."""
        return {
            "intercept": self.intercept,
            "features": [row._asdict() for row in self.rows],
            "sum": self.sum,
            "threshold": self.threshold,
            "probability": self.probability,
            "abstentions": list(self.abstentions),
        }


def probability(total: float) -> float:
    """1 / (1 + e to the power of -sum)."""
    return 1 / (1 + exp(-max(-500.0, min(500.0, total))))


class Scorecard(Filed):
    """The scorecard in a file of weights; BadWeights when the file is none.

    `features.threshold` is what the sum must reach, `features.abstain` above which value of which feature nothing is said,
    `features.signs`, if there, which weights must not be below 0 (1) or above it (-1).
    """

    made_by = "plainsky train stance"

    def __init__(self, weights: Weights) -> None:
        self.weights, self.hash = weights, weights.hash
        self.threshold = _number("threshold", weights.features.get("threshold"))
        abstain = weights.features.get("abstain")
        if not isinstance(abstain, dict):
            raise BadWeights("features.abstain: expected a bound by feature")
        self.abstain = {name: _number(f"abstain.{name}", bound) for name, bound in abstain.items()}
        if unknown := sorted(self.abstain.keys() - weights.weights.keys()):
            raise BadWeights(f"features.abstain: {unknown[0]!r} is none of the features")
        _check_signs(weights)

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """The scorecard in a file's bytes."""
        return cls(loads(data, KIND))

    def decide(self, values: Mapping[str, float]) -> Decision:
        """What the values of all features come to. KeyError when one is missing."""
        weights = self.weights
        rows = tuple([Row(name, values[name], weight, values[name] * weight + 0.0) for name, weight in sorted(weights.weights.items())])
        total = fsum([weights.intercept, *[row.product for row in rows]])
        doubts = tuple([name for name, bound in sorted(self.abstain.items()) if values[name] > bound])
        return Decision(rows, weights.intercept, total, self.threshold, doubts)


def recomputed(evidence: Mapping[str, Any], scorecard: Scorecard | None = None) -> list[str]:
    """What in a decision's evidence (`Decision.plain`) does not follow from the rest, or from this scorecard; empty when all does.

    KeyError, TypeError when it is no such evidence.
    """
    found = [
        f"{row['feature']}: {row['value']!r} x {row['weight']!r} is not {row['product']!r}"
        for row in evidence["features"]
        if abs(row["value"] * row["weight"] - row["product"]) > SAME
    ]
    total = evidence["intercept"] + sum(row["value"] * row["weight"] for row in evidence["features"])
    if abs(total - evidence["sum"]) > SAME:
        found.append(f"sum: {total!r}, stored is {evidence['sum']!r}")
    if abs(probability(total) - evidence["probability"]) > SAME:
        found.append(f"probability: {probability(total)!r}, stored is {evidence['probability']!r}")
    return found + (_foreign(evidence, scorecard) if scorecard else [])


def _foreign(evidence: Mapping[str, Any], scorecard: Scorecard) -> list[str]:
    """What the file would have said otherwise."""
    decided = scorecard.decide({row["feature"]: row["value"] for row in evidence["features"]}).plain()
    weights = {row["feature"]: row["weight"] for row in decided["features"]}
    found = [
        f"{row['feature']}: weight {row['weight']!r}, in the file {weights.get(row['feature'])!r}"
        for row in evidence["features"]
        if row["weight"] != weights.get(row["feature"])
    ]
    keys = ("intercept", "threshold", "abstentions")
    return found + [f"{key}: {evidence[key]!r}, by the file {decided[key]!r}" for key in keys if evidence[key] != decided[key]]


def _check_signs(weights: Weights) -> None:
    signs = weights.features.get("signs", {})
    if not isinstance(signs, dict) or not all(sign in (-1, 0, 1) for sign in signs.values()):
        raise BadWeights("features.signs: expected -1, 0 or 1 by feature")
    if wrong := sorted(name for name, weight in weights.weights.items() if weight * signs.get(name, 0) < 0):
        raise BadWeights(f"weights: {wrong[0]!r}: {weights.weights[wrong[0]]:g} has the sign that features.signs forbids")


def _number(where: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadWeights(f"features.{where}: expected a number")
    return float(value)
