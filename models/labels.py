"""The table `label`: an append-only log of signed labels. All of its SQL, but for the stream's (`models.label_blocks`) and
queryLabels' (`models.label_uris`).

Promise: `seq` rises in commit order and is never reused, so that `seq > cursor` misses nothing. Whoever appends holds `lock`, reads
`last_seq` and counts on from there; nothing is ever removed, and nothing changed but a signature when the key changes.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from models import tails
from models.database import Row, Session
from models.known_labels import Standing
from models.protocol.syntax import format_datetime, parse_datetime

LOG_LOCK = 0x6C6162656C
"""The PostgreSQL advisory lock of the log ("label" in ASCII)."""


class Label(msgspec.Struct, frozen=True):
    """A label without its signature. `cts` and `exp` are datetimes of the protocol. Source: lexicon com.atproto.label.defs#label."""

    src: str
    uri: str
    val: str
    cts: str
    cid: str | None = None
    neg: bool = False
    exp: str | None = None
    ver: int = 1

    def fields(self) -> dict[str, Any]:
        """As it is signed and sent: absent fields are left out, and `neg` unless it is true."""
        fields: dict[str, Any] = {"ver": self.ver, "src": self.src, "uri": self.uri, "val": self.val, "cts": self.cts}
        if self.cid is not None:
            fields["cid"] = self.cid
        if self.neg:
            fields["neg"] = True
        if self.exp is not None:
            fields["exp"] = self.exp
        return fields


class SignedLabel(NamedTuple):
    """A row of the log. `issued_at` in µs; `key_id` says which key signed (`labeler.signing.key_id`)."""

    seq: int
    label: Label
    sig: bytes
    decision_id: int
    issued_at: int
    key_id: int


class Told(NamedTuple):
    """What the log said once of a record; `cid` is empty for a label on all its versions."""

    seq: int
    uri: str
    cid: str
    val: str
    neg: bool
    cts: str
    exp: str | None


def lock(session: Session) -> None:
    """Until the transaction ends nobody else appends: commits follow `seq`. (SQLite's writer is alone from BEGIN IMMEDIATE on.)"""
    if session.dialect == "postgresql":
        session.execute(f"SELECT pg_advisory_xact_lock({LOG_LOCK})")


def last_seq(session: Session) -> int:
    """The newest label's seq; 0 before the first."""
    return int(session.execute("SELECT coalesce(max(seq), 0) FROM label")[0][0])


class Heads(NamedTuple):
    """What whoever writes must know before: the newest label's seq and decision's id (0 before the first), and what there is at all."""

    seq: int
    decision_id: int
    waiting: bool
    """Labels or negations wait to be issued."""
    bars: bool
    """Some texts are barred from labels."""
    tripped: bool
    """Some breakers are open."""


# What waits for room comes before what waits for a person, in the alphabet too: one range of the index.
_HEADS = (
    "SELECT (SELECT max(seq) FROM label), (SELECT max(id) FROM decision),"
    " EXISTS (SELECT 1 FROM decision WHERE waits_for < 'person'),"
    " EXISTS (SELECT 1 FROM label_bar), EXISTS (SELECT 1 FROM label_breaker)"
)


def heads(session: Session) -> Heads:
    """All in one look."""
    seq, decision_id, waiting, bars, tripped = session.execute(_HEADS)[0]
    return Heads(seq or 0, decision_id or 0, bool(waiting), bool(bars), bool(tripped))


def first_seq(session: Session) -> int:
    """The oldest label's seq; 0 when there is none."""
    return int(session.execute("SELECT coalesce(min(seq), 0) FROM label")[0][0])


_COLUMNS = "seq, src, uri, cid, val, neg, cts, exp, sig"


def append(session: Session, rows: Iterable[SignedLabel]) -> None:
    """Write labels at the end of the log."""
    append_rows(session, [packed(*row) for row in rows])


def packed(seq: int, label: Label, sig: bytes, decision_id: int, issued_at: int, key_id: int) -> Row:
    """A `SignedLabel` as the table keeps it."""
    cid, neg = label.cid or "", int(label.neg)
    return seq, label.src, label.uri, cid, label.val, neg, label.cts, label.exp, sig, decision_id, issued_at, key_id


def append_rows(session: Session, rows: Sequence[Row]) -> None:
    """Write labels that are packed at the end of the log."""
    session.insert(f"INSERT INTO label ({_COLUMNS}, decision_id, issued_at, key_id)", rows)


def history(session: Session, src: str, uris: Collection[str]) -> list[Told]:
    """Everything that `src` said of these, oldest first."""
    rows = session.matching(
        f"SELECT seq, label.uri, cid, val, neg, cts, exp FROM {tails.wanted('label')} AND label.src = wanted.src",
        {**tails.COLUMNS, "src": "TEXT"},
        [(*tails.key(uri), src) for uri in uris],
    )
    return sorted(Told(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6]) for row in rows)


