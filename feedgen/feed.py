"""A feed as the operator configured it: what enters, in which order, how far back. Frozen; checked when it is made."""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from attrs import field, frozen
from attrs.validators import deep_iterable, optional

from feedgen.rules import Rule
from models.duration import Duration, duration
from models.graphemes import graphemes
from models.protocol.syntax import is_did, is_language, is_record_key, parse_at_uri
from models.topic import Topic

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


def _some_times(edition: Any, attribute: "Attribute[tuple[str, ...]]", value: tuple[str, ...]) -> None:
    if not value:
        raise ValueError('expected at least one time of day, like "07:00"')
    if len(set(value)) < len(value):
        raise ValueError("expected each time of day once")


def _time_of_day(edition: Any, attribute: "Attribute[str]", value: str) -> None:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError('expected a time of day, like "07:00" or "18:30"')


def _timezone(edition: Any, attribute: "Attribute[str]", value: str) -> None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        advice = "" if available_timezones() else "; this machine knows no time zones: install the package tzdata"
        raise ValueError(f'expected a time zone, like "Europe/Brussels" or "UTC"{advice}') from None


def _one_source(order: "TopicOrder", attribute: "Attribute[Mapping[str, float] | None]", terms: Mapping[str, float] | None) -> None:
    if terms is not None and order.model is not None:
        raise ValueError("expected either `terms` or `model`, not both")
    if terms is None and order.model is None:
        raise ValueError("expected either `terms` or `model`")
    if terms is not None:
        Topic.of_terms(terms)


@frozen
class Quota:
    """At most `posts` posts of one author (or thread) in each stretch of `every`; those that came first are in, later ones are held back.

    `more`: what happens to those who write more. "held": the later posts are held back. "none": all are: only quiet voices are heard.
    """

    posts: int = field(validator=_at_least_one)
    every: Duration
    more: Literal["held", "none"] = "held"


@frozen
class Edition:
    """The times of day at which a feed changes, by the clock of a place (IANA time zone)."""

    at: tuple[str, ...] = field(validator=deep_iterable(_time_of_day, _some_times))
    timezone: str = field(default="UTC", validator=_timezone)


@frozen
class TopicOrder:
    """Within each stretch of `bucket`, the posts that are most about a topic come first.

    `terms`: words with their weights; or `model`: a file that `plainsky train-topic` made. Stretches are counted from the epoch.
    """

    bucket: Duration
    terms: Mapping[str, float] | None = field(default=None, validator=_one_source)
    model: Topic | None = None

    @cached_property
    def topic(self) -> Topic:
        """What posts are scored by."""
        return self.model or Topic.of_terms(self.terms or {})


@frozen
class Locale:
    """Name and description in another language, for our own pages."""

    name: str = field(validator=_name)
    description: str = field(default="", validator=_description)


def _languages(feed: Any, attribute: "Attribute[Mapping[str, Locale]]", value: Mapping[str, Locale]) -> None:
    for language in value:
        if not is_language(language):
            raise ValueError(f'{language[:40]!r}: expected a language tag, like "nl" or "pt-BR"')


def _fits_order(feed: Any, attribute: "Attribute[Any]", value: Any) -> None:
    if value is None and feed.order == attribute.name:
        raise ValueError(f'is required with order = "{feed.order}"')
    if value is not None and feed.order != attribute.name:
        raise ValueError(f'belongs to order = "{attribute.name}", but the order is "{feed.order}"')


def _not_pinned(feed: Any, attribute: "Attribute[str | None]", value: str | None) -> None:
    if value is not None and value == feed.pinned:
        raise ValueError("is pinned: expected another post at the feed's end than at its top")


@frozen
class Feed:
    """One `[[feeds]]` table. A post enters when it matches any include, and every require, and no exclude."""

    rkey: str = field(validator=_record_key)
    name: str = field(validator=_name)
    include: tuple[Rule, ...] = field(validator=_some_rules)
    description: str = field(default="", validator=_description)
    locales: Mapping[str, Locale] = field(factory=dict, validator=_languages)
    """By language ("nl")."""
    order: Literal["newest", "oldest_first", "edition", "topic"] = "newest"
    edition: Edition | None = field(default=None, validator=_fits_order)
    topic: TopicOrder | None = field(default=None, validator=_fits_order)
    window: Duration = field(default=duration("3d"))
    per_author: Quota | None = None
    per_thread: Quota | None = None
    followed: bool = False
    """Each viewer sees the posts of those he follows."""
    pinned: str | None = field(default=None, validator=optional(_post_uri))
    ending: str | None = field(default=None, validator=[optional(_post_uri), _not_pinned])
    """The last entry of the last page: you are all caught up."""
    avatar: Path | None = None
    content_mode: Literal["unspecified", "video"] | None = None
    self_labels: tuple[str, ...] = ()
    require: tuple[Rule, ...] = field(default=())
    exclude: tuple[Rule, ...] = field(default=())
