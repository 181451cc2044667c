"""Events are stored in batches, in order, and a source waits while the database does (plainsky/pipeline/batching.py)."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import peewee
import pytest

from models import cursors
from models.cursors import Gap
from models.database import Database
from plainsky.config.schema import Ingest
from plainsky.ingest.firehose import Firehose
from plainsky.metrics import Metrics
from plainsky.pipeline.batching import WAITING_BATCHES, Batcher
from plainsky.pipeline.storing import Outcome
from plainsky.reading import Reading
from tests.support.firehose_server import FirehoseServer
from tests.support.garden import at, created, uri
from tests.support.kept import Kept

NEVER = 3600.0


class Batching:
    """A batcher over a database; remembers what was committed."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.database, self.kept, self.metrics = database, Kept(database), Metrics()
        self.batcher = Batcher(database, self.kept.storer, self.metrics, self._committed, **{"age": NEVER, "idle": NEVER, **options})
        self.outcomes: list[Outcome] = []
        self._more = asyncio.Event()

    def _committed(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._more.set()

    async def commits(self, count: int) -> None:
        """Wait for so many batches."""
        async with asyncio.timeout(10):
            while len(self.outcomes) < count:
                self._more.clear()
                await self._more.wait()

    def put(self, *numbers: int) -> None:
        """Posts of these numbers, each at its own second and cursor."""
        for number in numbers:
            self.batcher.put(created(0, number, number), number)

    def counted(self, name: str) -> float:
        """A metric's value."""
        return self.metrics.registry.get_sample_value(name) or 0.0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """While the batcher works."""
        work = asyncio.create_task(self.batcher.run())
        yield work
        work.cancel()
        await asyncio.wait([work])


@contextlib.contextmanager
def storing_blocked(database: Database) -> Iterator[None]:
    """Nothing is written meanwhile."""
    gate, begun = threading.Event(), threading.Event()
    blocker = threading.Thread(target=lambda: database.write_now(lambda _: (begun.set(), gate.wait(20))))
    blocker.start()
    begun.wait(10)
    try:
        yield
    finally:
        gate.set()
        blocker.join()


async def until(happened: Callable[[], bool]) -> None:
    """Let others run until it has happened."""
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 what is waited for has no event
            await asyncio.sleep(0.001)


async def test_a_batch_is_stored_when_it_holds_so_many_events(database: Database) -> None:
    batching = Batching(database, size=3)
    async with batching.running():
        batching.put(1, 2)
        await asyncio.sleep(0)
        assert (batching.outcomes, batching.batcher.waiting) == ([], 2)

        batching.put(3)
        await batching.commits(1)

    assert batching.kept.shown() == [uri(0, 3), uri(0, 2), uri(0, 1)]
    assert batching.kept.position() == ("", 3, at(3))
    assert batching.counted("plainsky_batch_seconds_count") == 1


@pytest.mark.parametrize("size", [1, 2, 1000])
async def test_a_batch_is_stored_when_its_first_event_is_so_old(sqlite_url: str, size: int) -> None:
    database = Database(sqlite_url)
    database.open()
    batching = Batching(database, size=size, age=0.01)
    async with batching.running():
        batching.put(1)
        await batching.commits(1)

    assert batching.kept.shown() == [uri(0, 1)]
    database.close()


async def test_while_storing_is_blocked_the_source_waits_and_few_batches_are_in_memory(database: Database) -> None:
    batching = Batching(database, size=5)
    waiting: list[int] = []
    stuck = asyncio.Event()

    async def source() -> None:
        for number in range(1, 201):
            batching.put(number)
            waiting.append(batching.batcher.waiting)
            if not batching.batcher._room.is_set():
                stuck.set()
            await batching.batcher.room()
            await asyncio.sleep(0)

    async with batching.running():
        with storing_blocked(database):
            reading = asyncio.create_task(source())
            async with asyncio.timeout(10):
                await stuck.wait()
            for _ in range(100):
                await asyncio.sleep(0)
            assert not reading.done()
            assert len(waiting) <= 5 * (WAITING_BATCHES + 2)
        await reading
    await batching.batcher.finish()

    assert max(waiting) <= 5 * WAITING_BATCHES
    assert batching.kept.shown() == [uri(0, number) for number in range(200, 0, -1)]
    assert batching.kept.position() == ("", 200, at(200))


async def test_batches_are_stored_in_the_order_in_which_they_were_read(database: Database) -> None:
    batching = Batching(database, size=2)
    async with batching.running():
        for number in range(1, 21):
            batching.put(number)
            await asyncio.sleep(0)
        await batching.commits(1)
    await batching.batcher.finish()

    times = [outcome.log_time for outcome in batching.outcomes]
    assert times == sorted(times)
    assert times[-1] == at(20)


async def test_what_is_under_way_when_the_work_is_stopped_is_stored_all_the_same(database: Database) -> None:
    batching = Batching(database, size=2)
    with storing_blocked(database):
        async with batching.running():
            batching.put(1, 2)
            await until(lambda: batching.batcher.waiting == 0)
        batching.put(3)
        ending = asyncio.create_task(batching.batcher.finish())
    await ending

    assert batching.kept.shown() == [uri(0, 3), uri(0, 2), uri(0, 1)]
    assert len(batching.outcomes) == 2


async def test_a_change_of_host_stores_first_and_never_mixes_cursors(database: Database) -> None:
    batching = Batching(database, size=100)
    await batching.batcher.begin("wss://one.example")
    batching.put(7, 8)
    await batching.batcher.begin("wss://two.example")
    assert batching.kept.position() == ("wss://one.example", 8, at(8))

    batching.batcher.passed(3, at(9))
    await batching.batcher.finish()

    assert batching.kept.position() == ("wss://two.example", 3, at(9))
    assert database.read_now(cursors.of_host, "wss://one.example") == (8, at(8))
    assert batching.kept.shown() == [uri(0, 8), uri(0, 7)]


async def test_a_change_of_host_waits_for_the_batch_under_way(database: Database) -> None:
    batching = Batching(database, size=2)
    await batching.batcher.begin("wss://one.example")
    async with batching.running():
        with storing_blocked(database):
            batching.put(1, 2)
            await until(lambda: batching.batcher.waiting == 0)
            batching.put(3)
            beginning = asyncio.create_task(batching.batcher.begin("wss://two.example"))
            for _ in range(20):
                await asyncio.sleep(0)
            assert (beginning.done(), batching.batcher.host) == (False, "wss://one.example")
        await beginning

    assert batching.kept.position() == ("wss://one.example", 3, at(3))


async def test_the_cursor_is_saved_while_only_events_of_no_interest_pass(database: Database) -> None:
    batching = Batching(database, idle=0.01)
    await batching.batcher.begin("wss://one.example")
    async with batching.running():
        batching.batcher.passed(41, at(41))
        batching.batcher.passed(42, at(42))
        await batching.commits(1)

    assert batching.kept.position() == ("wss://one.example", 42, at(42))


async def test_while_nothing_comes_nothing_is_written(database: Database) -> None:
    batching = Batching(database, idle=0.001)
    async with batching.running():
        batching.batcher.passed(1, at(1))
        await batching.commits(1)
        await asyncio.sleep(0.02)

    assert len(batching.outcomes) == 1


async def test_a_gap_is_stored_at_once_and_drops_are_counted(database: Database) -> None:
    batching = Batching(database)
    await batching.batcher.begin("wss://one.example")
    async with batching.running():
        batching.batcher.drop("bad_frame")
        batching.batcher.gap(at(1), at(5), "OutdatedCursor")
        await batching.commits(1)

    assert database.read_now(cursors.gaps, 0) == [Gap("wss://one.example", at(1), at(5), "OutdatedCursor")]
    assert batching.kept.position() is None
    assert batching.metrics.registry.get_sample_value("plainsky_dropped_total", {"reason": "bad_frame"}) == 1


async def test_an_error_of_our_own_making_ends_the_work_loudly(database: Database) -> None:
    batching = Batching(database, size=1)
    batching.kept.store([created(0, 1, 1)])
    database.write_now(lambda session: session.execute("INSERT INTO account (id, did, active, changed_at) VALUES (2, 'x', 1, 0)"))
    work = asyncio.create_task(batching.batcher.run())
    for event in (created(1, 2, 2), created(1, 3, 3)):
        batching.batcher.put(event, 9)

    with pytest.raises(peewee.IntegrityError):
        await asyncio.wait_for(work, 10)

    assert batching.kept.shown() == [uri(0, 1)]
    assert batching.kept.position() == ("wss://relay.example", 1, at(1))


class Away:
    """A PostgreSQL that can be taken away and given back."""

    def __init__(self, url: str) -> None:
        import psycopg

        server, self.name = url.rsplit("/", 1)
        self._admin = psycopg.connect(f"{server}/postgres", autocommit=True)

    def go(self) -> None:
        self._admin.execute(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false')
        self._admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self.name,))

    def come_back(self) -> None:
        self._admin.execute(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')

    def close(self) -> None:
        self.come_back()
        self._admin.close()


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Database]:
    database = Database(postgresql_url)
    database.open()
    yield database
    database.close()


