"""The figures of a scorecard as tables and pictures: the same for its card and for `plainsky evaluate`."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from labeler.claims import seed
from labeler.claims.matching import Matcher
from labeler.stance.features import features
from labeler.stance.judging import beside
from labeler.stance.said import tokens
from labeler.training.pictures import Bars, Chart
from labeler.training.report import Cell, Table
from labeler.training.stance_data import EVERYDAY, GOLD, JUDGED, LABELS, Example, Examples
from labeler.training.stance_fitting import ABSTAIN, OF_KIND, SIGNS, Crossed, crossed, nested, threshold
from labeler.training.statistics import Bin, auc, brier, calibration, calibration_error, wilson
from labeler.training.swaps import families, spreads
from models.masking import NEUTRAL, Mask, read_terms
from models.post import Post
from models.scorecard import Scorecard, probability
from models.text_model import TextModel

EACH = 6
"""Of the seed's claims each so many-th is used in swap tests."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "similarity": ("similarity",),
    "coverage and words in common": ("coverage", "post_coverage", "shared_words", "longest_run", "in_order", "key_coverage"),
    "what is missing": ("missing_terms", "missing_names", "missing_numbers"),
    "negation": ("negated", "affirmed"),
    "attribution": ("attribution",),
    "question": ("question",),
    "quotation": ("quotation", "quote_post"),
    "irony": ("irony",),
    "correction": ("correction",),
    "links": ("fact_check_link", "doubtful_link"),
    "text model": ("text_model",),
    "length": ("length",),
    "all cues of stance": tuple(ABSTAIN.keys() - {"missing_numbers"}),
}


class Measured(NamedTuple):
    """A way to learn, measured by cross-validation at the threshold that it allows itself."""

    name: str
    threshold: float
    right: int
    labelled: int
    rebuttals: int
    asserting: float
    """AUC of asserting against all else."""
    against_rebuttals: float


def measured(
    name: str,
    examples: Examples,
    names: Sequence[str] = tuple(SIGNS),
    of_kind: Mapping[str, float] = OF_KIND,
    abstain: Mapping[str, float] = ABSTAIN,
) -> Measured:
    """Learn without each fifth of the claims in turn, and judge it."""
    found = crossed(examples.examples, names, of_kind, abstain)
    bound = threshold(examples.examples, found, examples.looked_at)
    judged = [(one.label, total, silent) for one, total, silent in _zipped(examples.examples, found) if one.kind == JUDGED]
    labelled = [label for label, total, silent in judged if total >= bound and not silent]
    by_label = {label: [total for other, total, _ in judged if other == label] for label in LABELS}
    others = [total for label in LABELS[1:] for total in by_label[label]]
    right = labelled.count("ASSERTS")
    areas = auc(by_label["ASSERTS"], others), auc(by_label["ASSERTS"], by_label["REBUTS"])
    return Measured(name, bound, right, len(labelled), labelled.count("REBUTS"), *areas)


def at_threshold(examples: Examples, found: Crossed, bound: float) -> Table:
    """Precision and recall of labelling, when the threshold was seen and when it was not."""
    judged = [(one, total >= bound and not silent) for one, total, silent in _zipped(examples.examples, found) if one.kind == JUDGED]
    rows = [
        ("chosen on all pairs", *_shares(judged)),
        ("chosen without the pair's claim", *_shares(nested(examples.examples, examples.looked_at))),
    ]
    columns = ("threshold", "pairs", "asserting", "labelled", "right", "rebuttals", "precision", "from", "to", "recall", "from", "to")
    note = "Weights never saw the pair's claim in either row. Believe the second: in the first the threshold saw the pairs."
    return Table("Labelling judged pairs, cross-validated by claim", columns, tuple(rows), note)


def _shares(judged: Sequence[tuple[Example, bool]]) -> tuple[Cell, ...]:
    labelled = [one.label for one, labels in judged if labels]
    asserting, right = sum(one.label == "ASSERTS" for one, _ in judged), labelled.count("ASSERTS")
    shares = [round(share, 4) for share in (*wilson(right, len(labelled)), *wilson(right, asserting))]
    return len(judged), asserting, len(labelled), right, labelled.count("REBUTS"), *shares


def by_label(examples: Examples, found: Crossed, bound: float) -> Table:
    """What becomes of the pairs."""
    rows: list[tuple[Cell, ...]] = []
    for label in (*LABELS, GOLD):
        some = [
            (total, silent)
            for one, total, silent in _zipped(examples.examples, found)
            if (one.kind == GOLD if label == GOLD else one.kind == JUDGED and one.label == label)
        ]
        silent = sum(silent for _, silent in some)
        labelled = sum(total >= bound and not silent for total, silent in some)
        rows.append((label, len(some), silent, len(some) - silent - labelled, labelled))
    note = "Gold pairs are posts that fact-checkers took up; most assert, and nobody judged which."
    return Table("What becomes of pairs, cross-validated", ("label", "pairs", "abstained", "below", "labelled"), tuple(rows), note)


