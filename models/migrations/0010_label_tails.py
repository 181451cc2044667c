"""Labels are found by the end of their uri first, as decisions are, and by its beginning in stretches of the log that are sorted later."""

from typing import Any

# A new label dirties no page of its own then. `models.tails` spells the same expression, `models.label_uris` the same stretches.
STATEMENTS = """
DROP INDEX label_by_uri;
CREATE INDEX label_by_tail ON label ((substr('             ' || uri, length(uri) + 1)), uri);
CREATE TABLE label_uri (
    stretch BIGINT NOT NULL,
    uri TEXT {bytewise} NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (stretch, uri, seq)
) {clustered};
INSERT INTO label_uri SELECT (seq - 1) / 65536, uri, seq FROM label
 WHERE seq <= (SELECT max(seq) / 4096 * 4096 FROM label) ORDER BY 1, 2, 3;
INSERT INTO setting (name, value)
 SELECT 'labels sorted until', last / 4096 * 4096 FROM (SELECT max(seq) AS last FROM label) log WHERE last > 0{known}
"""

# What PostgreSQL knows of an index's expressions it learns from the table; by itself it looks only after a tenth of the log was added.
SPELLING = {
    "sqlite": {"bytewise": "", "clustered": "WITHOUT ROWID", "known": ""},
    "postgresql": {"bytewise": 'COLLATE "C"', "clustered": "", "known": "; ANALYZE label, label_uri, decision"},
}


def up(migrator: Any, db: Any) -> None:
    """Put another index and a table in the place of the index by uri."""
    for statement in STATEMENTS.format(**SPELLING["sqlite" if "Sqlite" in type(db).__name__ else "postgresql"]).split(";"):
        db.execute_sql(statement)
