"""The tables `label_hour` and `label_breaker`: how many labels of each value the machine decided on, hour by hour; which it may not give.

All of their SQL.
"""

from typing import NamedTuple

from models.database import Session

HOUR = 3_600_000_000
"""In microseconds; hours are counted since the epoch."""


class Tripped(NamedTuple):
    """The machine is held back; `tripped_at` in µs."""

    val: str
    tripped_at: int
    why: str


class Before(NamedTuple):
    """What a value's past hours held: `hours` from the first that is known, `labels` in all of them."""

    hours: int
    labels: int


def in_hour(session: Session, val: str, hour: int) -> int:
    """The labels of one hour."""
    rows = session.execute("SELECT labels FROM label_hour WHERE val = ? AND hour = ?", (val, hour))
    return int(rows[0][0]) if rows else 0


def count(session: Session, val: str, hour: int, labels: int) -> None:
    """So many more."""
    session.execute(
        "INSERT INTO label_hour (val, hour, labels) VALUES (?, ?, ?)"
        " ON CONFLICT (val, hour) DO UPDATE SET labels = label_hour.labels + excluded.labels",
        (val, hour, labels),
    )


def before(session: Session, val: str, hour: int, hours: int) -> Before:
    """The `hours` before an hour, as far back as anything is known."""
    first, labels = session.execute(
        "SELECT min(hour), coalesce(sum(labels), 0) FROM label_hour WHERE val = ? AND hour >= ? AND hour < ?", (val, hour - hours, hour)
    )[0]
    return Before(0 if first is None else hour - first, int(labels))


def tripped(session: Session) -> dict[str, Tripped]:
    """The breakers that are open, by value."""
    return {row[0]: Tripped(*row) for row in session.execute("SELECT val, tripped_at, why FROM label_breaker")}


def trip(session: Session, tripped: Tripped) -> None:
    """Hold the machine back until a person resumes."""
    session.execute("INSERT INTO label_breaker (val, tripped_at, why) VALUES (?, ?, ?) ON CONFLICT (val) DO NOTHING", tripped)


def resume(session: Session, val: str, hour: int) -> bool:
    """Let the machine go on, this hour counted anew; False when it was not held back."""
    was = bool(session.execute("SELECT 1 FROM label_breaker WHERE val = ?", (val,)))
    session.execute("DELETE FROM label_breaker WHERE val = ?", (val,))
    session.execute("DELETE FROM label_hour WHERE val = ? AND hour = ?", (val, hour))
    return was


def forget(session: Session, hour: int) -> None:
    """Forget what was before an hour."""
    session.execute("DELETE FROM label_hour WHERE hour < ?", (hour,))
