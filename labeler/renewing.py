"""Keeps labels alive that still hold: each ends by itself, so that the labels of a service that died, or of one that nobody minds, die too.

Promise: a label is renewed in the last third of its life, and only while its reason holds by the rules of today (or a person gave it) and
nobody told that its post is gone. Call it only while the service is well: one that does not hear of deletions must not renew.
"""

from collections.abc import Iterable, Sequence

from labeler.issuer import Issuer
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from labeler.standing import Judged
from models import decisions, labels, posts
from models.database import Session
from models.decisions import Decision
from models.labels import Found
from models.protocol.syntax import format_datetime, parse_at_uri

AT_ONCE = 200
"""How many labels of a value one call looks at."""


def renew(session: Session, issuer: Issuer, judge: Judge, policies: Iterable[LabelPolicy], now: int) -> int:
    """Renew what ends soon, as far as there is room at `now` (µs), and negate what has no reason any more; how many labels came of it."""
    if decisions.is_room_wanted(session):
        return 0  # what is new comes first; there are days left
    return sum(_renew(session, issuer, judge, policy, now) for policy in policies)


def _renew(session: Session, issuer: Issuer, judge: Judge, policy: LabelPolicy, now: int) -> int:
    soon = format_datetime(now + policy.expires // 3)
    found = labels.expiring(session, issuer.src_did, policy.value, format_datetime(now), soon, AT_ONCE)
    holding: list[Found] = []
    gone: list[Judged] = []
    for each in found:
        reasons = decisions.chain(session, each.decision_id)
        if _is_persons(reasons):
            holding += [each] if not reasons[0].evidence.get("ends") else []
        elif judged := _judged(each, reasons, judge):
            mode = next((verdict.mode for verdict in judged.verdicts if verdict.value == policy.value), None)
            holding += [each] if mode == "auto" else []
            gone += [judged] if mode is None else []
    return issuer.renewed(session, holding, policy.expires, now) + issuer.apply(session, gone, now)


def _is_persons(reasons: Sequence[Decision]) -> bool:
    return any(reason.mode == "person" for reason in reasons)


def _judged(found: Found, reasons: Sequence[Decision], judge: Judge) -> Judged | None:
    """The post as it was labelled, by the rules of today; None when its words are not known any more."""
    body = next((reason.body for reason in reasons if reason.body), None)
    uri = parse_at_uri(found.label.uri)
    if body is None or uri is None:
        return None
    post = posts.unpacked(body)
    return Judged(found.label.uri, found.label.cid or "", judge.find(post), post)
