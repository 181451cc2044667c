"""Which feeds a post enters, and why: all rules of all feeds against one post.

Promise: the answer equals asking each feed's rules one by one (`explain` does), but its cost hardly grows with the number of feeds.
Every distinct word, tag, author, domain ... of all feeds is a number. A post is looked at once, and what it has is a set of numbers.
From there only feeds waiting for one of these are touched, and conditions shared by many feeds (a language) are asked once.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import TypeAlias

import msgspec
from attrs import evolve

from feedgen.feed import Feed
from feedgen.plans import Gate, Leaf, Look, Node, Numbers, Plan
from feedgen.rules import Nest, Resolve, Rule, Words
from feedgen.text import shown
from models.post import Post


class Admission(msgspec.Struct, frozen=True, gc=False):
    """One reason for which a post enters feeds: the path of the first include that holds, and what it found (as `text.shown`).

    `feeds` are indexes into the sequence of feeds that the matcher was made of. Together, since thousands of feeds may want one word.
    """

    feeds: tuple[int, ...]
    rule: str
    kind: str
    words: Words


_Reason: TypeAlias = tuple[Gate | None, str, str, str]


class Verdict(msgspec.Struct, frozen=True):
    """What one rule of a feed says of a post: `words` is None when it does not hold."""

    rule: str
    kind: str
    plain_words: str
    words: Words | None


class Explanation(msgspec.Struct, frozen=True):
    """Whether a post enters a feed, by which include, and what every rule says, nested ones after the rule they are in."""

    enters: bool
    by: str | None
    verdicts: tuple[Verdict, ...]


def nobody(handle: str) -> None:
    """Resolves no handle."""


class Matcher:
    """All rules of all feeds, indexed once; `resolve` is asked once for the DID of each handle. Building takes about 0.1 ms a feed."""

    def __init__(self, feeds: Sequence[Feed], resolve: Resolve = nobody) -> None:
        resolving = _Resolving(resolve)
        numbers = Numbers()
        self._plans = [numbers.plan(_resolved(feed, resolving)) for feed in feeds]
        self.unresolved = resolving.unresolved
        """Handles of author rules that could not be resolved; they match nobody."""
        index = _Index(self._plans, numbers)
        self._free = [tuple(ready for gate, ready in index.ready(number) if gate is None) for number in range(numbers.count)]
        self._gated = {n: gated for n in range(numbers.count) if (gated := [(gate, ready) for gate, ready in index.ready(n) if gate])}
        self._bits = [index.bits(number) for number in range(numbers.count)]
        self._waiting = index.waiting
        self._always = index.always
        self._simple = not (self._gated or self._waiting or self._always)
        self._find = numbers.finder(lambda cls: cls in index.looked_up)
        self._later = numbers.finder(lambda cls: cls not in index.looked_up)

    def match(self, did: str, post: Post) -> list[Admission]:
        """The feeds that a post by `did` enters: each feed in one admission, in no order that means anything (but the same every time)."""
        present = self._find(did, post)
        if not present and not self._always:
            return []
        admitted: list[Admission] = []
        free, bits, seen, twice = self._free, self._bits, 0, 0
        for number in present:
            admitted += free[number]
            twice |= seen & bits[number]
            seen |= bits[number]
        if self._simple and not twice:
            return admitted
        look = Look(did, post, present, self._later)
        for number in present if self._gated else ():
            admitted += [ready for gate, ready in self._gated.get(number, ()) if look.passes(gate)]
        return self._asked(look, admitted, _places(twice), present)

    def _asked(self, look: Look, admitted: list[Admission], several: set[int], present: Collection[int]) -> list[Admission]:
        """With feeds of several numbers asked for their first include and all its words, and those that can only be asked."""
        for feed in several:
            admitted = [rest for ready in admitted if (rest := _without(feed, ready)).feeds]
        asked = several.union(self._always, *(self._waiting.get(number, ()) for number in present)) if not self._simple else several
        return admitted + [told for feed in asked if (told := _admission(feed, self._plans[feed], look))]


def _places(bits: int) -> set[int]:
    """The places of the bits that are set."""
    found = set()
    while bits:
        lowest = bits & -bits
        found.add(lowest.bit_length() - 1)
        bits ^= lowest
    return found


def _without(feed: int, admission: Admission) -> Admission:
    place = bisect_left(admission.feeds, feed)  # they are in order
    if admission.feeds[place : place + 1] != (feed,):
        return admission
    return Admission(admission.feeds[:place] + admission.feeds[place + 1 :], admission.rule, admission.kind, admission.words)


def _admission(feed: int, plan: Plan, look: Look) -> Admission | None:
    for path, kind, node in plan.includes:
        words = node.judge(look)
        if words is not None:
            return Admission((feed,), path, kind, shown(words)) if plan.gate is None or look.passes(plan.gate) else None
    return None


class _Index:
    """What each number leads to: admissions made beforehand, behind a gate or none, and `waiting` feeds that are then asked.

    Feeds of `always` are asked about every post.
    """

    def __init__(self, plans: Sequence[Plan], numbers: Numbers) -> None:
        self.waiting: dict[int, set[int]] = {}
        self.always: list[int] = []
        self.looked_up: set[type[Rule]] = set()
        self._feeds: dict[int, dict[_Reason, list[int]]] = {}
        for feed, plan in enumerate(plans):
            self._add(feed, plan, numbers)

    def ready(self, number: int) -> Iterator[tuple[Gate | None, Admission]]:
        """The admissions of a number, each with its gate."""
        for (gate, path, kind, word), feeds in self._feeds.get(number, {}).items():
            yield gate, Admission(tuple(feeds), path, kind, shown((word,)))

    def bits(self, number: int) -> int:
        """One bit for each feed of `ready`: to see that two numbers lead to one feed, nothing is cheaper than to intersect integers."""
        return reduce(or_, (1 << feed for feeds in self._feeds.get(number, {}).values() for feed in feeds), 0)

    def _add(self, feed: int, plan: Plan, numbers: Numbers) -> None:
        triggers = [_triggers(node) for _, _, node in plan.includes]
        leaves = [numbers.leaf(rule) for found in triggers if found is not None for rule in found]
        self.looked_up.update(type(leaf.rule) for leaf in leaves)
        if None in triggers:
            self.always.append(feed)
        elif all(isinstance(node, Leaf) and None not in node.words.values() for _, _, node in plan.includes):
            self._make_ready(feed, plan)
        else:
            for number in {number for leaf in leaves for number in leaf.words}:
                self.waiting.setdefault(number, set()).add(feed)

    def _make_ready(self, feed: int, plan: Plan) -> None:
        done: set[int] = set()
        for path, kind, node in plan.includes:
            assert isinstance(node, Leaf)
            for number, word in node.words.items():
                if number not in done:
                    self._feeds.setdefault(number, {}).setdefault((plan.gate, path, kind, word or ""), []).append(feed)
            done.update(node.words)


def _triggers(node: Node) -> tuple[Rule, ...] | None:
    return node.rule.triggers() if isinstance(node, Leaf) else node.nest.triggers()


class _Resolving:
    """Asks for each handle once, and keeps those nobody answers to."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._answers: dict[str, str | None] = {}

    def __call__(self, handle: str) -> str | None:
        if handle not in self._answers:
            self._answers[handle] = self._resolve(handle)
        return self._answers[handle]

    @property
    def unresolved(self) -> tuple[str, ...]:
        return tuple(handle for handle, did in self._answers.items() if did is None)


