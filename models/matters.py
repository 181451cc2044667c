"""The tables `matter` and `report`: what people asked a moderator to look at, and what came of it. All of their SQL.

A matter is one subject: all reports of it while it is open, or the appeal of its author. Promise: of one kind there is at most one open
matter a subject. `reporter` and `said` are for moderators' eyes only, and `forget` removes them; the rest stays.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from models.database import Row, Session

LOCK = 0x6D6174746572
"""The PostgreSQL advisory lock of both tables ("matter" in ASCII)."""

Kind: TypeAlias = Literal["report", "appeal"]
Outcome: TypeAlias = Literal["labelled", "dismissed", "gone", "upheld", "rejected"]
"""What came of a report (the first three; gone: its subject was deleted) and of an appeal (the last two)."""


class Matter(NamedTuple):
    """A row of the table. Times in µs; `cid` is empty for an account."""

    id: int
    kind: Kind
    uri: str
    cid: str
    about: Sequence[int]
    """The decisions that an appeal is against."""
    opened_at: int
    reports: int = 1
    checked: bool = True
    """That the subject exists was found out when it was reported."""
    closed_at: int | None = None
    outcome: Outcome | None = None
    role: str | None = None
    moderator: str | None = None
    reason: str | None = None
    decided: Sequence[int] = ()
    """The decisions that came of it."""


class Report(NamedTuple):
    """A row of the table. `created_at` in µs."""

    id: int
    matter_id: int
    reason_type: str
    said: str | None
    reporter: str | None
    created_at: int


_MATTER = ", ".join(Matter._fields)
_REPORT = ", ".join(Report._fields)
_OF_SUBJECT = "SELECT count(*) FROM report JOIN matter ON matter.id = matter_id WHERE matter.uri = ? AND report.created_at > ?"
_BY_REPORTER = (
    "SELECT count(*) FROM report JOIN matter ON matter.id = matter_id WHERE reporter = ? AND report.created_at > ? AND kind = 'report'"
)


def lock(session: Session) -> None:
    """Until the transaction ends nobody else opens or closes a matter."""
    if session.dialect == "postgresql":
        session.execute(f"SELECT pg_advisory_xact_lock({LOCK})")


def open_of(session: Session, kind: Kind, uri: str) -> Matter | None:
    """The open matter of a subject."""
    return next(iter(_matters(session, "WHERE kind = ? AND uri = ? AND closed_at IS NULL", (kind, uri))), None)


def by_id(session: Session, matter_id: int) -> Matter | None:
    """One matter."""
    return next(iter(_matters(session, "WHERE id = ?", (matter_id,))), None)


def of_uri(session: Session, uri: str) -> list[Matter]:
    """Every matter of a subject, oldest first."""
    return _matters(session, "WHERE uri = ? ORDER BY id", (uri,))


def waiting(session: Session, limit: int) -> list[Matter]:
    """The open matters: appeals first, then what most have reported."""
    return _matters(session, "WHERE closed_at IS NULL ORDER BY kind, reports DESC, id LIMIT ?", (limit,))


def reported(session: Session, after: int, limit: int) -> list[Matter]:
    """The open matters of reports, by id from `after` on."""
    return _matters(session, "WHERE closed_at IS NULL AND kind = 'report' AND id > ? ORDER BY id LIMIT ?", (after, limit))


def count_waiting(session: Session) -> dict[str, int]:
    """How many matters are open, by kind."""
    return dict(session.execute("SELECT kind, count(*) FROM matter WHERE closed_at IS NULL GROUP BY kind"))


def appeals_in_public(session: Session) -> dict[str, int]:
    """How many appeals there were, by what came of them; "open" for those that wait."""
    rows = session.execute("SELECT coalesce(outcome, 'open'), count(*) FROM matter WHERE kind = 'appeal' GROUP BY outcome")
    return {"open": 0, "upheld": 0, "rejected": 0} | dict(rows)


def open_one(session: Session, kind: Kind, uri: str, cid: str, about: Collection[int], checked: bool, now: int) -> Matter:
    """A new matter, without reports so far."""
    (last,) = session.execute("SELECT coalesce(max(id), 0) FROM matter")[0]
    new = Matter(last + 1, kind, uri, cid, tuple(sorted(about)), now, 0, checked)
    session.insert(
        f"INSERT INTO matter ({_MATTER})",
        [(*new[:4], _json(new.about), now, 0, int(checked), None, None, None, None, None, "[]")],
    )
    return new


def add(session: Session, matter: Matter, reason_type: str, said: str | None, reporter: str, now: int, checked: bool) -> Report:
    """One more report of a matter."""
    (last,) = session.execute("SELECT coalesce(max(id), 0) FROM report")[0]
    new = Report(last + 1, matter.id, reason_type, said, reporter, now)
    session.insert(f"INSERT INTO report ({_REPORT})", [new])
    session.execute("UPDATE matter SET reports = reports + 1 WHERE id = ?", (matter.id,))
    if checked:
        session.execute("UPDATE matter SET checked = 1 WHERE id = ?", (matter.id,))
    return new


def same(session: Session, matter: Matter, reason_type: str, said: str | None, reporter: str) -> Report | None:
    """What this reporter has said before, for the same reason, in the same words or when no words are added."""
    found = _reports(session, "WHERE matter_id = ? AND reason_type = ? AND reporter = ? ORDER BY id", (matter.id, reason_type, reporter))
    return next((report for report in found if said in (None, report.said)), None)


def reports(session: Session, matter_id: int, limit: int = 50) -> list[Report]:
    """The newest reports of a matter."""
    return _reports(session, "WHERE matter_id = ? ORDER BY id DESC LIMIT ?", (matter_id, limit))


def count_by(session: Session, reporter: str, since: int) -> int:
    """How often this account has reported after a time; its appeals are not counted."""
    return int(session.execute(_BY_REPORTER, (reporter, since))[0][0])


def count_of(session: Session, uri: str, since: int) -> int:
    """How often this subject was reported after a time."""
    return int(session.execute(_OF_SUBJECT, (uri, since))[0][0])


def close(
    session: Session, matter_id: int, outcome: Outcome, role: str, moderator: str | None, reason: str, decided: Sequence[int], now: int
) -> None:
    """It was decided."""
    session.execute(
        "UPDATE matter SET closed_at = ?, outcome = ?, role = ?, moderator = ?, reason = ?, decided = ? WHERE id = ?",
        (now, outcome, role, moderator, reason, _json(decided), matter_id),
    )


def reopen(session: Session, matter_id: int) -> None:
    """What was decided was taken back."""
    session.execute(
        "UPDATE matter SET closed_at = NULL, outcome = NULL, role = NULL, moderator = NULL, reason = NULL, decided = '[]' WHERE id = ?",
        (matter_id,),
    )


def split(session: Session, matter: Matter, about: Collection[int]) -> Matter:
    """Make two of an appeal, to be decided one by one: the other part is against `about`, and must be closed at once."""
    (last,) = session.execute("SELECT max(id) FROM matter")[0]
    new = matter._replace(id=last + 1, about=tuple(sorted(about)))
    left = [one for one in matter.about if one not in about]
    session.execute("UPDATE matter SET about = ? WHERE id = ?", (_json(left), matter.id))
    row = (*new[:4], _json(new.about), new.opened_at, new.reports, int(new.checked), new.opened_at, None, None, None, None, "[]")
    session.insert(f"INSERT INTO matter ({_MATTER})", [row])
    return new


def join(session: Session, matter: Matter, part: Matter) -> None:
    """Make one of what was split."""
    session.execute("UPDATE matter SET about = ? WHERE id = ?", (_json(sorted({*matter.about, *part.about})), matter.id))
    session.execute("DELETE FROM matter WHERE id = ?", (part.id,))


def forget(session: Session, before: int, limit: int) -> int:
    """Forget who reported before a time, and in which words; of how many reports, at most `limit`."""
    rows = session.execute("SELECT id FROM report WHERE reporter IS NOT NULL AND created_at < ? LIMIT ?", (before, limit))
    session.executemany("UPDATE report SET reporter = NULL, said = NULL WHERE id = ?", rows)
    return len(rows)


def _matters(session: Session, which: str, values: Sequence[object]) -> list[Matter]:
    return [_matter(row) for row in session.execute(f"SELECT {_MATTER} FROM matter {which}", values)]


def _matter(row: Row) -> Matter:
    found = Matter(*row)
    return found._replace(about=_ids(row[4]), checked=bool(row[7]), decided=_ids(row[13]))


def _reports(session: Session, which: str, values: Sequence[object]) -> list[Report]:
    return [Report(*row) for row in session.execute(f"SELECT {_REPORT} FROM report {which}", values)]


def _json(ids: Sequence[int]) -> str:
    return msgspec.json.encode(list(ids)).decode()


def _ids(text: str) -> tuple[int, ...]:
    return msgspec.json.decode(text, type=tuple[int, ...])
