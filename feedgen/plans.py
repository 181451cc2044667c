"""A feed's rules with every key of theirs as a number, ready to be asked about one post. The matcher's working parts.

Promise: asking a plan about a post gives what asking the rules themselves would give, given the numbers of the keys that the post has.
"""

from collections.abc import Callable, Collection, Hashable, Set
from typing import TypeAlias

from attrs import frozen

from feedgen.feed import Feed
from feedgen.rules import Finder, Nest, Rule, Words, merged
from models.post import Post


class Look:
    """One post being looked at: what it has is found once; what only some candidates ask for, when the first asks."""

    __slots__ = ("_all", "_gates", "_later", "did", "found", "post")

    def __init__(self, did: str, post: Post, found: Collection[int], later: Finder | None) -> None:
        self.did = did
        self.post = post
        self.found = found
        self._later = later
        self._all: Set[int] | None = None
        self._gates: dict[Gate, bool] = {}

    def present(self) -> Set[int]:
        """The numbers of all keys that the post has."""
        if self._all is None:
            self._all = {*self.found, *self._later([(self.did, self.post)])[0]} if self._later else set(self.found)
        return self._all

    def passes(self, gate: "Gate") -> bool:
        """Whether the post passes; feeds with the same conditions share the answer."""
        passed = self._gates.get(gate)
        if passed is None:
            passed = self._gates[gate] = gate.passes(self)
        return passed


@frozen(eq=False)
class Leaf:
    """A simple rule: the numbers of its keys, each with its place in the rule and its word."""

    rule: Rule
    words: dict[int, tuple[int, str | None]]

    @property
    def told(self) -> bool:
        """Whether the words are known without asking the rule."""
        return all(word is not None for _, word in self.words.values())

    def held(self, present: Set[int]) -> list[str | None]:
        """The words of those of its keys that are present, in the order of the rule."""
        words = self.words
        held = [words[number] for number in words.keys() & present]
        held.sort()
        return [word for _, word in held]

    def judge(self, look: Look) -> Words | None:
        """As `Rule.match`."""
        held = self.held(look.present())
        if not held:
            return None
        found = tuple([word for word in dict.fromkeys(held) if word is not None])
        return self.rule.match(look.did, look.post) if None in held else found


@frozen(eq=False)
class Branch:
    """A nest and its parts."""

    nest: Nest
    parts: tuple["Leaf | Branch", ...]

    def judge(self, look: Look) -> Words | None:
        """As `Rule.match`."""
        return self.nest.combine(part.judge(look) for part in self.parts)


Node: TypeAlias = Leaf | Branch


@frozen(eq=False)
class Gate:
    """What a feed asks of every post: all of `require`, nothing of `exclude`."""

    require: tuple[Node, ...]
    exclude: tuple[Node, ...]

    def passes(self, look: Look) -> bool:
        """Whether the post may enter, once an include admits it."""
        return all(node.judge(look) is not None for node in self.require) and all(node.judge(look) is None for node in self.exclude)


@frozen(eq=False)
class Plan:
    """One feed: its includes, each with its path and kind, and its gate (None: everything passes)."""

    includes: tuple[tuple[str, str, Node], ...]
    gate: Gate | None


class Numbers:
    """Gives every distinct key of all rules a number, and every distinct pair of require and exclude one gate."""

    def __init__(self) -> None:
        self._ids: dict[type[Rule], dict[Hashable, int]] = {}
        self._gates: dict[tuple[tuple[Rule, ...], tuple[Rule, ...]], Gate] = {}
        self._leaves: dict[Rule, Leaf] = {}
        self.count = 0

    def plan(self, feed: Feed) -> Plan:
        """A feed's plan."""
        includes = tuple((f"include[{index}]", rule.kind, self.node(rule)) for index, rule in enumerate(feed.include))
        return Plan(includes, self._gate(feed.require, feed.exclude) if feed.require or feed.exclude else None)

    def node(self, rule: Rule) -> Node:
        """A rule's part of a plan."""
        return Branch(rule, tuple(map(self.node, rule.rules))) if isinstance(rule, Nest) else self.leaf(rule)

    def leaf(self, rule: Rule) -> Leaf:
        """A simple rule's part of a plan; equal rules share it."""
        if rule not in self._leaves:
            ids = self._ids.setdefault(type(rule), {})
            self._leaves[rule] = Leaf(
                rule, {self._number(ids, key): (place, word) for place, (key, word) in enumerate(rule.keys().items())}
            )
        return self._leaves[rule]

    def _number(self, ids: dict[Hashable, int], key: Hashable) -> int:
        if key not in ids:
            ids[key] = self.count
            self.count += 1
        return ids[key]

    def _gate(self, require: tuple[Rule, ...], exclude: tuple[Rule, ...]) -> Gate:
        if (require, exclude) not in self._gates:
            self._gates[require, exclude] = Gate(tuple(map(self.node, require)), tuple(map(self.node, exclude)))
        return self._gates[require, exclude]

    def finder(self, wanted: Callable[[type[Rule]], bool]) -> Finder | None:
        """Finds the numbers of all keys of the wanted classes that a post has, each once; None when there are no such keys."""
        finders = [cls.finder(ids) for cls, ids in self._ids.items() if wanted(cls)]
        return merged(finders) if finders else None
