"""Fingerprints of the config: equal when the values are equal, however the file spells them, in every run and on every machine.

No secret goes into a fingerprint, so that it may be shown.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from feedgen.feed import Feed
from feedgen.matcher import handles_of
from feedgen.rules import Rule
from labeler.policy import LabelPolicy
from models.weights import Filed
from plainsky.config.schema import FROM_ENVIRONMENT, Config

JUDGING = ("include", "require", "exclude", "per_author")
"""The keys of a feed that decide which posts are in it."""
PLACING = ("per_thread", "followed", "topic")
"""Keys that, where they say something, decide how posts are stored in the feed."""
NO_HANDLES: Mapping[str, str] = {}


def config_hash(config: Config) -> str:
    """SHA-256 of the whole config, in hexadecimal."""
    return _digest(attrs.evolve(config, store=attrs.evolve(config.store, url=without_password(config.store.url))))


def rules_hash(feed: Feed, handles: Mapping[str, str] = NO_HANDLES) -> str:
    """SHA-256 of what decides whether a post is in the feed and at which place, in hexadecimal: a new name or window changes nothing.

    The times of editions decide what is shown of it, and whether it is read from its top or its bottom changes no place.

    handles: the DID of each handle that is known. A handle that means somebody else makes other rules.
    """
    rules: dict[str, Any] = {key: getattr(feed, key) for key in JUDGING}
    rules |= {key: getattr(feed, key) for key in PLACING if getattr(feed, key)}
    if feed.order == "edition":
        rules["order"] = feed.order
    authors = {handle: handles[handle] for handle in handles_of([feed]) if handle in handles}
    return _digest({**rules, "authors": authors} if authors else rules)


def label_hash(policy: LabelPolicy) -> str:
    """SHA-256 of a label's table, in hexadecimal."""
    return _digest(policy)


def without_password(url: str) -> str:
    """A database URL that may be shown: without password and parameters."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return url
    return parts._replace(netloc=(f"{parts.username}@" if parts.username else "") + parts.netloc.rpartition("@")[2], query="").geturl()


def _digest(value: Any) -> str:
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Filed):
        return value.hash
    if attrs.has(type(value)):
        fields = [field for field in attrs.fields(type(value)) if field.init and field.metadata != FROM_ENVIRONMENT]
        named = {field.name: _plain(getattr(value, field.name)) for field in fields}
        return {"kind": value.kind, **named} if isinstance(value, Rule) else named
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(part) for part in value), key=json.dumps)
    return str(value) if isinstance(value, Path) else value
