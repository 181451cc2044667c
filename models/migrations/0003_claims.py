"""The claim bank: claims with their ratings, the ways in which each is worded, and the feeds that claims come from."""

from typing import Any

# The wordings' key leads to a claim from any of its wordings; the url does so from the fact-check (several claims may share one page).
TABLES = """
CREATE TABLE claim (
    id TEXT NOT NULL PRIMARY KEY,
    rating TEXT NOT NULL,
    publisher TEXT NOT NULL,
    url TEXT,
    reviewed_on TEXT,
    lang TEXT NOT NULL,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    imported_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX claim_by_url ON claim (url);
CREATE INDEX claim_by_change ON claim (changed_at);
CREATE TABLE claim_wording (
    claim_id TEXT NOT NULL REFERENCES claim (id) ON DELETE CASCADE,
    n SMALLINT NOT NULL,
    lang TEXT NOT NULL,
    text TEXT NOT NULL,
    wording_key TEXT NOT NULL,
    PRIMARY KEY (claim_id, n)
);
CREATE INDEX claim_wording_by_key ON claim_wording (wording_key);
CREATE TABLE claim_source (
    source TEXT NOT NULL PRIMARY KEY,
    etag TEXT,
    last_modified TEXT,
    claims BIGINT NOT NULL,
    dropped BIGINT NOT NULL,
    good_at BIGINT,
    tried_at BIGINT NOT NULL,
    error TEXT
)
"""


def up(migrator: Any, db: Any) -> None:
    """Create the three tables."""
    for statement in TABLES.split(";"):
        db.execute_sql(statement)
