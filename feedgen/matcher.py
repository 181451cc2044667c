"""Which feeds a post enters, and why: all rules of all feeds against one post.

Promise: the answer equals asking each feed's rules one by one (`explain` does), but its cost hardly grows with the number of feeds.
Every distinct word, tag, author, domain ... of all feeds is a number. A post is looked at once, and what it has is a set of numbers.
From there only feeds waiting for one of these are touched, and conditions shared by many feeds (a language) are asked once.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec
from attrs import evolve

from feedgen.admissions import Admission, Places, parted, several
from feedgen.feed import Feed
from feedgen.plans import Gate, Leaf, Look, Node, Numbers, Plan
from feedgen.rules import Asked, Members, Nest, Resolve, Rule, Words, one_by_one, together
from feedgen.text import shown
from models.post import Post

__all__ = ["Admission", "Explanation", "Matcher", "Verdict", "empty", "explain", "handles_of", "lists_of", "nobody"]

_AT_ONCE = 2_000
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


def empty(uri: str) -> Collection[str]:
    """Nobody is on any list."""
    return ()


class Matcher:
    """All rules of all feeds, indexed once; `resolve` is asked once for the DID of each handle. Building takes about 0.1 ms a feed."""

    def __init__(self, feeds: Sequence[Feed], resolve: Resolve = nobody, members: Members = empty) -> None:
        resolving = _Resolving(resolve)
        numbers = Numbers()
        resolved = [_resolved(feed, resolving) for feed in feeds]
        self.unresolved = resolving.unresolved
        """Handles of author rules that could not be resolved; they match nobody."""
        self.labelers: Mapping[str, frozenset[str]] = together(rule.labelers() for feed in resolved for rule in _rules(feed))
        """By DID, the labelers whose labels must stand in `Post.labels`, and the values that rules ask for. OURS is this service's own."""
        self._plans = [numbers.plan(_informed(feed, members)) for feed in resolved]
        index = _Index(self._plans, numbers)
        self._ready, self._places, self._more = index.ready, index.places, index.more
        self._waiting = index.waiting
        self._always = index.always
        self._simple = not (self._more or self._waiting or self._always)
        self._find = numbers.finder(lambda cls: cls in index.looked_up) or one_by_one(lambda did, post: ())
        self._later = numbers.finder(lambda cls: cls not in index.looked_up)

    def match(self, did: str, post: Post) -> list[Admission]:
        """The feeds that a post by `did` enters: each feed in one admission, in no order that means anything (but the same every time)."""
        return next(self.match_each([(did, post)]))

    def match_each(self, posts: Sequence[Asked]) -> Iterator[list[Admission]]:
        """`match` of each of these, in this order.

        With 10,000 feeds, what words are looked up in and what they lead to push each other out of the processor's caches. So first all
        posts are looked at, some thousand at once; what comes of each is then best used before the next.
        """
        for at in range(0, len(posts), _AT_ONCE):
            some = posts[at : at + _AT_ONCE]
            found = self._find(some)
            if self._simple:
                for present in found:
                    yield self._once(present) if present else []
            else:
                for (did, post), present in zip(some, found, strict=True):
                    yield self._with_asked(Look(did, post, present, self._later)) if present or self._always else []

    def _with_asked(self, look: Look) -> list[Admission]:
        """With what is behind gates, and with the feeds that can only be asked."""
        more, waiting, slots = self._more, self._waiting, [*look.found]
        for number in look.found:
            slots += [slot for gate, slot in more.get(number, ()) if gate is None or look.passes(gate)]
        asked = set(self._always).union(*[waiting[number] for number in look.found if number in waiting])
        told = [self._asked(feed, look) for feed in asked]
        return [one for one in (*self._once(slots), *told) if one and one.feeds]

    def _asked(self, feed: int, look: Look) -> Admission | None:
        plan = self._plans[feed]
        for path, kind, node in plan.includes:
            words = node.judge(look)
            if words is not None:
                return Admission((feed,), path, kind, shown(words)) if plan.gate is None or look.passes(plan.gate) else None
        return None

    def _once(self, slots: Collection[int]) -> list[Admission]:
        """What stands in these slots of `ready`, with each feed that stands in several of them in one of its own instead."""
        ready = self._ready
        admitted = [ready[slot] for slot in slots]
        if len(admitted) < 2:
            return admitted
        repeated = several([admission.feeds for admission in admitted])
        return parted(admitted, slots, self._places, repeated) if repeated else admitted


