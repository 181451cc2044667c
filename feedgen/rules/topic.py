"""Posts about a topic: the words that a post says have weights, and what they add up to decides. In text, alt texts and link cards alike.

Each term counts once, however often it is said. A weight below 0 speaks against the topic. `at_least` is what the weights must add up to.
Instead of `terms`, `model` may name a file that `plainsky train-topic` made from examples; then `at_least` is a score between 0 and 1.

    [[feeds.include]]
    kind = "topic"
    terms = { climate = 2.0, "sea level" = 3.0, weather = 0.5, "climate of fear" = -2.0 }
    at_least = 2.0
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from attrs import field, frozen

from feedgen.rules import Finder, Rule, Words, merged, one_by_one
from models.post import Post
from models.text import finder
from models.topic import Topic as Model
from models.topic import folded, text_of, total


def _sorted_terms(terms: Mapping[str, float] | None) -> tuple[tuple[str, float], ...] | None:
    return None if terms is None else tuple(sorted(terms.items()))


def _one_of_both(rule: "Topic", _attribute: object, terms: Mapping[str, float] | None) -> None:
    if terms is not None:
        Model.of_terms(terms)
    if (terms is None) is (rule.model is None):
        raise ValueError("expected either `terms` or `model`" + (", not both" if terms is not None else ""))


def _can_be_reached(rule: "Topic", _attribute: object, at_least: float) -> None:
    if rule.terms is None:
        if rule.model and not 0 < at_least < 1:
            raise ValueError("expected a score above 0 and below 1, like 0.5")
    elif not at_least > 0:
        raise ValueError("expected a number above 0, or every post would be about the topic")
    elif at_least > (most := total(weight for weight in rule.terms.values() if weight > 0)):
        raise ValueError(f"expected at most {most:g}: no post can reach more, as the weights add up to that")


@frozen
class Topic(Rule):
    """`terms`: words and phrases with their weights, or `model`: a file of `plainsky train-topic`; `at_least`: from where on it holds."""

    breadth = 1
    at_least: float = field(validator=_can_be_reached)
    terms: Mapping[str, float] | None = field(default=None, eq=_sorted_terms, validator=_one_of_both)
    model: Model | None = None

    @cached_property
    def topic(self) -> Model:
        """What posts are scored by."""
        return self.model or Model.of_terms(self.terms or {})

    def match(self, did: str, post: Post) -> Words | None:
        """The terms found that speak for the topic, the strongest first."""
        scored = self.topic.score(post)
        if (scored.value if self.model else scored.sum) < self.at_least:
            return None
        return tuple(term for term, weight in scored.found if weight > 0)

    def keys(self) -> Mapping[Hashable, str | None]:
        """Of terms, each that speaks for the topic: without any of them no post is about it. A model can only be asked."""
        if self.model:
            return {(self.model, self.at_least): None}
        return {folded(term): None for term, weight in self.topic.weights.items() if weight > 0}

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """One pass for the terms of all topics; each model is asked once, however many feeds want it."""
        terms = {key: number for key, number in ids.items() if isinstance(key, str)}
        models: dict[Model, list[tuple[float, int]]] = {}
        for key, number in ids.items():
            if key not in terms:
                models.setdefault(key[0], []).append((key[1], number))
        finders = [_of_terms(terms)] if terms else []
        return merged([*finders, *(_of_model(model, wanted) for model, wanted in models.items())])

    def plain_words(self) -> str:
        """The terms with their weights, as written; or the model's name."""
        if self.model:
            return f"scores {self.at_least:g} or more by the topic model “{self.model.name}”"
        return f"says words that add up to {self.at_least:g} or more of {', '.join(_weighed(self.topic.weights.items()))}"


def _of_terms(numbers: Mapping[str, int]) -> Finder:
    find = finder(numbers)
    return lambda asked: find([text_of(post) for _, post in asked])


def _of_model(model: Model, wanted: Sequence[tuple[float, int]]) -> Finder:
    def find(did: str, post: Post) -> Collection[int]:
        value = model.score(post).value
        return [number for at_least, number in wanted if value >= at_least]

    return one_by_one(find)


def _weighed(terms: Iterable[tuple[str, float]]) -> Iterable[str]:
    return (f"“{term}” {weight:g}" for term, weight in terms)