@pytest.fixture
def away(postgresql: Database, postgresql_url: str) -> Iterator[Away]:
    away = Away(postgresql_url)
    yield away
    away.close()


async def test_while_the_database_is_away_batches_wait_and_nothing_is_lost(
    postgresql: Database, away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    batching = Batching(postgresql, size=2)
    async with batching.running() as work:
        batching.put(1, 2)
        await batching.commits(1)
        away.go()
        batching.put(3, 4)
        await until(lambda: "the database does not answer" in caplog.text)
        batching.put(5, 6)
        assert (len(batching.outcomes), work.done()) == (1, False)

        away.come_back()
        await batching.commits(2)
    await batching.batcher.finish()

    assert batching.kept.shown() == [uri(0, number) for number in range(6, 0, -1)]
    assert batching.kept.position() == ("", 6, at(6))


async def test_a_stop_does_not_wait_for_a_database_that_is_away_and_the_cursor_stands_before_what_was_not_stored(
    postgresql: Database, postgresql_url: str, away: Away, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plainsky.reading.LAST_BATCH_SECONDS", 0.1)
    kept = Kept(postgresql)
    async with FirehoseServer() as relay:
        postgresql.write_now(cursors.save, f"firehose {relay.host}", 1, 0)
        reading = Reading(Ingest(source="firehose", hosts=(relay.host,)), postgresql, kept.storer, Metrics(), lambda _: None)
        work = asyncio.create_task(reading.run(Interrupted(away)))
        await until(lambda: "the database does not answer" in caplog.text)
        work.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([work])
        assert work.cancelled()

    away.come_back()
    with contextlib.closing(Database(postgresql_url)) as anew:  # the connections from before were cut
        assert anew.read_now(cursors.current) == (f"firehose {relay.host}", 1, 0)
    assert "will be read again" in caplog.text


class Interrupted(Firehose):
    """A firehose; as soon as it is connected, the database goes away."""

    def __init__(self, away: Away) -> None:
        super().__init__(10_000_000)
        self._away = away

    async def run(self, *arguments: Any) -> None:
        self._away.go()
        await super().run(*arguments)
