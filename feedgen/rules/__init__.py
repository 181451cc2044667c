"""The rule kinds: one file each; `kind` in the config is the file's name, the fields of the file's `Rule` are the TOML keys.

A new kind is one new file with one class, and no other edit. What it must say: `match`, the truth about one post, and `plain_words`.
What it may say: `keys` and `finder`, an index, so that a thousand feeds cost little more than ten; without them the rule is simply asked.
"""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from typing import Any, ClassVar, TypeAlias

from attrs import evolve, field, frozen
from attrs.validators import and_, deep_iterable

from feedgen.text import CONTROL, MAX_WORD, fold
from models.post import Post

Words: TypeAlias = tuple[str, ...]
"""Why a rule holds: the matched words, as written in the rule or, for a pattern, in the post. May be empty."""
Resolve: TypeAlias = Callable[[str], str | None]
"""Handle to DID; None when it cannot be resolved."""
Members: TypeAlias = Callable[[str], Collection[str]]
"""The at-uri of a list or starter pack to the DIDs on it, as last read; none when it was never read."""
Check: TypeAlias = Callable[[Any, Any, str], None]
"""An attrs validator of one word: (rule, attribute, word); ValueError says what was expected."""
Asked: TypeAlias = tuple[str, Post]
"""A post and its author's DID, who comes first."""
Finder: TypeAlias = Callable[[Sequence[Asked]], Sequence[Collection[int]]]
"""Posts -> the ids of the keys that each of them has."""


class UnknownKind(ValueError):
    """`kind` names no rule kind; the message lists those there are."""


def one_by_one(find: Callable[[str, Post], Collection[int]]) -> Finder:
    """A finder that looks at one post after the other."""
    return lambda asked: [find(did, post) for did, post in asked]


def merged(finders: Sequence[Finder]) -> Finder:
    """What several finders find that share no id."""
    if len(finders) == 1:
        return finders[0]
    if len(finders) == 2:  # words and tags: the commonest by far
        return lambda asked: [
            [*one, *other] if one and other else one or other for one, other in zip(*[find(asked) for find in finders], strict=True)
        ]
    return lambda asked: [[*chain.from_iterable(found)] for found in zip(*[find(asked) for find in finders], strict=True)]


@frozen
class Rule:
    """One condition on one post, as the operator wrote it. Pure: the same post always gives the same answer."""

    breadth: ClassVar[int] = 2
    """How many posts it lets through: 0 few, 1 many, 2 unknown, or dear to ask. Of several rules, the narrowest is looked up first."""

    @property
    def kind(self) -> str:
        """The word in the config: the name of the file."""
        return type(self).__module__.rpartition(".")[2]

    def match(self, did: str, post: Post) -> Words | None:
        """The matched words when the rule holds for a post by `did`, None when it does not. The truth that every index must equal."""
        raise NotImplementedError

    def plain_words(self) -> str:
        """What a matching post does, after "a post that ...": "has one of the hashtags #a, #b"."""
        raise NotImplementedError

    def resolved(self, resolve: Resolve) -> "Rule":
        """The same rule with handles replaced by DIDs."""
        return self

    def informed(self, members: Members) -> "Rule":
        """The same rule with lists replaced by who is on them; asked after `resolved`."""
        return self

    def labelers(self) -> Mapping[str, frozenset[str]]:
        """By DID, the labelers whose word the rule needs, and the values it asks for; asked after `resolved`."""
        return {}

    def triggers(self) -> "tuple[Rule, ...] | None":
        """Simple rules of which at least one holds whenever this one does; None when only asking helps."""
        return (self,)

    def keys(self) -> Mapping[Hashable, str | None]:
        """The rule holds when a post has any of these keys; with each the word to show, None to ask `match` for the words."""
        return {self: None}

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """The kind's index over all distinct keys of all feeds (key -> id). This one asks rule by rule."""
        rules = tuple(ids.items())
        return one_by_one(lambda did, post: [number for rule, number in rules if rule.match(did, post) is not None])


