"""The table `change`: the log of changes. Rows are added, and never changed or removed.

Promise: each entry holds the hash of the one before it, so nobody can change, drop or insert an entry without changing the hash of every
later one; `broken` finds where. A hash is SHA-256 over the entry as canonical JSON (RFC 8785), in hexadecimal.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from models.database import Session
from models.protocol.syntax import format_datetime

FIRST = "0" * 64
"""What the first entry holds as the hash of the one before."""
AT_ONCE = 1_000

What: TypeAlias = Literal["feed", "label"]
Action: TypeAlias = Literal["added", "changed", "removed"]


class Effect(msgspec.Struct, frozen=True):
    """Of the stored posts, how many came in and how many went, and how many authors wrote these."""

    added: int
    removed: int
    authors: int


class Change(msgspec.Struct, frozen=True):
    """What becomes of a feed or label. `diff` are lines in plain words that begin with "- " (no more) or "+ " (from now on).

    Hashes are those of the rules before and after. `effect` is None where nobody looked. `said` are the values that each line of `diff`
    says, as JSON, to be told in other languages; empty texts where they are not known.
    """

    what: What
    name: str
    action: Action
    before: str | None
    after: str | None
    diff: tuple[str, ...]
    effect: Effect | None
    said: tuple[str, ...] = ()


class Logged(msgspec.Struct, frozen=True):
    """An entry: a change with its number (from 1), its time (as the protocol spells it), the operator's reason, and the chain."""

    seq: int
    at: str
    reason: str
    what: What
    name: str
    action: Action
    before: str | None
    after: str | None
    diff: tuple[str, ...]
    effect: Effect | None
    previous: str
    hash: str
    said: tuple[str, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """The log's end."""

    seq: int
    hash: str


def append(session: Session, changes: Iterable[Change], reason: str, now: int) -> list[Logged]:
    """Write changes down, as made at `now` (µs); the entries."""
    last = head(session)
    logged = []
    for change in changes:
        fields = {"seq": last.seq + 1, "at": format_datetime(now), "reason": reason, **msgspec.to_builtins(change), "previous": last.hash}
        entry = canonical(fields)
        last = Head(last.seq + 1, _hash(entry))
        session.execute("INSERT INTO change (seq, hash, entry) VALUES (?, ?, ?)", (last.seq, last.hash, entry))
        logged.append(_logged(last.hash, entry))
    return logged


def head(session: Session) -> Head:
    """Where the log ends: 0 and `FIRST` before the first entry."""
    rows = session.execute("SELECT seq, hash FROM change ORDER BY seq DESC LIMIT 1")
    return Head(*rows[0]) if rows else Head(0, FIRST)


def read(session: Session, before: int | None = None, limit: int = AT_ONCE) -> list[Logged]:
    """Entries with numbers below `before`, the newest first."""
    upto = 2**62 if before is None else before
    return [
        _logged(*row) for row in session.execute("SELECT hash, entry FROM change WHERE seq < ? ORDER BY seq DESC LIMIT ?", (upto, limit))
    ]


def all_of(session: Session) -> list[dict[str, Any]]:
    """The whole log, the oldest first, as it is given to whoever wants to check it: each entry with its `hash`."""
    rows = session.execute("SELECT hash, entry FROM change ORDER BY seq")
    return [{**json.loads(entry), "hash": hash} for hash, entry in rows]


def broken(entries: Sequence[Mapping[str, Any]]) -> str | None:
    """Where and how the chain of a whole log (the oldest entry first) is broken; None when it holds."""
    previous = FIRST
    for number, entry in enumerate(entries, 1):
        if entry.get("seq") != number:
            return f"entry {number} says that it is number {entry.get('seq')}: an entry was dropped, inserted or moved"
        if entry.get("previous") != previous:
            return f"entry {number} does not follow on the one before it"
        if entry.get("hash") != _hash(canonical({key: value for key, value in entry.items() if key != "hash"})):
            return f"entry {number} was changed: its hash is another"
        previous = entry["hash"]
    return None


def canonical(value: Any) -> str:
    """JSON as RFC 8785 wants it, for what an entry is made of: texts, whole numbers, lists, and objects with keys in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash(entry: str) -> str:
    return hashlib.sha256(entry.encode("utf-8", "surrogatepass")).hexdigest()


def _logged(hash: str, entry: str) -> Logged:
    return msgspec.convert({**json.loads(entry), "hash": hash}, Logged)
