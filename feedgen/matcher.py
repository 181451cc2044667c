"""Which feeds a post enters, and why: all rules of all feeds against one post.

Promise: the answer equals asking each feed's rules one by one (`explain` does), but its cost hardly grows with the number of feeds.
Every distinct word, tag, author, domain ... of all feeds is a number. A post is looked at once, and what it has is a set of numbers.
From there only feeds waiting for one of these are touched, and conditions shared by many feeds (a language) are asked once.
"""

from collections.abc import Collection, Sequence
from itertools import chain
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
        self._free = [tuple(admission for gate, admission in ready if gate is None) for ready in index.ready]
        self._gated = {number: gated for number, ready in enumerate(index.ready) if (gated := [(g, one) for g, one in ready if g])}
        self._feeds = [_joined([admission.feeds for _, admission in ready]) for ready in index.ready]
        self._waiting = index.waiting
        self._always = index.always
        self._simple = not (self._gated or self._waiting or self._always)
        self._find = numbers.finder(lambda cls: cls in index.looked_up) or (lambda did, post: ())
        self._later = numbers.finder(lambda cls: cls not in index.looked_up)

    def match(self, did: str, post: Post) -> list[Admission]:
        """The feeds that a post by `did` enters: each feed in one admission, in no order that means anything (but the same every time)."""
        present = self._find(did, post)
        if not present and not self._always:
            return []
        admitted: list[Admission] = []
        feeds: set[int] = set()
        count = 0
        for number in present:
            admitted += self._free[number]
            wanting = self._feeds[number]
            feeds.update(wanting)
            count += len(wanting)
        if self._simple and count == len(feeds):
            return admitted
        look = Look(did, post, present, self._later)
        for number in present if self._gated else ():
            admitted += [ready for gate, ready in self._gated.get(number, ()) if look.passes(gate)]
        several: set[int] = set()
        if count > len(feeds):
            several = _several([self._feeds[number] for number in present])
            admitted = [one if several.isdisjoint(one.feeds) else _without(several, one) for one in admitted]
        return self._asked(look, admitted, several, present)

    def _asked(self, look: Look, admitted: list[Admission], asked: set[int], present: Collection[int]) -> list[Admission]:
        """With feeds of several numbers asked for their first include and all its words, and those that can only be asked."""
        if not self._simple:
            asked = asked.union(self._always, *(self._waiting.get(number, ()) for number in present))
        told = [_admission(feed, self._plans[feed], look) for feed in asked]
        return [one for one in (*admitted, *told) if one and one.feeds]


def _joined(groups: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return groups[0] if len(groups) == 1 else tuple(chain.from_iterable(groups))


def _several(groups: Sequence[tuple[int, ...]]) -> set[int]:
    """What stands in more than one group."""
    seen: set[int] = set()
    several: set[int] = set()
    for group in groups:
        several.update(seen.intersection(group))
        seen.update(group)
    return several


def _without(feeds: set[int], admission: Admission) -> Admission:
    rest = tuple(feed for feed in admission.feeds if feed not in feeds)
    return Admission(rest, admission.rule, admission.kind, admission.words)


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
        # Made one after the other, these integers are neighbours in memory: a post with 300 feeds touches pages, not the whole heap.
        for feed, plan in zip(list(range(len(plans))), plans, strict=True):
            self._add(feed, plan, numbers)
        self.ready = [self._admissions(number) for number in range(numbers.count)]

    def _admissions(self, number: int) -> list[tuple[Gate | None, Admission]]:
        reasons = self._feeds.get(number, {}).items()
        return [(gate, Admission(tuple(feeds), path, kind, shown((word,)))) for (gate, path, kind, word), feeds in reasons]

    def _add(self, feed: int, plan: Plan, numbers: Numbers) -> None:
        triggers = [_triggers(node) for _, _, node in plan.includes]
        leaves = [numbers.leaf(rule) for found in triggers if found is not None for rule in found]
        self.looked_up.update(type(leaf.rule) for leaf in leaves)
        if None in triggers:
            self.always.append(feed)
        elif all(isinstance(node, Leaf) and node.told for _, _, node in plan.includes):
            self._make_ready(feed, plan)
        else:
            for number in {number for leaf in leaves for number in leaf.words}:
                self.waiting.setdefault(number, set()).add(feed)

    def _make_ready(self, feed: int, plan: Plan) -> None:
        done: set[int] = set()
        for path, kind, node in plan.includes:
            assert isinstance(node, Leaf)
            for number, (_, word) in node.words.items():
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
