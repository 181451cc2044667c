"""What people decide: to put a label on a post or an account, to take it back, to say yes or no to what waits for them.

Promises: a person's word stands above the machine's: what she took back the machine does not give again, to this version or to the same
text. Each act is a decision of its own with role and reason, and can be undone. A label on an account, or on one with a wide reach, needs a
second person; taking a label back needs none. What is decided goes into the log when the issuer finds room (`Issuer.issue`): a command in
another process needs no key, and there is one writer.

The functions run in a transaction; all take the log's lock. `now` is in microseconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import msgspec

from labeler.issuer import recalled
from labeler.judge import text_hash
from labeler.labelable import Refused, check_subject, check_there, is_account
from labeler.policy import LabelPolicy
from labeler.standing import Record
from models import decisions, labels, moderators, posts
from models.database import Session
from models.decisions import Action, Decision, Outcome, WaitsFor
from models.duration import duration
from models.post import POST
from models.protocol.syntax import format_datetime, parse_at_uri

__all__ = ["By", "Persons", "Refused", "Role"]

Role: TypeAlias = Literal["operator", "moderator", "appeal"]
"""Who speaks, as it may be told in public: who runs the service, who moderates for it, whoever decided an appeal."""
LONGEST = duration("52w")
"""No label lives longer without being renewed."""


class By(msgspec.Struct, frozen=True):
    """Who decides, and why. `moderator` is for moderators' eyes only; role and reason may be shown to anybody."""

    role: Role
    reason: str
    moderator: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.moderator.strip():
            raise Refused("a decision needs a reason, and a person who takes it")


