"""Learns a text model's weights: binary n-grams, rows of length one, logistic regression. All that touches scikit-learn for it.

Promises: deterministic (sorted terms, one thread, a fixed seed); a term stands in at least `Recipe.words_in` or `runs_in` texts; no term
holds a masked word. Weights are rounded to `DECIMALS`, so that the last bits of a processor do not show; those that round to 0 go.
"""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from labeler.training import TrainingError, library
from models.masking import NEUTRAL
from models.text_model import MAX_PAIR, TextModel, run_of, run_term

DECIMALS = 3
SEED = 7
RUNS = (3, 5)
"""Lengths of runs of letters; the beginning or end of a word counts as one letter."""

_WORDS: dict[str, Any] = {"token_pattern": r"\S+"}  # they are clean already: what stands between spaces is a word


@frozen
class Recipe:
    """How a model is learned. `runs`: as `RUNS`, or none. `words_in`, `runs_in`: texts that
    a term must stand in; `runs_at_most`: share of the texts that a run may stand in, for a commoner one tells little and costs time.
    `most`: terms that are kept, the strongest. `strength`: scikit-learn's C."""

    pairs: bool = True
    runs: tuple[int, int] | None = RUNS
    words_in: int = 10
    runs_in: int = 30
    runs_at_most: float = 0.03
    most: int = 15_000
    strength: float = 1.0


@frozen
class Fitted:
    """What was learned."""

    intercept: float
    weights: Mapping[str, float]


class Features:
    """Which terms stand in which texts: one sparse matrix for words and pairs, one for runs of letters."""

    def __init__(self, texts: Sequence[Sequence[str]], recipe: Recipe) -> None:
        self.recipe = recipe
        lines = [" ".join(words) for words in texts]
        parts = [_counted(lines, recipe.words_in, ngram_range=(1, MAX_PAIR if recipe.pairs else 1), **_WORDS)]
        if recipe.runs:
            parts.append(_counted(lines, recipe.runs_in, recipe.runs_at_most, ngram_range=recipe.runs, analyzer="char_wb"))
            parts[1] = (parts[1][0], [run_term(run) for run in parts[1][1]])
        self._parts = parts
        self._at_least = (recipe.words_in, recipe.runs_in)

    def learned(self, rows: Sequence[int], labels: Sequence[int]) -> "Learned":
        """A model of these texts alone: also which terms are common enough is asked of them alone."""
        return Learned(self, [self._common(part, rows) for part in range(len(self._parts))], rows, labels)

    def _common(self, part: int, rows: Sequence[int]) -> Any:
        numpy = library("numpy")
        matrix, _ = self._parts[part]
        return numpy.flatnonzero(numpy.asarray(matrix[rows].sum(axis=0)).ravel() >= self._at_least[part])

    def rows(self, columns: Sequence[Any], rows: Sequence[int]) -> Any:
        """These texts over these columns of each part, each part's row of length one."""
        normalize = library("sklearn.preprocessing").normalize
        parts = [normalize(matrix[rows][:, chosen].astype(float)) for (matrix, _), chosen in zip(self._parts, columns, strict=True)]
        return library("scipy.sparse").hstack(parts).tocsr()

    def names(self, columns: Sequence[Any]) -> list[str]:
        """The terms of these columns."""
        return [names[column] for (_, names), chosen in zip(self._parts, columns, strict=True) for column in chosen]


class Learned:
    """A logistic regression over the strongest terms: learned on all, cut, learned anew."""

    def __init__(self, features: Features, columns: list[Any], rows: Sequence[int], labels: Sequence[int]) -> None:
        self._features = features
        first = _regression(features.rows(columns, rows), labels, features.recipe)
        self._columns = _strongest(columns, abs(first.coef_[0]), features.recipe.most)
        self._model = _regression(features.rows(self._columns, rows), labels, features.recipe)

    def scores(self, rows: Sequence[int]) -> list[float]:
        """In log-odds, before rounding."""
        found: list[float] = self._model.decision_function(self._features.rows(self._columns, rows)).tolist()
        return found

    def fitted(self) -> Fitted:
        """The weights, rounded."""
        rounded = zip(self._features.names(self._columns), self._model.coef_[0].tolist(), strict=True)
        weights = {term: round(weight, DECIMALS) for term, weight in rounded}
        return Fitted(round(float(self._model.intercept_[0]), DECIMALS), {term: weight for term, weight in weights.items() if weight})


