"""The one async door to the database: reads in a small pool of threads, writes in one writer thread, one transaction a write.

Promises: a function handed to `write` runs inside one transaction, alone among this process's writers; when it raises, nothing of it stays.
The event loop never waits for the database, but for glances at SQLite. Nothing is opened on import or construction: `open` does it, and
brings the schema up to date.

SQL is written once, with `?` for parameters, for SQLite and PostgreSQL alike.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Concatenate, Literal, NoReturn, ParamSpec, TypeAlias, TypeVar
from urllib.parse import urlsplit

import peewee

from models.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]
Dialect: TypeAlias = Literal["sqlite", "postgresql"]

MIGRATIONS = Path(__file__).parent / "migrations"

# WAL lets readers go on while the writer commits; FULL, because a label that was sent must survive a power cut (invariant 6);
# the page cache (64 MiB) is filled only as far as it is used; mapped (2 GiB are SQLite's most), the file is read without system calls;
# what SQLite notes to take one statement back stays in memory: in a file it is four of ten of a batch's writes;
# a log of up to 16 MiB instead of 4: of a page that many batches change, fewer copies go from the log to the file.
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "wal_autocheckpoint": 4000,
    "synchronous": "full",
    "busy_timeout": 10_000,
    "cache_size": -65_536,
    "mmap_size": 2**31 - 2**16,
    "temp_store": "memory",
    "foreign_keys": 1,
}
# Readers far down a feed need other pages each time: a cache of them is memory that the processor has not at hand, and slower than to copy
# them anew. And whoever reads cannot write by mistake.
_READING = {"cache_size": -2_000, "query_only": 1}
# Of a database that nobody needs after this process: nothing waits for the disk, and memory stays small.
_SCRATCH = SQLITE_PRAGMAS | {"journal_mode": "off", "synchronous": "off", "cache_size": -32_768, "mmap_size": 0, "temp_store": "file"}
# SQLite's driver lets go of the interpreter's lock at every row: two readers and the event loop, all busy, spend three times as long
# taking turns as reading. PostgreSQL's readers mostly wait for the server.
_READERS: "dict[Dialect, int]" = {"sqlite": 1, "postgresql": 4}


class DatabaseUrlError(ValueError):
    """The configured database URL cannot be used; the message says why and what to write instead."""


class DisplacedError(Exception):
    """Another process has become the one that writes to this database, and this one may no longer."""


class Session:
    """A connection for the length of one read or write. Values go in as parameters, rows come out as tuples."""

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self.dialect: Dialect = dialect
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return its rows (none for a statement without RETURNING)."""
        cursor = self._connection.execute(sql if self.dialect == "sqlite" else sql.replace("?", "%s"), values)
        return cursor.fetchall() if cursor.description else []

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values, in order."""
        self._connection.cursor().executemany(_spelled(sql, self.dialect), rows)

    def insert(self, sql: str, rows: Sequence[Row], then: str = "") -> int:
        """Run "INSERT INTO table (columns)" with rows of values, then what shall follow them; return how many rows were inserted.

        When it fails, some rows may be in already: the transaction must not be committed then.

        Many rows go in one statement: SQLite's driver lets the interpreter's lock go at every step, and while the event loop is busy
        each row would wait for it. The widths are fixed, so that the databases prepare few statements.
        """
        if len(rows) == 1:
            return int(self._connection.execute(_inserting(sql, len(rows[0]), 1, then, self.dialect), rows[0]).rowcount)
        inserted = at = 0
        for width in _INSERT_WIDTHS:
            while len(rows) - at >= width:
                values = list(chain.from_iterable(rows[at : at + width]))
                inserted += self._connection.execute(_inserting(sql, len(rows[at]), width, then, self.dialect), values).rowcount
                at += width
        return inserted

    def matching(self, sql: str, columns: Mapping[str, str], rows: Collection[Sequence[Any]]) -> list[Row]:
        """Run a query that joins `wanted`, a table of the given rows: columns maps names to SQL types.

        Rows go in chunks of a few fixed widths (padded with a repeat), so that the databases prepare few statements; a result
        must not depend on a wanted row standing there twice.
        """
        found: list[Row] = []
        left = list(rows)
        while left:
            width = next((w for w in _WIDTHS if w >= len(left)), _WIDTHS[-1])
            chunk, left = left[:width], left[width:]
            values = [value for row in chunk for value in row] + [*chunk[-1]] * (width - len(chunk))
            found += self.execute(_wanted(sql, tuple(columns.items()), width), values)
        return list(dict.fromkeys(found))


class Database:
    """SQLite by path (`sqlite:///plainsky.sqlite`), PostgreSQL by URL (`postgresql://user@host/name`)."""

    def __init__(self, url: str, readers: int | None = None, scratch: bool = False) -> None:
        """scratch: of an SQLite file that is thrown away, nothing has to survive a crash, or a write that fails."""
        pragmas = _SCRATCH if scratch else SQLITE_PRAGMAS
        self.dialect, self._writer = connectable(url, pragmas)
        _, self._reader = connectable(url, pragmas | _READING)
        self._reading = Threads(readers or _READERS[self.dialect], "db-read", self._reader.close)
        self._writing = Threads(1, "db-write", self._writer.close)
        self._failed: float | None = None
        self._lock: int | None = None
        self._holds: Any = None  # the connection that has the lock

    def open(self) -> list[str]:
        """Bring the schema up to date; return the names of the migrations applied."""
        return self._writing.run(self._migrate)

    def is_current(self) -> bool:
        """Whether the schema is this release's, so that a process that only reads can begin."""
        return self._writing.run(self._is_current)

    def close(self) -> None:
        """Wait for what is under way and close every connection. To be called by the thread that glanced."""
        self._reading.close()
        self._writing.close()
        self._reader.close()  # this thread's own, if it glanced

    async def read(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(session, ...)` in a reader thread."""
        return await self._reading.ask(lambda: self._in_read(fn, *args, **kwargs))

    async def glance(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for a function that asks for one short range of an index.

        SQLite answers in the calling thread: that costs some 20 µs, and to hand the question to another thread and the answer back as
        much again. A server that has to be asked over a socket is asked by a reader thread.
        """
        if self.dialect == "sqlite":
            return self._in_read(fn, *args, **kwargs)
        return await self.read(fn, *args, **kwargs)

    async def write(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(session, ...)` in the writer thread, as one transaction."""
        return await self._writing.ask(lambda: self._in_write(fn, *args, **kwargs))

    async def alone(self, lock: int) -> bool:
        """Become the only process that writes under this lock (PostgreSQL); False while another one is.

        From then on no transaction begins on a connection that has not got the lock: when it was lost with its connection, it is taken
        anew, or the write fails with DisplacedError.
        """
        return await self._writing.ask(lambda: self._take(lock))

    def read_now(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for callers without an event loop: commands, tests, jobs."""
        return self._reading.run(lambda: self._in_read(fn, *args, **kwargs))

    def write_now(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`write` for callers without an event loop."""
        return self._writing.run(lambda: self._in_write(fn, *args, **kwargs))

    def _in_read(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return fn(Session(self._reader.connection(), self.dialect), *args, **kwargs)
        except Exception:
            self._raise()

    def _raise(self) -> NoReturn:
        """Raise what is being handled, as peewee's error where it is the driver's."""
        try:
            with _AS_PEEWEE:  # entered only now: around each read it would cost a tenth of a short one
                raise
        except (peewee.OperationalError, peewee.InterfaceError):
            self._reader.close()  # a broken connection is not used again: the next call opens a new one
            raise

    def _in_write(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with _AS_PEEWEE:
                result = self._in_transaction(fn, *args, **kwargs)
        except (peewee.OperationalError, peewee.InterfaceError):
            self._writer.close()
            self._failed = time.monotonic()
            raise
        self._failed = None
        return result

    @property
    def writes(self) -> bool:
        """Whether writes come through: not when the last one lately did not, for a full disk, a lock, or a server that is away."""
        return self._failed is None or time.monotonic() - self._failed > _LATELY

    def _in_transaction(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Begin and commit by hand: peewee's own way costs as much as two statements."""
        connection = self._writer.connection()
        if self._lock is not None and connection is not self._holds:
            self._take_again(self._lock)
        connection.execute(_BEGIN[self.dialect])
        try:
            result = fn(Session(connection, self.dialect), *args, **kwargs)
            connection.execute("COMMIT")
        except BaseException:
            try:
                connection.execute("ROLLBACK")
            except Exception:  # the connection is gone, or SQLite took all back already, for a full disk: what was wrong is said above
                self._writer.close()
            raise
        return result

    def _take(self, lock: int) -> bool:
        try:
            with _AS_PEEWEE:
                connection = self._writer.connection()
                if connection.execute("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchone()[0]:
                    self._lock, self._holds = lock, connection
        except (peewee.OperationalError, peewee.InterfaceError):
            self._writer.close()
            raise
        return self._holds is connection

    def _take_again(self, lock: int) -> None:
        """The server may need a moment to see that our last connection is gone, and with it the lock."""
        for _ in range(_TRIES):
            if self._take(lock):
                return
            time.sleep(_PAUSE)
        raise DisplacedError("another process has begun to write to this database")

    def _migrate(self) -> list[str]:
        # playhouse.migrations costs 20 MiB and 0.15 s to import: only where there is something to apply.
        from models.migrating import migrate

        return migrate(self._writer, MIGRATIONS)

    def _is_current(self) -> bool:
        from models.migrating import is_current

        self._writer.connection()  # whether there is a server shows here
        return is_current(self._writer, MIGRATIONS)


_TRIES, _PAUSE = 10, 0.2
_LATELY = 60.0  # seconds: what cannot be stored is tried again within 20

_WIDTHS = (1, 4, 16, 64, 256, 1024)
_INSERT_WIDTHS = (256, 64, 16, 4, 1)


def _spelled(sql: str, dialect: Dialect) -> str:
    return sql if dialect == "sqlite" else sql.replace("?", "%s")


@cache
def _inserting(sql: str, columns: int, width: int, then: str, dialect: Dialect) -> str:
    row = f"({', '.join('?' * columns)})"
    if dialect == "sqlite":
        # What a statement did before it failed need not be taken back by itself, for its transaction is taken back: so SQLite keeps no
        # copy of each page that the statement changes.
        sql = sql.replace("INSERT INTO", "INSERT OR FAIL INTO", 1)
    return _spelled(f"{sql} VALUES {', '.join([row] * width)} {then}", dialect)


@cache
def _wanted(sql: str, columns: tuple[tuple[str, str], ...], width: int) -> str:
    names = ", ".join(name for name, _ in columns)
    row = "(" + ", ".join(f"CAST(? AS {kind})" for _, kind in columns) + ")"
    return f"WITH wanted({names}) AS (VALUES {', '.join([row] * width)}) {sql}"


# Turns the drivers' errors into peewee's, which are the same for both databases; `execute_sql` does so too.
_AS_PEEWEE = peewee.__exception_wrapper__  # type: ignore[attr-defined]
# SQLite's writer says at BEGIN that it will write, so that it never fails half-way for a lock.
_BEGIN: dict[Dialect, str] = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}


# Where PostgreSQL's planner expects too much, its compiler would take a second for what is done in 20 ms without it.
# A machine that vanishes says no goodbye. Asked for signs of life, it is given up after a minute: by us, and by the server, so that another
# process gets the lock. Without that it takes a quarter of an hour, or two hours.
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
_ON_SERVER = "; ".join(["SET jit TO off", *(f"SET tcp_{name.removeprefix('tcp_')} TO {value}" for name, value in _ALIVE.items())])


class _Postgresql(peewee.PostgresqlDatabase):
    def _initialize_connection(self, conn: Any) -> None:
        conn.execute(_ON_SERVER)


def connectable(url: str, pragmas: Mapping[str, Any] = SQLITE_PRAGMAS) -> tuple[Dialect, "peewee.Database"]:
    """A database that is not connected yet, and which kind it is. DatabaseUrlError says what to write instead."""
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        path = url.removeprefix("sqlite://").removeprefix("/") if url.startswith("sqlite://") else url.removeprefix("sqlite:")
        if not path:
            raise DatabaseUrlError(f"{url!r} names no file: write sqlite:///plainsky.sqlite")
        return "sqlite", peewee.SqliteDatabase(path, pragmas=dict(pragmas))
    if scheme in ("postgres", "postgresql"):
        from playhouse.db_url import parse  # PostgreSQL's driver is an extra

        return "postgresql", _Postgresql(**_ALIVE | parse(url.replace("postgres://", "postgresql://", 1)))
    raise DatabaseUrlError(f"{url!r}: expected sqlite:///FILE or postgresql://USER@HOST/NAME")
