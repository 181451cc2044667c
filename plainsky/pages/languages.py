"""The languages that pages speak: each is one file in `texts/`, and another file is another language.

A text is a small Jinja template of plain text; what it says is escaped where it goes into a page. English (en.toml) says what there is to
say; what another file leaves out is said in English. Sentences about rules, `[rules]`, are the other way round: a rule kind says its
sentence in English itself (`plain_words`), and a language may know a better one for it.
Source of the choice: RFC 9110, section 12.5.4 (Accept-Language), RFC 4647, section 3.4 (lookup).
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from models.duration import duration

FALLBACK = "en"
_NARROW = "\u202f"
_UNITS = {name: duration(f"1{name[0]}") for name in ("week", "day", "hour", "minute", "second")}
_LONGEST_HEADER = 500


def listed(words: Iterable[str], last: str) -> str:
    """ "a, b or c"; `last` is the word before the last one."""
    *most, end = [str(word) for word in words]
    return f"{', '.join(most)} {last} {end}" if most else end


def said(words: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Each word by its name, if it has one."""
    return [names.get(word, word) for word in words]


def quoted(words: Iterable[str], form: str) -> list[str]:
    """Each word put into a form like "“{}”"."""
    return [form.format(word) for word in words]


def tags(words: Iterable[str]) -> list[str]:
    """Hashtags, each with its '#'."""
    return ["#" + word.strip().lstrip("#＃") for word in words]


class Language:
    """What one file says. `lang("feed.window", n=3)` is a text with its values."""

    def __init__(self, code: str, texts: Mapping[str, str], fallback: "Language | None" = None) -> None:
        self.code, self._texts, self._fallback = code, texts, fallback
        self._compiled: dict[str, jinja2.Template] = {}
        self.name = texts["language"]
        self._decimal = texts["decimal"]

    @property
    def keys(self) -> frozenset[str]:
        """What this file says itself."""
        return frozenset(self._texts)

    def __call__(self, key: str, **values: Any) -> str:
        """The text under a key; KeyError when no language has it."""
        if (template := self._template(key)) is not None:
            return template.render(values, lang=self)
        if self._fallback is None:
            raise KeyError(key)
        return self._fallback(key, **values)

    def has(self, key: str) -> bool:
        """Whether this file itself says it."""
        return key in self._texts

    def known(self, key: str, otherwise: str) -> str:
        """The text under a key that may not be there at all."""
        try:
            return self(key)
        except KeyError:
            return otherwise

    def number(self, value: float, decimals: int = 0) -> str:
        """ "12 345.6", with the spaces and the decimal sign of the language (ISO 80000-1, 7.3.2: thousands are set apart by spaces)."""
        whole, _, part = f"{value:,.{decimals}f}".partition(".")
        return whole.replace(",", _NARROW) + (self._decimal + part if part else "")

    def rough(self, value: float) -> str:
        """A number with one decimal where that matters: "0.4", "2.5", "3", "12"."""
        return self.number(value, 1 if value < 9.95 and round(value, 1) % 1 else 0)

    def share(self, value: float) -> str:
        """0.123 as a percentage, in whole numbers; what is not nothing is not said to be."""
        return self("percent", n="<" + _NARROW + "1" if 0 < value < 0.01 else self.number(100 * value))

    def length(self, length_us: int) -> str:
        """A length of time in the largest unit that it is a whole number of: "3 days"."""
        for name, unit in _UNITS.items():
            if length_us >= unit and length_us % unit == 0:
                return self(f"length.{name}", n=length_us // unit)
        return self("length.millisecond", n=length_us // 1_000)

    def about(self, seconds: float) -> str:
        """A length of time, cut to its largest unit: "3 hours"."""
        for name, unit in _UNITS.items():
            if name != "week" and seconds * 1e6 >= unit:
                return self(f"length.{name}", n=int(seconds * 1e6 // unit))
        return self("length.second", n=0)

    def moment(self, time_us: int) -> str:
        """A time as it is written everywhere: "2026-11-21 14:05"."""
        return f"{datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%d %H:%M}"

    def _template(self, key: str) -> jinja2.Template | None:
        if key not in self._compiled and key in self._texts:
            self._compiled[key] = _environment().from_string(self._texts[key])
        return self._compiled.get(key)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 plain text: pages escape it
    environment.filters.update(listed=listed, said=said, quoted=quoted, tags=tags)
    return environment


@cache
def languages() -> Mapping[str, Language]:
    """All there are, English first, by their tags."""
    folder = files("plainsky.pages") / "texts"
    found = {path.name.removesuffix(".toml"): _flat(tomllib.loads(path.read_text("utf-8"))) for path in folder.iterdir()}
    english = Language(FALLBACK, dict(found.pop(FALLBACK)))
    return {FALLBACK: english, **{code: Language(code, dict(texts), english) for code, texts in sorted(found.items())}}


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value.strip()


def chosen(wanted: str | None, header: str) -> Language:
    """The language that a reader chose, else the first of his browser's that there is, else English."""
    there = languages()
    if wanted is not None and wanted in there:
        return there[wanted]
    for tag in _accepted(header):
        primary = tag.partition("-")[0]
        if found := there.get(tag) or there.get(primary):
            return found
    return there[FALLBACK]


def _accepted(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first; what is no such header is left out."""
    weighed = [(_weight(parameters), tag.strip()) for tag, _, parameters in map(_parted, header[:_LONGEST_HEADER].split(","))]
    return [tag for weight, tag in sorted(weighed, key=lambda one: -one[0]) if weight > 0]


def _parted(entry: str) -> tuple[str, str, str]:
    return entry.lower().partition(";")


def _weight(parameters: str) -> float:
    if not parameters.strip():
        return 1.0
    try:
        name, _, value = parameters.partition("=")
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0