class Persons:
    """People's decisions for one labeler: `src_did` with its labels' policies."""

    def __init__(self, src_did: str, policies: Sequence[LabelPolicy]) -> None:
        self._src_did = src_did
        self._policies: Mapping[str, LabelPolicy] = {policy.value: policy for policy in policies}

    def label(
        self,
        session: Session,
        uri: str,
        cid: str | None,
        val: str,
        by: By,
        now: int,
        *,
        wide: bool = False,
        life: int | None = None,
        again: Decision | None = None,
    ) -> Decision:
        """Put a label on a record or an account; without `cid` on all its versions.

        wide: the account has a wide reach, so that a second person must agree. life: the label ends after so many µs, and is not renewed;
        else it lives as the policy says and is renewed. again: the decision by which the same label stood before. Returns the decision: it
        waits for room, or for the second person. Refused.
        """
        policy = self._policy(val)
        check_subject(self._src_did, uri, cid, policy)
        if life is not None and not 0 < life <= LONGEST:
            raise Refused("a label lives 52 weeks at most, and is renewed if it is not to end")
        work = _Work(session, self._src_did, [uri], now)
        check_there(session, uri, cid)
        record = work.records[uri]
        if record.carries((cid or "", val), now):
            raise Refused(f'"{val}" stands there already')
        if asked := [one for one in work.open(uri, cid or "", val) if one.waits_for == "second"]:
            raise Refused(f"this waits for a second person already: decision {asked[0].id}")
        for open_id in (id for _, id in record.open(cid, val)):
            work.settle(open_id, "confirmed")
        work.drop(uri, cid or "", val, "negate")
        waits_for: WaitsFor = "second" if wide or is_account(uri) else "labelling"
        evidence: dict[str, Any] = {"ends": True} if life else {}
        life = life or policy.expires
        return work.decide(by, uri, cid or "", val, "label", waits_for, about=again, life=life, evidence=evidence, words=True)

    def negate(self, session: Session, uri: str, cid: str | None, val: str, by: By, now: int, *, bar: bool = True) -> list[Decision]:
        """Take a label back; without `cid` from all versions that carry it, each with its own cid.

        bar: the machine never gives the same text this label again. Refused when there is nothing to take back.
        """
        work = _Work(session, self._src_did, [uri], now)
        decided = list(work.take_back(uri, cid, val, by, bar))
        if not decided:
            raise Refused(f'"{val}" does not stand there')
        return decided

    def negate_all(
        self, session: Session, val: str | None, by: By, now: int, *, after: int = 0, limit: int = 500
    ) -> tuple[int, int | None]:
        """Take back the labels of one value, or of all, in steps: how many this time, and the seq to go on after; None at the end.

        What is not issued yet is dropped. Texts are not barred: when the rules are better, the machine may find them again.
        """
        found = labels.in_force(session, self._src_did, val, format_datetime(now), after, limit)
        work = _Work(session, self._src_did, list({each.label.uri for each in found}), now)
        count = sum(len(list(work.take_back(each.label.uri, each.label.cid or "", each.label.val, by, bar=False))) for each in found)
        if after == 0:
            count += work.drop_waiting(val)
        return count, found[-1].seq if len(found) == limit else None

    def confirm(self, session: Session, decision_id: int, by: By, now: int, *, wide: bool = False) -> Decision:
        """Say yes: to what the machine found (a decision of one's own comes of it), or as the second person to another's decision."""
        asked = self._waiting(session, decision_id)
        work = _Work(session, self._src_did, [asked.uri], now)
        check_there(session, asked.uri, asked.cid)
        if asked.waits_for == "second":
            if moderators.is_same(asked.moderator or "", by.moderator):
                raise Refused("the second person must be another one than the first")
            work.release(asked.id)
            return work.decide(by, asked.uri, asked.cid, asked.val, "none", None, about=asked, outcome="confirmed")
        waits_for: WaitsFor = "second" if wide or is_account(asked.uri) else "labelling"
        work.settle(asked.id, "confirmed")
        life = self._policy(asked.val).expires
        return work.decide(by, asked.uri, asked.cid, asked.val, "label", waits_for, about=asked, life=life)

    def reject(self, session: Session, decision_id: int, by: By, now: int, *, bar: bool = True) -> Decision:
        """Say no. bar: nor shall the machine ask again about the same text."""
        asked = self._waiting(session, decision_id)
        work = _Work(session, self._src_did, [asked.uri], now)
        work.settle(asked.id, "rejected")
        decided = work.decide(by, asked.uri, asked.cid, asked.val, "none", None, about=asked, outcome="rejected")
        if bar and asked.text_hash:
            decisions.bar(session, asked.val, asked.text_hash, decided.id)
        return decided

    def undo(self, session: Session, decision_id: int, by: By, now: int) -> Decision:
        """Take a person's decision back: a label is negated, a negation labelled again, a no asked again, and a second person's yes too."""
        before = decisions.by_id(session, decision_id)
        if before is None or before.mode != "person":
            raise Refused(f"there is no person's decision {decision_id}")
        decisions.unbar(session, decision_id)
        if before.action == "negate":
            return self._label_again(session, before, by, now)
        if before.action == "label" and before.waits_for != "second":
            return self.negate(session, before.uri, before.cid, before.val, by, now, bar=False)[0]
        asked = decisions.by_id(session, before.about_id) if before.about_id else None
        if before.outcome == "confirmed" and asked and asked.action == "label":
            return self._ask_again(session, asked, by, now)
        work = _Work(session, self._src_did, [before.uri], now)
        if before.action == "label":
            work.settle(before.id, "rejected")
        elif before.outcome == "rejected" and asked:
            check_there(session, asked.uri, asked.cid)
            if asked.text_hash and not asked.body:
                raise Refused("the post was deleted")
            decisions.reopen(session, asked.id)
        else:
            raise Refused("there is nothing to undo")
        return work.decide(by, before.uri, before.cid, before.val, "none", None, about=before)

    def _label_again(self, session: Session, negated: Decision, by: By, now: int) -> Decision:
        """What a negation took back: for the same reasons, and with its own end."""
        of_this = [one for one in decisions.of_uri(session, negated.uri) if (one.cid, one.val) == (negated.cid, negated.val)]
        given = ("issued", "superseded")
        again = next((one for one in reversed(of_this) if one.action == "label" and one.outcome in given and one.id < negated.id), None)
        if again is None:
            raise Refused("this took back no label")
        life = again.life if again.evidence.get("ends") else None
        return self.label(session, negated.uri, negated.cid or None, negated.val, by, now, life=life, again=again)

    def _ask_again(self, session: Session, asked: Decision, by: By, now: int) -> Decision:
        """A second person's yes was none: the label goes, and the first one's word waits for a second one again."""
        check_there(session, asked.uri, asked.cid)
        self.negate(session, asked.uri, asked.cid, asked.val, by, now, bar=False)
        work = _Work(session, self._src_did, [asked.uri], now)
        first = By(cast(Role, asked.role), asked.reason or "", asked.moderator or "")
        about = decisions.by_id(session, asked.about_id) if asked.about_id else None
        said: dict[str, Any] = {"life": asked.life, "evidence": asked.evidence, "words": True}
        return work.decide(first, asked.uri, asked.cid, asked.val, "label", "second", about=about, **said)

    def _policy(self, val: str) -> LabelPolicy:
        if val not in self._policies:
            raise Refused(f'the config has no label "{val}": there are {", ".join(sorted(self._policies)) or "none"}')
        return self._policies[val]

    @staticmethod
    def _waiting(session: Session, decision_id: int) -> Decision:
        asked = decisions.by_id(session, decision_id)
        if asked is None or asked.waits_for not in ("person", "second"):
            raise Refused(f"decision {decision_id} waits for nobody")
        return asked


