"""`/status`: how the service fares, and nothing about readers."""

from pathlib import Path

import msgspec

from feedgen.feed import Feed
from feedgen.rules import load
from models import cursors, lists
from models.cursors import Gap
from models.database import Database
from plainsky.knowing.labelers import stream_of
from plainsky.metrics import Metrics
from plainsky.pages.site import public_host
from plainsky.pages.status import StatusFacts
from tests.support.garden import at, created, did
from tests.support.kept import Kept
from tests.support.pages import reading

DOCS = Path(__file__).parents[2] / "docs" / "pages.md"


async def test_sources_gaps_lists_and_labelers_are_told(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1)])
    database.write_now(cursors.add_gaps, [Gap("wss://relay.example", at(-90), at(-60), "<OutdatedCursor>")])
    database.write_now(cursors.save_aside, stream_of("did:plc:labeler"), 1234)
    database.write_now(lists.keep, lists.Copy(f"at://{did(1)}/app.bsky.graph.list/x", "Friends", at(0), frozenset({did(2), did(3)})))

    async with reading(kept) as reader:
        got = await reader.get("/status")

    tables = got.texts("tbody tr")
    assert tables[0].startswith("wss://relay.example in use 2026-11-20 12:00")
    (gap,) = got.texts(".gaps li")
    assert gap == "2026-11-20 11:58 – 2026-11-20 11:59 UTC not healed yet wss://relay.example: <OutdatedCursor>"
    assert "Friends 2 1 hour ago" in tables
    assert "did:plc:labeler 1 234" in tables
    assert [text.split()[0] for text in got.texts(".plain li")][:3] == ["Plainsky", "Python", "aiohttp"]
    assert got.texts(".plain li")[-1].split()[0].lower() == database.dialect


async def test_a_gap_tells_when_and_from_where_it_was_healed_also_to_programs(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1)])
    gaps = [Gap("wss://relay.example", at(second), at(second + 10), "OutdatedCursor") for second in (-90, -60)]
    database.write_now(cursors.add_gaps, gaps)
    first, second = database.read_now(cursors.open_gaps, 0)
    database.write_now(cursors.heal, first.id, at(120), "wss://other.example")
    database.write_now(cursors.heal, second.id, at(180), "recording")

    async with reading(kept) as reader:
        got, dutch, told = await reader.get("/status"), await reader.get("/status", "nl"), await reader.get("/status.json")
        known = await reader.get("/status.json", If_None_Match=told.headers["ETag"])

    newest, oldest = got.texts(".gaps li")
    assert "UTC healed All of it was read again on 2026-11-20 12:02 UTC, from wss://other.example." in oldest
    assert "UTC geheeld Op 2026-11-20 12:03 UTC is alles opnieuw gelezen, uit een opname." in dutch.texts(".gaps li")[0]
    assert newest.startswith("2026-11-20 11:59")
    facts = msgspec.json.decode(told.body)
    assert facts["gaps"][1] == {
        "from": "2026-11-20T11:58:30.000Z",
        "to": "2026-11-20T11:58:40.000Z",
        "cause": "OutdatedCursor",
        "host": "wss://relay.example",
        "healedAt": "2026-11-20T12:02:00.000Z",
        "healedFrom": "wss://other.example",
    }
    assert facts["sources"] == [{"host": "wss://relay.example", "storedTo": "2026-11-20T12:00:01.000Z", "inUse": True}]
    assert facts["logTime"] == "2026-11-20T12:00:01.000Z"
    assert facts["lagSeconds"] == 3599.0
    assert [name for name in msgspec.structs.fields(StatusFacts) if f"`{name.encode_name}`" not in DOCS.read_text()] == []
    assert known.status == 304


async def test_where_a_recording_lies_is_not_told(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1)])
    database.write_now(cursors.save, "replay /home/ann/recordings", 7, at(1))
    database.write_now(cursors.add_gaps, [Gap("/home/ann/recordings", at(-90), at(-60), "recording stopped")])
    metrics = Metrics()
    metrics.connected("/home/ann/recordings")

    async with reading(kept, metrics=metrics) as reader:
        pages = [await reader.get(path) for path in ("/status", "/status.json", "/feeds/all", "/feeds/all.json")]

    assert "replay recordings" in pages[0].body
    assert public_host("the bundled sample /a/b/sample") == "the bundled sample"
    assert not [page.body for page in pages if "/home" in page.body]


async def test_a_list_that_was_never_read_is_told_too(database: Database) -> None:
    uri = f"at://{did(1)}/app.bsky.graph.list/3l5gbwvbz2c2a"
    feed = Feed("friends", "Friends", (load("list")(any=(uri,)),))

    async with reading(Kept(database, (feed,))) as reader:
        got = await reader.get("/status")

    assert f"{uri} 0 never yet; see the log" in got.texts("tbody tr")


async def test_a_service_that_has_read_nothing_yet_says_so(database: Database) -> None:
    async with reading(Kept(database)) as reader:
        got = await reader.get("/status", "nl")

    assert "wacht op het eerste bericht" in " ".join(got.texts("main p"))


async def test_how_often_readers_came_is_not_told(database: Database) -> None:
    async with reading(Kept(database)) as reader:
        for _ in range(77):
            await reader.get("/")
        got = await reader.get("/status")

    assert "77" not in " ".join(got.texts("main"))


async def test_a_source_that_cannot_be_reached_is_told_and_only_connections_that_stood_are_counted(database: Database) -> None:
    metrics = Metrics()
    async with reading(Kept(database), metrics=metrics) as reader:
        metrics.connecting()
        tried = [(await reader.get(path)).texts("main p") for path in ("/", "/status")]
        metrics.connecting()
        failed = [(await reader.get(path)).texts("main") for path in ("/", "/status")]
        metrics.connected("relay.example")
        stands = [(await reader.get(path)).texts("main") for path in ("/", "/status")]

    assert all("waiting for the first post" in " ".join(page) for page in tried)
    assert all("cannot be reached" in page[0] and "waiting" not in page[0] for page in failed)
    assert "Connected to" not in failed[1][0]
    assert all("waiting for the first post" in page[0] for page in stands)
    assert "Connected to relay.example 1" in stands[1][0]
