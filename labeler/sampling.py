"""What people are asked blind, to measure the machine: posts that it found, and as many that it did not, in no order to guess from.

Each post is as likely to be drawn as any other of its kind: numbers are drawn, and those that lead nowhere are thrown away.
"""

from collections.abc import Sequence
from random import Random

import msgspec

from models import blind, decisions, posts
from models.database import Session
from models.post import Post

DRAWS = 300


class Blind(msgspec.Struct, frozen=True):
    """A question: does `val` fit this post? `decision_id` is the machine's, None where it found nothing; not to be shown."""

    uri: str
    cid: str
    val: str
    post: Post
    decision_id: int | None


def draw(session: Session, values: Sequence[str], moderator: str, random: Random) -> Blind | None:
    """A question that this person was not asked before; None when none was drawn."""
    kinds = [_found, _other]
    random.shuffle(kinds)
    for kind in kinds:
        for _ in range(DRAWS):
            drawn = kind(session, values, random)
            if drawn and not blind.has_answered(session, drawn.uri, drawn.cid, drawn.val, moderator):
                return drawn
    return None


def _found(session: Session, values: Sequence[str], random: Random) -> Blind | None:
    last = decisions.last_id(session)
    decision = decisions.by_id(session, random.randint(1, last)) if last else None
    if decision is None or decision.mode == "person" or decision.body is None or decision.val not in values:
        return None
    return Blind(decision.uri, decision.cid, decision.val, posts.unpacked(decision.body), decision.id)


def _other(session: Session, values: Sequence[str], random: Random) -> Blind | None:
    last = posts.last_id(session)
    drawn = next(iter(posts.these(session, [random.randint(1, last)])), None) if last else None
    if drawn is None or not drawn.account.visible:
        return None
    uri, val = posts.uri_of(drawn.account.did, drawn.rkey), random.choice(values)
    if any(decision.val == val for decision in decisions.of_uri(session, uri)):
        return None
    return Blind(uri, drawn.cid, val, drawn.post, None)
