"""Learns a scorecard's weights: scikit-learn's logistic regression with bounds on the signs, calibrated, cross-validated by claim.

The loss is that of `sklearn.linear_model.LogisticRegression` (L2, intercept free; without bounds a test finds the same weights), which
knows no bounds: it is minimised by scipy's L-BFGS-B, which does. A feature whose sign the meaning demands gets the best weight of that
sign, which is 0 where the examples would have it otherwise.
Calibration: sums of cross-validation are fitted to what people said with a slope and a shift (Platt 1999), and both go into the weights.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from labeler.training import TrainingError, library
from labeler.training.stance_data import EVERYDAY, GOLD, JUDGED, Example

FOLDS = 5
STRENGTH = 1.0
"""scikit-learn's C."""
OF_KIND: Mapping[str, float] = {JUDGED: 1.0, GOLD: 0.05, EVERYDAY: 0.1}
"""What an example counts: gold pairs assert mostly, but nobody judged; everyday posts are many."""
MARGIN = 0.3
"""The threshold lies so far above the highest sum, in cross-validation, of a judged pair that asserts nothing."""
ALARMS = 2.0
"""Everyday posts of a topic, of 10,000, that may pass the threshold."""
DECIMALS = 3

SIGNS: Mapping[str, int] = {
    "similarity": 1,
    "coverage": 1,
    "post_coverage": 1,
    "shared_words": 1,
    "longest_run": 1,
    "in_order": 1,
    "key_coverage": 1,
    "missing_terms": -1,
    "missing_names": -1,
    "missing_numbers": -1,
    "negated": -1,
    "affirmed": -1,
    "attribution": -1,
    "question": -1,
    "quotation": -1,
    "irony": -1,
    "correction": -1,
    "fact_check_link": -1,
    "doubtful_link": 1,
    "quote_post": -1,
    "text_model": 1,
    "length": 0,
    "other_language": -1,
}
ABSTAIN: Mapping[str, float] = {
    "negated": 0,
    "affirmed": 0,
    "attribution": 0,
    "question": 0,
    "quotation": 0,
    "irony": 0,
    "correction": 0,
    "fact_check_link": 0,
    "quote_post": 0,
    "missing_numbers": 0,
}
"""Above which value nothing is said, whatever the sum. Set by hand: a wrong accusation costs more than a missed one."""


class Fitted(NamedTuple):
    """An intercept and the weights of `names`."""

    names: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]

    def sum(self, values: Mapping[str, float]) -> float:
        """The sum of a post beside a claim."""
        return self.intercept + sum(values[name] * weight for name, weight in zip(self.names, self.weights, strict=True))


class Crossed(NamedTuple):
    """Sums by scorecards that saw nothing of the claim, one for each example; and whether there is an abstention."""

    sums: list[float]
    silent: list[bool]


def fold_of(claim: str, folds: int = FOLDS) -> int:
    """All examples of a claim fall into one part."""
    return hashlib.sha256(claim.encode()).digest()[0] % folds


def is_silent(values: Mapping[str, float], abstain: Mapping[str, float]) -> bool:
    """Whether one of the features is above its bound."""
    return any(values[name] > bound for name, bound in abstain.items())


def asserts(one: Example) -> bool:
    """What is learned: judged so, or a gold pair."""
    return one.label == "ASSERTS" or one.kind == GOLD


def fit(examples: Sequence[Example], names: Sequence[str] = tuple(SIGNS), of_kind: Mapping[str, float] = OF_KIND) -> Fitted:
    """The weights of these features; TrainingError when all examples say the same."""
    numpy = library("numpy")
    counted = [one for one in examples if of_kind[one.kind]]
    table = numpy.array([[one.values[name] for name in names] for one in counted])
    wanted = numpy.array([asserts(one) for one in counted])
    if wanted.all() or not wanted.any():
        raise TrainingError("all pairs have the same label: there is nothing to learn")
    counts = numpy.array([of_kind[one.kind] for one in counted])
    found = minimum(table, wanted, counts, [SIGNS[name] for name in names])
    return Fitted(tuple(names), found[0], tuple(found[1:]))


