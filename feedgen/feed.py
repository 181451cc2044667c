"""A feed as the operator configured it: what enters, in which order, how far back. Frozen; checked when it is made."""

from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen
from attrs.validators import optional

from feedgen.rules import Rule
from models.duration import Duration, duration
from models.graphemes import graphemes
from models.protocol.syntax import is_did, is_record_key, parse_at_uri

if TYPE_CHECKING:
    from attrs import Attribute


def _record_key(feed: Any, attribute: "Attribute[str]", value: str) -> None:
    if not is_record_key(value):
        raise ValueError('expected a record key: letters, digits and "-", "_", ".", ":" or "~"')


def _name(feed: Any, attribute: "Attribute[str]", value: str) -> None:
    """Limits of displayName in lexicon app.bsky.feed.generator."""
    if not value.strip() or graphemes(value) > 24 or len(value.encode()) > 240:
        raise ValueError(f"expected 1 to 24 characters and at most 240 bytes, found {graphemes(value)} and {len(value.encode())}")


def _description(feed: Any, attribute: "Attribute[str]", value: str) -> None:
    """Limits of description in lexicon app.bsky.feed.generator."""
    if graphemes(value) > 300 or len(value.encode()) > 3000:
        raise ValueError(f"expected at most 300 characters and 3000 bytes, found {graphemes(value)} and {len(value.encode())}")


def _some_rules(feed: Any, attribute: "Attribute[tuple[Rule, ...]]", value: tuple[Rule, ...]) -> None:
    if not value:
        raise ValueError("expected at least one rule, or no post would ever enter")


def _post_uri(feed: Any, attribute: Any, value: str) -> None:
    uri = parse_at_uri(value)
    if uri is None or not is_did(uri.authority) or uri.collection != "app.bsky.feed.post" or uri.rkey is None:
        raise ValueError('expected the at-uri of a post, like "at://did:plc:.../app.bsky.feed.post/..."')


def _at_least_one(quota: Any, attribute: "Attribute[int]", value: int) -> None:
    if value < 1:
        raise ValueError("expected a whole number from 1")


@frozen
class Quota:
    """At most `posts` posts of one author in each stretch of `every`; the earliest are in, later ones are held back."""

    posts: int = field(validator=_at_least_one)
    every: Duration


@frozen
class Feed:
    """One `[[feeds]]` table. A post enters when it matches any include, and every require, and no exclude."""

    rkey: str = field(validator=_record_key)
    name: str = field(validator=_name)
    include: tuple[Rule, ...] = field(validator=_some_rules)
    description: str = field(default="", validator=_description)
    order: Literal["newest"] = "newest"
    window: Duration = field(default=duration("3d"))
    per_author: Quota | None = None
    pinned: str | None = field(default=None, validator=optional(_post_uri))
    require: tuple[Rule, ...] = field(default=())
    exclude: tuple[Rule, ...] = field(default=())
