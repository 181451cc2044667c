"""The tables `list` and `list_member`: the last good copy of each list and starter pack that rules name, and when it was read."""

from collections.abc import Collection
from typing import NamedTuple

from models.database import Session


class Copy(NamedTuple):
    """A list as it was last read at `read_at` (µs): its name and the DIDs on it."""

    uri: str
    name: str
    read_at: int
    members: frozenset[str]


def known(session: Session) -> dict[str, Copy]:
    """All copies, by uri."""
    members: dict[str, set[str]] = {}
    for uri, did in session.execute("SELECT uri, did FROM list_member"):
        members.setdefault(uri, set()).add(did)
    rows = session.execute("SELECT uri, name, read_at FROM list ORDER BY uri")
    return {uri: Copy(uri, name, read_at, frozenset(members.get(uri, ()))) for uri, name, read_at in rows}


def keep(session: Session, copy: Copy) -> frozenset[str]:
    """Take a newer copy in place of the one there was; return the DIDs that came or went."""
    before = frozenset(did for (did,) in session.execute("SELECT did FROM list_member WHERE uri = ?", (copy.uri,)))
    session.execute(
        "INSERT INTO list (uri, name, read_at) VALUES (?, ?, ?)"
        " ON CONFLICT (uri) DO UPDATE SET name = excluded.name, read_at = excluded.read_at",
        (copy.uri, copy.name, copy.read_at),
    )
    session.executemany("DELETE FROM list_member WHERE uri = ? AND did = ?", [(copy.uri, did) for did in before - copy.members])
    session.insert("INSERT INTO list_member (uri, did)", [(copy.uri, did) for did in sorted(copy.members - before)])
    return before ^ copy.members


def forget(session: Session, wanted: Collection[str]) -> None:
    """Forget the lists that no rule names any more."""
    for (uri,) in session.execute("SELECT uri FROM list"):
        if uri not in wanted:
            session.execute("DELETE FROM list_member WHERE uri = ?", (uri,))
            session.execute("DELETE FROM list WHERE uri = ?", (uri,))
