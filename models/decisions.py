"""The table `decision`: what the labeler decided, and on what evidence, whether or not a label came of it. All of its SQL.

Ids are given by the writer, who holds the label log's lock (`models.labels.lock`).
"""

from collections.abc import Collection, Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from models.database import Session

Action: TypeAlias = Literal["label", "negate", "none"]
"""What was done: a label issued, a label taken back, or nothing (shadow and review)."""


class Decision(NamedTuple):
    """A row of the table. `evidence` is plain data; `rules_hash` is None for a negation: it follows from what became of the post."""

    id: int
    uri: str
    cid: str
    val: str
    action: Action
    mode: str
    evidence: dict[str, Any]
    rules_hash: str | None
    decided_at: int
    """In microseconds."""


def last_id(session: Session) -> int:
    """The highest id in use."""
    return int(session.execute("SELECT coalesce(max(id), 0) FROM decision")[0][0])


def add(session: Session, decisions: Iterable[Decision]) -> None:
    """Write new decisions."""
    session.executemany(
        "INSERT INTO decision (id, uri, cid, val, action, mode, evidence, rules_hash, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [decision._replace(evidence=msgspec.json.encode(decision.evidence).decode()) for decision in decisions],  # type: ignore[arg-type]
    )


def without_label(session: Session, uris: Collection[str]) -> set[tuple[str, str, str, str]]:
    """(uri, cid, val, mode) of what was decided in shadow or for review of these posts."""
    rows = session.matching(
        "SELECT decision.uri, cid, val, mode FROM wanted JOIN decision ON decision.uri = wanted.uri AND decision.action = 'none'",
        {"uri": "TEXT"},
        [(uri,) for uri in uris],
    )
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def of_uri(session: Session, uri: str) -> list[Decision]:
    """Everything decided of a post, oldest first."""
    rows = session.execute(
        "SELECT id, uri, cid, val, action, mode, evidence, rules_hash, decided_at FROM decision WHERE uri = ? ORDER BY id", (uri,)
    )
    return [Decision(*row)._replace(evidence=msgspec.json.decode(row[6])) for row in rows]
