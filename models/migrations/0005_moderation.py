"""For people who decide: who moderates, what was reported and appealed, and answers given blind, for measuring."""

from typing import Any

# A matter is what waits for a person because somebody asked: all reports of one subject, or an appeal against our labels on it. `about`
# and `decided` are JSON lists of decision ids: what an appeal is against, and what came of the matter. `reporter` and `said` of a report
# are forgotten after a while.
STATEMENTS = """
CREATE TABLE moderator (
    name TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    removed_at BIGINT
) {clustered};
CREATE TABLE matter (
    id {integer} NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    uri TEXT NOT NULL,
    cid TEXT NOT NULL,
    about TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    checked BIGINT NOT NULL,
    closed_at BIGINT,
    outcome TEXT,
    role TEXT,
    moderator TEXT,
    reason TEXT,
    decided TEXT NOT NULL
);
CREATE UNIQUE INDEX matter_open ON matter (uri, kind) WHERE closed_at IS NULL;
CREATE INDEX matter_by_uri ON matter (uri);
CREATE INDEX matter_by_kind ON matter (kind, outcome);
CREATE TABLE report (
    id {integer} NOT NULL PRIMARY KEY,
    matter_id BIGINT NOT NULL,
    reason_type TEXT NOT NULL,
    said TEXT,
    reporter TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX report_by_matter ON report (matter_id, created_at);
CREATE INDEX report_by_reporter ON report (reporter, created_at) WHERE reporter IS NOT NULL;
CREATE TABLE blind_answer (
    uri TEXT NOT NULL,
    cid TEXT NOT NULL,
    val TEXT NOT NULL,
    moderator TEXT NOT NULL,
    decision_id BIGINT,
    answer TEXT NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (uri, cid, val, moderator)
) {clustered}
"""

SPELLING = {"sqlite": {"clustered": "WITHOUT ROWID", "integer": "INTEGER"}, "postgresql": {"clustered": "", "integer": "BIGINT"}}


def up(migrator: Any, db: Any) -> None:
    """Create the tables."""
    dialect = "sqlite" if "Sqlite" in type(db).__name__ else "postgresql"
    for statement in STATEMENTS.format(**SPELLING[dialect]).split(";"):
        db.execute_sql(statement)
