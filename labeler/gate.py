"""The precision gate: may a label be given by itself? Only where people, shown a blind sample, said often enough that it is right.

Promises: pure arithmetic. A language that was not judged is not allowed, however good another one is; an undecided judgement counts as
wrong; when the figures fall, the answer falls back to "review" by itself. Source of the interval: `labeler.training.statistics.wilson`.
"""

from collections.abc import Mapping

from attrs import field, frozen
from attrs.validators import ge, instance_of

from labeler.policy import Mode
from labeler.training.statistics import Estimate, wilson

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


@frozen
class Promise:
    """What must hold before a label is given by itself: the interval's lower end, from so many judgements."""

    precision: float = field(default=0.90)
    judgements: int = field(default=300, validator=(instance_of(int), ge(1)))

    @precision.validator
    def _between(self, _attribute: object, value: float) -> None:
        if not 0 < value < 1:
            raise ValueError(f"precision: expected a number between 0 and 1, found {value}")


@frozen
class Answer:
    """Whether the gate is open, and why, in words for the public page."""

    allowed: bool
    reason: str


def allowed(value: str, lang: str, judged: Judged, promise: Promise | None = None) -> Answer:
    """Whether a label of this value may be given by itself to posts in this language ("" where a post names none)."""
    promise = promise or Promise()
    what = f"{value} in {lang or 'posts without a language'}"
    if judged.of < promise.judgements:
        return Answer(False, f"{what}: {judged.of} of the {promise.judgements} judgements that are needed; until then people decide")
    share, low, high = judged.precision
    found = f"{judged.right} of {judged.of} judged right ({share:.1%}, with 95 % certainty between {low:.1%} and {high:.1%})"
    if low < promise.precision:
        return Answer(False, f"{what}: {found}; promised are at least {promise.precision:.0%}, so people decide")
    return Answer(True, f"{what}: {found}, at least the promised {promise.precision:.0%}")


def mode(wanted: Mode, value: str, lang: str, judged: Mapping[tuple[str, str], Judged], promise: Promise | None = None) -> Mode:
    """The mode in force: "auto" only where the gate is open, otherwise "review"; other modes are as the config says."""
    if wanted != "auto":
        return wanted
    return "auto" if allowed(value, lang, judged.get((value, lang), Judged()), promise).allowed else "review"
