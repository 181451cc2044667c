"""The table `moderator`: who may decide, by name, and how far. All of its SQL. Whoever was removed stays, for his decisions do."""

from typing import Literal, NamedTuple, TypeAlias, cast

from models.database import Session
from models.text import fold

Rank: TypeAlias = Literal["moderator", "lead"]
"""A moderator decides on candidates and reports; a lead also on appeals."""


class Moderator(NamedTuple):
    """A row of the table. Times in µs."""

    name: str
    rank: Rank
    added_at: int
    removed_at: int | None


def add(session: Session, name: str, rank: Rank, now: int) -> bool:
    """Let somebody decide, or change how far; False when nothing was to be changed."""
    known = by_name(session, name)
    if known and known.rank == rank:
        return False
    session.execute(
        "INSERT INTO moderator (name, role, added_at, removed_at) VALUES (?, ?, ?, NULL)"
        " ON CONFLICT (name) DO UPDATE SET role = excluded.role, added_at = excluded.added_at, removed_at = NULL",
        (name, rank, now),
    )
    return True


def remove(session: Session, name: str, now: int) -> bool:
    """Let somebody decide no more; False when he does not."""
    if by_name(session, name) is None:
        return False
    session.execute("UPDATE moderator SET removed_at = ? WHERE name = ?", (now, name))
    return True


def by_name(session: Session, name: str) -> Moderator | None:
    """Who decides under this name."""
    return next((one for one in known(session) if one.name == name), None)


def known(session: Session) -> list[Moderator]:
    """Everybody who may decide, by name."""
    rows = session.execute("SELECT name, role, added_at, removed_at FROM moderator WHERE removed_at IS NULL ORDER BY name")
    return [Moderator(name, cast(Rank, rank), added, removed) for name, rank, added, removed in rows]


def is_same(one: str, other: str) -> bool:
    """Two spellings of one name: nobody becomes a second person by a capital or a space."""
    return fold(one).strip() == fold(other).strip()
