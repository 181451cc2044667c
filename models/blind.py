"""The table `blind_answer`: what people said of posts without knowing what the machine had said, for measuring it. All of its SQL."""

from typing import Literal, NamedTuple, TypeAlias

from models.database import Session

Given: TypeAlias = Literal["yes", "no", "unsure"]


class Answer(NamedTuple):
    """A row. `decision_id` and `rules_hash` are the machine's, None where it had found nothing; `langs` are the post's, between spaces."""

    uri: str
    cid: str
    val: str
    moderator: str
    decision_id: int | None
    answer: Given
    answered_at: int
    rules_hash: str | None = None
    langs: str | None = None


class Tally(NamedTuple):
    """How often people gave an answer about a value: of posts that the machine had found (`found`), or of any others."""

    val: str
    found: bool
    answer: Given
    posts: int


class Judged(NamedTuple):
    """Posts that the rules of this hash had found, and what people said: all of them yes, one of them no, or neither."""

    val: str
    rules_hash: str
    langs: str
    right: int
    wrong: int
    undecided: int


def add(session: Session, answer: Answer) -> None:
    """Write an answer down, once."""
    columns = ", ".join(Answer._fields)
    session.execute(f"INSERT INTO blind_answer ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", answer)


def has_answered(session: Session, uri: str, cid: str, val: str, moderator: str) -> bool:
    """This person was asked this before."""
    which = "uri = ? AND cid = ? AND val = ? AND moderator = ?"
    return bool(session.execute(f"SELECT 1 FROM blind_answer WHERE {which}", (uri, cid, val, moderator)))


def left(session: Session, val: str, rules_hash: str, moderator: str) -> list[int]:
    """The decisions of these rules that this person was not asked about: one a version of a post whose words are known, in no order."""
    rows = session.execute(
        "SELECT min(id) FROM decision WHERE val = ? AND rules_hash = ? AND mode <> 'person' AND body IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM blind_answer WHERE blind_answer.uri = decision.uri AND blind_answer.cid = decision.cid"
        " AND blind_answer.val = decision.val AND moderator = ?) GROUP BY uri, cid",
        (val, rules_hash, moderator),
    )
    return [row[0] for row in rows]


def tallies(session: Session) -> list[Tally]:
    """All answers, counted."""
    rows = session.execute(
        "SELECT val, decision_id IS NOT NULL, answer, count(*) FROM blind_answer"
        " GROUP BY val, decision_id IS NOT NULL, answer ORDER BY 1, 2, 3"
    )
    return [Tally(val, bool(found), answer, posts) for val, found, answer, posts in rows]


def judged(session: Session) -> list[Judged]:
    """What people said of what the machine had found, by its rules and the post's languages. A post counts once, whoever was asked."""
    rows = session.execute(
        "SELECT val, rules_hash, langs, sum(yes), sum(no), count(*) FROM (SELECT val, rules_hash, langs,"
        " min(CASE answer WHEN 'yes' THEN 1 ELSE 0 END) AS yes, max(CASE answer WHEN 'no' THEN 1 ELSE 0 END) AS no"
        " FROM blind_answer WHERE rules_hash IS NOT NULL GROUP BY uri, cid, val, rules_hash, langs) AS post"
        " GROUP BY val, rules_hash, langs ORDER BY 1, 2, 3"
    )
    return [Judged(val, rules, langs, int(yes), int(no), int(posts - yes - no)) for val, rules, langs, yes, no, posts in rows]
