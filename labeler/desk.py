"""The desk at which people decide: what waits, most worthwhile first, and what becomes of it.

Three kinds of things wait: candidates (the machine asks; also what needs a second person), reports, appeals. What a person decides are
decisions like any other (`labeler.persons`), with the reason that the author may read. Promises: an appeal is not decided by whoever gave
the label, if there is somebody else; an upheld one negates our labels with their own cids and bars the text; all can be undone.

The functions run in a transaction. `now` is in microseconds.
"""

from collections.abc import Collection, Sequence
from math import log2
from typing import Literal, TypeAlias

import msgspec

from labeler.persons import By, Persons, Refused
from labeler.policy import LabelPolicy
from labeler.reporting import labels_on
from models import decisions, matters, moderators
from models.database import Session
from models.decisions import Decision
from models.duration import duration
from models.matters import Matter, Outcome
from models.moderators import Moderator

Kind: TypeAlias = Literal["candidate", "second", "report", "appeal"]
HOUR = duration("1h")
MOST = 500
"""How much of what waits is looked at to find what is worth most."""


class Item(msgspec.Struct, frozen=True):
    """Something that waits: a decision (candidate, second) or a matter (report, appeal), by its id."""

    kind: Kind
    id: int
    uri: str
    cid: str
    val: str
    since: int
    worth: float


class Done(msgspec.Struct, frozen=True):
    """What was done about an item, so that it can be undone: the decisions that came of it, and the matters that were closed by it."""

    item: Item
    decided: tuple[Decision, ...]
    closed: tuple[int, ...] = ()


def worth(kind: Kind, strength: float, age: int) -> float:
    """How soon a person should look. Somebody waits for an appeal; a colleague for the second word; then what many report, and what the
    machine is surest of. `strength`: number of reports, or score by threshold. What is old rises slowly. age: µs.
    """
    first = {"appeal": 200.0, "second": 100.0}.get(kind, 10 * log2(1 + max(0.0, min(strength, 1_000.0))))
    return first + min(age / HOUR, 240.0) / 10


def queue(session: Session, who: Moderator, now: int, limit: int = 50) -> list[Item]:
    """What waits for this person, most worthwhile first."""
    found = [_asked(one, now) for one in decisions.waiting(session, "person", limit=MOST)]
    found += [
        _asked(one, now)
        for one in decisions.waiting(session, "second", limit=MOST)
        if not moderators.is_same(one.moderator or "", who.name)
    ]
    found += [_of_matter(one, now) for one in matters.waiting(session, MOST) if one.kind == "report" or who.rank == "lead"]
    return sorted(found, key=lambda item: (-item.worth, item.since, item.id))[:limit]


def _asked(asked: Decision, now: int) -> Item:
    kind: Kind = "second" if asked.waits_for == "second" else "candidate"
    strength = asked.evidence.get("score", 1.0) / (asked.evidence.get("threshold") or 1.0)
    age = now - asked.decided_at
    return Item(kind, asked.id, asked.uri, asked.cid, asked.val, asked.decided_at, worth(kind, strength, age))


def _of_matter(matter: Matter, now: int) -> Item:
    strength = matter.reports if matter.checked else matter.reports / 2
    return Item(matter.kind, matter.id, matter.uri, matter.cid, "", matter.opened_at, worth(matter.kind, strength, now - matter.opened_at))


