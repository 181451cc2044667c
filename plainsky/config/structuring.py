"""From the tables that tomllib read to the schema's values, strictly: a text is no number, an unknown key is an error.

cattrs does the walk and gathers every error; what is here says what is strict and turns its errors into `Problem`s. Each key's validator
is run at that key, so that the error names it, and one error does not hide the next.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path as FilePath
from types import GenericAlias
from typing import Any, Literal, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, BaseValidationError, ForbiddenExtraKeysError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from feedgen.feed import Edition, Quota
from feedgen.rules import Rule, UnknownKind, kinds, load
from labeler.gate import Promise
from models.duration import Duration, duration
from models.weights import Filed
from plainsky.config.belonging import belongs, keys
from plainsky.config.errors import Path, Problem, shown, unknown_key, unknown_word
from plainsky.config.schema import FROM_ENVIRONMENT, Config

_ABSENT = object()
_LIKE: dict[Any, str] = {
    Quota: 'expected a table like { posts = 2, every = "1d" }',
    Promise: "expected a table like { precision = 0.9, judgements = 300 }",
    Edition: 'expected a table like { at = ["07:00", "18:00"], timezone = "Europe/Brussels" }',
}
_PICTURES = frozenset({"image", "images", "picture", "pictures", "photo", "photos", "gallery", "video", "videos", "media", "gif"})
"""Words for what is embedded, which are easily taken for kinds of rules."""


class _Wrong(ValueError):
    """Wrong at one or more places below the value that is being structured."""

    def __init__(self, *places: tuple[Path, str]) -> None:
        super().__init__(places)
        self.places = places


def structured(tables: dict[str, Any]) -> tuple[Config | None, list[Problem]]:
    """The config, or None and everything that is wrong with it."""
    try:
        return _converter().structure(tables, Config), []
    except (BaseValidationError, ValueError) as error:
        return None, list(_problems(error, (), tables))


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook(str, _primitive(str, "text in quotes"))
    converter.register_structure_hook(int, _primitive(int, "a whole number"))
    converter.register_structure_hook(float, _primitive((int, float), "a number"))
    converter.register_structure_hook(bool, _primitive(bool, "true or false"))
    converter.register_structure_hook(FilePath, lambda value, _: FilePath(converter.structure(value, str)))
    converter.register_structure_hook_func(_is_duration, _duration)
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook_factory(_is_many, _many(converter))
    converter.register_structure_hook_func(_is_named, lambda value, cls: _named(converter, value, cls))
    converter.register_structure_hook_factory(attrs.has, lambda cls: _table(converter, cls))
    converter.register_structure_hook_func(lambda cls: cls is Rule, lambda value, _: _rule(converter, value))
    converter.register_structure_hook_func(_is_filed, lambda value, cls: cls.read(converter.structure(value, FilePath)))
    return converter


def _primitive(accepted: type | tuple[type, ...], noun: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, cls: type) -> Any:
        if not isinstance(value, accepted) or (isinstance(value, bool) and cls is not bool):
            raise ValueError(f"expected {noun}")
        return cls(value)

    return structure


def _is_duration(cls: Any) -> bool:
    return cls is Duration


def _is_many(cls: Any) -> bool:
    return get_origin(cls) in (tuple, frozenset)


def _is_named(cls: Any) -> bool:
    return get_origin(cls) is Mapping


def _is_filed(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Filed)


def _is_literal(cls: Any) -> bool:
    return get_origin(cls) is Literal


def _duration(value: Any, _: Any) -> Duration:
    try:
        return duration(value)
    except (TypeError, ValueError):
        raise ValueError('expected a length of time like "90s", "15m", "6h" or "3d"') from None


def _literal(value: Any, cls: Any) -> Any:
    words = get_args(cls)
    if type(value) is str and value in words:
        return value
    if len(words) == 1 or not isinstance(value, str):
        raise ValueError("expected " + " or ".join(shown(word) for word in words))
    raise ValueError(unknown_word("choice", value, words))


def _many(converter: cattrs.Converter) -> Callable[[Any], Callable[[Any, Any], Any]]:
    def hook(cls: Any) -> Callable[[Any, Any], Any]:
        member, many = get_args(cls)[0], get_origin(cls)
        members: Any = GenericAlias(list, member)

        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, list):
                raise ValueError(
                    "expected tables, their name in [[two brackets]]" if attrs.has(member) else "expected a list in [brackets]"
                )
            return many(converter.structure(value, members))

        return structure

    return hook


def _named(converter: cattrs.Converter, value: Any, cls: Any) -> Any:
    """A table whose keys are words of the operator's own."""
    if not isinstance(value, dict):
        raise ValueError("expected a table, like { key = ... }")
    table: Any = GenericAlias(dict, get_args(cls))
    return converter.structure(value, table)


