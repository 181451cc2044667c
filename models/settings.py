"""The table `setting`: with which settings the stored data was made, so that a start sees what the operator changed since."""

from models.database import Session


def get(session: Session, name: str) -> str | None:
    """What was kept under a name."""
    rows = session.execute("SELECT value FROM setting WHERE name = ?", (name,))
    return rows[0][0] if rows else None


def put(session: Session, name: str, value: str) -> None:
    """Keep a value under a name."""
    session.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )


def named(session: Session, prefix: str) -> list[str]:
    """The names that begin so."""
    return [name for (name,) in session.execute("SELECT name FROM setting") if name.startswith(prefix)]


def forget(session: Session, name: str) -> None:
    """Keep nothing under a name any more."""
    session.execute("DELETE FROM setting WHERE name = ?", (name,))
