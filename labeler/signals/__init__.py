"""What looks at a post for the labeler: one file per signal kind, `kind` in the config is the file's name.

A new kind is one new file with a class `Signal`, made of what is `Given`. Signals are pure: the same post and the same claims in force give
the same finding, today and in a year.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from labeler.claims.bank import Bank
from labeler.claims.ratings import Ratings
from models.post import Post
from models.scorecard import Scorecard
from models.text_model import TextModel


class Given(NamedTuple):
    """What signals may ask beside the post: the claims in force, what ratings mean, domains of low credibility.

    scorecard, text_model: instead of those that come with the project.
    """

    bank: Bank = Bank()
    ratings: Ratings = Ratings()
    doubtful: frozenset[str] = frozenset()
    scorecard: Scorecard | None = None
    text_model: TextModel | None = None


class Finding(msgspec.Struct, frozen=True):
    """What a signal saw: the words of the post that made it fire, and where they begin (in bytes of UTF-8, as facets count).

    `weight` says how much it speaks for the label: 1 is reason enough by itself, below 0 speaks against it.
    """

    kind: str
    text: str
    position: int
    weight: float = 1.0
    details: dict[str, Any] | UnsetType = UNSET
    """What the weight follows from, as plain data, where a signal has more to say."""


class Silence(msgspec.Struct, frozen=True, rename="camel"):
    """Why a signal sees nothing in a post, as a word that pages have a text for, with what there is to know.

    "nothing"; of claims "no_claim": none is close, "not_false": the closest is not rated false, "abstains": `doubts` forbid it to say that
    the post asserts the claim, "faint": the post hardly seems to assert it.
    """

    reason: str = "nothing"
    claim: dict[str, Any] | None = None
    doubts: tuple[str, ...] = ()


class Signal(Protocol):
    """One kind of signal. `version` rises whenever the same post may get another finding, so that old evidence can be told from new."""

    kind: str
    version: int

    @property
    def models(self) -> Mapping[str, str]:
        """The hash of everything else that a finding follows from, but the post and the claims in force: a model, what ratings mean."""

    def look(self, post: Post) -> Finding | None:
        """What is in the post, or None."""

    def why_not(self, post: Post) -> Silence:
        """Why `look` gives None of this post, for who asks."""


@cache
def kinds() -> tuple[str, ...]:
    """The kinds there are, in order of name."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(kind: str, given: Given = Given()) -> Signal:  # noqa: B008 - an empty one, never written to
    """The signal of a kind; ValueError, naming those there are, when there is none."""
    if kind not in kinds():
        raise ValueError(f"{kind!r} is no signal: expected one of {', '.join(kinds())}")
    signal: Signal = importlib.import_module(f"{__name__}.{kind}").Signal(given)
    return signal
