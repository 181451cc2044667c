"""For feeds of every order and rule: groups of entries, lists, labels of others, authors who opted out, and what was configured before."""

from typing import Any

# `entry_group` finds a feed's entries by author or thread, only for feeds that ask for it. `indexed_at` is from now on the time in the
# commit's rev: what is stored keeps the event's time, which differs from it by moments.
TABLES = """
CREATE TABLE entry_group (
    feed_id BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    member BIGINT NOT NULL,
    sort_at BIGINT NOT NULL,
    post_id BIGINT NOT NULL,
    PRIMARY KEY (feed_id, kind, member, sort_at, post_id)
) {clustered};
CREATE INDEX entry_group_by_post ON entry_group (post_id);
CREATE TABLE list (
    uri TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    read_at BIGINT NOT NULL
);
CREATE TABLE list_member (
    uri TEXT NOT NULL,
    did TEXT NOT NULL,
    PRIMARY KEY (uri, did)
) {clustered};
CREATE TABLE known_label (
    uri TEXT NOT NULL,
    src TEXT NOT NULL,
    val TEXT NOT NULL,
    cid TEXT NOT NULL,
    neg SMALLINT NOT NULL,
    cts BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    exp BIGINT,
    PRIMARY KEY (uri, src, val, cid)
) {clustered};
CREATE INDEX known_label_by_exp ON known_label (exp) WHERE exp IS NOT NULL;
CREATE INDEX known_label_by_cts ON known_label (cts) WHERE substr(uri, 1, 5) = 'at://';
CREATE TABLE opt_out (
    account_id BIGINT NOT NULL,
    source TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (account_id, source, mark)
) {clustered};
CREATE INDEX opt_out_by_source ON opt_out (source);
CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
ALTER TABLE account ADD COLUMN opted_out SMALLINT NOT NULL DEFAULT 0
"""

CLUSTERED = {"sqlite": "WITHOUT ROWID", "postgresql": ""}


def up(migrator: Any, db: Any) -> None:
    """Create the tables, and let an account opt out."""
    clustered = CLUSTERED["sqlite" if "Sqlite" in type(db).__name__ else "postgresql"]
    for statement in TABLES.format(clustered=clustered).split(";"):
        db.execute_sql(statement)
