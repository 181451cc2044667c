"""A database of the first release goes on as it is: brought up to date, it serves the same pages (models/migrations)."""

import re
import resource
import shutil
import sqlite3
from pathlib import Path

import peewee
import pytest

from models import entries, label_uris, labels, posts
from models.database import MIGRATIONS, SQLITE_PRAGMAS, Database, connectable
from models.label_uris import AT_ONCE, STRETCH, Pattern
from models.migrating import migrate
from tests.support.garden import created, deleted, did, uri
from tests.support.kept import Kept

DUMP = (Path(__file__).parents[1] / "data" / "database-0001.sql").read_text()
PAGES = {1: [uri(1, 3), uri(0, 2), uri(0, 1)], 2: [uri(1, 3), uri(0, 1)], 3: [uri(0, 2)]}
"""What the first release served of it, by the feed's number: "garden", "quiet" and "cats" of tests/support/kept.py."""


@pytest.fixture
def old(empty_database_url: str, dialect: str, tmp_path: Path) -> Database:
    """The database as the first release left it."""
    if dialect == "sqlite":
        with sqlite3.connect(empty_database_url.removeprefix("sqlite:///")) as connection:
            connection.executescript(DUMP)
        connection.close()
        return Database(empty_database_url)
    shutil.copy(MIGRATIONS / "0001_first.py", tmp_path)
    _, server = connectable(empty_database_url)
    migrate(server, tmp_path)
    for line in re.findall(r"^INSERT INTO .*;$", DUMP, re.MULTILINE):
        if '"schema_migration"' not in line:
            server.execute_sql(re.sub(r"X'([0-9A-F]*)'", r"'\\x\1'", line))
    server.close()
    return Database(empty_database_url)


@pytest.fixture
def before_tails(empty_database_url: str, tmp_path: Path) -> Database:
    """A log with gaps, by the release before labels were found by the end of their uri."""
    for migration in MIGRATIONS.glob("000*.py"):
        shutil.copy(migration, tmp_path)
    _, server = connectable(empty_database_url)
    migrate(server, tmp_path)
    server.execute_sql(
        "INSERT INTO decision (id, uri, cid, val, action, mode, evidence, decided_at) VALUES (1, '', '', '', 'label', 'auto', '{}', 0)"
    )
    for seq in LOG:
        server.execute_sql(
            "INSERT INTO label (seq, src, uri, cid, val, neg, cts, sig, decision_id)"
            f" VALUES ({seq}, 'did:plc:us', '{uri(seq % 2, seq)}', '', 'v', 0, '2026-01-01T12:00:00.000Z', '', 1)"
        )
    server.close()
    return Database(empty_database_url)


LOG = (1, 7, STRETCH, STRETCH + 1, STRETCH + AT_ONCE, STRETCH + AT_ONCE + 1)


def pages(database: Database) -> dict[int, list[str]]:
    """The feeds, by number."""
    return {number: [one.uri for one in database.read_now(entries.page, number, 0, entries.TOP, 100)] for number in PAGES}


def test_an_old_database_is_brought_up_to_date_and_serves_the_same_pages(old: Database) -> None:
    applied = old.open()

    assert applied == sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))[1:]
    assert pages(old) == PAGES
    assert old.read_now(posts.by_uri, did(1), created(1, 3, 3).rkey) is not None
    assert old.read_now(labels.last_seq) == 1
    assert old.open() == []
    old.close()


def test_an_old_database_goes_on_with_this_releases_feeds(old: Database) -> None:
    old.open()
    kept = Kept(old)
    assert [kept.shown(rkey) for rkey in ("garden", "quiet", "cats")] == list(PAGES.values())

    kept.store([deleted(0, 1, 20), created(2, 21, 21)], cursor=3)
    assert kept.shown("garden") == [uri(2, 21), uri(1, 3), uri(0, 2)]
    assert kept.shown("quiet") == [uri(2, 21), uri(1, 3), uri(0, 2)]
    old.close()


def test_of_an_old_log_what_is_complete_is_sorted_and_all_is_found(before_tails: Database) -> None:
    before_tails.open()

    stretches = before_tails.read_now(lambda session: session.execute("SELECT stretch, seq FROM label_uri ORDER BY stretch, seq"))
    assert stretches == [(0, 1), (0, 7), (0, STRETCH), (1, STRETCH + 1), (1, STRETCH + AT_ONCE)]
    before_tails.write_now(label_uris.sort, LOG[-1])
    for person in (0, 1):
        of_one = [seq for seq in LOG if seq % 2 == person]
        patterns = [Pattern(f"at://{did(person)}/", prefix=True)]
        assert [row.seq for row in before_tails.read_now(label_uris.query, patterns, (), 0, 50)] == of_one
        assert before_tails.read_now(label_uris.beginning, patterns[0].uri) == {uri(person, seq) for seq in of_one}
    for seq in LOG:
        assert [row.seq for row in before_tails.read_now(label_uris.query, [Pattern(uri(seq % 2, seq))], (), 0, 50)] == [seq]
    before_tails.close()


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_postgresql_knows_the_ends_of_the_uris_of_an_old_log_at_once(before_tails: Database) -> None:
    before_tails.open()

    known = before_tails.read_now(lambda session: session.execute("SELECT DISTINCT tablename FROM pg_stats"))
    assert {"label_by_tail", "label_uri"} <= {table for (table,) in known}
    before_tails.close()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_where_the_disk_is_full_the_error_says_so_and_the_old_database_stays(
    before_tails: Database, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(empty_database_url.removeprefix("sqlite:///")) as connection:
        columns = "src, uri, cid, val, neg, cts, sig, decision_id"
        for _ in range(8):
            connection.execute(f"INSERT INTO label (seq, {columns}) SELECT seq + (SELECT max(seq) FROM label), {columns} FROM label")
    connection.close()
    monkeypatch.setitem(SQLITE_PRAGMAS, "cache_size", 10)  # so that the disk is needed before the end
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, limits[1]))
    try:
        with pytest.raises(peewee.OperationalError, match="disk"):
            Database(empty_database_url).open()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert before_tails.open() == ["0010_label_tails"]
    before_tails.close()
