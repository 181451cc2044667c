"""A PostgreSQL of the tests' own: one cluster a test run, shared by its workers, thrown away at the end. Never the system's cluster.

The cluster is kept by a process of its own (`python -m tests.support.postgres OWNER`), which stops it and removes its files as soon as the
owner, the process that started the test run, is gone, however it ended.
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tests.support.programs import ROOT, free_port

if TYPE_CHECKING:
    import psycopg

TEMPLATE = "plainsky_template"
EMPTYING = "emptying"
"""The application_name of a connection that this module keeps to a test's database; whoever counts connections leaves it out."""
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migration'"
_BEGIN_AGAIN = "SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences WHERE last_value IS NOT NULL"
_LARGE = 2**18
"""Bytes of a table that are thrown away as a file; what a smaller one holds is deleted row by row."""


class Unavailable(Exception):
    """This machine has no PostgreSQL to start; the message says what to do."""


class Server:
    """A running cluster: makes databases and drops them again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._admin = self._connect("postgres")
        self._numbers = count()
        self._free: list[str] = []
        self._emptying: dict[str, psycopg.Connection] = {}

    @contextlib.contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a fresh database without a schema; it lives as long as the block."""
        name = self._create("template1")
        try:
            yield f"{self._url}/{name}"
        finally:
            self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextlib.contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a database with the schema and no rows.

        After the block it is emptied for the next who asks, which is some fifty times quicker than making a new one.
        """
        name = self._free.pop() if self._free else self._create(TEMPLATE)
        yield f"{self._url}/{name}"
        self._empty(name)
        self._free.append(name)

    def _create(self, template: str) -> str:
        name = f"t{os.getpid()}_{next(self._numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _connect(self, name: str, application: str | None = None) -> "psycopg.Connection":
        import psycopg  # an extra: a run without PostgreSQL does not need it

        return psycopg.connect(f"{self._url}/{name}", autocommit=True, application_name=application)

    def _empty(self, name: str) -> None:
        connection = self._alone(name)
        tables = [table for (table,) in connection.execute(_TABLES)]
        asked = (f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table})" for table in tables)
        # To empty a table as a whole makes new files for it and for each of its indexes: twenty times the work of deleting some rows.
        for table, size in connection.execute(" UNION ALL ".join(asked)).fetchall():
            connection.execute(f"DELETE FROM {table}" if size < _LARGE else f"TRUNCATE {table} CASCADE")
        connection.execute(_BEGIN_AGAIN)

    def _alone(self, name: str) -> "psycopg.Connection":
        """The only connection to a database, kept from test to test: to a new one every table is new, ten times the work of emptying."""
        import psycopg

        with contextlib.suppress(KeyError, psycopg.OperationalError):  # none yet, or the test ended it with its own
            self._emptying[name].execute(_OTHERS, [name])
            return self._emptying[name]
        self._emptying[name] = self._connect(name, EMPTYING)
        self._emptying[name].execute("SET session_replication_role = replica")  # it does not matter which table is emptied first
        self._emptying[name].execute(_OTHERS, [name])
        return self._emptying[name]

    def close(self) -> None:
        """Let go of the cluster; it stays for the run's other workers."""
        for connection in (self._admin, *self._emptying.values()):
            connection.close()


def shared(folder: Path, owner: int) -> Server:
    """The cluster of this test run, started by the first who asks. `folder` is known to all its workers.

    Raises Unavailable, to each who asks.
    """
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        note = folder / "postgres.url"
        if not note.exists():
            note.write_text(_started(owner))
    url = note.read_text()
    if not url.startswith("postgresql:"):
        raise Unavailable(url)
    return Server(url)


def _started(owner: int) -> str:
    """Start the keeper; return the cluster's URL, or why there is none."""
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", "tests.support.postgres", str(owner)]
        keeper = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        assert keeper.stdout is not None
        with keeper.stdout:
            url = keeper.stdout.readline().strip()
        keeper.returncode = 0  # it outlives this process: not ours to wait for
        if url:
            _make_template(url)
            return url
        log.seek(0)
        return log.read().strip().splitlines()[-1]


