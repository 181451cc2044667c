"""The table `feed`: which number a feed has in the database, by which rules its entries were made, and how often they changed.

A feed that is filled anew is filled under another number, and takes it when it is whole; until then readers have the entries there were.
A row whose name no feed can have (it begins with a space) is being filled, or was given up and waits to be emptied.
"""

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
    """The number under which a feed's entries are about to be built: a new feed's own, or one that is the feed's from `finish` on."""
    ((last_id, found),) = session.execute("SELECT coalesce(max(id), 0), (SELECT id FROM feed WHERE rkey = ?) FROM feed", (rkey,))
    name = rkey if found is None else _BEGUN.format(last_id + 1)
    session.execute("INSERT INTO feed (id, rkey, rules_hash, version) VALUES (?, ?, NULL, 0)", (last_id + 1, name))
    return int(last_id) + 1


def finish(session: Session, rkey: str, feed_id: int, rules_hash: str) -> None:
    """The feed's entries are those of this number, made by these rules; those it had before are given up."""
    ((before_id, version),) = session.execute("SELECT id, version FROM feed WHERE rkey = ?", (rkey,))
    if before_id != feed_id:
        give_up(session, rkey)
    changed = (rkey, rules_hash, version + 1, feed_id)
    session.execute("UPDATE feed SET rkey = ?, rules_hash = ?, version = ? WHERE id = ?", changed)


def give_up(session: Session, rkey: str) -> None:
    """A feed that is configured no more: its entries are to be removed, and then `forget` it."""
    (feed_id,) = session.execute("SELECT id FROM feed WHERE rkey = ?", (rkey,))[0]
    session.execute("UPDATE feed SET rkey = ?, rules_hash = NULL WHERE id = ?", (_GIVEN_UP.format(feed_id), feed_id))


def nameless(session: Session, begun: bool) -> list[int]:
    """The numbers of feeds that were given up; and of those that somebody began to fill, too, when he cannot be at it any more."""
    kinds = (_GIVEN_UP, _BEGUN) if begun else (_GIVEN_UP,)
    return [feed.id for feed in known(session).values() if feed.rkey in {kind.format(feed.id) for kind in kinds}]


def forget(session: Session, feed_id: int) -> None:
    """A feed without entries, of which nobody asks any more."""
    session.execute("DELETE FROM feed WHERE id = ?", (feed_id,))


_BEGUN, _GIVEN_UP = " begun {}", " given up {}"


def bump(session: Session, feed_ids: Iterable[int]) -> None:
    """Entries of these feeds changed: other processes read it here."""
    session.matching(
        "UPDATE feed SET version = version + 1 WHERE id IN (SELECT id FROM wanted)", {"id": "BIGINT"}, [(feed_id,) for feed_id in feed_ids]
    )
