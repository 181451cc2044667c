"""Why a label stands, or stood: the whole chain of reasons as anybody may read it. Reads, and writes nothing.

Promises: a person is told by role, never by name; who reported is nowhere in it; of posts that are deleted or hidden no word is shown.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from labeler.reports import NSID, takes
from models import decisions, labels, looking, matters, posts
from models.database import Session
from models.decisions import Decision
from models.labels import Found, Told
from models.protocol.syntax import did_of, format_datetime, parse_datetime

State: TypeAlias = Literal["in_force", "negated", "expired"]
MOST = 50
"""Labels of one uri that are told of."""


class Claim(msgspec.Struct, frozen=True, rename="camel"):
    """The claim that a post repeats, and who rated it how; `text` is the wording that the post is closest to."""

    id: str
    text: str
    rating: str
    publisher: str
    reviewed_on: str | None
    url: str | None


class Feature(msgspec.Struct, frozen=True):
    """What one feature adds: `product` = `value` x `weight`."""

    feature: str
    value: float
    weight: float
    product: float


class Sum(msgspec.Struct, frozen=True, rename="camel"):
    """The scorecard's sum, as anybody can add it up: the intercept and each feature's value x weight. Those that say most come first."""

    intercept: float
    features: tuple[Feature, ...]
    sum: float
    threshold: float
    probability: float


class Signal(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a signal found, and what it weighs; of a signal that compares posts with claims, also which, and why it weighs so much.

    `models` are the hashes (SHA-256) of the scorecard, the text model and the claims in force.
    """

    kind: str
    text: str
    weight: float
    claim: Claim | None = None
    shared: tuple[str, ...] = ()
    """The words that the post has in common with the claim."""
    scorecard: Sum | None = None
    models: dict[str, str] = {}


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """By which rule the machine found a reason: hashes, versions of signals, models and config, and what was needed."""

    mode: str
    hash: str | None
    score: float | None
    threshold: float | None
    doubts: tuple[str, ...]
    versions: dict[str, Any]


class Word(msgspec.Struct, frozen=True, rename="camel"):
    """What somebody said, and in which role: "machine", "operator", "moderator" or "appeal"."""

    role: str
    reason: str | None
    at: str


class Appeal(msgspec.Struct, frozen=True, rename="camel"):
    """An appeal against the label: "open", "upheld" or "rejected"."""

    state: str
    reason: str | None
    at: str


class Words(msgspec.Struct, frozen=True, rename="camel"):
    """The post as it was judged."""

    text: str
    alts: tuple[str, ...]
    card: tuple[str, ...]


class Evidence(msgspec.Struct, frozen=True, rename="camel"):
    """A label with its reasons. `id` is its seq in the stream; times as the protocol spells them."""

    id: int
    src: str
    uri: str
    cid: str | None
    val: str
    state: State
    since: str
    until: str | None
    rule: Rule | None
    signals: tuple[Signal, ...]
    said: tuple[Word, ...]
    """Who decided and who confirmed, oldest first."""
    taken_back: Word | None
    appeals: tuple[Appeal, ...]
    words_hidden: bool
    """The post is deleted, or its author is not to be seen."""
    post: Words | None
    how_to_appeal: dict[str, str]


def of_label(session: Session, src_did: str, reason_types: Sequence[str], seq: int, now: int) -> Evidence | None:
    """Why the label of this seq stands at `now` (µs), or stood; that of a negation is what it took back. None: there is none of ours."""
    found = next(iter(labels.between(session, seq - 1, seq, 1)), None)
    if found is None or found.label.src != src_did:
        return None
    return _evidence(session, src_did, reason_types, found, now)


def of_uri(session: Session, src_did: str, reason_types: Sequence[str], uri: str, now: int) -> list[Evidence]:
    """The same of every label on a record or an account, the newest first."""
    rows = labels.newest_on(session, src_did, uri, MOST)
    told = [_evidence(session, src_did, reason_types, row, now) for row in rows]
    return sorted((one for one in told if one), key=lambda one: -one.id)


def _evidence(session: Session, src_did: str, reason_types: Sequence[str], found: Found, now: int) -> Evidence | None:
    label = found.label
    history = [one for one in labels.history(session, src_did, [label.uri]) if (one.cid, one.val) == (label.cid or "", label.val)]
    given = next((one for one in reversed(history) if not one.neg and one.seq <= found.seq), None)
    if given is None:  # a negation of what was never there
        return None
    row = found if given.seq == found.seq else labels.between(session, given.seq - 1, given.seq, 1)[0]
    reasons = decisions.chain(session, row.decision_id)
    later = next((one for one in history if one.neg and one.seq > given.seq), None)
    machine = next((one for one in reasons if one.mode != "person"), None)
    hidden = _is_hidden(session, label.uri, reasons)
    return Evidence(
        id=given.seq,
        src=src_did,
        uri=label.uri,
        cid=label.cid,
        val=label.val,
        state=_state(given, history, later, now),
        since=given.cts,
        until=given.exp,
        rule=_rule(machine) if machine else None,
        signals=_signals(machine, hidden),
        said=_said(session, reasons),
        taken_back=_taken_back(session, later) if later else None,
        appeals=_appeals(session, label.uri, {reason.id for reason in reasons}),
        words_hidden=hidden,
        post=None if hidden else _words(reasons),
        how_to_appeal=_how(src_did, reason_types),
    )


