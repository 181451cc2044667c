"""What is measured before a text model is believed: on texts that it has not seen, sets it has not seen, topics it has not seen."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from labeler.training import Tell
from labeler.training.data import Data, Text, fold_of, read
from labeler.training.fitting import RUNS, Features, Learned, Recipe
from labeler.training.statistics import auc
from labeler.training.swaps import spreads
from models.masking import Mask, Terms
from models.text_model import KIND, TextModel
from models.weights import Weights

FOLDS = 5
SEARCH = "search"
"""The group of masked words by which the everyday posts were found."""
Chosen = Callable[[Text], bool]


class Experiment:
    """A recipe on data: who is learned from, who is scored."""

    def __init__(self, data: Data, recipe: Recipe) -> None:
        self.data, self.recipe = data, recipe
        self.labels = [text.label for text in data.texts]
        self._features = Features([text.words for text in data.texts], recipe)

    def scores(self, learned_from: Chosen, scored: Chosen) -> list[tuple[Text, float]]:
        """Log-odds of the texts that are scored."""
        return self._scores(self._learned(learned_from), scored)

    def apart(self, learned_from: Chosen, scored: Chosen, terms: Terms) -> tuple[list[tuple[Text, float]], Weights]:
        """The same, with the model that scored."""
        learned = self._learned(learned_from)
        return self._scores(learned, scored), self._weights(learned, terms, {}, {})

    def _learned(self, chosen: Chosen) -> Learned:
        rows = [row for row, text in enumerate(self.data.texts) if chosen(text)]
        return self._features.learned(rows, [self.labels[row] for row in rows])

    def _scores(self, learned: Learned, scored: Chosen) -> list[tuple[Text, float]]:
        rows = [row for row, text in enumerate(self.data.texts) if scored(text)]
        return [(self.data.texts[row], score) for row, score in zip(rows, learned.scores(rows) if rows else (), strict=True)]

    def crossed(self, tell: Tell) -> list[tuple[Text, float]]:
        """Every text, scored by a model that learned from the other folds."""
        found: list[tuple[Text, float]] = []
        for fold in range(FOLDS):
            tell(f"cross-validation, part {fold + 1} of {FOLDS}")
            found += self.scores(lambda text, n=fold: fold_of(text, FOLDS) != n, lambda text, n=fold: fold_of(text, FOLDS) == n)  # type: ignore[misc]
        return found

    def without_set(self, name: str) -> list[tuple[Text, float]]:
        """The texts of a set (or everyday file), scored by a model that saw none of it."""
        return self.scores(lambda text: text.source != name, lambda text: text.source == name)

    def without_topic(self, topic: str) -> list[tuple[Text, float]]:
        """The everyday posts of a topic, scored by a model that saw no everyday post of it."""
        return self.scores(lambda text: not (text.everyday and text.topic == topic), lambda text: text.everyday and text.topic == topic)

    def model(self, terms: Terms, features: Mapping[str, Any], card: Mapping[str, Any]) -> Weights:
        """The weights learned from everything; `features` and `card` go into the file."""
        return self._weights(self._learned(lambda _: True), terms, features, card)

    def _weights(self, learned: Learned, terms: Terms, features: Mapping[str, Any], card: Mapping[str, Any]) -> Weights:
        fitted = learned.fitted()
        seen = {"mask": dict(terms), "run_lengths": list(self.recipe.runs or RUNS), **features}
        return Weights(kind=KIND, name="text model", weights=fitted.weights, intercept=fitted.intercept, features=seen, card=card)


@frozen
class Variant:
    """One thing done otherwise, and what came of it. `unseen`: mean AUC over sets left out; `flags`: everyday posts above even odds,
    of 10,000 that were not learned from; `spread`: the largest of the swap tests, in log-odds."""

    name: str
    unseen: float
    flags: float
    spread: float


def variants(shipped: Experiment, folder: Path, terms: Terms, tell: Tell) -> list[Variant]:
    """The model as it is, and with one thing done otherwise."""
    data, recipe = shipped.data, shipped.recipe
    people = {group: by_lang for group, by_lang in terms.items() if group != SEARCH}
    return [
        _variant("as shipped", shipped, terms, tell),
        _variant("without everyday posts", shipped, terms, tell, everyday=False),
        _variant("without masking", Experiment(read(folder, Mask({}).words), recipe), {}, tell),
        _variant("words only, no runs of letters", Experiment(data, evolve(recipe, runs=None)), terms, tell),
        _variant("runs of letters also where they are common", Experiment(data, evolve(recipe, runs_at_most=1.0)), terms, tell),
        _variant("with the words by which everyday posts were found", Experiment(read(folder, Mask(people).words), recipe), people, tell),
    ]


def _variant(name: str, experiment: Experiment, terms: Terms, tell: Tell, everyday: bool = True) -> Variant:
    tell(f"variant: {name}")

    def learned_from(text: Text) -> bool:
        return everyday or not text.everyday

    unseen = [
        _auc(experiment.scores(lambda text, s=one: text.source != s and learned_from(text), lambda text, s=one: text.source == s))  # type: ignore[misc]
        for one in experiment.data.labelled_sets
    ]
    # A fold apart, as far as everyday posts are learned from at all; the model of the swap tests is that of the same texts.
    held, weights = experiment.apart(
        lambda text: learned_from(text) and fold_of(text, FOLDS) != 0, lambda text: text.everyday and fold_of(text, FOLDS) == 0, terms
    )
    model = TextModel(weights)
    flags = 10_000 * sum(score > 0 for _, score in held) / max(1, len(held))
    return Variant(name, sum(unseen) / len(unseen), flags, max(found.spread for found in spreads(lambda text: model.score(text).value)))


def _auc(scored: Sequence[tuple[Text, float]]) -> float:
    return auc([score for text, score in scored if text.label], [score for text, score in scored if not text.label])
