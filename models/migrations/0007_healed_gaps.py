"""When a gap was healed: the stretch that was missed has been read after all, and from where."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    """Add the columns; a gap that was known before counts as not healed."""
    db.execute_sql("ALTER TABLE gap ADD COLUMN healed_at BIGINT")
    db.execute_sql("ALTER TABLE gap ADD COLUMN healed_from TEXT")