def _state(given: Told, history: Sequence[Told], later: Told | None, now: int) -> State:
    if later and not any(one.seq > later.seq and not one.neg for one in history):
        return "negated"
    last = next(one for one in reversed(history) if not one.neg)
    exp = last.exp if last.seq >= given.seq else given.exp
    return "expired" if exp and (parse_datetime(exp) or 0) <= now else "in_force"


def _is_hidden(session: Session, uri: str, reasons: Sequence[Decision]) -> bool:
    """What was judged is forgotten when a post is deleted; what it hashes to is not."""
    account = looking.account_of(session, did_of(uri))
    deleted = any(reason.text_hash for reason in reasons) and not any(reason.body for reason in reasons)
    return deleted or (account is not None and not account.visible)


def _rule(machine: Decision) -> Rule:
    evidence = machine.evidence
    doubts = tuple(evidence.get("doubts", ()))
    return Rule(machine.mode, machine.rules_hash, evidence.get("score"), evidence.get("threshold"), doubts, evidence.get("versions", {}))


def _signals(machine: Decision | None, hidden: bool) -> tuple[Signal, ...]:
    return tuple(signal(one, hidden) for one in machine.evidence.get("findings", ())) if machine else ()


def signal(found: dict[str, Any], hidden: bool = False) -> Signal:
    """What a signal found, as anybody may read it; `hidden`: without words of the post."""
    told = Signal(found["kind"], "" if hidden else found.get("text", ""), found["weight"])
    if "details" not in found:
        return told
    details = found["details"]
    return msgspec.structs.replace(
        told,
        claim=claim(details["claim"]),
        shared=() if hidden else tuple(details["shared"]),
        scorecard=_sum(details["scorecard"]),
        models=details["hashes"],
    )


def claim(said: dict[str, Any]) -> Claim:
    """A claim as a finding names it."""
    return Claim(said["id"], said["wording"], said["rating"], said["publisher"], said["reviewed_on"], said["url"])


def _sum(decided: dict[str, Any]) -> Sum:
    rows = sorted((Feature(**row) for row in decided["features"]), key=lambda row: (-abs(row.product), row.feature))
    return Sum(decided["intercept"], tuple(rows), decided["sum"], decided["threshold"], decided["probability"])


def _said(session: Session, reasons: Sequence[Decision]) -> tuple[Word, ...]:
    """The chain, and the second person's yes."""
    said = [*reversed(reasons), *decisions.seconds(session, reasons[0])]
    return tuple(Word(one.role, one.reason, format_datetime(one.decided_at)) for one in said)


def _taken_back(session: Session, later: Told) -> Word:
    """By whom and why; by the machine because the post was deleted, edited or judged otherwise."""
    (row,) = labels.between(session, later.seq - 1, later.seq, 1)
    decision = decisions.by_id(session, row.decision_id)
    if decision is None:
        return Word("machine", None, later.cts)
    return Word(decision.role, decision.reason or decision.evidence.get("cause"), later.cts)


def _appeals(session: Session, uri: str, reasons: set[int]) -> tuple[Appeal, ...]:
    did = did_of(uri)
    asked = [matter for of in dict.fromkeys((uri, did)) for matter in matters.of_uri(session, of) if matter.kind == "appeal"]
    return tuple(
        Appeal(one.outcome or "open", one.reason, format_datetime(one.closed_at or one.opened_at))
        for one in asked
        if not reasons.isdisjoint(one.about)
    )


def _words(reasons: Sequence[Decision]) -> Words | None:
    body = next((reason.body for reason in reasons if reason.body), None)
    if body is None:
        return None
    post = posts.unpacked(body)
    return Words(post.text, post.alts, post.card)


def _how(src_did: str, reason_types: Sequence[str]) -> dict[str, str]:
    """What an app sends; empty where the labeler takes no appeals."""
    appeal = "tools.ozone.report.defs#reasonAppeal"
    if not takes(appeal, reason_types):
        return {}
    return {"method": NSID, "service": f"{src_did}#atproto_labeler", "reasonType": appeal}
