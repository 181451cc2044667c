"""What people are asked blind, to measure the machine: posts that a label would cover, and others among them, so that nobody can guess.

Each post that the rules of today found is as likely to be drawn as any other that they found: of these the share is told that is right.
What was found by other rules, what the machine would leave to a person for its doubts, and what is gone, is not drawn.
"""

from collections.abc import Mapping
from random import Random

import msgspec

from labeler.gate import primary
from models import blind, decisions, looking, posts
from models.blind import Answer
from models.database import Session
from models.post import Post
from models.protocol.syntax import did_of

DRAWS = 300
OTHERS = 0.25
"""The share of questions about posts that the machine did not find."""


class Blind(msgspec.Struct, frozen=True):
    """A question: does `val` fit this post? `decision_id` and `rules_hash` are the machine's, None where it found nothing: never shown."""

    uri: str
    cid: str
    val: str
    post: Post
    decision_id: int | None = None
    rules_hash: str | None = None


def draw(session: Session, rules: Mapping[str, str], moderator: str, random: Random) -> Blind | None:
    """A question that this person was not asked before; None when there is none left about a post that was found.

    rules: the hash of the rules in force, by the values that are asked about.
    """
    found = _found(session, rules, moderator, random)
    if found is None or random.random() >= OTHERS:
        return found
    return next(filter(None, (_other(session, sorted(rules), moderator, random) for _ in range(DRAWS))), found)


def answered(session: Session, asked: Blind, moderator: str, answer: blind.Given, now: int) -> None:
    """Write down what this person said at `now` (µs)."""
    langs = " ".join(primary(asked.post.langs)) if asked.decision_id else None
    blind.add(session, Answer(asked.uri, asked.cid, asked.val, moderator, asked.decision_id, answer, now, asked.rules_hash, langs))


def _found(session: Session, rules: Mapping[str, str], moderator: str, random: Random) -> Blind | None:
    for val in random.sample(sorted(rules), len(rules)):
        ids = blind.left(session, val, rules[val], moderator)
        for decision in (decisions.by_id(session, id) for id in random.sample(ids, len(ids))):
            if decision and decision.body and not decision.evidence.get("doubts") and _is_visible(session, decision.uri):
                return Blind(decision.uri, decision.cid, val, posts.unpacked(decision.body), decision.id, decision.rules_hash)
    return None


def _is_visible(session: Session, uri: str) -> bool:
    account = looking.account_of(session, did_of(uri))
    return account is None or account.visible


def _other(session: Session, values: list[str], moderator: str, random: Random) -> Blind | None:
    last = posts.last_id(session)
    drawn = next(iter(posts.these(session, [random.randint(1, last)])), None) if last else None
    if drawn is None or not drawn.account.visible:
        return None
    asked = Blind(posts.uri_of(drawn.account.did, drawn.rkey), drawn.cid, random.choice(values), drawn.post)
    if any(decision.val == asked.val for decision in decisions.of_uri(session, asked.uri)):
        return None
    return None if blind.has_answered(session, asked.uri, asked.cid, asked.val, moderator) else asked