def _resolved(feed: Feed, resolve: Resolve) -> Feed:
    include, require, exclude = (tuple(rule.resolved(resolve) for rule in rules) for rules in (feed.include, feed.require, feed.exclude))
    return evolve(feed, include=include, require=require, exclude=exclude)


def explain(feed: Feed, did: str, post: Post, resolve: Resolve = nobody) -> Explanation:
    """What every rule of one feed says of a post by `did`: the rules themselves are asked, no index."""
    feed = _resolved(feed, resolve)
    include, require, exclude = (
        [_verdicts(f"{part}[{index}]", rule, did, post) for index, rule in enumerate(rules)]
        for part, rules in (("include", feed.include), ("require", feed.require), ("exclude", feed.exclude))
    )
    by = next((first.rule for first, *_ in include if first.words is not None), None)
    enters = by is not None and all(first.words is not None for first, *_ in require) and all(first.words is None for first, *_ in exclude)
    return Explanation(
        enters, by if enters else None, tuple(verdict for verdicts in (*include, *require, *exclude) for verdict in verdicts)
    )


def _verdicts(path: str, rule: Rule, did: str, post: Post) -> list[Verdict]:
    words = rule.match(did, post)
    within = enumerate(rule.rules) if isinstance(rule, Nest) else ()
    nested = [verdict for index, part in within for verdict in _verdicts(f"{path}.rules[{index}]", part, did, post)]
    return [Verdict(path, rule.kind, rule.plain_words(), words), *nested]
