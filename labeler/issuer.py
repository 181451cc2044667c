"""The only writer of labels: what follows from verdicts is decided, signed and put into the log, inside the pipeline's transaction.

Promises: handling the same again changes nothing. The log is a function of what was told and when, however it was cut into batches. Every
label has its decision with the evidence, negations too. What the throttle holds back waits in the database, negations before labels, each
in the order of its decision; what the breaker holds back waits for a person.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeAlias

from labeler import signing
from labeler.judge import text_hash
from labeler.limits import UNLIMITED, Breaker, Throttle
from labeler.room import Baselines, Guard, Room
from labeler.standing import Change, Deleted, Dropped, Item, Judged, Record
from models import decisions, labels, posts
from models.database import Row, Session
from models.decisions import Decision, Outcome, WaitsFor
from models.labels import Found, Heads, Label
from models.protocol.k256 import PrivateKey
from models.protocol.syntax import format_datetime

__all__ = ["Deleted", "Issuer", "Judged"]

Clock: TypeAlias = Callable[[], int]
"""Now, in microseconds since the epoch."""

_IN_TURN: Collection[WaitsFor | None] = ("labelling", "negating")
AT_ONCE = 1_000
"""How many waiting decisions are issued in one transaction, if the throttle allows."""


class Issuer:
    """Signs as `src_did` with `key`. Used by one thread at a time; other processes may have theirs on the same database.

    Without throttle and breaker everything is issued at once. seq_above: what is issued gets higher numbers, after a log that was lost.
    """

    def __init__(
        self,
        src_did: str,
        key: PrivateKey,
        clock: Clock,
        throttle: Throttle | None = None,
        breaker: Breaker | None = None,
        seq_above: int = 0,
    ) -> None:
        self.src_did = src_did
        self.public_key = key.public_key
        self.key_id = signing.key_id(key.public_key)
        self._key, self.clock = key, clock
        self._for_labels = throttle.for_labels if throttle else UNLIMITED
        self._for_negations = throttle.for_negations if throttle else UNLIMITED
        self._breaker, self._baselines, self.seq_above = breaker, Baselines(), seq_above

    def apply(self, session: Session, items: Iterable[Item], now: int | None = None) -> bool:
        """Decide and write what follows from what became of posts, in order; True when the stream has something new.

        Items must be news (the pipeline drops late repeats by their rev): an item says what the post is now.
        """
        items = list(items)
        if not items:
            return False
        labels.lock(session)
        now, issued = self.clock() if now is None else now, 0
        heads = labels.heads(session)
        if heads.waiting:
            issued = self.issue(session, now)
            heads = labels.heads(session)
        records = recalled(session, self.src_did, [item.uri for item in items])
        if not any(isinstance(item, Judged) and item.verdicts for item in items) and all(record.is_blank for record in records.values()):
            return issued > 0
        work = self._work(session, now, heads)
        hashes = [text_hash(item.post) if isinstance(item, Judged) and item.post and item.verdicts else None for item in items]
        barred = _barred(session, items, hashes) if heads.bars else {}
        for item, hash in zip(items, hashes, strict=True):
            work.follow(records[item.uri], item, hash, barred.get(hash, ()))
        return bool(work.close() + issued)

    def issue(self, session: Session, now: int) -> int:
        """Issue what waits, as far as there is room at `now` (µs); how many labels came of it."""
        labels.lock(session)
        issued, more = 0, True
        while more:
            work = self._work(session, now, labels.heads(session))
            more = work.issue_waiting()
            issued += work.close()
        return issued

    def sign(self, label: Label) -> bytes:
        """Our signature."""
        return signing.sign(label, self._key)

    def renewed(self, session: Session, found: Sequence[Found], life: int, now: int) -> int:
        """Say these labels again, to end later; as many as there is room for. How many that were."""
        labels.lock(session)
        work = self._work(session, now, labels.heads(session))
        records = recalled(session, self.src_did, [each.label.uri for each in found])
        for each in found:
            label = each.label
            if not work.put(records[label.uri], label.cid or "", label.val, "label", life, each.decision_id):
                break
        return work.close()

    def can_sign(self) -> bool:
        """The key makes signatures that verify."""
        label = Label(self.src_did, self.src_did, "health", format_datetime(0))
        return signing.verify(label, self.sign(label), self.public_key)

    def _work(self, session: Session, now: int, heads: Heads) -> "_Work":
        if heads.seq < self.seq_above:
            heads = heads._replace(seq=self.seq_above)
        room = Room(session, self._for_labels, self._for_negations, heads.seq, now)
        guard = Guard(session, self._breaker, self._baselines, heads.tripped, now)
        return _Work(self, session, room, guard, heads, now)


class _Work:
    """One transaction's: what it decided, dropped and signed, written by `close`."""

    def __init__(self, issuer: Issuer, session: Session, room: Room, guard: Guard, heads: Heads, now: int) -> None:
        self._issuer, self._session, self._room, self._guard, self._now = issuer, session, room, guard, now
        self._seq, self._last_id = heads.seq, heads.decision_id
        self._decided: list[Row] = []
        self._signed: list[Row] = []
        self._settled: list[tuple[int, Outcome]] = []
        self._purged: list[tuple[str, int]] = []

    def issue_waiting(self) -> bool:
        """Issue what was decided before: negations, then labels, each in turn. True when there may be more, and room for it."""
        waiting = [*self._waiting("negating"), *self._waiting("labelling")]
        records = recalled(self._session, self._issuer.src_did, [decision.uri for decision in waiting]) if waiting else {}
        for decision in waiting:
            life = decision.life if decision.action == "label" else None
            if self.put(records[decision.uri], decision.cid, decision.val, decision.action, life, decision.id):
                self._settled.append((decision.id, "issued"))
        return len(self._settled) == len(waiting) >= AT_ONCE

    def _waiting(self, waits_for: WaitsFor) -> list[Decision]:
        return decisions.waiting(self._session, waits_for, limit=AT_ONCE)

    def follow(self, record: Record, item: Item, hash: str | None, barred: Collection[str]) -> None:
        """Decide what follows from what became of a post."""
        for step in record.follow(item, self._now, barred):
            if isinstance(step, Dropped):
                self._settled.append((step.decision_id, step.outcome))
            else:
                self._decide(record, step, item, hash)
        if isinstance(item, Deleted) and record.has_words:
            self._purged.append((item.uri, self._last_id))

    def put(self, record: Record, cid: str, val: str, action: decisions.Action, life: int | None, decision_id: int) -> bool:
        """Sign, if there is room."""
        neg = action == "negate"
        if not self._room.take(neg):
            return False
        cts, exp = record.next_cts(self._now, life)
        label = Label(self._issuer.src_did, record.uri, val, cts, cid or None, neg, exp)
        self._seq += 1
        self._signed.append(labels.packed(self._seq, label, self._issuer.sign(label), decision_id, self._now, self._issuer.key_id))
        record.issued((cid, val), action, exp)
        return True

    def close(self) -> int:
        """Write it all; how many labels came of it."""
        if self._decided:
            decisions.add_machines(self._session, self._decided)
        if self._signed:
            labels.append_rows(self._session, self._signed)
        if self._settled:
            decisions.settle(self._session, self._settled)
        if self._purged:
            decisions.purge(self._session, self._purged)
        self._guard.close()
        return len(self._signed)

    def _decide(self, record: Record, change: Change, item: Item, hash: str | None) -> None:
        decision_id = self._last_id = self._last_id + 1
        waits_for = self._waits_for(change)
        outcome: Outcome | None = None
        if waits_for in _IN_TURN and self.put(record, change.cid, change.val, change.action, change.life, decision_id):
            waits_for, outcome = None, "issued"
        else:
            record.waits(change.key, decision_id, change.action, waits_for, change.mode)
        post = item.post if isinstance(item, Judged) and change.action != "negate" else None
        record.has_words |= post is not None
        self._decided.append(
            decisions.by_machine(
                decision_id,
                change.uri,
                change.cid,
                change.val,
                change.action,
                change.mode,
                change.evidence,
                change.rules_hash,
                self._now,
                change.life,
                waits_for,
                outcome,
                hash if post else None,
                posts.packed(post) if post else None,
            )
        )

    def _waits_for(self, change: Change) -> WaitsFor | None:
        if change.action == "negate":
            return "negating"
        if change.action == "label":
            return "labelling" if self._guard.lets(change.val) else "person"
        return "person" if change.mode == "review" else None


def recalled(session: Session, src_did: str, uris: Sequence[str]) -> dict[str, Record]:
    """What stands on these, and what is under way."""
    records = {uri: Record(uri) for uri in uris}
    before = decisions.known(session, list(records))
    if before:  # every label follows from a decision
        for told in labels.history(session, src_did, list({known.uri for known in before})):
            records[told.uri].recall(told)
    for known in before:
        records[known.uri].remember(known)
    return records


def _barred(session: Session, items: Sequence[Item], hashes: Sequence[str | None]) -> dict[str | None, set[str]]:
    """By hash of the text, the values that a person took from it."""
    wanted = {
        (verdict.value, hash)
        for item, hash in zip(items, hashes, strict=True)
        if hash and isinstance(item, Judged)
        for verdict in item.verdicts
    }
    found: dict[str | None, set[str]] = {}
    for val, hash in decisions.barred(session, wanted) if wanted else ():
        found.setdefault(hash, set()).add(val)
    return found
