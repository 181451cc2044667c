"""Decisions are found by the end of their uri first: a new one goes to the index's right edge, and dirties no page of its own."""

from typing import Any

# A post's key is the time at which it was written, its author's DID is random: by uri each new row changed another page of the index.
# `models.decisions` spells the same expression. By account only those are looked for that no row of the log tells of.
STATEMENTS = (
    "DROP INDEX decision_by_uri",
    "CREATE INDEX decision_by_tail ON decision ((substr('             ' || uri, length(uri) + 1)), uri)",
    "CREATE INDEX decision_unissued ON decision (uri) WHERE outcome IS NULL OR outcome <> 'issued'",
)


def up(migrator: Any, db: Any) -> None:
    """Put other indexes in the place of the one by uri."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
