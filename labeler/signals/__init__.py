"""What looks at a post for the labeler: one file per signal kind, `kind` in the config is the file's name.

A new kind is one new file with a class `Signal`. Signals are pure: the same post gives the same finding, today and in a year.
"""

import importlib
import pkgutil
from functools import cache
from typing import Protocol

import msgspec

from models.post import Post


class Finding(msgspec.Struct, frozen=True):
    """What a signal saw: the words of the post that made it fire, and where they begin (in bytes of UTF-8, as facets count).

    `weight` says how much it speaks for the label: 1 is reason enough by itself, below 0 speaks against it.
    """

    kind: str
    text: str
    position: int
    weight: float = 1.0


class Signal(Protocol):
    """One kind of signal. `version` rises whenever the same post may get another finding, so that old evidence can be told from new."""

    kind: str
    version: int

    def look(self, post: Post) -> Finding | None:
        """What is in the post, or None."""


@cache
def kinds() -> tuple[str, ...]:
    """The kinds there are, in order of name."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(kind: str) -> Signal:
    """The signal of a kind; ValueError, naming those there are, when there is none."""
    if kind not in kinds():
        raise ValueError(f"{kind!r} is no signal: expected one of {', '.join(kinds())}")
    signal: Signal = importlib.import_module(f"{__name__}.{kind}").Signal()
    return signal
