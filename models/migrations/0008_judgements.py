"""What people answered blind counts for the rules and the languages that it was about, also when the post is gone."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    """Remember both; answers from before are about rules that nobody knows, and count for none."""
    db.execute_sql("ALTER TABLE blind_answer ADD COLUMN rules_hash TEXT")
    db.execute_sql("ALTER TABLE blind_answer ADD COLUMN langs TEXT")