def _make_template(url: str) -> None:
    from models.database import Database

    server = Server(url)
    server._admin.execute(f"CREATE DATABASE {TEMPLATE}")
    server.close()
    database = Database(f"{url}/{TEMPLATE}")
    database.open()
    database.close()


def keep(owner: int) -> None:
    """Start a cluster, print its URL, and keep it until the owner is gone or SIGTERM comes."""
    programs, as_user = _programs(), _as_unprivileged()
    # Root's own TMPDIR may be closed to the user postgres.
    folder = Path(tempfile.mkdtemp(prefix="plainsky-postgres-", dir="/tmp" if as_user else None))
    signal.signal(signal.SIGTERM, _leave)
    server = None
    try:
        if as_user:
            shutil.chown(folder, "postgres")
        password = secrets.token_hex(16)
        _init(programs, as_user, folder, password)
        port = free_port()
        server = _serve(programs, as_user, folder, port)
        print(f"postgresql://postgres:{password}@127.0.0.1:{port}", flush=True)
        os.close(1)
        while server.poll() is None and not _gone(owner, within=0.5):
            pass
    finally:
        if server:
            server.send_signal(signal.SIGQUIT)  # at once: nothing in it is worth a shutdown's care
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _init(programs: Path, as_user: list[str], folder: Path, password: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=folder) as secret:
        secret.write(_verifier(password))
        secret.flush()
        Path(secret.name).chmod(0o644)  # for the user postgres; nobody else can enter the folder
        # Sorted as a dictionary, not by bytes: a comparison that forgot its COLLATE "C" shows up as a difference from SQLite.
        locale = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"]
        options = ["--username=postgres", f"--pwfile={secret.name}", "--auth=password", "--encoding=UTF8", "--no-sync", *locale]
        subprocess.run([*as_user, programs / "initdb", "-D", folder / "data", *options], cwd="/", stdout=sys.stderr, check=True)


def _verifier(password: str) -> str:
    """What the server keeps of the password (RFC 5802), hashed once: the usual 4,096 times would be half of what a connection costs."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    client, server = (hmac.digest(salted, name, "sha256") for name in (b"Client Key", b"Server Key"))
    salt_, stored, server_ = (b64encode(value).decode() for value in (salt, hashlib.sha256(client).digest(), server))
    return f"SCRAM-SHA-256$1:{salt_}${stored}:{server_}"


def _serve(programs: Path, as_user: list[str], folder: Path, port: int) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": 200,
        "shared_buffers": "64MB",
        "autovacuum": "off",
        "logging_collector": "off",
    }
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    server = subprocess.Popen([*as_user, programs / "postgres", "-D", folder / "data", *options], cwd="/", stdout=sys.stderr)
    pidfile = folder / "data" / "postmaster.pid"
    for _ in range(600):
        with contextlib.suppress(OSError, IndexError):
            if pidfile.read_text().splitlines()[7].strip() == "ready":  # line 8: the state, for pg_ctl
                return server
        if server.poll() is not None:
            raise SystemExit(f"PostgreSQL ended while starting (exit code {server.returncode})")
        time.sleep(0.05)
    server.kill()
    raise SystemExit("PostgreSQL was not ready after 30 seconds")


def _programs() -> Path:
    """The folder of the newest initdb: Debian keeps them off the PATH, one folder a version."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    if found is None:
        raise SystemExit("there is no PostgreSQL on this machine: run scripts/install-postgres, or put its initdb on the PATH")
    return Path(found).resolve().parent


def _as_unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root: its own user runs it then."""
    if os.geteuid() != 0:
        return []
    # Unlike runuser, setpriv becomes the server instead of standing between us and its signals.
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _gone(pid: int, within: float) -> bool:
    """Whether the process ends within so many seconds, or has ended and nobody has asked for its exit code yet."""
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError):
            watched = os.pidfd_open(pid)
            try:
                return bool(select.select([watched], [], [], within)[0])
            finally:
                os.close(watched)
        return True
    time.sleep(within)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit


if __name__ == "__main__":
    keep(int(sys.argv[1]))
