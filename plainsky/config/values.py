"""The lines of `plainsky.config.describe` as values, one for each line and in the same order, to be told in other languages.

Each is JSON in a text: it goes into the log of changes as it is, where numbers with fractions have no place (`models.changes.canonical`).
`plainsky.pages.retelling` says them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from feedgen.feed import Feed, Quota
from feedgen.rules import Rule
from labeler.definitions import locales_of
from labeler.policy import LabelPolicy
from models.weights import Filed


def feed_values(feed: Feed) -> list[str]:
    """Of each line of `feed_described`, whatever its width is large enough for."""
    return [_written(*line) for line in _feed(feed)]


def label_values(policy: LabelPolicy) -> list[str]:
    """Of each line of `label_described`."""
    return [_written(*line) for line in _label(policy)]


_Line = tuple[str, Mapping[str, Any]]


def _feed(feed: Feed) -> Iterator[_Line]:
    yield "feed", {"name": feed.name, "rkey": feed.rkey}
    if description := " ".join(feed.description.split()):
        yield "text", {"text": description}
    yield "order", _order(feed)
    if feed.followed:
        yield "followed", {}
    for part, between in (("include", "or"), ("require", "and"), ("exclude", "or")):
        rules: tuple[Rule, ...] = getattr(feed, part)
        if rules:
            yield part, {}
        for number, rule in enumerate(rules):
            yield "rule", {"between": between if number else "", "rule": _rule(rule)}
    for whose in ("author", "thread"):
        quota: Quota | None = getattr(feed, f"per_{whose}")
        if quota:
            yield "quota", {"whose": whose, "posts": quota.posts, "every": quota.every, "more": quota.more}
    for name in ("pinned", "ending"):
        if uri := getattr(feed, name):
            yield name, {"uri": uri}


def _order(feed: Feed) -> dict[str, Any]:
    order: dict[str, Any] = {"order": feed.order, "window": feed.window}
    if feed.edition:
        return order | {"times": feed.edition.at, "timezone": feed.edition.timezone}
    if feed.topic is None:
        return order
    by = {"name": feed.topic.model.name} if feed.topic.model else {"terms": dict(feed.topic.topic.weights)}
    return order | {"bucket": feed.topic.bucket, **by}


def _label(policy: LabelPolicy) -> Iterator[_Line]:
    yield "label", {"value": policy.value}
    named = {name: getattr(policy, name) for name in ("languages", "signals", "mode", "abstain")}
    yield "signals", named
    yield "expires", {"expires": policy.expires}
    names = [f"{locale.name} ({locale.lang})" for locale in locales_of(policy.value, policy)]
    yield "look", {"severity": policy.severity, "blurs": policy.blurs, "names": names, "default": policy.default_setting}


def _rule(rule: Rule) -> dict[str, Any]:
    fields = {each.name: _plain(getattr(rule, each.name)) for each in attrs.fields(type(rule)) if each.init}
    return {"kind": rule.kind, **fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Rule):
        return _rule(value)
    if isinstance(value, Filed):
        return {"name": getattr(value, "name", "")}
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(part) for part in value] if isinstance(value, tuple | list | frozenset) else value


def _written(key: str, values: Mapping[str, Any]) -> str:
    return json.dumps({"key": key, **values}, separators=(",", ":"), ensure_ascii=False)
