"""Keeps labels alive that still hold: each ends by itself, so that the labels of a service that died, or of one that nobody minds, die too.

Promise: a label is renewed in the last third of its life, and only while its reason holds by the rules of today (or a person gave it),
nobody took it from the same words on another post, nobody told that its post is gone, and, where somebody can be asked, the post was seen
to be there: of what was deleted while we were away nothing is heard. Call it only while the service is well: one that does not hear of
deletions must not renew.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from labeler.issuer import Issuer
from labeler.judge import Judge, text_hash
from labeler.policy import LabelPolicy
from labeler.standing import Judged
from models import decisions, labels, posts
from models.database import Session
from models.decisions import Decision
from models.labels import Found
from models.post import POST
from models.protocol.syntax import format_datetime, parse_at_uri

AT_ONCE = 200
"""How many labels of a value one call looks at,"""
STEP = 8
"""and how many of them it judges at once: more than there is mostly room for would be judged in vain."""


class Ending(NamedTuple):
    """The posts whose labels end soon, and by value the `exp` after which to look next time: what is not renewed must not stand in the
    way of the rest. A value of which all were looked at is left out, and begun again."""

    uris: Sequence[str]
    after: Mapping[str, str]


def ending(session: Session, src_did: str, policies: Iterable[LabelPolicy], now: int, after: Mapping[str, str]) -> Ending:
    """What `renew` would look at now."""
    found = {policy.value: _expiring(session, src_did, policy, now, after) for policy in policies}
    uris = dict.fromkeys(each.label.uri for some in found.values() for each in some if _is_post(each.label.uri))
    return Ending(list(uris), {value: some[-1].label.exp or "" for value, some in found.items() if len(some) == AT_ONCE})


class Renewed(NamedTuple):
    """How many labels and negations came of it, and whether that was all; if not, there was no room for more."""

    labels: int
    is_all: bool


def renew(
    session: Session,
    issuer: Issuer,
    judge: Judge,
    policies: Iterable[LabelPolicy],
    now: int,
    there: Mapping[str, str | None] | None = None,
    after: Mapping[str, str] | None = None,
) -> Renewed:
    """Renew what ends soon, as far as there is room at `now` (µs), and negate what has no reason any more.

    there: the present cid of each post that was asked about, None for one that is not there; None where nobody can be asked.
    """
    if decisions.is_room_wanted(session):
        return Renewed(0, False)  # what is new comes first; there are days left
    issued = 0
    for policy in policies:
        found = [each for each in _expiring(session, issuer.src_did, policy, now, after or {}) if there is None or _is_there(each, there)]
        for at in range(0, len(found), STEP):
            done = _renew(session, issuer, judge, policy, now, found[at : at + STEP])
            issued += done.labels
            if not done.is_all:
                return Renewed(issued, False)
    return Renewed(issued, True)


def _renew(session: Session, issuer: Issuer, judge: Judge, policy: LabelPolicy, now: int, found: Sequence[Found]) -> Renewed:
    holding: list[Found] = []
    gone: list[Judged] = []
    for each in found:
        reasons = decisions.chain(session, each.decision_id)
        if _is_persons(reasons):
            holding += [each] if not reasons[0].evidence.get("ends") else []
        elif judged := _judged(session, each, reasons, judge):
            mode = next((verdict.mode for verdict in judged.verdicts if verdict.value == policy.value), None)
            holding += [each] if mode == "auto" else []
            gone += [judged] if mode is None else []
    renewed = issuer.renewed(session, holding, policy.expires, now) if holding else 0
    return Renewed(renewed + issuer.apply(session, gone, now), renewed == len(holding))


def _expiring(session: Session, src_did: str, policy: LabelPolicy, now: int, after: Mapping[str, str]) -> list[Found]:
    begin = max(format_datetime(now), after.get(policy.value, ""))
    return labels.expiring(session, src_did, policy.value, begin, format_datetime(now + policy.expires // 3), AT_ONCE)


def _is_post(uri: str) -> bool:
    parsed = parse_at_uri(uri)
    return parsed is not None and parsed.collection == POST


def _is_there(found: Found, there: Mapping[str, str | None]) -> bool:
    """Of accounts the stream tells, whatever we missed: they are never asked about."""
    cid = there.get(found.label.uri)
    return cid == found.label.cid or (cid is not None and found.label.cid is None) or not _is_post(found.label.uri)


def _is_persons(reasons: Sequence[Decision]) -> bool:
    return any(reason.mode == "person" for reason in reasons)


def _judged(session: Session, found: Found, reasons: Sequence[Decision], judge: Judge) -> Judged | None:
    """The post as it was labelled, by the rules of today, less what a person took from the same words elsewhere; None when its words are
    not known any more."""
    body = next((reason.body for reason in reasons if reason.body), None)
    uri = parse_at_uri(found.label.uri)
    if body is None or uri is None:
        return None
    post = posts.unpacked(body)
    hash, verdicts = text_hash(post), judge.find(post)
    barred = decisions.barred(session, {(verdict.value, hash) for verdict in verdicts}) if verdicts else ()
    return Judged(found.label.uri, found.label.cid or "", [each for each in verdicts if (each.value, hash) not in barred], post)
