"""The log of changes in the reader's language, from the values that stand beside each line (`plainsky.config.values`).

Promise: what cannot be told in a language, whatever the reason (an entry of an earlier release, a kind of rule that is gone), is told in
the English in which it was written and hashed.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jinja2 import TemplateError

from models.changes import Logged
from plainsky.pages.languages import FALLBACK, Language


class Line(NamedTuple):
    """A line of a difference: "-" (said no more) or "+" (said from now on), the text, and its language."""

    sign: str
    text: str
    lang: str


def lines(change: Logged, lang: Language) -> list[Line]:
    """What an entry says is different."""
    values: Sequence[str] = change.said if len(change.said) == len(change.diff) else [""] * len(change.diff)
    return [_line(written, value, lang) for written, value in zip(change.diff, values, strict=True)]


def _line(written: str, value: str, lang: Language) -> Line:
    sign, _, text = written.partition(" ")
    told = retold(value, lang) if value and lang.code != FALLBACK else None
    return Line(sign, told or text, lang.code if told else FALLBACK)


def retold(value: str, lang: Language) -> str | None:
    """A line in a language; None when the language cannot tell it."""
    try:
        said = _frozen(json.loads(value))
        return _TOLD[said.pop("key")](said, lang)
    except (ValueError, KeyError, TypeError, AttributeError, TemplateError):
        return None


def _frozen(value: Any) -> Any:
    """As rules have it: tuples for lists."""
    if isinstance(value, dict):
        return {key: _frozen(part) for key, part in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _plainly(key: str) -> Callable[[dict[str, Any], Language], str | None]:
    return lambda said, lang: lang(key, **said)


def _order(said: dict[str, Any], lang: Language) -> str:
    order = "topic_model" if said["order"] == "topic" and "name" in said else said["order"]
    values = {**said, "length": lang.length(said.get("bucket", 0))}
    if "terms" in said:
        values["terms"] = [f"“{term}” {weight:g}" for term, weight in said["terms"].items()]
    window = lang("window.ends", length=lang.length(said["window"]))
    return f"{lang(f'order.{order}', **values)} {lang('told.no_likes')} {lang('label.window')}: {window}"


def _rule(said: dict[str, Any], lang: Language) -> str | None:
    sentence = _sentence(said["rule"], lang)
    return sentence and (f"{lang('enters.' + said['between'])} {sentence}" if said["between"] else sentence)


def _sentence(rule: dict[str, Any], lang: Language) -> str | None:
    if "rules" in rule:
        within = [_sentence(part, lang) for part in rule["rules"]]
        return f"{lang('enters.' + rule['kind'])} ({', '.join(filter(None, within))})" if all(within) else None
    key = f"rules.{rule['kind']}"
    return lang(key, **rule) if lang.has(key) else None


def _quota(said: dict[str, Any], lang: Language) -> str:
    ending = "_none" if said["more"] == "none" else ""
    return lang(f"quota.{said['whose']}{ending}", n=said["posts"], length=lang.length(said["every"]))


def _by_hand(key: str) -> Callable[[dict[str, Any], Language], str]:
    return lambda said, lang: f"{lang(key)} {said['uri']}"


def _signals(said: dict[str, Any], lang: Language) -> str:
    return lang("told.signals", **{**said, "mode": lang(f"mode.{said['mode']}")})


_TOLD: dict[str, Callable[[dict[str, Any], Language], str | None]] = {
    "feed": _plainly("told.feed"),
    "text": lambda said, lang: None,  # the operator's own words, in whatever language
    "order": _order,
    "followed": _plainly("order.followed"),
    "include": _plainly("enters.include"),
    "require": _plainly("enters.require"),
    "exclude": _plainly("enters.exclude"),
    "rule": _rule,
    "quota": _quota,
    "pinned": _by_hand("injected.pinned"),
    "ending": _by_hand("injected.ending"),
    "label": _plainly("told.label"),
    "signals": _signals,
    "expires": lambda said, lang: lang("told.expires", length=lang.length(said["expires"])),
    "look": _plainly("told.look"),
    "same_feed": _plainly("told.same_feed"),
    "same_label": _plainly("told.same_label"),
}
