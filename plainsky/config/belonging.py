"""Where a key belongs that stands in the wrong table: TOML's tables end where the next begins, which is easily forgotten."""

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

import attrs

from feedgen.feed import Feed
from feedgen.rules import Nest, Rule, kinds, load
from models.weights import Filed
from plainsky.config.schema import FROM_ENVIRONMENT, Config


def keys(cls: Any) -> list[str]:
    """The keys that a table of this class may have."""
    names = [attribute.name for attribute in attrs.fields(cls) if attribute.init and attribute.metadata != FROM_ENVIRONMENT]
    return ["kind", *names] if issubclass(cls, Rule) else names


def belongs(path: tuple[str | int, ...], cls: Any) -> str | None:
    """Where the key at the end of `path` belongs, which a table of class `cls` does not have; None when nowhere."""
    key = str(path[-1])
    if issubclass(cls, Rule) and path[0] == "feeds" and key in keys(Feed):
        return f"no key of a rule: write it above the feed's first [[feeds.{path[2]}]]"
    if issubclass(cls, Nest) and key == "any":
        return "all, any and none take `rules`, a list of rules: rules = [{ kind = ... }, { kind = ... }]"
    if cls is Feed and any(key in keys(load(kind)) for kind in kinds()):
        return "a key of a rule: write it below a [[feeds.include]]"
    if any(name.startswith(f"{key}_") for name in keys(cls)):
        return None  # a part of a name that this table has: `unknown_key` shows them
    places = sorted({place.format(key=key) for place, table in _tables(Config, "") if table is not cls and key in keys(table)})
    return f"no key of this table: it belongs in {' or '.join(places)}" if 0 < len(places) <= 2 else None


def _tables(cls: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every table below one, as it is written, with its class; rules apart."""
    for field in attrs.fields(cls):
        kind, many = _table_of(field.type)
        if kind is None or issubclass(kind, (Rule, Filed)):
            continue
        below = f"{name}.{field.name}" if name else field.name
        inline = name == "feeds"
        yield f"{field.name} = {{{{ {{key}} = ... }}}} of a feed" if inline else f"[[{below}]]" if many else f"[{below}]", kind
        yield from _tables(kind, below)


def _table_of(declared: Any) -> tuple[Any, bool]:
    """The class of a table, and whether there may be several; None when it is no table."""
    many = get_origin(declared) is tuple
    choices = get_args(declared) if many or get_origin(declared) in (Union, UnionType) else (declared,)
    return next((choice for choice in choices if isinstance(choice, type) and attrs.has(choice)), None), many
