"""The database's door keeps its promises, on SQLite and on PostgreSQL alike."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from models.database import MIGRATIONS, Database, DatabaseUrlError, Session
from tests.support.postgres import EMPTYING

ADD = "INSERT INTO cursor (host, cursor, time_us, current) VALUES (?, ?, 0, 0)"


def add(session: Session, host: str, cursor: int = 0) -> None:
    session.execute(ADD, (host, cursor))


def hosts(session: Session) -> list[str]:
    return [row[0] for row in session.execute("SELECT host FROM cursor ORDER BY host")]


def position(session: Session) -> int:
    return int(session.execute("SELECT cursor FROM cursor WHERE host = ?", ("here",))[0][0])


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """A second door to the same database, as another process has one."""
    other = Database(database_url)
    other.open()
    yield other
    other.close()


def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    def half(session: Session) -> None:
        add(session, "first")
        raise LookupError("in the middle")

    with pytest.raises(LookupError):
        database.write_now(half)

    assert database.read_now(hosts) == []


def test_a_write_that_breaks_a_constraint_leaves_nothing_and_the_next_one_works(database: Database) -> None:
    def twice(session: Session) -> None:
        add(session, "same")
        add(session, "same")

    with pytest.raises(peewee.IntegrityError):
        database.write_now(twice)
    database.write_now(add, "next")

    assert database.read_now(hosts) == ["next"]


def test_an_insert_of_many_rows_of_which_one_breaks_a_constraint_leaves_nothing(database: Database) -> None:
    def twice(session: Session) -> None:
        add(session, "before")
        session.insert("INSERT INTO cursor (host, cursor, time_us, current)", [(f"host {n % 150}", n, 0, 0) for n in range(300)])

    with pytest.raises(peewee.IntegrityError):
        database.write_now(twice)

    assert database.read_now(hosts) == []


def test_what_a_write_returned_is_seen_by_every_reader(database: Database, other: Database) -> None:
    for n in range(20):
        database.write_now(add, f"host {n:02}")

        assert n + 1 == len(database.read_now(hosts)) == len(other.read_now(hosts))


def test_a_read_does_not_see_a_write_under_way_and_does_not_wait_for_it(database: Database, other: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        add(session, "slow")
        inside.set()
        assert go_on.wait(10)

    writer = threading.Thread(target=database.write_now, args=(slow,))
    writer.start()
    assert inside.wait(10)
    during = database.read_now(hosts), other.read_now(hosts)
    go_on.set()
    writer.join()

    assert during == ([], [])
    assert database.read_now(hosts) == ["slow"]


async def test_writes_run_one_after_the_other(database: Database) -> None:
    at_work = 0
    most = 0

    def step(session: Session) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        session.execute("UPDATE cursor SET cursor = ? WHERE host = 'here'", (position(session) + 1,))
        at_work -= 1

    await database.write(add, "here")
    await asyncio.gather(*(database.write(step) for _ in range(50)))

    assert (most, await database.read(position)) == (1, 50)


async def test_the_event_loop_goes_on_during_a_read_and_a_write(database: Database) -> None:
    released = threading.Event()

    def wait(_session: Session) -> bool:
        return released.wait(10)

    under_way = [asyncio.ensure_future(database.read(wait)), asyncio.ensure_future(database.write(wait))]
    asyncio.get_running_loop().call_later(0.01, released.set)  # runs only on a loop that is not blocked

    assert await asyncio.gather(*under_way) == [True, True]


def test_executemany_takes_rows_in_order(database: Database) -> None:
    rows = [(f"host {n}", n) for n in range(3)]

    database.write_now(lambda session: session.executemany(ADD, rows))

    assert database.read_now(lambda session: list(map(tuple, session.execute("SELECT host, cursor FROM cursor ORDER BY 2")))) == rows


def test_text_in_any_script_comes_back_as_it_went_in(database: Database) -> None:
    text = "Straße ﬁ 日本 🏳️‍🌈 ' \" % ? \\ %s"

    database.write_now(add, text)

    assert [text] == database.read_now(hosts)


def test_an_empty_database_gets_every_migration_and_a_second_open_applies_none(empty_database_url: str) -> None:
    opened = []
    for _ in range(2):
        database = Database(empty_database_url)
        opened.append(database.open())
        database.close()

    assert [sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py")), []] == opened


def test_two_processes_may_open_an_empty_database_at_once(empty_database_url: str) -> None:
    program = "import sys; from models.database import Database; d = Database(sys.argv[1]); input(); print(len(d.open())); d.close()"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, empty_database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    applied = [int(process.communicate(timeout=30)[0] or -1) for process in processes]

    assert [0, len(list(MIGRATIONS.glob("[0-9]*.py")))] == sorted(applied)


def test_who_reads_an_sqlite_file_cannot_write_by_mistake(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/store.sqlite")
    database.open()
    with pytest.raises(peewee.OperationalError, match="readonly"):
        database.read_now(add, "by mistake")
    database.write_now(add, "on purpose")

    assert database.read_now(hosts) == ["on purpose"]

    database.close()


def test_a_connection_that_the_server_closed_is_replaced(postgresql_url: str) -> None:
    database, other = Database(postgresql_url, readers=1), Database(postgresql_url)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    database.open()
    database.write_now(add, "before")
    database.read_now(hosts)
    other.read_now(lambda session: session.execute(others))

    with pytest.raises((peewee.OperationalError, peewee.InterfaceError)):
        database.write_now(add, "lost")
    with pytest.raises((peewee.OperationalError, peewee.InterfaceError)):
        database.read_now(hosts)
    database.write_now(add, "after")

    assert database.read_now(hosts) == ["after", "before"]

    database.close()
    other.close()


def test_a_machine_that_vanished_is_given_up_after_a_minute_by_us_and_by_the_server(postgresql_url: str) -> None:
    def agreed(session: Session) -> tuple[list[str], list[int]]:
        names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
        with socket.socket(fileno=os.dup(session._connection.fileno())) as ours:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            here = [ours.getsockopt(socket.IPPROTO_TCP, option) for option in options]
        return [session.execute("SELECT setting FROM pg_settings WHERE name = ?", (name,))[0][0] for name in names], here

    database, own_wish = Database(postgresql_url), Database(f"{postgresql_url}?keepalives_idle=10")
    try:
        assert database.read_now(agreed) == (["30", "10", "3", "60000"], [30, 10, 3, 60_000])
        assert own_wish.read_now(agreed)[1] == [10, 10, 3, 60_000]
    finally:
        database.close()
        own_wish.close()


def test_close_leaves_no_connection_behind(postgresql_url: str) -> None:
    database, other = Database(postgresql_url, readers=3), Database(postgresql_url, readers=1)
    all_in = threading.Barrier(3)
    threads = [threading.Thread(target=database.read_now, args=(lambda _session: all_in.wait(10),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.write_now(add, "here")
    database.close()
    # The server forgets a connection a moment after its client closed it.
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> ?"
    for _ in range(200):
        (left,) = other.read_now(lambda session: session.execute(count, [EMPTYING]))[0]
        if left == 0:
            break
        threading.Event().wait(0.01)
    other.close()

    assert left == 0


@pytest.mark.parametrize("url", ["", "plainsky.sqlite", "mysql://localhost/x", "sqlite:", "sqlite://"])
def test_a_url_that_names_no_database_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(DatabaseUrlError, match="sqlite:///"):
        Database(url)


def test_nothing_is_opened_before_open(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'unopened.sqlite'}")

    assert list(tmp_path.iterdir()) == []
