"""The table `blind_answer`: what people said of posts without knowing what the machine had said, for measuring it. All of its SQL."""

from typing import Literal, NamedTuple, TypeAlias

from models.database import Session

Answer: TypeAlias = Literal["yes", "no", "unsure"]


class Tally(NamedTuple):
    """How often people gave an answer about a value: of posts that the machine had found (`found`), or of any others."""

    val: str
    found: bool
    answer: Answer
    posts: int


def add(session: Session, uri: str, cid: str, val: str, moderator: str, decision_id: int | None, answer: Answer, now: int) -> None:
    """Write an answer down, once."""
    session.execute(
        "INSERT INTO blind_answer (uri, cid, val, moderator, decision_id, answer, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (uri, cid, val, moderator, decision_id, answer, now),
    )


def has_answered(session: Session, uri: str, cid: str, val: str, moderator: str) -> bool:
    """This person was asked this before."""
    which = "uri = ? AND cid = ? AND val = ? AND moderator = ?"
    return bool(session.execute(f"SELECT 1 FROM blind_answer WHERE {which}", (uri, cid, val, moderator)))


def tallies(session: Session) -> list[Tally]:
    """All answers, counted."""
    rows = session.execute(
        "SELECT val, decision_id IS NOT NULL, answer, count(*) FROM blind_answer"
        " GROUP BY val, decision_id IS NOT NULL, answer ORDER BY 1, 2, 3"
    )
    return [Tally(val, bool(found), answer, posts) for val, found, answer, posts in rows]
