"""What stands on one post, what is under way, and what must follow when the post changes. Pure: it is told what was, and says what to do.

Promise: after `follow` the labels that stand or wait to be issued are those whose reason the post gives now, for its present cid, less
those that a person took back, and those that a person gave. A label is negated with the identical cid: consumers that compare it would else
let it stand. What was never issued is not negated but dropped.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from labeler.judge import Verdict
from models.decisions import Action, Known, Outcome, WaitsFor
from models.labels import Told
from models.post import Post
from models.protocol.syntax import format_datetime, parse_datetime

MILLISECOND = 1_000

Key: TypeAlias = tuple[str, str]
"""(cid, val): what is said of which version."""


class Judged(msgspec.Struct, frozen=True):
    """A post as it is now, and the verdicts on it. A post that is new and has none need not be told.

    `post`, where there are verdicts, is kept with the decisions: for the people who look at them, and to be judged again.
    """

    uri: str
    cid: str
    verdicts: Sequence[Verdict]
    post: Post | None = None


class Deleted(msgspec.Struct, frozen=True):
    """A post that is no more (or an account)."""

    uri: str


Item: TypeAlias = Judged | Deleted


class Change(msgspec.Struct, frozen=True):
    """To be decided. A `label` or `negate` goes into the log as soon as there is room; `none` is recorded, and may wait for a person."""

    uri: str
    cid: str
    val: str
    action: Action
    mode: str
    evidence: dict[str, Any]
    rules_hash: str | None = None
    life: int | None = None

    @property
    def key(self) -> Key:
        """Of which version what is said."""
        return self.cid, self.val


class Dropped(msgspec.Struct, frozen=True):
    """Nothing comes of a decision any more."""

    decision_id: int
    outcome: Outcome = "superseded"


class Record:
    """One post, or one account."""

    __slots__ = ("_cts", "_noted", "_open", "_persons", "_standing", "_under_way", "has_words", "uri")

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.has_words = False
        """Decisions hold what the post says."""
        self._standing: dict[Key, str | None] = {}
        self._under_way: dict[Key, tuple[int, Action]] = {}
        self._open: dict[Key, dict[int, str]] = {}
        self._noted: set[tuple[str, str, str]] = set()
        self._persons: dict[Key, Action] = {}
        self._cts = 0

    @property
    def is_blank(self) -> bool:
        """Nothing was ever said or decided."""
        return not (self._cts or self._under_way or self._open or self._noted or self._persons or self.has_words)

    def recall(self, told: Told) -> None:
        """The log said this (called oldest first)."""
        self.issued((told.cid, told.val), "negate" if told.neg else "label", told.exp)
        self._cts = max(self._cts, parse_datetime(told.cts) or 0)

    def remember(self, known: Known) -> None:
        """This was decided (called oldest first)."""
        key = (known.cid, known.val)
        self.has_words |= known.has_body
        if known.waits_for in ("labelling", "negating"):
            self._under_way[key] = (known.id, known.action)
        elif known.waits_for:
            self._open.setdefault(key, {})[known.id] = known.mode
        if known.action == "none":
            self._noted.add((*key, known.mode))
        elif known.mode == "person" and known.waits_for != "second" and known.outcome not in ("rejected", "superseded"):
            self._persons[key] = known.action

    def next_cts(self, now: int, life: int | None) -> tuple[str, str | None]:
        """`cts` and `exp` of what is said now, to hold for `life` µs.

        `cts` is later than everything said of this post, so that for any consumer the last word is the last, whether or not it compares
        cids.
        """
        self._cts = max(now // MILLISECOND, self._cts // MILLISECOND + 1) * MILLISECOND
        return _spelled(self._cts), None if life is None else _spelled(self._cts + life)

    def issued(self, key: Key, action: Action, exp: str | None) -> None:
        """It is in the log."""
        if action == "negate":
            self._standing.pop(key, None)
        else:
            self._standing[key] = exp
        self._under_way.pop(key, None)

    def waits(self, key: Key, decision_id: int, action: Action, waits_for: WaitsFor | None, mode: str) -> None:
        """It was decided, and something is to come."""
        if waits_for in ("labelling", "negating"):
            self._under_way[key] = (decision_id, action)
        elif waits_for:
            self._open.setdefault(key, {})[decision_id] = mode
        if action == "none":
            self._noted.add((*key, mode))

    def follow(self, item: Item, now: int, barred: Collection[str] = ()) -> Iterator[Change | Dropped]:
        """What must be done so that the labels are right again at `now` (µs): first what goes, then what comes.

        barred: values that a person took from this text. The caller says what it did of each change before it takes the next.
        """
        verdicts = {} if isinstance(item, Deleted) else {(item.cid, each.value): each for each in item.verdicts if each.value not in barred}
        if self.is_blank:  # as it mostly is: nothing of what follows could make a difference
            for key, verdict in verdicts.items():
                yield self._change(key, verdict, "label" if verdict.mode == "auto" else "none")
            return
        verdicts = {key: each for key, each in verdicts.items() if self._persons.get(key) != "negate"}
        yield from self._leave(item, verdicts.keys() | self._given(item))
        for key, verdict in verdicts.items():
            if change := self._answer(key, verdict, now):
                if change.action == "label":  # the machine may alone what it asked before
                    yield from map(Dropped, sorted(self._open.pop(key, ())))
                yield change

    def _leave(self, item: Item, kept: Collection[Key]) -> Iterator[Change | Dropped]:
        yield from self._drop(item, kept)
        for key in sorted(self._standing.keys() - kept):
            if key not in self._under_way:
                yield Change(self.uri, *key, "negate", "auto", _cause(item, key[0]))

    def standing(self, cid: str | None, val: str) -> list[str]:
        """The cids that carry the label and are not about to lose it; of one version, or of all."""
        return sorted(c for c, v in self._standing if v == val and cid in (None, c) and (c, v) not in self._under_way)

    def carries(self, key: Key, now: int) -> bool:
        """The label is in force at `now` (µs), or about to be."""
        if key in self._under_way:
            return self._under_way[key][1] == "label"
        return key in self._standing and _lasts(self._standing[key], now)

    def under_way(self, cid: str | None, val: str) -> list[tuple[str, int, Action]]:
        """(cid, decision id, action) of what waits for room."""
        return sorted((c, *what) for (c, v), what in self._under_way.items() if v == val and cid in (None, c))

    def open(self, cid: str | None, val: str) -> list[tuple[str, int]]:
        """(cid, decision id) of what waits for a person."""
        return sorted((c, id) for (c, v), ids in self._open.items() if v == val and cid in (None, c) for id in ids)

    def _given(self, item: Item) -> set[Key]:
        """What a person said of this version, or of all."""
        if isinstance(item, Deleted):
            return set()
        return {key for key, action in self._persons.items() if action == "label" and key[0] in ("", item.cid)}

    def _drop(self, item: Item, kept: Collection[Key]) -> Iterator[Dropped]:
        """What is under way, and not wanted any more."""
        for key, (decision_id, action) in sorted(self._under_way.items()):
            back = action == "negate" and key in kept and key in self._standing
            if back or (action == "label" and key not in kept):
                del self._under_way[key]
                yield Dropped(decision_id)
        for key, ids in sorted(self._open.items()):
            if isinstance(item, Deleted) or key[0] not in ("", item.cid) or (key not in kept and "person" not in ids.values()):
                del self._open[key]
                yield from map(Dropped, sorted(ids))

    def _answer(self, key: Key, verdict: Verdict, now: int) -> Change | None:
        stands = self.carries(key, now)
        if verdict.mode == "auto":
            if stands or (key in self._open and "auto" in self._open[key].values()):
                return None
            return self._change(key, verdict, "label")
        if (*key, verdict.mode) in self._noted or (stands and verdict.mode == "review"):
            return None
        return self._change(key, verdict, "none")

    def _change(self, key: Key, verdict: Verdict, action: Action) -> Change:
        return Change(self.uri, key[0], key[1], action, verdict.mode, verdict.evidence, verdict.rules_hash, verdict.expires)


_spelled = lru_cache(64)(format_datetime)  # the labels of a batch share their time


def _lasts(exp: str | None, now: int) -> bool:
    return exp is None or (parse_datetime(exp) or 0) > now


def _cause(item: Item, cid: str) -> dict[str, Any]:
    """Why a label on version `cid` of a post is taken back: the post is gone, was edited, or is judged otherwise than before."""
    if isinstance(item, Deleted):
        return {"cause": "deleted"}
    return {"cause": "edited", "cid": item.cid} if item.cid != cid else {"cause": "rejudged"}