def _counted(lines: Sequence[str], at_least: int, at_most: float = 1.0, **options: Any) -> tuple[Any, list[str]]:
    make = library("sklearn.feature_extraction.text").CountVectorizer
    at_most = max(at_most, min(1.0, 10 * at_least / len(lines)))  # of few texts, a share is less than the least that is asked for
    vectorizer = make(binary=True, lowercase=False, min_df=at_least, max_df=at_most, **options)
    try:
        matrix = vectorizer.fit_transform(lines)
    except ValueError as error:  # nothing is common enough
        raise TrainingError(f"too few texts to learn from: {error}") from None
    names = vectorizer.get_feature_names_out().tolist()
    # What holds a masked word goes, and runs that are a whole word, which is a term already.
    kept = [n for n, name in enumerate(names) if NEUTRAL not in name and not (name[0] == name[-1] == " ")]
    return matrix.tocsc()[:, kept].tocsr(), [names[n] for n in kept]


def _strongest(columns: Sequence[Any], strengths: Any, most: int) -> list[Any]:
    """The columns of each part whose weights are among the strongest of all."""
    numpy = library("numpy")
    # A stable sort: of equal weights the first in the alphabet stay.
    stay = numpy.sort(numpy.argsort(-strengths, kind="stable")[:most])
    ends = numpy.cumsum([len(chosen) for chosen in columns])
    return [
        chosen[stay[(stay >= end - len(chosen)) & (stay < end)] - (end - len(chosen))] for chosen, end in zip(columns, ends, strict=True)
    ]


def _regression(matrix: Any, labels: Sequence[int], recipe: Recipe) -> Any:
    if len(set(labels)) < 2:
        raise TrainingError("all texts have the same label: there is nothing to learn")
    model = library("sklearn.linear_model").LogisticRegression(C=recipe.strength, solver="liblinear", random_state=SEED)
    return model.fit(matrix, labels)


def versions() -> dict[str, str]:
    """What the bytes of a trained model depend on beside data, recipe and seed."""
    names = {"scikit-learn": "sklearn", "numpy": "numpy", "scipy": "scipy"}
    return {"python": platform.python_version()} | {name: str(library(module).__version__) for name, module in names.items()}


def pipeline(model: TextModel, cleaned: bool = False) -> Any:
    """The same model as a pipeline of scikit-learn's own parts, to judge ours by: `decision_function(texts)`.

    `cleaned`: the texts are the model's words between spaces already.
    """
    numpy, text, joined = library("numpy"), library("sklearn.feature_extraction.text"), library("sklearn.pipeline")
    runs = {term: run_of(term) for term in model.weights.weights if "*" in term}
    whole = [term for term in model.weights.weights if "*" not in term]
    seen = str if cleaned else lambda written: " ".join(model.words(written))
    options = {"binary": True, "use_idf": False, "lowercase": False, "preprocessor": seen}
    parts = [("words", text.TfidfVectorizer(ngram_range=(1, MAX_PAIR), **_WORDS, vocabulary=whole, **options))] if whole else []
    if runs:
        lengths = model.run_lengths
        parts.append(("runs", text.TfidfVectorizer(analyzer="char_wb", ngram_range=lengths, vocabulary=list(runs.values()), **options)))
    regression = library("sklearn.linear_model").LogisticRegression()
    regression.classes_ = numpy.array([0, 1])
    regression.coef_ = numpy.array([[model.weights.weights[term] for term in [*whole, *runs]]])
    regression.intercept_ = numpy.array([model.weights.intercept])
    made = joined.Pipeline([("features", joined.FeatureUnion(parts)), ("regression", regression)])
    for _, part in parts:
        part.fit([""])  # a fixed vocabulary: nothing is learned
    return made
