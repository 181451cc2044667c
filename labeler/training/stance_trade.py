"""What a lower threshold of the scorecard would find, and at what price: precision against flags per 10,000 everyday posts."""

from collections.abc import Iterator, Sequence
from math import inf

from labeler.training.pictures import Chart
from labeler.training.report import Cell, Table
from labeler.training.stance_data import EVERYDAY, JUDGED, Examples
from labeler.training.stance_fitting import calibration, crossed
from labeler.training.statistics import wilson

FLAGS = (0, 1, 2, 5, 10, 20, 50, 100)
TITLE = "Precision against flags per 10,000 everyday posts"
_STEP = 1e-9  # above the sum of a post that may not be flagged


def traded(examples: Examples) -> Table:
    """For so many flags of 10,000 everyday posts the lowest threshold, and what it labels of judged pairs, cross-validated by claim."""
    found = crossed(examples.examples)
    slope, shift = calibration(examples.examples, found.sums)
    speaking = [
        (one, slope * total + shift) for one, total, silent in zip(examples.examples, found.sums, found.silent, strict=True) if not silent
    ]
    posts = sum(examples.looked_at.values())
    everyday = sorted((total for one, total in speaking if one.kind == EVERYDAY and one.is_false), reverse=True)
    pairs = [(total, one.label == "ASSERTS") for one, total in speaking if one.kind == JUDGED]
    asserting = sum(one.kind == JUDGED and one.label == "ASSERTS" for one in examples.examples)
    columns = ("flags", "threshold", "labelled", "right", "precision", "from", "to", "recall", "from", "to")
    note = "Of judged pairs; the pair's claim was in no training part. Pairs were picked by topic: in a stream fewer posts assert anything."
    return Table(TITLE, columns, tuple(_rows(everyday, posts, pairs, asserting)), note)


def _rows(everyday: Sequence[float], posts: int, pairs: Sequence[tuple[float, bool]], asserting: int) -> Iterator[tuple[Cell, ...]]:
    for flags in FLAGS:
        allowed = flags * posts // 10_000
        bound = everyday[allowed] + _STEP if allowed < len(everyday) else -inf
        labelled = [right for total, right in pairs if total >= bound]
        shares = (*wilson(sum(labelled), len(labelled)), *wilson(sum(labelled), asserting))
        told = round(bound, 3) if bound > -inf else "none"
        yield flags, told, len(labelled), sum(labelled), *(round(share, 4) for share in shares)


def trade_picture(table: Table) -> Chart:
    """Precision and recall over flags; none at all is left out, for the scale spans magnitudes."""
    rows = [row for row in table.rows if row[0]]
    curves = {name: tuple(_point(row, at) for row in rows) for name, at in (("precision among judged pairs", 4), ("recall", 7))}
    return Chart(table.title, "flags per 10,000 everyday posts", "share", curves, log=True)


def _point(row: Sequence[Cell], at: int) -> tuple[float, float, float, float]:
    return float(row[0]), float(row[at]), float(row[at + 1]), float(row[at + 2])
