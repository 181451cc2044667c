"""Trains a topic model from an operator's examples, and measures it. Needs scikit-learn, which nothing that runs all day does.

Promises: the same examples, name, seed and date give the same file. What is written is all there is: the IDF of TF-IDF is folded into the
weights, so the model's score is the intercept and a plain sum, equal to scikit-learn's decision function to 1e-9 (checked on each example).
"""

import platform
from collections.abc import Sequence
from itertools import compress
from math import log
from typing import Any, NamedTuple

from labeler.training import TrainingError, library, one_thread
from labeler.training.statistics import Estimate, wilson
from models.topic import FEATURES, KIND, Topic
from models.weights import Weights
from plainsky import __version__
from plainsky.errors import OperatorError
from plainsky.examples import Example, Examples, groups

FEWEST = 20
"""Different posts on each side. Fewer teach nothing, and measure nothing."""
PARTS = 5
THRESHOLDS = (0.3, 0.5, 0.7, 0.9)

_MAX_TERMS = 20_000
_IN_POSTS = 2  # a term of one post only would be that post, learned by heart
# Strength of regularisation, for features of length 1 to 10 without normalisation: of 0.001 to 1 the best calibrated on seven topics of
# everyday posts, from 40 to 1,000 examples; there as good as normalised TF-IDF, which is no sum that people can follow.
_C = 0.03
_DECIMALS = 12
_EQUAL = 1e-9

LIMITS = (
    "Measured on posts like the examples. In the network nearly all posts are about something else: a feed by this model holds more that"
    " does not belong than the precision says.",
    "Knows the words of its examples only: a post in another language, or with words that came up later, is not recognised.",
    "Learns whatever tells the examples apart, also what was not meant: read the strongest terms.",
    "Says what a post is about, not whether it is true, good or harmful.",
)


class Measured(NamedTuple):
    """At one threshold: which share of what was found was right, which share of the topic was found, which share of the rest too."""

    at_least: float
    precision: Estimate | None
    recall: Estimate | None
    false_alarms: Estimate | None


class Trained(NamedTuple):
    """A model, and what cross-validation says of it."""

    weights: Weights
    measured: tuple[Measured, ...]


def train(name: str, yes: Examples, no: Examples, *, seed: int, date: str, command: str) -> Trained:
    """The model that tells `yes` from `no`; OperatorError when there are too few examples or they have nothing in common."""
    for side in (yes, no):
        _enough(side)
    sklearn = _scikit_learn()
    examples, truth = [*yes.posts, *no.posts], [True] * len(yes.posts) + [False] * len(no.posts)
    documents = [sorted(filter(str.isprintable, example.said)) for example in examples]
    try:
        with one_thread():
            scores = _cross_validated(documents, truth, _grouped(examples, truth, yes, no), seed)
            pipeline = _pipeline().fit(documents, truth)
    except ValueError as error:
        if "no terms remain" not in str(error):
            raise
        raise OperatorError("the examples have no words in common: are they posts?") from None
    measured = tuple(_measured(at_least, scores, truth) for at_least in THRESHOLDS)
    card = _card(yes, no, measured, {"seed": seed, "date": date, "command": command}, sklearn)
    weights = _folded(pipeline, name, card)
    _verify(weights, pipeline, documents, examples)
    return Trained(weights, measured)


def _scikit_learn() -> Any:
    try:
        return library("sklearn")
    except TrainingError as error:
        raise OperatorError(str(error)) from None


def _enough(side: Examples) -> None:
    if len(side.posts) < FEWEST:
        raise OperatorError(f"{side.name}: {len(side.posts)} different posts: expected at least {FEWEST}, 200 are better")


def _pipeline() -> Any:
    """Whether a term is said × how rare it is, then logistic regression. Both classes weigh the same, however many examples each has."""
    text, linear, pipeline = map(library, ("sklearn.feature_extraction.text", "sklearn.linear_model", "sklearn.pipeline"))
    return pipeline.make_pipeline(
        text.TfidfVectorizer(analyzer=_as_it_is, binary=True, norm=None, min_df=_IN_POSTS, max_features=_MAX_TERMS),
        linear.LogisticRegression(C=_C, class_weight="balanced", tol=1e-8, max_iter=10_000),
    )


