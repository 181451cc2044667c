"""`plainsky train stance`, `plainsky evaluate stance`: the scorecard that says what a post does with a claim (models.scorecard).

Promises: the same data, versions and shipped text model give the same bytes. No claim is both learned from and measured on.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict

from labeler.claims.matching import Matcher
from labeler.stance.judging import Stance, shipped_text_model
from labeler.training import Tell, TrainingError, evaluate_matching, one_thread
from labeler.training import stance_figures as figures
from labeler.training.fitting import versions
from labeler.training.kinds import SHIPPED
from labeler.training.report import Report, Table, as_plain
from labeler.training.stance_card import PROSE, negative_results
from labeler.training.stance_data import JUDGED, Examples, read_examples
from labeler.training.stance_figures import Measured
from labeler.training.stance_fitting import (
    ABSTAIN,
    DECIMALS,
    FOLDS,
    MARGIN,
    OF_KIND,
    SIGNS,
    STRENGTH,
    Fitted,
    calibrated,
    calibration,
    crossed,
    fit,
    threshold,
)
from labeler.training.stance_trade import trade_picture, traded
from labeler.training.statistics import Bin
from models.post import Post
from models.scorecard import KIND, Scorecard
from models.weights import BadWeights, Weights


class Trainable:
    """The scorecard."""

    default = SHIPPED / "stance.json"

    @one_thread()
    def train(self, data: Path, command: str, tell: Tell) -> Weights:
        """Cross-validate, compare with variants, then learn from everything."""
        examples = read_examples(data, shipped_text_model(), tell)
        tables, negative, bound, fitted, _ = _measured(examples, tell)
        bare = _weights(fitted, bound, {})
        tell("swap tests")
        swapped = figures.swapped(Scorecard(bare), shipped_text_model())
        return _weights(fitted, bound, _card(examples, [*tables, swapped], negative, command))

    @one_thread()
    def evaluate(self, data: Path, file: Path, tell: Tell) -> Report:
        """The recipe on these data by cross-validation, and the file's own swap tests, threshold and speed."""
        try:
            scorecard = Scorecard.read(file)
        except BadWeights as error:
            raise TrainingError(f"{file}: {error}") from None
        examples = read_examples(data, shipped_text_model(), tell)
        tables, _, _, _, bins = _measured(examples, tell)
        tell("swap tests")
        about = (
            f"Model {file.name}: {len(scorecard.weights.weights)} features, threshold {scorecard.threshold}, SHA-256 {scorecard.hash}.",
            f"Data: {sum(one.kind == JUDGED for one in examples.examples)} judged pairs of {data}.",
            f"{_microseconds(scorecard, data):.0f} µs of CPU for the stance of a candidate on this machine, matching not included.",
        )
        swapped, trade = figures.swapped(scorecard, shipped_text_model()), traded(examples)
        pictures = (figures.calibration_picture(bins), trade_picture(trade), figures.weights_picture(scorecard))
        return Report("Stance", about, (*tables, trade, swapped), pictures)


def _measured(examples: Examples, tell: Tell) -> tuple[list[Table], list[dict[str, str]], float, Fitted, Sequence[Bin]]:
    """Tables, negative results, the calibrated threshold and weights, calibration."""
    tell("cross-validation by claim")
    found = crossed(examples.examples)
    bound = threshold(examples.examples, found, examples.looked_at)
    slope, shift = calibration(examples.examples, found.sums)
    calibration_table, bins = figures.calibrated(examples, [slope * total + shift for total in found.sums])
    tell("without each group of features")
    without, tried = figures.ablation(examples), _tried(examples)
    note = "Each learned and measured anew, at the threshold that it allows itself; a group's abstentions go with it."
    ablated, variants = figures.compared("Which features carry it", without, note), figures.compared("Variants", tried)
    tables = [
        figures.at_threshold(examples, found, bound),
        figures.by_label(examples, found, bound),
        figures.false_alarms(examples, found, bound),
        figures.abstentions(examples),
        ablated,
        variants,
        calibration_table,
    ]
    fitted = calibrated(fit(examples.examples), slope, shift)
    return tables, negative_results(variants, ablated), round(slope * bound + shift, DECIMALS), fitted, bins


def _tried(examples: Examples) -> list[Measured]:
    return [
        figures.measured("as shipped", examples),
        figures.measured("without abstentions", examples, abstain={}),
        figures.measured("abstaining for cues, but not for missing numbers", examples, abstain=_but("missing_numbers")),
        figures.measured("also abstaining where a name of the claim is missing", examples, abstain={**ABSTAIN, "missing_names": 0}),
        figures.measured("without gold pairs", examples, of_kind={**OF_KIND, "gold": 0.0}),
        figures.measured("gold pairs at half the weight of a judged pair", examples, of_kind={**OF_KIND, "gold": 0.5}),
        figures.measured("without everyday posts", examples, of_kind={**OF_KIND, "everyday": 0.0}),
        figures.measured("everyday posts at full weight", examples, of_kind={**OF_KIND, "everyday": 1.0}),
        figures.measured("judged pairs alone", examples, of_kind={"judged": 1.0, "gold": 0.0, "everyday": 0.0}),
    ]


def _but(name: str) -> dict[str, float]:
    return {other: bound for other, bound in ABSTAIN.items() if other != name}


def _weights(fitted: Fitted, bound: float, card: dict[str, Any]) -> Weights:
    features = {"threshold": bound, "abstain": dict(ABSTAIN), "signs": dict(SIGNS)}
    weights = dict(zip(fitted.names, fitted.weights, strict=True))
    return Weights(kind=KIND, name="stance", weights=weights, intercept=fitted.intercept, features=features, card=card)


def _microseconds(scorecard: Scorecard, data: Path) -> float:
    """Of posts that have a candidate: all that is done beside finding it."""
    read = evaluate_matching.read(data)
    posts = [Post(pair.text) for pair in read.pairs[:300]]
    matcher = Matcher(read.bank)
    stance = Stance(scorecard)
    for _ in range(2):  # the first round fills caches
        began = time.process_time()
        found = [stance.judge(post, matcher, lambda _: "false") for post in posts]
        whole = time.process_time() - began
    began = time.process_time()
    for post in posts:
        matcher.candidates(post.text)
    return 1e6 * (whole - (time.process_time() - began)) / max(1, sum(one is not None for one in found))


def _card(examples: Examples, tables: Sequence[Table], negative: list[dict[str, str]], command: str) -> dict[str, Any]:
    recipe = {"folds": FOLDS, "C": STRENGTH, "margin": MARGIN, **{f"weight of {kind} examples": weight for kind, weight in OF_KIND.items()}}
    return {
        **PROSE,
        "data": [asdict(source) for source in examples.sources],
        "metrics": as_plain(tables),
        "negative_results": negative,
        "training": {
            "command": command,
            "recipe": recipe,
            "seed": "none: nothing is drawn",
            "decimals": DECIMALS,
            "versions": {**versions(), "text model": shipped_text_model().hash[:16]},
        },
    }