def _table(converter: cattrs.Converter, cls: Any) -> Callable[[Any, Any], Any]:
    overrides: dict[str, Any] = {}
    for attribute in attrs.fields(cls):
        if attribute.metadata == FROM_ENVIRONMENT:
            overrides[attribute.name] = override(omit=True)
        elif attribute.validator or attribute.converter:
            overrides[attribute.name] = override(struct_hook=_validated(converter, attribute))
    from_dict = make_dict_structure_fn(cls, converter, **overrides)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(_LIKE.get(cls, "expected a table of keys"))
        try:
            return from_dict(value, cls)
        except BaseValidationError as error:
            if any(_step(inner) or isinstance(inner, ForbiddenExtraKeysError) for inner in error.exceptions):
                raise
            places = _places(from_dict, value, cls)  # each key is right by itself: it is wrong beside another one
            raise (_Wrong(*places) if places else error) from None

    return structure


def _places(from_dict: Callable[[Any, Any], Any], value: dict[str, Any], cls: Any) -> list[tuple[Path, str]]:
    with suppress(BaseValidationError), attrs.validators.disabled():
        made = from_dict(value, cls)
        complaints = [(field.name, _complaint(field.validator, field, getattr(made, field.name), made)) for field in attrs.fields(cls)]
        return [((name,), what) for name, what in complaints if what]
    return []


def _validated(converter: cattrs.Converter, attribute: "attrs.Attribute[Any]") -> Callable[[Any, Any], Any]:
    member = getattr(attribute.validator, "member_validator", None)  # of deep_iterable: its error does not say which member

    def structure(value: Any, cls: Any) -> Any:
        try:
            made = converter.structure(value, cls)
        except BaseValidationError as error:
            if not (member and isinstance(value, list)):
                raise
            known = {place for inner in error.exceptions for place in _step(inner)}
            others = _Wrong(*_wrong_members(member, attribute, {at: each for at, each in enumerate(value) if at not in known}))
            raise error.derive([*error.exceptions, others]) from None
        seen = attribute.converter(made) if callable(attribute.converter) else made
        if member and isinstance(seen, tuple) and (places := _wrong_members(member, attribute, dict(enumerate(seen)))):
            raise _Wrong(*places)
        if what := _complaint(attribute.validator, attribute, seen):
            raise ValueError(what)
        return made

    return structure


def _wrong_members(validator: Any, attribute: "attrs.Attribute[Any]", values: Mapping[int, Any]) -> list[tuple[Path, str]]:
    complaints = ((index, _complaint(validator, attribute, value)) for index, value in values.items())
    return [((index,), what) for index, what in complaints if what]


def _complaint(validator: Any, attribute: "attrs.Attribute[Any]", value: Any, table: Any = None) -> str | None:
    try:
        if validator:
            validator(table, attribute, value)
    except AttributeError:
        if table is not None:
            raise
        return None  # it looks at other keys too: it is run again when the whole table is made
    except (ValueError, TypeError) as error:
        return _said(error)
    return None


def _said(error: Exception) -> str:
    return str(error.args[0]) if error.args else "not allowed"  # attrs' own validators append what they compared


def _rule(converter: cattrs.Converter, value: Any) -> Rule:
    if not isinstance(value, dict):
        raise ValueError('expected a rule, like { kind = "hashtag", any = ["..."] }')
    if "kind" not in value:
        raise _Wrong((("kind",), f"required key is missing (known: {', '.join(sorted(kinds()))})"))
    kind = value["kind"]
    if not isinstance(kind, str):
        raise _Wrong((("kind",), "expected text in quotes"))
    try:
        cls = load(kind)
    except UnknownKind:
        pictures = 'pictures and videos are kind = "embed", with any = ["image", "gallery", "video"]' if kind.lower() in _PICTURES else None
        raise _Wrong((("kind",), pictures or unknown_word("kind", kind, kinds()))) from None
    return converter.structure({key: part for key, part in value.items() if key != "kind"}, cls)


def _problems(error: Exception, path: Path, tables: dict[str, Any]) -> Iterator[Problem]:
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, path + _step(inner), tables)
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            place = belongs((*path, key), error.cl)
            yield Problem((*path, key), place) if place else unknown_key((*path, key), keys(error.cl))
    elif isinstance(error, _Wrong):
        for below, what in error.places:
            yield _problem(path + below, what, tables)
    elif isinstance(error, KeyError) and _value(path, tables) is _ABSENT:
        yield Problem(path, "required key is missing")
    else:
        yield _problem(path, _said(error), tables)


def _problem(path: Path, what: str, tables: dict[str, Any]) -> Problem:
    value = _value(path, tables)
    if value is _ABSENT or isinstance(value, dict) or what.startswith((repr(value), shown(value))):
        return Problem(path, what)
    return Problem(path, f"{shown(value)}: {what}")


def _step(error: Exception) -> Path:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (note.index,)
    return ()


def _value(path: Path, tables: Any) -> Any:
    for part in path:
        try:
            tables = tables[part]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return tables
