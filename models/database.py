"""The one async door to the database: reads in a small pool of threads, writes in one writer thread, one transaction a write.

Promises: a function handed to `write` runs inside one transaction, alone among this process's writers; when it raises, nothing of it stays.
The event loop never waits for the database. Nothing is opened on import or construction: `open` does it, and brings the schema up to date.

SQL is written once, with `?` for parameters, for SQLite and PostgreSQL alike.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeAlias, TypeVar
from urllib.parse import urlsplit

import peewee

P = ParamSpec("P")
T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]
Dialect: TypeAlias = Literal["sqlite", "postgresql"]

MIGRATIONS = Path(__file__).parent / "migrations"

# WAL lets readers go on while the writer commits; FULL, because a label that was sent must survive a power cut (invariant 6);
# the page cache (64 MiB) is filled only as far as it is used.
SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "busy_timeout": 10_000, "cache_size": -65_536, "foreign_keys": 1}


class DatabaseUrlError(ValueError):
    """The configured database URL cannot be used; the message says why and what to write instead."""


class Session:
    """A connection for the length of one read or write. Values go in as parameters, rows come out as tuples."""

    def __init__(self, database: "peewee.Database", dialect: Dialect) -> None:
        self.dialect: Dialect = dialect
        self._connection = database.connection()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return its rows (none for a statement without RETURNING)."""
        cursor = self._connection.execute(self._spell(sql), values)
        return cursor.fetchall() if cursor.description else []

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values, in order."""
        self._connection.cursor().executemany(self._spell(sql), rows)

    def _spell(self, sql: str) -> str:
        return sql if self.dialect == "sqlite" else sql.replace("?", "%s")


class Database:
    """SQLite by path (`sqlite:///plainsky.sqlite`), PostgreSQL by URL (`postgresql://user@host/name`)."""

    def __init__(self, url: str, readers: int = 2) -> None:
        self.dialect, self._peewee = _connectable(url)
        self._reading = ThreadPoolExecutor(readers, thread_name_prefix="db-read")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="db-write")

    def open(self) -> list[str]:
        """Bring the schema up to date; return the names of the migrations applied."""
        return self._writing.submit(self._migrate).result()

    def close(self) -> None:
        """Wait for what is under way and close every connection."""
        for pool in (self._reading, self._writing):
            for _ in range(pool._max_workers):
                pool.submit(self._peewee.close)
            pool.shutdown(wait=True)

    async def read(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(session, ...)` in a reader thread."""
        return await asyncio.wrap_future(self._reading.submit(self._in_read, fn, *args, **kwargs))

    async def write(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(session, ...)` in the writer thread, as one transaction."""
        return await asyncio.wrap_future(self._writing.submit(self._in_write, fn, *args, **kwargs))

    def read_now(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for callers without an event loop: commands, tests, jobs."""
        return self._reading.submit(self._in_read, fn, *args, **kwargs).result()

    def write_now(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`write` for callers without an event loop."""
        return self._writing.submit(self._in_write, fn, *args, **kwargs).result()

    def _in_read(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return fn(Session(self._peewee, self.dialect), *args, **kwargs)
        except (peewee.OperationalError, peewee.InterfaceError):
            self._peewee.close()  # a broken connection is not used again: the next call opens a new one
            raise

    def _in_write(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with self._peewee.atomic(*_BEGIN[self.dialect]):
                return fn(Session(self._peewee, self.dialect), *args, **kwargs)
        except (peewee.OperationalError, peewee.InterfaceError):
            self._peewee.close()
            raise

    def _migrate(self) -> list[str]:
        # playhouse.migrations costs 20 MiB and 0.15 s to import: only where there is something to apply.
        from models.migrating import migrate

        return migrate(self._peewee, MIGRATIONS)


# SQLite's writer says at BEGIN that it will write, so that it never fails half-way for a lock.
_BEGIN: dict[Dialect, tuple[str, ...]] = {"sqlite": ("IMMEDIATE",), "postgresql": ()}


def _connectable(url: str) -> tuple[Dialect, "peewee.Database"]:
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        path = url.removeprefix("sqlite://").removeprefix("/") if url.startswith("sqlite://") else url.removeprefix("sqlite:")
        if not path:
            raise DatabaseUrlError(f"{url!r} names no file: write sqlite:///plainsky.sqlite")
        return "sqlite", peewee.SqliteDatabase(path, pragmas=SQLITE_PRAGMAS)
    if scheme in ("postgres", "postgresql"):
        from playhouse.db_url import connect  # PostgreSQL's driver is an extra

        return "postgresql", connect(url.replace("postgres://", "postgresql://", 1))
    raise DatabaseUrlError(f"{url!r}: expected sqlite:///FILE or postgresql://USER@HOST/NAME")
