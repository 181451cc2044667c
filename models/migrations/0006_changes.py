"""The log of changes: what an operator changed about a feed or a label, when and why, each entry with the hash of the one before."""

from typing import Any

# `entry` is the entry's canonical JSON, which `hash` is of: it must stay the same byte for byte.
TABLE = """
CREATE TABLE change (
    seq {integer} NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    entry TEXT NOT NULL
)
"""

SPELLING = {"sqlite": {"integer": "INTEGER"}, "postgresql": {"integer": "BIGINT"}}


def up(migrator: Any, db: Any) -> None:
    """Create the table."""
    db.execute_sql(TABLE.format(**SPELLING["sqlite" if "Sqlite" in type(db).__name__ else "postgresql"]))
