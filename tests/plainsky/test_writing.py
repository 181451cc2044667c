"""One process writes at a time, also when the database was away in between."""

import asyncio
import contextlib
import subprocess
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from models.database import Database, DisplacedError
from plainsky.commands import run
from plainsky.config.loading import load
from plainsky.errors import OperatorError
from plainsky.service import Service
from plainsky.writing import WriterLock
from tests.support.programs import wait_until


@pytest.fixture
async def first(postgresql_url: str) -> AsyncIterator[Database]:
    """A database whose lock is taken."""
    database = Database(postgresql_url)
    await WriterLock(postgresql_url, database).take()
    yield database
    await asyncio.to_thread(database.close)


@pytest.fixture
async def second(postgresql_url: str) -> AsyncIterator[Database]:
    """The same, of another process."""
    database = Database(postgresql_url)
    yield database
    await asyncio.to_thread(database.close)


def cut(url: str) -> None:
    """The server ends the connection that holds the lock."""
    with psycopg.connect(url, autocommit=True) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND granted"
        )
        assert ended.fetchall() == [(True,)]


async def write(database: Database) -> object:
    """What the pipeline does: a connection that broke is found out by the write on it, and the next one goes over another."""
    try:
        return await database.write(lambda session: session.execute("SELECT 1"))
    except DisplacedError:
        raise
    except Exception:
        return await database.write(lambda session: session.execute("SELECT 1"))


async def test_a_writer_that_lost_its_connection_writes_on_when_nobody_took_its_place(first: Database, postgresql_url: str) -> None:
    await asyncio.to_thread(cut, postgresql_url)

    assert await write(first) == [(1,)]


async def test_two_processes_never_write_at_once_also_when_the_server_was_away(
    first: Database, second: Database, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.database._PAUSE", 0.0)
    monkeypatch.setattr("plainsky.writing.RETRY_SECONDS", 0.01)
    standby = asyncio.create_task(WriterLock(postgresql_url, second).take())
    await asyncio.sleep(0.05)
    assert not standby.done()

    await asyncio.to_thread(cut, postgresql_url)
    await standby

    with pytest.raises(DisplacedError):
        await write(first)
    assert await write(second) == [(1,)]


def test_a_writer_whose_place_was_taken_ends_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def displaced(*_: object) -> None:
        raise DisplacedError("another process has begun to write to this database")

    monkeypatch.setattr("plainsky.service.Service.ingest", displaced)
    file = tmp_path / "config.toml"
    file.write_text(on(f"sqlite:///{tmp_path / 'plainsky.sqlite'}"))

    with pytest.raises(OperatorError, match="another process has begun to write"):
        run.run(Namespace(file=file, role="all"))


async def test_a_file_by_another_name_is_the_same_database(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "other.sqlite").symlink_to(sqlite_url.removeprefix("sqlite:///"))
    other_url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    one, other = Database(sqlite_url), Database(other_url)
    held, refused = WriterLock(sqlite_url, one), WriterLock(other_url, other)
    try:
        await held.take()
        with pytest.raises(OperatorError, match="another plainsky already writes"):
            await refused.take()
    finally:
        held.release()
        refused.release()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda folder: folder / "missing" / "plainsky.sqlite", "cannot be written: No such file or directory"),
        (lambda folder: folder, "the database cannot be used"),
        (
            lambda folder: written(folder / "notes.txt", "words and words\n" * 100),
            "file is not a database",
        ),
        (lambda folder: written(folder / "cut.sqlite", "SQLite format 3\0" + "\0\1" * 400), "the database cannot be used"),
    ],
    ids=["no folder", "a folder", "another file", "damaged"],
)
def test_a_database_that_cannot_be_used_is_a_clear_error(made: object, said: str, tmp_path: Path) -> None:
    assert callable(made)
    file = tmp_path / "config.toml"
    file.write_text(on(f"sqlite:///{made(tmp_path)}"))

    with pytest.raises(OperatorError, match=said):
        run.run(Namespace(file=file, role="all"))


def test_a_postgresql_that_cannot_be_reached_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(on("postgresql://nobody@127.0.0.1:1/plainsky"))

    with pytest.raises(OperatorError, match="the database cannot be used: connection"):
        run.run(Namespace(file=file, role="all"))


def test_without_the_driver_for_postgresql_it_says_how_to_install_it(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(on("postgresql://nobody@127.0.0.1:1/plainsky"))
    code = "import sys; sys.modules['psycopg'] = None; from plainsky.cli import main; sys.exit(main(sys.argv[1:]))"

    ended = subprocess.run([sys.executable, "-c", code, "run", str(file)], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "plainsky[postgres]" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_of_a_newer_release_is_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    later = "INSERT INTO schema_migration (name, applied) VALUES ('9001_later', '2030-01-01')"
    database.write_now(lambda session: session.execute(later))
    database.close()
    file = tmp_path / "config.toml"
    file.write_text(on(sqlite_url))

    with pytest.raises(OperatorError, match=r"a newer plainsky has used it \(schema 9001_later\): update this one"):
        run.run(Namespace(file=file, role="all"))


async def test_a_process_that_only_serves_leaves_the_schema_to_the_one_that_writes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plainsky.service.POLL_SECONDS", 0.01)
    url = f"sqlite:///{tmp_path / 'plainsky.sqlite'}"
    file = written(tmp_path / "config.toml", on(url))
    serving, other = Service(load(file)), Database(url)
    starting = asyncio.create_task(serving.start(writes=False))
    try:
        await asyncio.to_thread(wait_until, lambda: "to this release yet: waiting" in caplog.text, 20, "it waits for the schema")
        assert not other.is_current()
        assert other.open()
        await asyncio.to_thread(wait_until, lambda: "not made these feeds yet: waiting" in caplog.text, 20, "it waits for the feeds")
        assert not starting.done()
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        await serving.stop()
        await asyncio.to_thread(other.close)


def on(url: str) -> str:
    """A config with this database, and a host that nobody is."""
    tables = f'[store]\nurl = "{url}"\n[[feeds]]\nrkey = "all"\nname = "All"\n[[feeds.include]]\nkind = "reply"\n'
    service = '[service]\nhostname = "localhost:3000"\nport = 0\n'
    return f'{service}[ingest]\nsource = "firehose"\nhosts = ["ws://127.0.0.1:1"]\n{tables}'


def written(path: Path, text: str) -> Path:
    """A file with this text."""
    path.write_text(text)
    return path