def abstentions(examples: Examples) -> Table:
    """How often each reason to say nothing holds, by what the pair was judged to be."""
    rows: list[tuple[Cell, ...]] = []
    for name, bound in ABSTAIN.items():
        held = [one for one in examples.examples if one.values[name] > bound]
        judged = [sum(one.kind == JUDGED and one.label == label for one in held) for label in LABELS]
        rows.append((name, *judged, sum(one.kind == EVERYDAY for one in held)))
    return Table("Abstentions: pairs in which each holds", ("feature", *(label.lower() for label in LABELS), "everyday posts"), tuple(rows))


def false_alarms(examples: Examples, found: Crossed, bound: float) -> Table:
    """Everyday posts that would be labelled, by topic."""
    loud = [
        one.label
        for one, total, silent in _zipped(examples.examples, found)
        if one.kind == EVERYDAY and one.is_false and total >= bound and not silent
    ]
    rows: list[tuple[Cell, ...]] = []
    for topic, posts in (*examples.looked_at.items(), ("all", sum(examples.looked_at.values()))):
        alarms = len(loud) if topic == "all" else loud.count(topic)
        rows.append((topic, posts, alarms, *(round(1e4 * share, 2) for share in wilson(alarms, posts))))
    note = "Unlabelled posts, the closest of all claims; an alarm may be a true assertion. The claim was in no training part."
    return Table(
        "Everyday posts above the threshold, of 10,000", ("topic", "posts", "labelled", "of 10,000", "from", "to"), tuple(rows), note
    )


def ablation(examples: Examples) -> list[Measured]:
    """Without each group of features."""
    found = [measured("all features", examples)]
    for name, group in GROUPS.items():
        left = [one for one in SIGNS if one not in group]
        found.append(measured(f"without {name}", examples, left, abstain={one: b for one, b in ABSTAIN.items() if one not in group}))
    return found


def compared(title: str, found: Sequence[Measured], note: str = "") -> Table:
    """Ways to learn beside each other."""
    rows = [
        (one.name, round(one.asserting, 4), round(one.against_rebuttals, 4), one.right, one.labelled, round(one.threshold, 2))
        for one in found
    ]
    return Table(title, ("variant", "AUC asserts", "AUC against rebuttals", "right", "labelled", "threshold"), tuple(rows), note)


def calibrated(examples: Examples, sums: Sequence[float]) -> tuple[Table, Sequence[Bin]]:
    """Whether a probability is the share of judged pairs that assert."""
    pairs = [
        (probability(total), int(one.label == "ASSERTS")) for one, total in zip(examples.examples, sums, strict=True) if one.kind == JUDGED
    ]
    probabilities, labels = [p for p, _ in pairs], [label for _, label in pairs]
    bins = calibration(probabilities, labels, 5)
    rows: list[tuple[Cell, ...]] = [
        (f"{b.low:.1f} to {b.high:.1f}", b.cases, *(round(value, 4) for value in (b.mean, *b.share))) for b in bins
    ]
    note = f"Brier score {brier(probabilities, labels):.4f}, expected calibration error {calibration_error(bins):.4f}."
    return Table("Calibration on judged pairs", ("probability", "pairs", "mean", "assert", "from", "to"), tuple(rows), note), bins


def swapped(scorecard: Scorecard, model: TextModel) -> Table:
    """The largest difference that a swapped word makes to the sum, over claims that do not speak of who people are."""
    claims = [claim for claim in seed.claims(0) if not any(_masked(wording.text) for wording in claim.wordings)][::EACH]
    matcher = Matcher(claims)
    langs = {sentence: lang for _, lang, lists in families() for family in lists for sentence in family}

    def score_for(claim: str) -> Callable[[str], float]:
        def score(sentence: str) -> float:
            one = beside(Post(sentence, langs=(langs[sentence],)), claim, matcher, model)
            return scorecard.decide(features(one)).sum if one else 0.0

        return score

    found = [spreads(score_for(claim.id)) for claim in claims]
    rows = [(row[0].group, row[0].lang, row[0].sentences, max(one.spread for one in row)) for row in zip(*found, strict=True)]
    note = f"Each sentence beside each of {len(claims)} claims. A claim that speaks of a group is another claim when the group is swapped."
    return Table("Swap tests: largest spread of the sum", ("group", "language", "sentences", "spread"), tuple(rows), note)


def _masked(wording: str) -> bool:
    """Whether a claim speaks of who people are; ways of speaking do not count."""
    people = _people()
    return any(people.form(word) == NEUTRAL for word in people.phrases(tokens(wording)))


@cache
def _people() -> Mask:
    return Mask({group: by_lang for group, by_lang in read_terms().items() if group != "dialect"})


def weights_picture(scorecard: Scorecard) -> Bars:
    """All of them."""
    return Bars("Weights", tuple(sorted(scorecard.weights.weights.items(), key=lambda one: (-one[1], one[0]))))


def calibration_picture(bins: Sequence[Bin]) -> Chart:
    """Mean probability against share, with its interval."""
    points = tuple((found.mean, *found.share) for found in bins)
    return Chart("Calibration", "probability", "share that asserts", {"cross-validation": points}, diagonal=True)


def _zipped(examples: Sequence[Example], found: Crossed) -> Sequence[tuple[Example, float, bool]]:
    return list(zip(examples, found.sums, found.silent, strict=True))
