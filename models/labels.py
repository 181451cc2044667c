"""The table `label`: an append-only log of signed labels, and the frames that subscribers are sent. All of its SQL.

Promise: `seq` rises in commit order and is never reused, so that `seq > cursor` misses nothing. Whoever appends holds `lock`, reads
`last_seq` and counts on from there; nothing is ever changed or removed.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from models.database import Row, Session

LOG_LOCK = 0x6C6162656C
"""The PostgreSQL advisory lock of the log ("label" in ASCII)."""
LAST_CODE_POINT = "\U0010ffff"


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
    """A row of the log."""

    seq: int
    label: Label
    sig: bytes
    frame: bytes
    decision_id: int


class Told(NamedTuple):
    """What the log said once of a record; `cid` is empty for a label on all its versions."""

    seq: int
    uri: str
    cid: str
    val: str
    neg: bool
    cts: str


def lock(session: Session) -> None:
    """Until the transaction ends nobody else appends: commits follow `seq`. (SQLite's writer is alone from BEGIN IMMEDIATE on.)"""
    if session.dialect == "postgresql":
        session.execute(f"SELECT pg_advisory_xact_lock({LOG_LOCK})")


def last_seq(session: Session) -> int:
    """The newest label's seq; 0 before the first."""
    return int(session.execute("SELECT coalesce(max(seq), 0) FROM label")[0][0])


def first_seq(session: Session) -> int:
    """The oldest label's seq; 0 when there is none."""
    return int(session.execute("SELECT coalesce(min(seq), 0) FROM label")[0][0])


def append(session: Session, rows: Iterable[SignedLabel]) -> None:
    """Write labels at the end of the log."""
    session.executemany(
        "INSERT INTO label (seq, src, uri, cid, val, neg, cts, exp, sig, frame, decision_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (seq, label.src, label.uri, label.cid or "", label.val, int(label.neg), label.cts, label.exp, sig, frame, decision_id)
            for seq, label, sig, frame, decision_id in rows
        ],
    )


def history(session: Session, src: str, uris: Collection[str]) -> list[Told]:
    """Everything that `src` said of these, oldest first."""
    rows = session.matching(
        "SELECT seq, label.uri, cid, val, neg, cts FROM wanted JOIN label ON label.uri = wanted.uri AND label.src = wanted.src",
        {"uri": "TEXT", "src": "TEXT"},
        [(uri, src) for uri in uris],
    )
    return sorted(Told(row[0], row[1], row[2], row[3], bool(row[4]), row[5]) for row in rows)


def frames(session: Session, after: int, limit: int) -> list[tuple[int, bytes]]:
    """(seq, frame) of the labels that follow `after`, oldest first."""
    return [(row[0], row[1]) for row in session.execute("SELECT seq, frame FROM label WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))]


# Of one (src, uri, cid, val) only the newest row is the state: a negation replaces what it negates (as Ozone's upsert does).
_STATE = (
    "SELECT seq, src, uri, cid, val, neg, cts, exp, sig FROM label WHERE NOT EXISTS (SELECT 1 FROM label later WHERE later.uri = label.uri"
    " AND later.cid = label.cid AND later.val = label.val AND later.src = label.src AND later.seq > label.seq)"
)


_STEMS = ("at://did:plc:", "at://did:web:", "did:plc:", "did:web:")
"""A prefix that goes no further than these matches about everything."""


class Pattern(NamedTuple):
    """Which uris are asked for: this one, or (`prefix`) all that begin so, compared by bytes."""

    uri: str
    prefix: bool = False


class Found(NamedTuple):
    """A row of the state."""

    seq: int
    label: Label
    sig: bytes


def query(session: Session, patterns: Sequence[Pattern], sources: Collection[str], after: int, limit: int) -> list[Found]:
    """What stands in the state, oldest first; negations and expired labels are part of it. No sources means all."""
    wheres, values = zip(*[_where(pattern) for pattern in patterns], strict=True)
    sql = f"{_STATE} AND ({' OR '.join(wheres)})"
    parameters = [value for some in values for value in some]
    if sources:
        sql += f" AND src IN ({', '.join('?' * len(sources))})"
        parameters += sources
    # Walking the log is right when most of it matches; for the rest the planner is kept from it, and goes by uri.
    seq = "seq" if any(pattern.prefix and _is_broad(pattern.uri) for pattern in patterns) else "seq + 0"
    rows = session.execute(f"{sql} AND {seq} > ? ORDER BY {seq} LIMIT ?", (*parameters, after, limit))
    return [Found(row[0], _label(row), row[8]) for row in rows]


def _where(pattern: Pattern) -> tuple[str, tuple[str, ...]]:
    if not pattern.prefix:
        return "uri = ?", (pattern.uri,)
    # The end of the range: the first string that is greater than all that begin with the prefix. LIKE would fold case on SQLite.
    head = pattern.uri.rstrip(LAST_CODE_POINT)
    if not head:
        return "uri >= ?", (pattern.uri,)
    following = ord(head[-1]) + 1
    end = head[:-1] + chr(0xE000 if 0xD800 <= following < 0xE000 else following)
    return "(uri >= ? AND uri < ?)", (pattern.uri, end)


def _is_broad(prefix: str) -> bool:
    return any(stem.startswith(prefix) for stem in _STEMS)


def _label(row: Row) -> Label:
    _, src, uri, cid, val, neg, cts, exp, _ = row
    return Label(src, uri, val, cts, cid or None, bool(neg), exp)
