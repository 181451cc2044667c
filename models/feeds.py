"""The table `feed`: which number a feed has in the database, by which rules its entries were made, and how often they changed."""

from collections.abc import Iterable
from typing import NamedTuple

from models.database import Session


class Known(NamedTuple):
    """A feed as the database knows it; `rules_hash` is None while its entries are being built."""

    id: int
    rkey: str
    rules_hash: str | None
    version: int


def known(session: Session) -> dict[str, Known]:
    """All feeds by rkey."""
    return {row[1]: Known(*row) for row in session.execute("SELECT id, rkey, rules_hash, version FROM feed ORDER BY id")}


def begin(session: Session, rkey: str) -> int:
    """A feed whose entries are about to be built (anew): its number. Whoever is killed before `finish` builds it again."""
    found = known(session)
    if rkey in found:
        session.execute("UPDATE feed SET rules_hash = NULL WHERE rkey = ?", (rkey,))
        return found[rkey].id
    feed_id = max((feed.id for feed in found.values()), default=0) + 1
    session.execute("INSERT INTO feed (id, rkey, rules_hash, version) VALUES (?, ?, NULL, 0)", (feed_id, rkey))
    return feed_id


def finish(session: Session, rkey: str, rules_hash: str) -> None:
    """The feed's entries are those of these rules."""
    session.execute("UPDATE feed SET rules_hash = ?, version = version + 1 WHERE rkey = ?", (rules_hash, rkey))


def forget(session: Session, rkey: str) -> None:
    """A feed that is configured no more."""
    session.execute("DELETE FROM feed WHERE rkey = ?", (rkey,))


def bump(session: Session, feed_ids: Iterable[int]) -> None:
    """Entries of these feeds changed: other processes read it here."""
    session.matching(
        "UPDATE feed SET version = version + 1 WHERE id IN (SELECT id FROM wanted)", {"id": "BIGINT"}, [(feed_id,) for feed_id in feed_ids]
    )
