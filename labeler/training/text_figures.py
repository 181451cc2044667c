"""The figures of a text model as tables and pictures: the same for its card and for `plainsky evaluate`."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from labeler.training.data import Text
from labeler.training.experiments import Variant
from labeler.training.pictures import Bars, Chart
from labeler.training.report import Cell, Table
from labeler.training.statistics import (
    Bin,
    Estimate,
    auc_with_interval,
    brier,
    calibration,
    calibration_error,
    precision_at,
    quantile,
    wilson,
)
from labeler.training.swaps import Spread
from models.text_model import probability
from models.weights import Weights

Scored: TypeAlias = Sequence[tuple[Text, float]]

FLAGS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Everyday posts flagged of 10,000, at which precision and recall are told."""
DIGITS = 4


def by_set(crossed: Scored, unseen: Mapping[str, Scored]) -> Table:
    """How well the model ranks each set when it knows the set's other texts, and when it knows none."""
    rows = [
        (name, len(scored), *_interval(_auc([one for one in crossed if one[0].source == name])), *_interval(_auc(scored)))
        for name, scored in unseen.items()
    ]
    columns = ("set", "texts", "AUC, set known", "from", "to", "AUC, set unseen", "from", "to")
    return Table(
        "Ranking of rated texts", columns, tuple(rows), "0.5 is chance. The second figure is what to expect of texts from elsewhere."
    )


def false_alarms(crossed: Scored, unseen: Mapping[str, Scored]) -> Table:
    """Everyday posts above even odds, by topic: with posts of that topic in training, and without any."""
    rows = []
    for topic, scored in unseen.items():
        known = [one for one in crossed if one[0].everyday and one[0].topic == topic]
        rows.append((topic, len(scored), *_per_10000(known), *_per_10000(scored)))
    everything = [one for one in crossed if one[0].everyday]
    rows.append(("all", len(everything), *_per_10000(everything), *_per_10000([one for scored in unseen.values() for one in scored])))
    columns = ("topic", "posts", "flagged, topic known", "from", "to", "flagged, topic unseen", "from", "to")
    return Table("Everyday posts above even odds, of 10,000", columns, tuple(rows), "They are unlabelled; nearly all are harmless.")


def trade(crossed: Scored) -> Table:
    """What is caught, and how purely, at thresholds that flag so many of 10,000 everyday posts."""
    everyday = sorted(score for text, score in crossed if text.everyday)
    rated = [(text.label, score) for text, score in crossed if not text.everyday]
    rows = [_traded(flags, quantile(everyday, 1 - flags / 10_000), rated) for flags in FLAGS] if everyday and rated else []
    columns = ("flags", "threshold", "recall", "from", "to", "precision, rated", "from", "to", "1 in 100 false", "1 in 1,000 false")
    note = "Precision among the rated texts, and what it would be in a stream where one post in 100 or in 1,000 is false."
    return Table("Precision against flags per 10,000 everyday posts", columns, tuple(rows), note)


def _traded(flags: int, threshold: float, rated: Sequence[tuple[int, float]]) -> tuple[Cell, ...]:
    caught = [label for label, score in rated if score > threshold]
    recall, precision = wilson(sum(caught), sum(label for label, _ in rated)), wilson(sum(caught), len(caught))
    rare = [_short(precision_at(share, recall.value, flags / 10_000)) for share in (0.01, 0.001)]
    return flags, _short(threshold), *_interval(recall), *_interval(precision), *rare


def calibrated(crossed: Scored) -> tuple[Table, Sequence[Bin]]:
    """Whether a probability of the model is the share that is rated false, in the mix of the training data."""
    probabilities, labels = [probability(score) for _, score in crossed], [text.label for text, _ in crossed]
    bins = calibration(probabilities, labels)
    rows = [(f"{b.low:.1f} to {b.high:.1f}", b.cases, _short(b.mean), *_interval(b.share)) for b in bins]
    note = f"Brier score {brier(probabilities, labels):.4f}, expected calibration error {calibration_error(bins):.4f}."
    return Table("Calibration", ("probability", "texts", "mean", "rated false", "from", "to"), tuple(rows), note), bins


def swapped(found: Sequence[Spread]) -> Table:
    """The largest difference that a swapped word makes."""
    rows = [(one.group, one.lang, one.sentences, one.spread) for one in found]
    return Table("Swap tests: largest spread of the score, in log-odds", ("group", "language", "sentences", "spread"), tuple(rows))


def compared(found: Sequence[Variant]) -> Table:
    """The model beside its variants."""
    rows = [(one.name, _short(one.unseen), round(one.flags, 1), _short(one.spread)) for one in found]
    columns = ("variant", "mean AUC, set unseen", "everyday posts flagged of 10,000", "swap spread")
    return Table("Variants", columns, tuple(rows), "Each learned anew and measured in the same way.")


def calibration_picture(bins: Sequence[Bin]) -> Chart:
    """Mean probability against share, with its interval."""
    points = tuple((found.mean, *found.share) for found in bins)
    return Chart("Calibration", "probability", "share rated false", {"cross-validation": points}, diagonal=True)


def trade_picture(table: Table) -> Chart:
    """Precision and recall over flags."""
    rows = [[float(cell) for cell in row] for row in table.rows]
    curves = {
        "precision among rated texts": tuple((row[0], row[5], row[6], row[7]) for row in rows),
        "recall": tuple((row[0], row[2], row[3], row[4]) for row in rows),
        "precision, 1 in 100 false": tuple((row[0], row[8], row[8], row[8]) for row in rows),
    }
    return Chart(table.title, "flags per 10,000 everyday posts", "share", curves, log=True)


def weights_picture(weights: Weights, most: int = 20) -> Bars:
    """The terms with the largest weights on either side."""
    ranked = sorted(weights.weights.items(), key=lambda one: (-one[1], one[0]))
    chosen = ranked if len(ranked) <= 2 * most else ranked[:most] + ranked[-most:]
    return Bars("Strongest weights", tuple(chosen))


def _auc(scored: Scored) -> Estimate:
    return auc_with_interval([score for _, score in scored], [text.label for text, _ in scored])


def _per_10000(scored: Scored) -> tuple[float, float, float]:
    value, low, high = (round(10_000 * share, 1) for share in wilson(sum(score > 0 for _, score in scored), len(scored)))
    return value, low, high


def _interval(found: Estimate) -> tuple[float, float, float]:
    return _short(found.value), _short(found.low), _short(found.high)


def _short(value: float) -> float:
    return round(value, DIGITS)
