"""The bounds on what is issued, as frozen values checked when they are made: the throttle of the whole stream, the breaker of each label.

The network takes 5 labels a second, 10,000 an hour and 100,000 a day from a labeler (docs.bsky.app, "Rate Limits"); what becomes of more
nobody says. So we send less, and keep what is above in the database until there is room.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from attrs import field, frozen
from attrs.validators import ge, instance_of

from models.duration import SECOND
from models.label_rates import HOUR, Before

DAY = 24 * HOUR
WEEK_HOURS = 7 * 24
WARM_HOURS = 24
"""A baseline of fewer hours is none."""


def _at_most(most: int) -> Callable[[object, Any, int], None]:
    def check(_throttle: object, _attribute: Any, value: int) -> None:
        if isinstance(value, bool) or not 1 <= value <= most:
            raise ValueError(f"expected a number from 1 to {most:,}: the network takes no more")

    return check


class Window(NamedTuple):
    """At most so many labels in any stretch of `length` µs."""

    labels: int
    length: int


@frozen
class Throttle:
    """`[labeler] throttle`: what is issued at most; negations may take a quarter more, so that none waits behind labels."""

    per_second: int = field(default=4, validator=_at_most(5))
    per_hour: int = field(default=8_000, validator=_at_most(10_000))
    per_day: int = field(default=80_000, validator=_at_most(100_000))

    @property
    def for_labels(self) -> tuple[Window, ...]:
        """What labels must keep to."""
        return Window(self.per_second, SECOND), Window(self.per_hour, HOUR), Window(self.per_day, DAY)

    @property
    def for_negations(self) -> tuple[Window, ...]:
        """What negations must keep to: never more than the network takes."""
        limits = zip(self.for_labels, (5, 10_000, 100_000), strict=True)
        return tuple(Window(min(labels + -(-labels // 4), most), length) for (labels, length), most in limits)


UNLIMITED: tuple[Window, ...] = ()
"""For tests and benchmarks."""


@frozen
class Breaker:
    """`[labeler] breaker`: how many labels of one value the machine may decide on in an hour, before it is held back for a person.

    `per_hour` in any case; `times` what the value's hours of the last week held on average, if that is more than `at_least`.
    """

    per_hour: int = field(default=500, validator=(instance_of(int), ge(1)))
    times: float = field(default=10.0, validator=ge(1))
    at_least: int = field(default=30, validator=(instance_of(int), ge(1)))

    def allowed(self, before: Before) -> int:
        """The labels of this hour, given those before it."""
        if before.hours < WARM_HOURS:
            return self.per_hour
        return min(self.per_hour, max(self.at_least, int(self.times * before.labels / before.hours)))

    def why(self, allowed: int, before: Before) -> str:
        """What is told when more are wanted."""
        usual = f"; usual are {before.labels / before.hours:.1f}" if before.hours >= WARM_HOURS else ""
        return f"more than {allowed} labels in one hour{usual}"