def issued_at(session: Session, seqs: Collection[int]) -> dict[int, int]:
    """When labels of the log were issued, in µs, by seq."""
    return dict(session.execute(f"SELECT seq, issued_at FROM label WHERE seq IN ({', '.join('?' * len(seqs))})", tuple(seqs)))


def expiring(session: Session, src: str, val: str, after: str, until: str, limit: int) -> list["Found"]:
    """The labels of a value in force whose `exp` lies between two datetimes, soonest first."""
    return found(
        session,
        f"{STATE} AND src = ? AND val = ? AND neg = 0 AND exp > ? AND exp <= ? ORDER BY exp, seq LIMIT ?",
        (src, val, after, until, limit),
    )


def in_force(session: Session, src: str, val: str | None, now: str, after: int, limit: int) -> list["Found"]:
    """What stands at a datetime, of one value or of all, in order of seq from `after` on."""
    which = " AND val = ?" if val else ""
    return found(
        session,
        f"{STATE} AND src = ?{which} AND neg = 0 AND (exp IS NULL OR exp > ?) AND seq > ? ORDER BY seq LIMIT ?",
        (src, *([val] if val else []), now, after, limit),
    )


def in_force_on(session: Session, src: str, uri: str, now: str) -> list["Found"]:
    """What stands at a datetime on a post or an account, oldest first."""
    return found(session, f"{_OF_URI} AND neg = 0 AND (exp IS NULL OR exp > ?) ORDER BY seq + 0", (*tails.key(uri), src, now))


def newest_on(session: Session, src: str, uri: str, limit: int) -> list["Found"]:
    """The state of a post or an account: what was not taken back first, then the newest."""
    return found(session, f"{_OF_URI} ORDER BY neg, seq + 0 DESC LIMIT ?", (*tails.key(uri), src, limit))


def between(session: Session, after: int, until: int, limit: int) -> list["Found"]:
    """The log itself: the rows with after < seq <= until, oldest first."""
    return found(
        session, f"SELECT {_COLUMNS}, key_id, decision_id FROM label WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (after, until, limit)
    )


def resign(session: Session, signed: Iterable[tuple[bytes, int, int]]) -> None:
    """Give labels another key's signature: (sig, key id, seq)."""
    session.executemany("UPDATE label SET sig = ?, key_id = ? WHERE seq = ?", signed)


def subjects_since(session: Session, after: int, limit: int) -> list[tuple[int, str]]:
    """(seq, uri) of the labels that follow `after`, oldest first."""
    return [(row[0], row[1]) for row in session.execute("SELECT seq, uri FROM label WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))]


def expired(session: Session, src: str, after: int, now: int) -> list[str]:
    """The posts and accounts of labels of `src` whose time ran out since `after` (both in µs), renewed ones too."""
    span = format_datetime(after), format_datetime(now)
    return [uri for (uri,) in session.execute("SELECT uri FROM label WHERE exp > ? AND exp <= ? AND src = ?", (*span, src))]


def standing(session: Session, src: str, uris: Collection[str], now: int) -> list[Standing]:
    """The labels of `src` in force at `now` (µs) on these posts and accounts."""
    rows = session.matching(
        f"SELECT label.uri, src, val, cid, exp FROM {tails.wanted('label')} WHERE neg = 0 AND {_NEWEST}",
        tails.COLUMNS,
        [tails.key(uri) for uri in uris],
    )
    return [Standing(*row[:4]) for row in rows if row[1] == src and (row[4] is None or (parse_datetime(row[4]) or 0) > now)]


# Of one (src, uri, cid, val) only the newest row is the state: a negation replaces what it negates (as Ozone's upsert does).
_NEWEST = (
    f"NOT EXISTS (SELECT 1 FROM label later WHERE {tails.sql('later.uri')} = {tails.sql('label.uri')} AND later.uri = label.uri"
    " AND later.cid = label.cid AND later.val = label.val AND later.src = label.src AND later.seq > label.seq)"
)
STATE = f"SELECT {_COLUMNS}, key_id, decision_id FROM label WHERE {_NEWEST}"
"""The SQL of the labels that are the state, for `found`."""
_OF_URI = f"{STATE} AND {tails.OF_URI} AND src = ?"


class Found(NamedTuple):
    """A label as it was found."""

    seq: int
    label: Label
    sig: bytes
    key_id: int
    decision_id: int


def sources(session: Session) -> frozenset[str]:
    """Who has said anything here: this labeler, and what it was before it moved. Walks the whole log."""
    return frozenset(src for (src,) in session.execute("SELECT DISTINCT src FROM label"))


def found(session: Session, sql: str, values: Sequence[Any]) -> list[Found]:
    """The labels that a query tells whose columns are those of `STATE`."""
    return [
        Found(seq, Label(src, uri, val, cts, cid or None, bool(neg), exp), sig, key_id, decision_id)
        for seq, src, uri, cid, val, neg, cts, exp, sig, key_id, decision_id in session.execute(sql, values)
    ]
