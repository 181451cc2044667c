"""The table `known_label`: what labelers that rules name say of posts and accounts, as read from their streams.

Promise: of one (src, uri, val, cid) the label with the latest `cts` holds, then the one with the highest `seq`; reading a stream again, or
in pieces that overlap, changes nothing. A negation is kept, so that a late repeat of what it took back is known as such.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from models.database import Session


class KnownLabel(NamedTuple):
    """A label of another labeler: `cid` is empty when it is on all versions; cts and exp in µs."""

    uri: str
    src: str
    val: str
    cid: str
    neg: bool
    cts: int
    seq: int
    exp: int | None


class Standing(NamedTuple):
    """A label in force on a post or an account: `cid` is empty when it is on all versions."""

    uri: str
    src: str
    val: str
    cid: str


_COLUMNS = "uri, src, val, cid, neg, cts, seq, exp"
_KEEP = (
    f"INSERT INTO known_label ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (uri, src, val, cid) DO UPDATE"
    " SET neg = excluded.neg, cts = excluded.cts, seq = excluded.seq, exp = excluded.exp"
    " WHERE (excluded.cts, excluded.seq) > (known_label.cts, known_label.seq)"
)


def keep(session: Session, told: Iterable[KnownLabel]) -> None:
    """Remember what a labeler said."""
    session.executemany(_KEEP, [(*label[:4], int(label.neg), *label[5:]) for label in told])


def standing(session: Session, uris: Collection[str], now: int) -> list[Standing]:
    """The labels in force at `now` (µs) on these posts and accounts."""
    rows = session.matching(
        "SELECT known_label.uri, src, val, cid, exp FROM wanted JOIN known_label ON known_label.uri = wanted.uri WHERE neg = 0",
        {"uri": "TEXT"},
        [(uri,) for uri in uris],
    )
    return [Standing(*row[:4]) for row in rows if row[4] is None or row[4] > now]


def expired(session: Session, after: int, now: int) -> list[str]:
    """The posts and accounts of labels whose time ran out since `after` (µs)."""
    return [uri for (uri,) in session.execute("SELECT uri FROM known_label WHERE exp > ? AND exp <= ?", (after, now))]


def forget(session: Session, wanted: Mapping[str, Collection[str]]) -> None:
    """Forget what no rule asks for any more; wanted: by labeler, the values that rules ask for."""
    for src, val in session.execute("SELECT DISTINCT src, val FROM known_label"):
        if val not in wanted.get(src, ()):
            session.execute("DELETE FROM known_label WHERE src = ? AND val = ?", (src, val))


def prune(session: Session, older_than: int, limit: int) -> int:
    """Forget up to `limit` labels that were put on posts before `older_than` (µs); labels on accounts stay. Returns how many."""
    rows = session.execute(
        "SELECT uri, src, val, cid FROM known_label WHERE cts < ? AND substr(uri, 1, 5) = 'at://' LIMIT ?", (older_than, limit)
    )
    session.executemany("DELETE FROM known_label WHERE uri = ? AND src = ? AND val = ? AND cid = ?", rows)
    return len(rows)
