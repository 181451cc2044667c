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
from plainsky.config.schema import FROM_ENVIRONMENT, Config

JUDGING = ("include", "require", "exclude", "per_author")
"""The keys of a feed that decide which posts are in it."""
NO_HANDLES: Mapping[str, str] = {}


def config_hash(config: Config) -> str:
    """SHA-256 of the whole config, in hexadecimal."""
    return _digest(attrs.evolve(config, store=attrs.evolve(config.store, url=without_password(config.store.url))))


def rules_hash(feed: Feed, handles: Mapping[str, str] = NO_HANDLES) -> str:
    """SHA-256 of what decides whether a post is in the feed, in hexadecimal: a new name or window changes nothing.

    handles: the DID of each handle that is known. A handle that means somebody else makes other rules.
    """
    rules: dict[str, Any] = {key: getattr(feed, key) for key in JUDGING}
    authors = {handle: handles[handle] for handle in handles_of([feed]) if handle in handles}
    return _digest({**rules, "authors": authors} if authors else rules)


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
    if attrs.has(type(value)):
        fields = [field for field in attrs.fields(type(value)) if field.init and field.metadata != FROM_ENVIRONMENT]
        named = {field.name: _plain(getattr(value, field.name)) for field in fields}
        return {"kind": value.kind, **named} if isinstance(value, Rule) else named
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(part) for part in value), key=json.dumps)
    return str(value) if isinstance(value, Path) else value
