"""The similarity of claims learned otherwise: from other features, other examples, more or less strongly. What does not help is told."""

from collections.abc import Callable, Sequence

from labeler.claims import features
from labeler.claims.matching import ORDER, Learned
from labeler.training import Tell
from labeler.training.abstention import ALARMS, Sides, average
from labeler.training.matching import FORMS, TELLING, Fold, Recipe, similarity
from labeler.training.report import Cell, Table

ALARM, MOST_ALARMS = "a claim rated false, but for posts that say it", 30
NUMBERS = ("shared_numbers", "missing_numbers")


def _but(*without: str, of: Sequence[str] = TELLING) -> Recipe:
    return Recipe(names=[name for name in of if name not in without])


VARIANTS = {
    "as shipped": Recipe(),
    "all features": _but(of=(ORDER, *features.NAMES)),
    "all features but numbers": _but(*NUMBERS, of=(ORDER, *features.NAMES)),
    "without names_and_deeds": _but("names_and_deeds"),
    "without title_surprise": _but("title_surprise"),
    "without shared_weight": _but("shared_weight"),
    "without shared_numbers": _but("shared_numbers"),
    "more strongly regularised": Recipe(strength=0.3),
    "less strongly regularised": Recipe(strength=30.0),
    "without wrong first candidates of pairs": Recipe(wrong=False),
    "of everyday posts the 500 most similar alone": Recipe(hardest=500),
}


def varied(folds: Sequence[Fold], judged: Callable[[Sequence[Learned]], Sequence[Sides]], tell: Tell) -> Table:
    """Each beside what ships, on the same order; `judged` judges every post by what was learned without its fold."""
    rows: list[tuple[Cell, ...]] = []
    for name, recipe in VARIANTS.items():
        tell(f"variant: {name}")
        by = [Learned(one.learned.order, similarity(one.pairs, one.others, one.learned.order, recipe)) for one in folds]
        rows.append((name, len(recipe.names), *(round(100 * average(sides, ALARMS[ALARM], MOST_ALARMS), 1) for sides in judged(by))))
    note = (
        f"On average over thresholds that let 1 to {MOST_ALARMS} everyday posts pass: one alone hangs on a single post. Alarm is {ALARM}."
    )
    return Table("Variants: % of pairs matched", ("variant", "weights", *FORMS), tuple(rows), note)
