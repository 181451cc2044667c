"""`/_health`: a source that is silent is not well, and one that was never heard even less."""

import asyncio

import peewee
import pytest

from models.database import Database, Session
from plainsky.health import Health


async def test_a_source_that_is_never_heard_is_not_ok_after_the_watchdogs_time(database: Database) -> None:
    now = [0.0]
    health = Health(database, lambda: 0.0, first_after=60.0, clock=lambda: now[0])

    assert (await health.report()).parts["ingest"] == {"ok": True, "lagSeconds": None, "silentSeconds": 0.0}
    now[0] = 60.0
    report = await health.report()
    assert not report.well
    assert report.parts["ingest"] == {
        "ok": False,
        "lagSeconds": None,
        "silentSeconds": 60.0,
        "why": "the source has not been heard since the start",
    }


async def test_a_source_that_was_heard_may_be_silent_for_longer(database: Database) -> None:
    now = [50.0]
    health = Health(database, lambda: 1.25, silent_after=300.0, first_after=60.0, clock=lambda: now[0])
    health.heard()

    now[0] = 349.0
    assert (await health.report()).parts["ingest"] == {"ok": True, "lagSeconds": 1.2, "silentSeconds": 299.0}
    now[0] = 350.0
    assert (await health.report()).parts["ingest"]["why"] == "the source has fallen silent"


async def test_what_only_serves_says_nothing_of_a_source(database: Database) -> None:
    health = Health(database, lambda: 0.0)
    health.reads_source = False

    assert "ingest" not in (await health.report()).parts


async def test_a_full_disk_is_told_by_health_and_in_its_own_words(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    health = Health(database, lambda: 0.0)

    def fill(session: Session) -> None:
        session.execute("PRAGMA max_page_count = 1")  # no fewer than there are: not one more
        session.execute("CREATE TABLE filling AS SELECT zeroblob(100000) AS padding")

    try:
        with pytest.raises(peewee.OperationalError, match="full"):
            await database.write(fill)
        assert (await health.report()).parts["database"] == {"ok": False, "why": "nothing can be written"}
        await database.write(lambda session: session.execute("DELETE FROM cursor"))
        assert (await health.report()).parts["database"] == {"ok": True}
    finally:
        await asyncio.to_thread(database.close)