def _as_it_is(document: list[str]) -> list[str]:
    return document


def _grouped(examples: list[Example], truth: list[bool], yes: Examples, no: Examples) -> list[int]:
    found = groups(examples)
    for side, wanted in ((yes, True), (no, False)):
        different = len({group for group, is_yes in zip(found, truth, strict=True) if is_yes is wanted})
        if different < FEWEST:
            raise OperatorError(
                f"{side.name}: nearly all posts share sentences, only {different} do not repeat others: expected at least {FEWEST}"
            )
    return found


def _cross_validated(documents: list[list[str]], truth: list[bool], grouped: list[int], seed: int) -> list[float]:
    """Each example's log-odds, by a model that was trained without it and its likes."""
    selection = library("sklearn.model_selection")
    parts = selection.StratifiedGroupKFold(n_splits=PARTS, shuffle=True, random_state=seed)
    scores = selection.cross_val_predict(_pipeline(), documents, truth, groups=grouped, cv=parts, method="decision_function")
    return [float(score) for score in scores]


def _measured(at_least: float, scores: Sequence[float], truth: Sequence[bool]) -> Measured:
    enters = [score >= log(at_least / (1 - at_least)) for score in scores]
    found, right = sum(enters), sum(compress(enters, truth))
    return Measured(at_least, _share(right, found), _share(right, sum(truth)), _share(found - right, len(truth) - sum(truth)))


def _share(hits: int, of: int) -> Estimate | None:
    return wilson(hits, of) if of else None


def _folded(pipeline: Any, name: str, card: dict[str, Any]) -> Weights:
    vectorizer, classifier = (step for _, step in pipeline.steps)
    weights = {
        str(term): round(float(coefficient) * float(rarity), _DECIMALS)
        for term, coefficient, rarity in zip(vectorizer.get_feature_names_out(), classifier.coef_[0], vectorizer.idf_, strict=True)
    }
    used = {term: weight for term, weight in weights.items() if weight}
    return Weights(KIND, name, used, round(float(classifier.intercept_[0]), _DECIMALS), FEATURES, card)


def _verify(weights: Weights, pipeline: Any, documents: list[list[str]], examples: list[Example]) -> None:
    topic = Topic.of_weights(weights)
    wanted = pipeline.decision_function(documents)
    worst = max(abs(topic.score(example.post).sum - float(score)) for example, score in zip(examples, wanted, strict=True))
    assert worst <= _EQUAL, f"the weights give other scores than scikit-learn: {worst}"


def _card(yes: Examples, no: Examples, measured: tuple[Measured, ...], made: dict[str, Any], sklearn: Any) -> dict[str, Any]:
    numpy, scipy = library("numpy"), library("scipy")
    versions = {
        "plainsky": __version__,
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
    }
    return {
        **made,
        "versions": versions,
        "examples": {"yes": _told(yes), "no": _told(no)},
        "method": f"Logistic regression (C = {_C:g}, both classes weigh the same) on TF-IDF of words and pairs of words, without"
        f" normalisation; the IDF is folded into the weights. Terms of at least {_IN_POSTS} posts, at most {_MAX_TERMS}.",
        "measured": {
            "how": f"Cross-validation in {PARTS} parts, posts that share sentences in the same part. A share, then its 95 % interval.",
            **{f"at_least {one.at_least:g}": _rounded(one) for one in measured},
        },
        "limits": list(LIMITS),
    }


def _told(side: Examples) -> dict[str, Any]:
    left_out = {"repeated": side.repeated, "in_both": side.in_both, "without_words": side.wordless}
    return {"file": side.name, "sha256": side.sha256, "posts": len(side.posts), "left_out": left_out}


def _rounded(one: Measured) -> dict[str, list[float] | None]:
    shares = {"precision": one.precision, "recall": one.recall, "false_alarms": one.false_alarms}
    return {name: [round(part, 4) for part in found] if found else None for name, found in shares.items()}
