"""The tables `cursor` and `gap`: how far each host's stream is stored, and what is known to be missing. Written with the data itself."""

from collections.abc import Iterable
from typing import NamedTuple

from models.database import Session


class Gap(NamedTuple):
    """Events of `host` between two upstream times (µs) did not come.

    It is healed at a time (µs, of our clock) when all of the stretch was read after all, `healed_from` another place.
    """

    host: str
    from_us: int
    to_us: int
    cause: str
    healed_at: int | None = None
    healed_from: str | None = None


class Open(NamedTuple):
    """A gap that is not healed, by its number."""

    id: int
    from_us: int
    to_us: int


def save(session: Session, host: str, cursor: int, time_us: int) -> None:
    """The stream of `host` is stored up to here, and it is the host in use."""
    session.execute(
        "INSERT INTO cursor (host, cursor, time_us, current) VALUES (?, ?, ?, 1)"
        " ON CONFLICT (host) DO UPDATE SET cursor = excluded.cursor, time_us = excluded.time_us, current = 1",
        (host, cursor, time_us),
    )
    session.execute("UPDATE cursor SET current = 0 WHERE current = 1 AND host <> ?", (host,))


def save_aside(session: Session, stream: str, cursor: int) -> None:
    """Another stream than the posts', such as a labeler's, is read up to here. The log's time does not follow it."""
    session.execute(
        "INSERT INTO cursor (host, cursor, time_us, current) VALUES (?, ?, 0, 0) ON CONFLICT (host) DO UPDATE SET cursor = excluded.cursor",
        (stream, cursor),
    )


def forget(session: Session, stream: str) -> None:
    """Read this stream from its beginning next time."""
    session.execute("DELETE FROM cursor WHERE host = ?", (stream,))


def of_host(session: Session, host: str) -> tuple[int, int] | None:
    """(cursor, time in µs) remembered for a host."""
    rows = session.execute("SELECT cursor, time_us FROM cursor WHERE host = ?", (host,))
    return (rows[0][0], rows[0][1]) if rows else None


def current(session: Session) -> tuple[str, int, int] | None:
    """(host, cursor, time in µs) of the host read last."""
    rows = session.execute("SELECT host, cursor, time_us FROM cursor WHERE current = 1")
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def log_time(session: Session) -> int:
    """The upstream time (µs) of the newest event stored: the clock that windows and retention go by. 0 before the first."""
    return int(session.execute("SELECT coalesce(max(time_us), 0) FROM cursor")[0][0])


def add_gaps(session: Session, gaps: Iterable[Gap]) -> None:
    """Remember what is missing."""
    session.executemany("INSERT INTO gap (host, from_us, to_us, cause) VALUES (?, ?, ?, ?)", [gap[:4] for gap in gaps])


def gaps(session: Session, since_us: int) -> list[Gap]:
    """The gaps that end after a time, oldest first."""
    columns = ", ".join(Gap._fields)
    return [Gap(*row) for row in session.execute(f"SELECT {columns} FROM gap WHERE to_us > ? ORDER BY id", (since_us,))]


def open_gaps(session: Session, since_us: int) -> list[Open]:
    """The gaps that end after a time and are not healed, oldest first."""
    rows = session.execute("SELECT id, from_us, to_us FROM gap WHERE to_us > ? AND healed_at IS NULL ORDER BY id", (since_us,))
    return [Open(*row) for row in rows]


def heal(session: Session, gap_id: int, now: int, whence: str) -> None:
    """All that the gap missed has been read from somewhere else, and is stored."""
    session.execute("UPDATE gap SET healed_at = ?, healed_from = ? WHERE id = ?", (now, whence, gap_id))