class Desk:
    """For one labeler. `who` decides; `wide`: the author has so wide a reach that a second person must agree."""

    def __init__(self, src_did: str, policies: Sequence[LabelPolicy]) -> None:
        self._src_did, self._persons = src_did, Persons(src_did, policies)

    def confirm(self, session: Session, item: Item, who: Moderator, reason: str, now: int, *, wide: bool = False) -> Done:
        """Say yes to a candidate, or as the second person; reports of the same are answered by that."""
        matters.lock(session)
        by = By("moderator", reason, who.name)
        decided = self._persons.confirm(session, item.id, by, now, wide=wide)
        reported = matters.open_of(session, "report", item.uri)
        if reported:
            _close(session, reported, "labelled", by, [decided], now)
        return Done(item, (decided,), (reported.id,) if reported else ())

    def refuse(self, session: Session, item: Item, who: Moderator, reason: str, now: int) -> Done:
        """Say no to a candidate: neither shall the machine ask again about the same text."""
        return Done(item, (self._persons.reject(session, item.id, By("moderator", reason, who.name), now),))

    def label(
        self, session: Session, item: Item, cid: str | None, val: str, who: Moderator, reason: str, now: int, *, wide: bool = False
    ) -> Done:
        """Put a label on what was reported; where it stands already, the report was right, and nothing more follows."""
        matter, by = _open(session, item, "report"), By("moderator", reason, who.name)
        standing = labels_on(session, self._src_did, item.uri, now)
        if any(each.label.val == val and each.label.uri == item.uri and each.label.cid in (None, cid) for each in standing):
            _close(session, matter, "labelled", by, [], now)
            return Done(item, (), (matter.id,))
        decided = self._persons.label(session, item.uri, cid, val, by, now, wide=wide)
        _close(session, matter, "labelled", by, [decided], now)
        return Done(item, (decided,), (matter.id,))

    def dismiss(self, session: Session, item: Item, who: Moderator, reason: str, now: int) -> Done:
        """Nothing follows from a report."""
        _close(session, _open(session, item, "report"), "dismissed", By("moderator", reason, who.name), [], now)
        return Done(item, (), (item.id,))

    def uphold(
        self, session: Session, item: Item, who: Moderator, reason: str, now: int, *, vals: Collection[str] | None = None, kept: str = ""
    ) -> Done:
        """The author is right: our labels are taken back, and the machine does not give the same text the same label again.

        vals: so it is with these alone; the others stay, and `kept` is why. An appeal that is decided so becomes two.
        """
        matter, by = self._appeal(session, item, who, reason)
        rest = [] if vals is None else [about for about in matter.about if _val(session, about) not in vals]
        if len(rest) == len(matter.about):
            raise Refused("the appeal is not against such a label")
        if rest:
            other = matters.split(session, matter, rest)
            _close(session, other, "rejected", By("appeal", kept, who.name), [], now)
            matter = matter._replace(about=[about for about in matter.about if about not in rest])
        standing = {(each.label.uri, each.label.val) for each in labels_on(session, self._src_did, matter.uri, now)}
        taken = sorted(each for each in standing if vals is None or each[1] in vals)
        decided = [one for uri, val in taken for one in self._negate(session, uri, val, by, now)]
        for about in matter.about:
            _bar(session, about)
        _close(session, matter, "upheld", by, decided, now)
        return Done(item, tuple(decided), (matter.id, other.id) if rest else (matter.id,))

    def keep(self, session: Session, item: Item, who: Moderator, reason: str, now: int) -> Done:
        """The label stays; the author can read why."""
        matter, by = self._appeal(session, item, who, reason)
        _close(session, matter, "rejected", by, [], now)
        return Done(item, (), (matter.id,))

    def undo(self, session: Session, done: Done, who: Moderator, reason: str, now: int) -> None:
        """As if it had not been decided: it waits again."""
        matters.lock(session)
        by = By("moderator", reason, who.name)
        for decision in done.decided:
            self._persons.undo(session, decision.id, by, now)
        for matter_id in done.closed:
            _reopen(session, matter_id)
        if done.item.kind in ("candidate", "second") and any(decision.action == "label" for decision in done.decided):
            decisions.reopen(session, done.item.id)

    def _negate(self, session: Session, uri: str, val: str, by: By, now: int) -> list[Decision]:
        try:
            return self._persons.negate(session, uri, None, val, by, now)
        except Refused:  # its negation waits for room already
            return []

    def _appeal(self, session: Session, item: Item, who: Moderator, reason: str) -> tuple[Matter, By]:
        matter = _open(session, item, "appeal")
        if who.rank != "lead":
            raise Refused(f"appeals are decided by a lead: plainsky moderators add {who.name} --role lead")
        gave = [one for about in matter.about for one in decisions.chain(session, about)]
        involved = [one.moderator for first in gave for one in (first, *decisions.seconds(session, first)) if one.moderator]
        others = [one for one in moderators.known(session) if one.rank == "lead" and not _is_of(one.name, involved)]
        if _is_of(who.name, involved) and others:
            raise Refused(f"you gave this label yourself: {others[0].name} should decide")
        return matter, By("appeal", reason, who.name)


def _is_of(name: str, names: Collection[str]) -> bool:
    return any(moderators.is_same(name, one) for one in names)


def _open(session: Session, item: Item, kind: matters.Kind) -> Matter:
    matters.lock(session)
    matter = matters.by_id(session, item.id)
    if matter is None or matter.kind != kind or matter.closed_at is not None:
        raise Refused(f"this {kind} waits for nobody any more: somebody else has decided")
    return matter


def _reopen(session: Session, matter_id: int) -> None:
    matter = matters.by_id(session, matter_id)
    assert matter
    again = matters.open_of(session, matter.kind, matter.uri)
    if again and again.kind == "appeal" and again.opened_at == matter.opened_at:  # the other part of what was split
        matters.join(session, again, matter)
        return
    if again and matter.kind == "report" and matter.decided:  # what was decided is undone, and the new one waits for a person
        return
    if again:
        raise Refused("meanwhile there are new reports of the same: decide on those")
    for about in matter.about:
        decisions.unbar(session, about)
    matters.reopen(session, matter_id)


def _close(session: Session, matter: Matter, outcome: Outcome, by: By, decided: Sequence[Decision], now: int) -> None:
    matters.close(session, matter.id, outcome, by.role, by.moderator, by.reason, [one.id for one in decided], now)


def appealed(session: Session, item: Item) -> list[str]:
    """The values of the labels that an appeal is against."""
    matter = matters.by_id(session, item.id)
    return sorted({_val(session, about) for about in matter.about}) if matter else []


def _val(session: Session, decision_id: int) -> str:
    decision = decisions.by_id(session, decision_id)
    return decision.val if decision else ""


def _bar(session: Session, decision_id: int) -> None:
    """Also where the label has ended meanwhile."""
    for reason in decisions.chain(session, decision_id):
        if reason.text_hash:
            decisions.bar(session, reason.val, reason.text_hash, decision_id)