@frozen
class Keyed(Rule):
    """A kind whose every condition is one key that a post has or has not: looked up in a dict, however many feeds ask for however many."""

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """The keys that a post has, each once."""
        raise NotImplementedError

    def match(self, did: str, post: Post) -> Words | None:
        """The words of the keys that the post has, in the order of the rule."""
        there = set(self.keys_of(did, post))
        return tuple(word for key, word in self.keys().items() if word is not None and key in there) or None

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """One look-up for each key of the post."""
        keys_of, get = cls.keys_of, ids.get
        return one_by_one(lambda did, post: [number for key in keys_of(did, post) if (number := get(key)) is not None])


@frozen
class Listed(Keyed):
    """A kind that lists values, of which a post must have one."""

    breadth = 0
    any: tuple[str, ...] = field()

    def key(self, written: str) -> str:
        """The spelling in which a listed value is compared."""
        raise NotImplementedError

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each listed value, as first written, by its compared spelling."""
        found: dict[Hashable, str | None] = {}
        for written in self.any:
            found.setdefault(self.key(written), written)
        return found


def _not_empty(_rule: object, _attribute: object, values: tuple[object, ...]) -> None:
    if not values:
        raise ValueError("expected at least one, got an empty list")


@frozen
class Nest(Rule):
    """A rule made of rules."""

    rules: tuple[Rule, ...] = field(validator=_not_empty)

    def combine(self, parts: Iterable[Words | None]) -> Words | None:
        """The nest's answer from its rules' answers, asking for no more of them than it needs."""
        raise NotImplementedError

    def match(self, did: str, post: Post) -> Words | None:
        """As `combine` says."""
        return self.combine(rule.match(did, post) for rule in self.rules)

    def resolved(self, resolve: Resolve) -> Rule:
        """With every rule within resolved."""
        return evolve(self, rules=tuple(rule.resolved(resolve) for rule in self.rules))

    def informed(self, members: Members) -> Rule:
        """With every rule within informed."""
        return evolve(self, rules=tuple(rule.informed(members) for rule in self.rules))

    def labelers(self) -> Mapping[str, frozenset[str]]:
        """Those of every rule within."""
        return together(rule.labelers() for rule in self.rules)


def together(asked: Iterable[Mapping[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    """All that several rules ask of labelers."""
    found: dict[str, frozenset[str]] = {}
    for each_asks in asked:
        for src, values in each_asks.items():
            found[src] = found.get(src, frozenset()) | values
    return found


# Zero-width space and marks of the writing direction: they are copied along with a word, and no post has them at the same end.
_UNSEEN = re.compile("^[ #＃*]*[\u061c\u200b\u200e\u200f]|[\u061c\u200b\u200e\u200f](?=[ *]*$)")


def _word(_rule: object, _attribute: object, word: str) -> None:
    if CONTROL.search(word):
        raise ValueError("expected text without line breaks and control characters")
    if unseen := _UNSEEN.search(word):
        raise ValueError(f"expected a word, found a sign beside it that nobody sees, U+{ord(unseen[0][-1]):04X}: type the word anew")
    if not fold(word).strip():
        raise ValueError("expected text")
    if len(word) > MAX_WORD:
        raise ValueError(f"expected at most {MAX_WORD} characters, found {len(word)}")


def each(*checks: Check) -> Any:
    """Validator of a list: there is something in it, and every member is a word that passes the checks."""
    return deep_iterable(member_validator=and_(_word, *checks), iterable_validator=_not_empty)


def one_of(*choices: str) -> Check:
    """Validator of a word that must be one of a few."""

    def check(_rule: object, _attribute: object, word: str) -> None:
        if word not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")

    return check


def named(word: str, words: Iterable[str]) -> str:
    """For plain words: "the hashtag #a", "one of the hashtags #a, #b"."""
    listed = [*words]  # `list` may be a module here: the rule kind
    return f"the {word} {listed[0]}" if len(listed) == 1 else f"one of the {word}s {', '.join(listed)}"


def kinds() -> tuple[str, ...]:
    """The words that `kind` may be, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))


def load(kind: str) -> type[Rule]:
    """The class of a kind; UnknownKind when no file has that name."""
    if kind not in kinds():
        raise UnknownKind(f"{kind!r} is no kind of rule, expected one of {', '.join(kinds())}")
    module = import_module(f"{__name__}.{kind}")
    (found,) = (thing for thing in vars(module).values() if isinstance(thing, type) and thing.__module__ == module.__name__)
    assert issubclass(found, Rule), f"{module.__name__} defines no Rule"
    return found