def minimum(table: Any, wanted: Any, counts: Any, signs: Sequence[int]) -> list[float]:
    """Intercept and weights at the least loss, within the signs: 1 for not below 0, -1 for not above, 0 for any."""
    numpy = library("numpy")

    def loss(at: Any) -> Any:
        logits = table @ at[1:] + at[0]
        away = (1 / (1 + numpy.exp(-logits)) - wanted) * counts
        whole = STRENGTH * (counts * numpy.logaddexp(0, numpy.where(wanted, -logits, logits))).sum() + 0.5 * at[1:] @ at[1:]
        return whole, numpy.concatenate(([STRENGTH * away.sum()], STRENGTH * (table.T @ away) + at[1:]))

    bounds = [(None, None), *[(0 if sign > 0 else None, 0 if sign < 0 else None) for sign in signs]]
    options = {"maxiter": 5_000, "ftol": 1e-14, "gtol": 1e-9}
    start = numpy.zeros(table.shape[1] + 1)
    found: list[float] = (
        library("scipy.optimize").minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x.tolist()
    )
    return found


def crossed(
    examples: Sequence[Example],
    names: Sequence[str] = tuple(SIGNS),
    of_kind: Mapping[str, float] = OF_KIND,
    abstain: Mapping[str, float] = ABSTAIN,
) -> Crossed:
    """Every example by a scorecard that learned without its claim."""
    folds = [fold_of(one.claim) for one in examples]
    fitted = [fit([one for one, other in zip(examples, folds, strict=True) if other != fold], names, of_kind) for fold in range(FOLDS)]
    sums = [fitted[fold].sum(one.values) for one, fold in zip(examples, folds, strict=True)]
    return Crossed(sums, [is_silent(one.values, abstain) for one in examples])


def threshold(examples: Sequence[Example], found: Crossed, looked_at: Mapping[str, int]) -> float:
    """The lowest at which no judged pair is labelled that asserts nothing, and everyday posts are within `ALARMS` by topic."""
    speaking = [(one, total) for one, total, silent in zip(examples, found.sums, found.silent, strict=True) if not silent]
    wrong = [total for one, total in speaking if one.kind == JUDGED and one.label != "ASSERTS"]
    for topic, posts in looked_at.items():
        alarms = sorted([total for one, total in speaking if one.kind == EVERYDAY and one.label == topic and one.is_false], reverse=True)
        wrong += alarms[int(ALARMS * posts / 1e4) :][:1]
    return max(wrong, default=0.0) + MARGIN


def nested(examples: Sequence[Example], looked_at: Mapping[str, int]) -> list[tuple[Example, bool]]:
    """(judged pair, labelled): also the threshold is chosen without the pair's claim."""
    found: list[tuple[Example, bool]] = []
    for fold in range(FOLDS):
        rest = [one for one in examples if fold_of(one.claim) != fold]
        fitted, bound = fit(rest), threshold(rest, crossed(rest), looked_at)
        held = [one for one in examples if one.kind == JUDGED and fold_of(one.claim) == fold]
        found += [(one, fitted.sum(one.values) >= bound and not is_silent(one.values, ABSTAIN)) for one in held]
    return found


def calibration(examples: Sequence[Example], sums: Sequence[float], kinds: Collection[str] = (JUDGED, EVERYDAY)) -> tuple[float, float]:
    """(slope, shift) that make probabilities of the sums, in the mix of the training data."""
    chosen = [(one, total) for one, total in zip(examples, sums, strict=True) if one.kind in kinds]
    model = library("sklearn.linear_model").LogisticRegression(C=1e6, solver="lbfgs", tol=1e-10, max_iter=1_000)
    model.fit([[total] for _, total in chosen], [asserts(one) for one, _ in chosen], [OF_KIND[one.kind] for one, _ in chosen])
    slope = float(model.coef_[0][0])
    if slope <= 0:
        raise TrainingError("the features say nothing of these examples")
    return slope, float(model.intercept_[0])


def calibrated(fitted: Fitted, slope: float, shift: float) -> Fitted:
    """Weights whose sums are probabilities' log-odds, rounded, so that the last bits of a processor do not show."""
    weights = tuple([round(weight * slope, DECIMALS) + 0.0 for weight in fitted.weights])
    return Fitted(fitted.names, round(fitted.intercept * slope + shift, DECIMALS), weights)
