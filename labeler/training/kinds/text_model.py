"""`plainsky train text-model`, `plainsky evaluate text-model`: a linear text model that ranks what people look at (models.text_model).

Promises: the same data, versions and seed give the same bytes. Everyday posts are among the negatives, identity terms are masked, URLs
are gone, copies count once.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, evolve

from labeler.drift import Baseline
from labeler.training import Tell, TrainingError, library, one_thread
from labeler.training import text_figures as figures
from labeler.training.data import Data, Text, read, search_words
from labeler.training.experiments import SEARCH, Experiment, variants
from labeler.training.fitting import DECIMALS, SEED, Recipe, versions
from labeler.training.kinds import SHIPPED
from labeler.training.report import Cell, Report, Table, as_plain
from labeler.training.statistics import wilson
from labeler.training.swaps import spreads
from labeler.training.text_card import PROSE, negative_results
from models.masking import Mask, read_terms
from models.text_model import TextModel
from models.weights import BadWeights, Weights

RECIPE = Recipe()


class Trainable:
    """The text model."""

    default = SHIPPED / "text.json"

    @one_thread()
    def train(self, data: Path, command: str, tell: Tell) -> Weights:
        """Cross-validate, compare with variants, then learn from everything."""
        with library("threadpoolctl").threadpool_limits(1):  # sums of several threads differ in their last bits
            terms = read_terms()
            tell(f"reading {data}")
            terms[SEARCH] = {"any": " ".join(sorted(search_words(read(data, Mask(terms).words))))}
            texts = read(data, Mask(terms).words)
            experiment = Experiment(texts, RECIPE)
            measured, crossed = _measured(experiment, tell)
            tried = variants(experiment, data, terms, tell)
            tell("learning from everything")
            bare = TextModel(experiment.model(terms, {}, {}))
            compared = figures.compared(tried)
            tables = [*measured, compared, figures.swapped(spreads(_score(bare)))]
            card = _card(texts, tables, compared, command)
            return evolve(bare.weights, features={**bare.weights.features, "everyday": _baseline(bare, crossed)}, card=card)

    @one_thread()
    def evaluate(self, data: Path, file: Path, tell: Tell) -> Report:
        """The recipe on these data by cross-validation, and the file itself."""
        model = _model(file)
        with library("threadpoolctl").threadpool_limits(1):
            tell(f"reading {data}")
            texts = read(data, model.words)
            measured, crossed = _measured(Experiment(texts, RECIPE), tell)
        tell(f"scoring with {file.name}")
        _, bins = figures.calibrated(crossed)
        trade = figures.trade(crossed)
        tables = (*measured, figures.swapped(spreads(_score(model))), _as_is(model, texts))
        pictures = (figures.calibration_picture(bins), figures.trade_picture(trade), figures.weights_picture(model.weights))
        about = (
            f"Model {file.name}: {len(model.weights.weights):,} terms, SHA-256 {model.hash}.",
            f"Data: {len(texts.texts):,} different texts of {data}, of them {sum(text.everyday for text in texts.texts):,} everyday posts.",
            "Intervals are 95 %: Wilson's for shares, Hanley and McNeil's for AUC.",
        )
        return Report("Text model", about, tables, pictures)


def _model(file: Path) -> TextModel:
    try:
        return TextModel.read(file)
    except BadWeights as error:
        raise TrainingError(f"{file}: {error}") from None


def _score(model: TextModel) -> Any:
    return lambda text: model.score(text).value


def _measured(experiment: Experiment, tell: Tell) -> tuple[list[Table], list[tuple[Text, float]]]:
    data = experiment.data
    crossed = experiment.crossed(tell)
    unseen_sets, unseen_topics = {}, {}
    for name in data.labelled_sets:
        tell(f"without {name}")
        unseen_sets[name] = experiment.without_set(name)
    for topic in data.topics:
        tell(f"without everyday posts of {topic}")
        unseen_topics[topic] = experiment.without_topic(topic)
    tables = [
        figures.by_set(crossed, unseen_sets),
        figures.false_alarms(crossed, unseen_topics),
        figures.trade(crossed),
        figures.calibrated(crossed)[0],
    ]
    return tables, crossed


def _baseline(model: TextModel, crossed: Sequence[tuple[Text, float]]) -> dict[str, Any]:
    """What everyday posts look like to the model, for `labeler.drift`: scores of cross-validation, since those learned from score lower."""
    everyday = [(score, text) for text, score in crossed if text.everyday]
    coverages = [_coverage(model, text) for _, text in everyday]
    found = asdict(Baseline.of([score for score, _ in everyday], coverages))
    return {
        "edges": list(found["edges"]),
        "shares": [round(share, 6) for share in found["shares"]],
        "coverage": round(found["coverage"], 4),
    }


def _coverage(model: TextModel, text: Text) -> float:
    return model.score(" ".join(text.words)).coverage


def _as_is(model: TextModel, data: Data) -> Table:
    """The file on each file of the data: flagged shares mean little where the file was learned from."""
    learned_from = {source["sha256"] for source in model.weights.card.get("data", ())}
    rows: list[tuple[Cell, ...]] = []
    for source in data.sources:
        name = Path(source.file).stem
        scored = [(text, model.score(" ".join(text.words)).value) for text in data.texts if text.source == name]
        flagged = wilson(sum(score > 0 for _, score in scored), len(scored))
        seen = "yes" if source.sha256 in learned_from else "no"
        rows.append((source.file, seen, len(scored), *(round(10_000 * share, 1) for share in flagged)))
    columns = ("file", "learned from", "texts", "above even odds of 10,000", "from", "to")
    return Table(
        "This file, as it is",
        columns,
        tuple(rows),
        f"{_microseconds(model, data):.0f} µs of CPU a text on this machine, cleaning not included.",
    )


def _microseconds(model: TextModel, data: Data) -> float:
    texts = [" ".join(text.words) for text in data.texts if text.everyday][:5_000]
    began = time.process_time()
    for text in texts:
        model.score(text)
    return 1e6 * (time.process_time() - began) / max(1, len(texts))


def _card(data: Data, tables: Sequence[Table], compared: Table, command: str) -> dict[str, Any]:
    return {
        **PROSE,
        "data": [asdict(source) for source in data.sources],
        "metrics": as_plain(tables),
        "negative_results": negative_results(compared),
        "training": {
            "command": command,
            "recipe": {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(RECIPE).items()},
            "seed": SEED,
            "decimals": DECIMALS,
            "versions": versions(),
        },
    }
