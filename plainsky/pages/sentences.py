"""A feed's rules as sentences in a reader's language.

Promise: a sentence is made from the rule as the operator wrote it and from nothing else. A kind for which a language has no sentence is
said in English, by the kind itself, so a new rule kind stays one file.
"""

import re
from typing import Any

import attrs
import msgspec

from feedgen.feed import Feed
from feedgen.rules import Nest, Rule
from plainsky.pages.languages import FALLBACK, Language

PARTS = ("include", "require", "exclude")
_STEP = re.compile(r"([a-z]+)\[([0-9]+)\]")


class Sentence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a matching post does, after "a post that ...". `path` is the rule's place in the config; `rules` are the rules within."""

    path: str
    kind: str
    text: str
    lang: str
    rules: tuple["Sentence", ...] = ()


class Rules(msgspec.Struct, frozen=True):
    """All rules of a feed: a post enters when any of `include`, and all of `require`, and none of `exclude` is true of it."""

    include: tuple[Sentence, ...]
    require: tuple[Sentence, ...]
    exclude: tuple[Sentence, ...]


def rules_of(feed: Feed, lang: Language) -> Rules:
    """A feed's rules in a language."""
    return Rules(*(_part(part, getattr(feed, part), lang) for part in PARTS))


def sentence(rule: Rule, path: str, lang: Language) -> Sentence:
    """A rule in a language."""
    if isinstance(rule, Nest) and lang.known(f"enters.{rule.kind}", ""):
        return Sentence(path, rule.kind, lang(f"enters.{rule.kind}"), lang.code, _within(rule, path, lang))
    key = f"rules.{rule.kind}"
    if lang.has(key):
        return Sentence(path, rule.kind, lang(key, **_fields(rule)), lang.code)
    return Sentence(path, rule.kind, rule.plain_words(), FALLBACK)


def in_one_line(one: Sentence, joined: str = ", ") -> str:
    """A sentence with those within."""
    return f"{one.text} ({joined.join(in_one_line(part, joined) for part in one.rules)})" if one.rules else one.text


def rule_at(feed: Feed, path: str) -> Rule:
    """The rule at a path like "include[0].rules[1]"."""
    (part, index), *rest = _STEP.findall(path)
    rule: Rule = getattr(feed, part)[int(index)]
    for _, index in rest:
        assert isinstance(rule, Nest)
        rule = rule.rules[int(index)]
    return rule


def _part(part: str, rules: tuple[Rule, ...], lang: Language) -> tuple[Sentence, ...]:
    return tuple(sentence(rule, f"{part}[{index}]", lang) for index, rule in enumerate(rules))


def _within(nest: Nest, path: str, lang: Language) -> tuple[Sentence, ...]:
    return tuple(sentence(rule, f"{path}.rules[{index}]", lang) for index, rule in enumerate(nest.rules))


def _fields(rule: Rule) -> dict[str, Any]:
    return {each.name: getattr(rule, each.name) for each in attrs.fields(type(rule)) if each.init}
