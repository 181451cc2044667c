"""For a labeler that decides before it issues: who decided and what is waited for, expiry, throttle, breaker, blocks of the stream."""

from typing import Any

# `waits_for` is set while something is to come of a decision; `outcome` says what came of it. A decision holds the post as it was judged
# until the post is deleted. `label_by_uri` was wider: there is little on one uri, and wide keys cost most when rows are added.
# `label_block` is made of `label` and can be made again: it spares the stream to encode each label each time.
STATEMENTS = """
ALTER TABLE decision ADD COLUMN role TEXT NOT NULL DEFAULT 'machine';
ALTER TABLE decision ADD COLUMN moderator TEXT;
ALTER TABLE decision ADD COLUMN reason TEXT;
ALTER TABLE decision ADD COLUMN about_id BIGINT;
ALTER TABLE decision ADD COLUMN life BIGINT;
ALTER TABLE decision ADD COLUMN waits_for TEXT;
ALTER TABLE decision ADD COLUMN outcome TEXT;
ALTER TABLE decision ADD COLUMN text_hash TEXT;
ALTER TABLE decision ADD COLUMN body TEXT;
UPDATE decision SET outcome = 'issued' WHERE action <> 'none';
UPDATE decision SET waits_for = 'person' WHERE mode = 'review' AND action = 'none';
CREATE INDEX decision_waiting ON decision (waits_for, id) WHERE waits_for IS NOT NULL;
ALTER TABLE label DROP COLUMN frame;
ALTER TABLE label ADD COLUMN issued_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE label ADD COLUMN key_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX label_by_uri;
CREATE INDEX label_by_uri ON label (uri);
CREATE INDEX label_by_exp ON label (exp) WHERE exp IS NOT NULL;
CREATE TABLE label_block (
    last_seq {integer} NOT NULL PRIMARY KEY,
    frame {binary} NOT NULL
);
CREATE TABLE label_bar (
    val TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    decision_id BIGINT NOT NULL,
    PRIMARY KEY (val, text_hash)
) {clustered};
CREATE TABLE label_hour (
    val TEXT NOT NULL,
    hour BIGINT NOT NULL,
    labels BIGINT NOT NULL,
    PRIMARY KEY (val, hour)
) {clustered};
CREATE TABLE label_breaker (
    val TEXT NOT NULL PRIMARY KEY,
    tripped_at BIGINT NOT NULL,
    why TEXT NOT NULL
)
"""
POSTGRESQL = 'ALTER TABLE decision ALTER COLUMN uri TYPE TEXT COLLATE "C"'

SPELLING = {
    "sqlite": {"clustered": "WITHOUT ROWID", "integer": "INTEGER", "binary": "BLOB"},
    "postgresql": {"clustered": "", "integer": "BIGINT", "binary": "BYTEA"},
}


def up(migrator: Any, db: Any) -> None:
    """Widen decisions and labels, and create what goes with them."""
    dialect = "sqlite" if "Sqlite" in type(db).__name__ else "postgresql"
    for statement in STATEMENTS.format(**SPELLING[dialect]).split(";"):
        db.execute_sql(statement)
    if dialect == "postgresql":
        db.execute_sql(POSTGRESQL)