class _Work:
    """One transaction's: knows what stands, and writes decisions."""

    def __init__(self, session: Session, src_did: str, uris: Sequence[str], now: int) -> None:
        labels.lock(session)
        self._session, self._now = session, now
        self._last_id = decisions.last_id(session)
        self.records: Mapping[str, Record] = recalled(session, src_did, uris)

    def open(self, uri: str, cid: str, val: str) -> list[Decision]:
        """What waits for a person."""
        found = (decisions.by_id(self._session, id) for _, id in self.records[uri].open(cid, val))
        return [decision for decision in found if decision]

    def settle(self, decision_id: int, outcome: Outcome) -> None:
        """Nothing more is waited for."""
        decisions.settle(self._session, [(decision_id, outcome)])

    def release(self, decision_id: int) -> None:
        """What waited for a second person waits for room."""
        decisions.release(self._session, decision_id)

    def drop(self, uri: str, cid: str | None, val: str, action: Action) -> list[str]:
        """Nothing comes of what waits for room; the cids."""
        found = [(c, id) for c, id, what in self.records[uri].under_way(cid, val) if what == action]
        decisions.settle(self._session, [(id, "superseded") for _, id in found])
        return [c for c, _ in found]

    def drop_waiting(self, val: str | None) -> int:
        """Nothing comes of any label that waits for room; how many those were."""
        dropped = 0
        while waiting := decisions.waiting(self._session, "labelling", limit=500, val=val):
            decisions.settle(self._session, [(decision.id, "superseded") for decision in waiting])
            dropped += len(waiting)
        return dropped

    def take_back(self, uri: str, cid: str | None, val: str, by: By, bar: bool) -> Iterator[Decision]:
        """Negate what stands, drop what waits for room, say no to what waits for a person."""
        record = self.records[uri]
        standing = record.standing(cid, val)
        dropped = self.drop(uri, cid, val, "label")
        for _, open_id in record.open(cid, val):
            self.settle(open_id, "rejected")
        for each in sorted({*standing, *dropped, *(c for c, _ in record.open(cid, val))}):
            decided = self.decide(by, uri, each, val, "negate", "negating" if each in standing else None)
            if bar:
                self._bar(uri, each, val, decided.id)
            yield decided

    def _bar(self, uri: str, cid: str, val: str, decision_id: int) -> None:
        for earlier in decisions.of_uri(self._session, uri):
            if earlier.text_hash and (earlier.cid, earlier.val) == (cid, val):
                decisions.bar(self._session, val, earlier.text_hash, decision_id)

    def decide(
        self,
        by: By,
        uri: str,
        cid: str,
        val: str,
        action: Action,
        waits_for: WaitsFor | None,
        *,
        about: Decision | None = None,
        life: int | None = None,
        outcome: Outcome | None = None,
        evidence: Mapping[str, Any] | None = None,
        words: bool = False,
    ) -> Decision:
        """Write a decision down; words: with what the post says, if it is stored."""
        self._last_id += 1
        post = self._post(uri) if words else None
        decided = Decision(
            self._last_id,
            uri,
            cid,
            val,
            action,
            "person",
            dict(evidence or {}),
            None,
            self._now,
            by.role,
            by.moderator,
            by.reason,
            about.id if about else None,
            life,
            waits_for,
            outcome,
            *(post or (None, None)),
        )
        decisions.add(self._session, [decided])
        return decided

    def _post(self, uri: str) -> tuple[str, str] | None:
        parsed = parse_at_uri(uri)
        if parsed is None or parsed.collection != POST or not parsed.rkey:
            return None
        found = posts.by_uri(self._session, parsed.authority, parsed.rkey)
        return (text_hash(found[0]), posts.packed(found[0])) if found else None
