"""The first schema: accounts, posts, feeds and their entries, cursors and gaps, decisions and labels."""

from typing import Any

# SQLite's key is the row's own number only when it is spelled INTEGER, and it stores a table in the order of its key only WITHOUT ROWID;
# PostgreSQL compares text by bytes only with COLLATE "C".
TABLES = """
CREATE TABLE account (
    id {integer} NOT NULL PRIMARY KEY,
    did TEXT NOT NULL UNIQUE,
    active SMALLINT NOT NULL,
    status TEXT,
    changed_at BIGINT NOT NULL,
    reset_rev TEXT,
    handle TEXT
);
CREATE INDEX account_to_recheck ON account (id) WHERE reset_rev IS NOT NULL;
CREATE TABLE post (
    id {integer} NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    rkey TEXT {bytewise} NOT NULL,
    rev TEXT NOT NULL,
    cid TEXT,
    sort_at BIGINT NOT NULL,
    indexed_at BIGINT NOT NULL,
    body TEXT
);
CREATE UNIQUE INDEX post_by_record ON post (rkey, account_id);
CREATE INDEX post_by_hour ON post ((sort_at / 3600000000), account_id);
CREATE TABLE feed (
    id {integer} NOT NULL PRIMARY KEY,
    rkey TEXT NOT NULL UNIQUE,
    rules_hash TEXT,
    version BIGINT NOT NULL
);
CREATE TABLE entry (
    feed_id BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    sort_at BIGINT NOT NULL,
    tie BIGINT NOT NULL,
    post_id BIGINT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (feed_id, state, sort_at, tie)
) {clustered};
CREATE INDEX entry_by_post ON entry (post_id);
CREATE TABLE cursor (
    host TEXT NOT NULL PRIMARY KEY,
    cursor BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    current SMALLINT NOT NULL
);
CREATE TABLE gap (
    id {serial} PRIMARY KEY,
    host TEXT NOT NULL,
    from_us BIGINT NOT NULL,
    to_us BIGINT NOT NULL,
    cause TEXT NOT NULL
);
CREATE TABLE decision (
    id {integer} NOT NULL PRIMARY KEY,
    uri TEXT NOT NULL,
    cid TEXT NOT NULL,
    val TEXT NOT NULL,
    action TEXT NOT NULL,
    mode TEXT NOT NULL,
    evidence TEXT NOT NULL,
    rules_hash TEXT,
    decided_at BIGINT NOT NULL
);
CREATE INDEX decision_by_uri ON decision (uri);
CREATE TABLE label (
    seq {integer} NOT NULL PRIMARY KEY,
    src TEXT NOT NULL,
    uri TEXT {bytewise} NOT NULL,
    cid TEXT NOT NULL,
    val TEXT NOT NULL,
    neg SMALLINT NOT NULL,
    cts TEXT NOT NULL,
    exp TEXT,
    sig {binary} NOT NULL,
    frame {binary} NOT NULL,
    decision_id BIGINT NOT NULL REFERENCES decision (id)
);
CREATE INDEX label_by_uri ON label (uri, cid, val)
"""

SPELLING = {
    "sqlite": {
        "bytewise": "",
        "clustered": "WITHOUT ROWID",
        "integer": "INTEGER",
        "serial": "INTEGER NOT NULL",
        "binary": "BLOB",
    },
    "postgresql": {
        "bytewise": 'COLLATE "C"',
        "clustered": "",
        "integer": "BIGINT",
        "serial": "BIGINT GENERATED ALWAYS AS IDENTITY",
        "binary": "BYTEA",
    },
}


def up(migrator: Any, db: Any) -> None:
    """Create all tables."""
    spelling = SPELLING["sqlite" if "Sqlite" in type(db).__name__ else "postgresql"]
    for statement in TABLES.format(**spelling).split(";"):
        db.execute_sql(statement)