_NOBODY = Admission((), "", "", ())


class _Index:
    """What each number leads to: admissions made beforehand, behind a gate or none, and `waiting` feeds that are then asked.

    The admission for number N behind no gate, which is nearly always all there is, stands in slot N of `ready`; where there are others,
    `more` tells the slots behind, each with its gate. In the same slot of `places`: where the word stands in the rules of each feed.
    Feeds of `always` are asked about every post.
    """

    def __init__(self, plans: Sequence[Plan], numbers: Numbers) -> None:
        self.waiting: dict[int, set[int]] = {}
        self.always: list[int] = []
        self.looked_up: set[type[Rule]] = set()
        self.ready = [_NOBODY] * numbers.count
        self.places: list[Places] = [()] * numbers.count
        self.more: dict[int, list[tuple[Gate | None, int]]] = {}
        self._feeds: dict[int, dict[_Reason, tuple[list[int], list[int]]]] = {}
        # Made one after the other, these integers are neighbours in memory: a post with 300 feeds touches pages, not the whole heap.
        for feed, plan in zip(list(range(len(plans))), plans, strict=True):
            self._add(feed, plan, numbers)
        for number, reasons in self._feeds.items():
            for reason, (feeds, places) in reasons.items():
                self._admit(number, reason, tuple(feeds), tuple(places))

    def _admit(self, number: int, reason: _Reason, feeds: tuple[int, ...], places: Places) -> None:
        gate, path, kind, word = reason
        admission = Admission(feeds, path, kind, shown((word,)))
        if gate is None and self.ready[number] is _NOBODY:
            self.ready[number], self.places[number] = admission, places
        else:
            self.more.setdefault(number, []).append((gate, len(self.ready)))
            self.ready.append(admission)
            self.places.append(places)

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
        reasons: dict[int, _Reason] = {}
        for path, kind, node in plan.includes:
            assert isinstance(node, Leaf)
            for number, (_, word) in node.words.items():
                reasons.setdefault(number, (plan.gate, path, kind, word or ""))
        for place, (number, reason) in enumerate(reasons.items()):
            feeds, places = self._feeds.setdefault(number, {}).setdefault(reason, ([], []))
            feeds.append(feed)
            places.append(place)


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


def _rules(feed: Feed) -> Iterator[Rule]:
    yield from (*feed.include, *feed.require, *feed.exclude)


def _each(feed: Feed, change: Callable[[Rule], Rule]) -> Feed:
    include, require, exclude = (tuple(map(change, rules)) for rules in (feed.include, feed.require, feed.exclude))
    return evolve(feed, include=include, require=require, exclude=exclude)


def _resolved(feed: Feed, resolve: Resolve) -> Feed:
    return _each(feed, lambda rule: rule.resolved(resolve))


def _informed(feed: Feed, members: Members) -> Feed:
    return _each(feed, lambda rule: rule.informed(members))


def handles_of(feeds: Sequence[Feed]) -> tuple[str, ...]:
    """Every handle that the rules of these feeds name, each once."""
    asked = _Resolving(nobody)
    for feed in feeds:
        _resolved(feed, asked)
    return asked.unresolved


def lists_of(feed: Feed, resolve: Resolve = nobody) -> frozenset[str]:
    """The at-uri of every list and starter pack that the rules of a feed name; of those named with a handle, if it can be resolved."""
    asked: set[str] = set()

    def members(uri: str) -> Collection[str]:
        asked.add(uri)
        return ()

    _informed(_resolved(feed, resolve), members)
    return frozenset(asked)


def explain(feed: Feed, did: str, post: Post, resolve: Resolve = nobody, members: Members = empty) -> Explanation:
    """What every rule of one feed says of a post by `did`: the rules themselves are asked, no index."""
    feed = _informed(_resolved(feed, resolve), members)
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
