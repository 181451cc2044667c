"""The only writer of labels: turns verdicts into decisions and signed labels, inside the pipeline's transaction.

Promises: handling the same again changes nothing. After each call the labels that stand on a post are those whose reason the post
gives now, for its present cid; a label is negated with the identical cid (consumers that compare it would else let it stand). The log
is a function of what was told, however it was cut into batches. Every label has its decision with the evidence, negations too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
from coincurve import PrivateKey

from labeler import frames, signing
from labeler.judge import Verdict
from models import decisions, labels
from models.database import Session
from models.decisions import Decision
from models.labels import Label, SignedLabel
from models.protocol.syntax import format_datetime, parse_datetime

MILLISECOND = 1_000

Clock: TypeAlias = Callable[[], int]
"""Now, in microseconds since the epoch."""


class Judged(msgspec.Struct, frozen=True):
    """A post as it is now, and the verdicts on it. A post that is new and has none need not be told."""

    uri: str
    cid: str
    verdicts: Sequence[Verdict]


class Deleted(msgspec.Struct, frozen=True):
    """A post that is no more."""

    uri: str


class _Change(msgspec.Struct, frozen=True):
    """One decision to be written, and unless its action is "none" the label with it."""

    uri: str
    cid: str
    val: str
    action: decisions.Action
    mode: str
    evidence: dict[str, Any]
    rules_hash: str | None = None


class Issuer:
    """Signs as `src_did` with `key`. Used by one thread at a time; other processes may have theirs on the same database."""

    def __init__(self, src_did: str, key: PrivateKey, clock: Clock) -> None:
        self.src_did = src_did
        self.public_key = key.public_key
        self._key, self._clock = key, clock

    def apply(self, session: Session, items: Iterable[Judged | Deleted]) -> bool:
        """Write what follows from what became of posts, in order; True when the stream has something new.

        Items must be news (the pipeline drops late repeats by their rev): an item says what the post is now.
        """
        items = list(items)
        uris = list(dict.fromkeys(item.uri for item in items))
        if not uris:
            return False
        labels.lock(session)
        records = {uri: _Record(uri) for uri in uris}
        for told in labels.history(session, self.src_did, uris):
            records[told.uri].recall(told)
        unissued = [item.uri for item in items if isinstance(item, Judged) and any(v.mode != "auto" for v in item.verdicts)]
        for uri, *key in decisions.without_label(session, unissued):
            records[uri].recorded.add(tuple(key))
        return self._write(session, records, items)

    def _write(self, session: Session, records: "dict[str, _Record]", items: Sequence[Judged | Deleted]) -> bool:
        changes = [(records[item.uri], change) for item in items for change in records[item.uri].follow(item)]
        if not changes:
            return False
        now, last_id, seq = self._clock(), decisions.last_id(session), labels.last_seq(session)
        decided, signed = [], []
        for decision_id, (record, change) in enumerate(changes, last_id + 1):
            decided.append(
                Decision(
                    decision_id, change.uri, change.cid, change.val, change.action, change.mode, change.evidence, change.rules_hash, now
                )
            )
            if change.action != "none":
                seq += 1
                signed.append(self._signed(seq, change, record.next_cts(now), decision_id))
        decisions.add(session, decided)
        labels.append(session, signed)
        return bool(signed)

    def _signed(self, seq: int, change: _Change, cts: str, decision_id: int) -> SignedLabel:
        label = Label(self.src_did, change.uri, change.val, cts, change.cid or None, neg=change.action == "negate")
        sig = signing.sign(label, self._key)
        return SignedLabel(seq, label, sig, frames.labels(seq, label, sig), decision_id)

    def can_sign(self) -> bool:
        """The key makes signatures that verify."""
        label = Label(self.src_did, self.src_did, "health", format_datetime(0))
        return signing.verify(label, signing.sign(label, self._key), self.public_key)


class _Record:
    """What stands on one post, and what was decided of it without a label."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.recorded: set[tuple[str, ...]] = set()
        self._standing: set[tuple[str, str]] = set()
        self._cts = 0

    def recall(self, told: labels.Told) -> None:
        """The log said this (called oldest first)."""
        (self._standing.discard if told.neg else self._standing.add)((told.cid, told.val))
        self._cts = max(self._cts, parse_datetime(told.cts) or 0)

    def next_cts(self, now: int) -> str:
        """Later than everything said of this post, so that for any consumer the last word is the last, whether or not it compares cids."""
        self._cts = max(now // MILLISECOND, self._cts // MILLISECOND + 1) * MILLISECOND
        return format_datetime(self._cts)

    def follow(self, item: Judged | Deleted) -> Iterator[_Change]:
        """What must be written so that the labels are right again: first what goes, then what comes."""
        kept = {(item.cid, verdict.value) for verdict in item.verdicts} if isinstance(item, Judged) else set()
        for cid, val in sorted(self._standing - kept):
            self._standing.discard((cid, val))
            yield _Change(self.uri, cid, val, "negate", "auto", _cause(item, cid))
        if isinstance(item, Judged):
            yield from self._reasons(item)

    def _reasons(self, item: Judged) -> Iterator[_Change]:
        for verdict in item.verdicts:
            if verdict.mode == "auto":
                yield from self._label(item.cid, verdict)
            else:
                yield from self._record(item.cid, verdict)

    def _label(self, cid: str, verdict: Verdict) -> Iterator[_Change]:
        if (cid, verdict.value) not in self._standing:
            self._standing.add((cid, verdict.value))
            yield _Change(self.uri, cid, verdict.value, "label", verdict.mode, {"findings": verdict.evidence}, verdict.rules_hash)

    def _record(self, cid: str, verdict: Verdict) -> Iterator[_Change]:
        if (cid, verdict.value, verdict.mode) not in self.recorded:
            self.recorded.add((cid, verdict.value, verdict.mode))
            yield _Change(self.uri, cid, verdict.value, "none", verdict.mode, {"findings": verdict.evidence}, verdict.rules_hash)


def _cause(item: Judged | Deleted, cid: str) -> dict[str, Any]:
    """Why a label on version `cid` of a post is taken back: the post is gone, was edited, or is judged otherwise than before."""
    if isinstance(item, Deleted):
        return {"cause": "deleted"}
    return {"cause": "edited", "cid": item.cid} if item.cid != cid else {"cause": "rejudged"}
