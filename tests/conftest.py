"""Fixtures for every room: a database, once on SQLite and once on PostgreSQL; the whole service as a process."""

import contextlib
import gc
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from feedgen.languages import can_recognise
from models.database import Database
from plainsky.memory import settle
from tests.support import cannot_run, postgres
from tests.support.programs import Service

NOT_RECOGNISED = "the library that recognises languages"

# Enough for a law at every run, however slow the machine is; `pytest --hypothesis-profile=further` looks further.
_SLOW_OR_SHARED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]  # a law says itself where examples share a database
settings.register_profile("suite", max_examples=40, deadline=None, suppress_health_check=_SLOW_OR_SHARED)
settings.register_profile("further", settings.get_profile("suite"), max_examples=1_000)
settings.load_profile("suite")


# A suite in the background of a shell ignores Ctrl-C, and so would every program that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """What needs to recognise languages says so where the library is missing: it has no wheel for Python 3.14."""
    try:
        return (yield)
    except Exception:
        if can_recognise() or not (item.path.name == "test_languages.py" or NOT_RECOGNISED in traceback.format_exc()):
            raise
        cannot_run("there is no library that recognises languages (pip install -e '.[detect]')")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """What is imported and collected stays: to look through it for garbage meanwhile would be a seventh of the work."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: a worker that began one as the last would keep the others waiting."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What is imported by now stays: to look through it for garbage, again and again, would be a fifteenth of the run."""
    settle()


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """The test run's PostgreSQL cluster."""
    base = tmp_path_factory.getbasetemp()
    worker = "PYTEST_XDIST_WORKER" in os.environ
    try:
        server = postgres.shared(base.parent if worker else base, owner=os.getppid() if worker else os.getpid())
    except (postgres.Unavailable, ImportError) as error:
        cannot_run(str(error))
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A SQLite file with the migrations applied."""
    path = tmp_path_factory.mktemp("template") / "plainsky.sqlite"
    database = Database(f"sqlite:///{path}")
    database.open()
    database.close()
    return path.read_bytes()


@pytest.fixture
def postgresql_url(postgresql_server: postgres.Server) -> Iterator[str]:
    """A fresh PostgreSQL database, migrated."""
    with postgresql_server.migrated() as url:
        yield url


@pytest.fixture
def sqlite_url(sqlite_template: bytes, tmp_path: Path) -> str:
    """A fresh SQLite file, migrated."""
    path = tmp_path / "plainsky.sqlite"
    path.write_bytes(sqlite_template)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Each of the databases; a test that takes `database_url` or `database` runs once on either."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, dialect: str) -> str:
    """A fresh database, migrated, that nobody has opened yet."""
    return str(request.getfixturevalue(f"{dialect}_url"))


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, dialect: str, tmp_path: Path) -> Iterator[str]:
    """A fresh database without a schema."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    with request.getfixturevalue("postgresql_server").empty() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database, migrated and open."""
    database = Database(database_url)
    database.open()
    yield database
    database.close()


@contextlib.contextmanager
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """What starts services, and ends them all."""
    with contextlib.ExitStack() as stack:

        def start(config: str, **options: Any) -> Service:
            service = Service(tmp_path_factory.mktemp("service"), config, **options)
            stack.callback(service.end)
            service.start()
            return service

        yield start


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """`service(CONFIG)`: the whole service as a process, started and healthy; see `tests.support.programs.Service`."""
    with services(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="module")
def lasting_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """`service` for a module's tests that only look: what they ask changes nothing of what the next one sees."""
    with services(tmp_path_factory) as start:
        yield start
