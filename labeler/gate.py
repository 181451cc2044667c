"""The precision gate: may a label be given by itself? Only where people, shown a blind sample, said often enough that it is right.

Promises: a language that was not judged is not allowed, however good another one is; an undecided judgement counts as wrong; only
judgements of what the very same rules found count, so a new model starts anew; when the figures fall, the answer falls back to "review" by
itself. Source of the interval: `labeler.training.statistics.wilson`.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from attrs import field, frozen
from attrs.validators import ge, instance_of

from labeler.training.statistics import Estimate, wilson
from models import blind
from models.database import Session

_COUNT = (instance_of(int), ge(0))


@frozen
class Judged:
    """What people said of a blind random sample of what a label covers, in one language."""

    right: int = field(default=0, validator=_COUNT)
    wrong: int = field(default=0, validator=_COUNT)
    undecided: int = field(default=0, validator=_COUNT)

    @property
    def of(self) -> int:
        """All judgements."""
        return self.right + self.wrong + self.undecided

    @property
    def precision(self) -> Estimate:
        """The share that is right, with Wilson's 95 % interval."""
        return wilson(self.right, self.of)

    def __add__(self, other: "Judged") -> "Judged":
        return Judged(self.right + other.right, self.wrong + other.wrong, self.undecided + other.undecided)


@frozen
class Promise:
    """What must hold before a label is given by itself: the interval's lower end, from so many judgements."""

    precision: float = field(default=0.90)
    judgements: int = field(default=300, validator=(instance_of(int), ge(1)))

    @precision.validator
    def _between(self, _attribute: object, value: float) -> None:
        if not 0 < value < 1:
            raise ValueError("expected a number between 0 and 1, like 0.9")


@frozen
class Answer:
    """Whether the gate is open, and why, in words for the public page."""

    allowed: bool
    reason: str


def allowed(value: str, lang: str, judged: Judged, promise: Promise) -> Answer:
    """Whether a label of this value may be given by itself to posts in this language ("" where a post names none)."""
    what = f"{value} in {lang or 'posts without a language'}"
    if judged.of < promise.judgements:
        return Answer(False, f"{what}: {judged.of} of the {promise.judgements} judgements that are needed; until then people decide")
    share, low, high = judged.precision
    found = f"{judged.right} of {judged.of} judged right ({share:.1%}, with 95 % certainty between {low:.1%} and {high:.1%})"
    if low < promise.precision:
        return Answer(False, f"{what}: {found}; promised are at least {promise.precision:.0%}, so people decide")
    return Answer(True, f"{what}: {found}, at least the promised {promise.precision:.0%}")


class Key(NamedTuple):
    """Of what was judged: the label's value, the hash of the rules that found it, the language."""

    value: str
    rules: str
    lang: str


Sample: TypeAlias = Mapping[Key, Judged]


class Gate:
    """What people have judged so far. `sample` is replaced as a whole when it grows; an empty one allows nothing."""

    def __init__(self, sample: Sample | None = None) -> None:
        self.sample: Sample = sample or {}

    def asked(self, key: Key, promise: Promise) -> Answer:
        """Whether the machine may give this label by itself."""
        return allowed(key.value, key.lang, self.sample.get(key, Judged()), promise)

    def opens(self, value: str, rules: str, langs: Iterable[str], promise: Promise) -> bool:
        """Whether it may for a post in these languages: in each of them it must have been judged right often enough."""
        return all(self.asked(Key(value, rules, lang), promise).allowed for lang in primary(langs))


def judged(session: Session) -> Sample:
    """What people have judged so far. A post in two languages counts in both."""
    found: dict[Key, Judged] = {}
    for val, rules, langs, right, wrong, undecided in blind.judged(session):
        for lang in langs.split(" "):
            key = Key(val, rules, lang)
            found[key] = found.get(key, Judged()) + Judged(right, wrong, undecided)
    return found


def primary(langs: Iterable[str]) -> tuple[str, ...]:
    """The languages that precision is measured in: "nl-BE" is "nl", and "" stands for no language."""
    return tuple(sorted({lang.lower().partition("-")[0] for lang in langs})) or ("",)
