"""What an operator changed since the last run or reload, for the log of changes (`models.changes`).

What was in force is kept in the table `setting` in plain words, so that a start can tell what is different from the last run.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from feedgen.feed import Feed
from models import cursors, settings
from models.changes import Action, Change, Effect, What, append
from models.database import Session
from models.differing import NOTHING, Span, effect
from models.entries import TOP
from plainsky.changing import in_force
from plainsky.config.describe import feed_described, label_described
from plainsky.config.hashing import label_hash, rules_hash
from plainsky.config.schema import Config
from plainsky.config.values import feed_values, label_values
from plainsky.pipeline.rebuilding import Plan

_SETTING = "in force"
_ONE_LINE = 1_000_000

UNSAID: Mapping[What, tuple[str, str]] = {
    "feed": ("+ Its rules read as before; other accounts have the handles that they name.", '{"key":"same_feed"}'),
    "label": ("+ Its rules read as before; how it looks to readers, or what it may be put on, is another.", '{"key":"same_label"}'),
}
"""Told when a description is the same, and its hash is not: the line, and its values."""

Effects = Callable[[str], Effect | None]
"""By a label's value, what becomes of the stored posts."""


class Told(msgspec.Struct, frozen=True):
    """A feed or label as it was: the hash of its rules, its description line by line, a feed's window (µs), and the lines' values.

    Before there were values, none were kept.
    """

    hash: str
    lines: tuple[str, ...]
    window: int = 0
    values: tuple[str, ...] = ()

    @property
    def valued(self) -> Mapping[str, str]:
        """The values of each line."""
        return dict(zip(self.lines, self.values, strict=False))


class InForce(msgspec.Struct, frozen=True):
    """All feeds by rkey and all labels by value."""

    feeds: Mapping[str, Told] = {}
    labels: Mapping[str, Told] = {}


def in_force_of(config: Config, handles: Mapping[str, str]) -> InForce:
    """What a config says. handles: the DID of each handle that is known."""
    return InForce(
        {feed.rkey: _feed(feed, handles) for feed in config.feeds},
        {
            policy.value: Told(label_hash(policy), _lines(label_described(policy, _ONE_LINE)), 0, tuple(label_values(policy)))
            for policy in config.labels
        },
    )


def _feed(feed: Feed, handles: Mapping[str, str]) -> Told:
    lines = _lines(feed_described(feed, _ONE_LINE))
    return Told(rules_hash(feed, handles), lines, feed.window, tuple(feed_values(feed)))


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line.strip().removeprefix("- ") for line in lines)


def record(session: Session, now_holds: InForce, plan: Plan, reason: str, now: int, of_label: Effects = lambda value: None) -> None:
    """Write down what is different from what held before, from `now` (µs) on, and what that changes.

    To be called while the entries there were are still there, in the transaction that takes the new ones.
    """
    kept = settings.get(session, _SETTING)
    held = msgspec.json.decode(kept, type=InForce) if kept else InForce()
    of_feed = _Effects(session, held, now_holds, plan)
    changes = [*_changes("feed", held.feeds, now_holds.feeds, of_feed), *_changes("label", held.labels, now_holds.labels, of_label)]
    append(session, changes, reason, now)
    in_force.remember(session, {rkey: told.hash for rkey, told in now_holds.feeds.items()}, now)
    if held != now_holds:
        settings.put(session, _SETTING, msgspec.json.encode(now_holds, order="sorted").decode())


class _Effects:
    """How many posts come into a feed and go."""

    def __init__(self, session: Session, held: InForce, now_holds: InForce, plan: Plan) -> None:
        self._session, self._plan = session, plan
        self._before, self._after = held.feeds, now_holds.feeds
        self._log_time = cursors.log_time(session)

    def __call__(self, rkey: str) -> Effect:
        before = self._span(self._plan.before, self._before, rkey)
        return effect(self._session, before, self._span(self._plan.ids, self._after, rkey))

    def _span(self, ids: Mapping[str, int], told: Mapping[str, Told], rkey: str) -> Span:
        if rkey not in ids or rkey not in told:
            return NOTHING
        return Span(ids[rkey], self._log_time - told[rkey].window, TOP[0])


def _changes(what: What, before: Mapping[str, Told], after: Mapping[str, Told], of: Effects) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        was, will_be = before.get(name), after.get(name)
        if _says(was) != _says(will_be):
            action: Action = "added" if was is None else "removed" if will_be is None else "changed"
            hashes = was.hash if was else None, will_be.hash if will_be else None
            lines = difference(was, will_be) or [UNSAID[what]]
            yield Change(what, name, action, *hashes, tuple(line for line, _ in lines), of(name), tuple(values for _, values in lines))


def _says(told: Told | None) -> tuple[object, ...] | None:
    """All but the values, which say the same again."""
    return (told.hash, told.lines, told.window) if told else None


def difference(was: Told | None, will_be: Told | None) -> list[tuple[str, str]]:
    """What is said no more ("- "), and what is said from now on ("+ "), line by line, each with its values."""
    lines = difflib.ndiff(was.lines if was else (), will_be.lines if will_be else ())
    valued = {"- ": was.valued if was else {}, "+ ": will_be.valued if will_be else {}}
    return [(line, valued[line[:2]].get(line[2:], "")) for line in lines if line.startswith(("- ", "+ "))]
