"""A feed as the operator configured it: what enters, in which order, how far back. Frozen; checked when it is made."""

from typing import Literal

from attrs import field, frozen

from feedgen.rules import Rule
from models.duration import Duration, duration


@frozen
class Quota:
    """At most `posts` posts of one author in each stretch of `every`; the earliest are in, later ones are held back."""

    posts: int
    every: Duration


@frozen
class Feed:
    """One `[[feeds]]` table. A post enters when it matches any include, and every require, and no exclude."""

    rkey: str
    name: str
    include: tuple[Rule, ...]
    description: str = ""
    order: Literal["newest"] = "newest"
    window: Duration = duration("3d")
    per_author: Quota | None = None
    pinned: str | None = None
    require: tuple[Rule, ...] = field(default=())
    exclude: tuple[Rule, ...] = field(default=())
