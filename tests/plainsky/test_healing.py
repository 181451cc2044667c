"""A gap is healed when all of its stretch was read after all, from a host that has it or from a recording (plainsky/knowing/healing.py)."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from models import accounts, cursors
from models.cursors import Gap
from models.database import Database
from models.events import Event, IdentityChanged, PostCreated
from plainsky.config.loading import parse
from plainsky.config.schema import Ingest
from plainsky.ingest import Source
from plainsky.ingest.firehose import Firehose
from plainsky.ingest.jetstream import Jetstream
from plainsky.ingest.notes import BeginNote, GapNote
from plainsky.ingest.recording import Recorder
from plainsky.knowing import healing
from plainsky.knowing.healing import FIRST_PAUSE, Healer
from plainsky.metrics import Metrics
from plainsky.pipeline.batching import Batch, write
from plainsky.pipeline.storing import Outcome
from plainsky.reading import Reading
from plainsky.service import Service
from plainsky.trying.scratch import scratch
from tests.support.firehose_server import FirehoseServer
from tests.support.garden import at, created, deleted, did, uri
from tests.support.jetstream_server import JetstreamServer
from tests.support.kept import Kept, feed
from tests.support.programs import get_json, wait_until
from tests.support.recorded import entries, raw_frames
from tests.support.tokens import Clock

LOG = entries(raw_frames())
FROM, TO = LOG[100].witnessed_us, LOG[400].witnessed_us
WIRES: dict[str, Callable[[Ingest], Source]] = {
    "firehose": lambda ingest: Firehose(ingest.margin, quiet_seconds=0.05),
    "v1": lambda ingest: Jetstream("v1", ingest.margin),
    "v2": lambda ingest: Jetstream("v2", ingest.margin),
}


class Healing:
    """A healer around a pipeline that knows of one gap."""

    def __init__(self, database: Database, *hosts: str, wire: str = "v2", folder: Path | None = None) -> None:
        self.kept, self.clock, self.stored = Kept(database, [feed("python", "python")]), Clock(), list[Event]()
        database.write_now(cursors.save, "jetstream wss://gone.example", 7, TO)
        database.write_now(cursors.add_gaps, [Gap("jetstream wss://gone.example", FROM, TO, "OutdatedCursor")])
        self.healer = Healer(database, Ingest(hosts=hosts), folder, self.store, self.clock, 0.3, WIRES[wire])

    async def store(self, events: Sequence[Event]) -> None:
        self.stored += events
        await write(self.kept.database, self.kept.storer, Batch(self.kept.storer.fold(events)))

    @property
    def gap(self) -> Gap:
        (gap,) = self.kept.database.read_now(cursors.gaps, 0)
        return gap


def server(wire: str) -> JetstreamServer | FirehoseServer:
    return FirehoseServer() if wire == "firehose" else JetstreamServer()


@pytest.mark.parametrize("wire", WIRES)
async def test_a_gap_is_healed_from_the_host_that_has_all_of_it(database: Database, wire: str) -> None:
    async with server(wire) as short, server(wire) as long:
        if isinstance(short, FirehoseServer):
            short.forget(below=200)
        else:
            short.floor = 200
        made = Healing(database, short.host, long.host, wire=wire)

        await made.healer.once()

    assert made.gap[4:] == (int(made.clock() * 1e6), long.host)
    lost = {(each.did, each.commit["rkey"]) for each in LOG[101:400] if each.commit.get("operation") == "create"}
    told = {(event.did, event.rkey) for event in made.stored if isinstance(event, PostCreated)}
    assert len(lost & told) > 100
    assert {key for key in lost if key[1] in {rkey for _, rkey in told}} <= told
    assert made.kept.position() == ("jetstream wss://gone.example", 7, TO), "the cursor stays where it is"


@pytest.mark.parametrize("wire", WIRES)
async def test_a_gap_that_nobody_has_whole_stays_open_and_is_asked_for_less_and_less_often(database: Database, wire: str) -> None:
    async with server(wire) as short:
        if isinstance(short, FirehoseServer):
            short.forget(below=200)
        else:
            short.floor = 200
        made = Healing(database, short.host, "ws://127.0.0.1:1", wire=wire)
        counts = []
        for seconds in (0.0, FIRST_PAUSE - 1, 2.0, FIRST_PAUSE, FIRST_PAUSE):
            made.clock.now += seconds
            before = len(short.asked)
            await made.healer.once()
            counts.append(len(short.asked) > before)

    assert made.gap.healed_at is None
    assert counts == [True, False, True, False, True]


async def test_a_host_that_falls_silent_before_the_end_has_not_healed(database: Database) -> None:
    async with JetstreamServer(LOG[:300]) as early:
        made = Healing(database, early.host)
        await made.healer.once()

    assert made.gap.healed_at is None


def recorded(folder: Path, events: Sequence[Event | BeginNote | GapNote]) -> Path:
    with Recorder(folder) as recorder:
        for event in events:
            if isinstance(event, BeginNote | GapNote):
                recorder.note(event)
            else:
                recorder.put(event, 1)
    return folder


def garden(database: Database, folder: Path) -> Healing:
    """The garden's posts of the seconds 100 to 200 were lost, but one whose deletion was lost."""
    made = Healing(database, folder=folder)
    made.kept = Kept(database)
    made.kept.store([created(1, 99, 99), created(1, 201, 201)])
    database.write_now(lambda session: session.execute("UPDATE gap SET from_us = ?, to_us = ?", (at(100), at(200))))
    return made


WHOLE: list[Event | BeginNote | GapNote] = [
    BeginNote(at(0)),
    created(1, 20, 20),
    created(2, 150, 150),
    deleted(1, 99, 160),
    IdentityChanged(did(2), at(170), "old.example.org"),
    *(created(3, second, second) for second in range(200, 221)),
]


async def test_a_recording_heals_and_what_was_deleted_meanwhile_goes(database: Database, tmp_path: Path) -> None:
    made = garden(database, recorded(tmp_path, WHOLE))

    await made.healer.once()

    assert made.gap.healed_from == "recording"
    assert uri(2, 150) in made.kept.shown()
    assert uri(1, 99) not in made.kept.shown()
    assert uri(1, 20) not in made.kept.shown(), "what is older than the gap was not lost"


async def test_a_handle_of_then_does_not_take_the_place_of_what_is_known_now(database: Database, tmp_path: Path) -> None:
    """A handle's event carries no revision by which to tell."""
    made = garden(database, recorded(tmp_path, WHOLE))
    made.kept.store([created(2, 300, 300), IdentityChanged(did(2), at(301), "new.example.org")])

    await made.healer.once()

    assert database.read_now(accounts.by_handle, ["old.example.org", "new.example.org"]) == {"new.example.org": did(2)}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([*WHOLE[:2], BeginNote(at(120)), *WHOLE[2:]], id="it was interrupted"),
        pytest.param([*WHOLE[:2], GapNote(at(90), at(110), "OutdatedCursor"), *WHOLE[2:]], id="its host lacked something"),
        pytest.param([WHOLE[0], *WHOLE[2:]], id="it begins too late"),
        pytest.param(WHOLE[:5], id="it ends too early"),
        pytest.param([], id="it is empty"),
    ],
)
async def test_a_recording_with_a_hole_does_not_heal(
    database: Database, tmp_path: Path, events: Sequence[Event | BeginNote | GapNote]
) -> None:
    made = garden(database, recorded(tmp_path, events))

    await made.healer.once()

    assert made.gap.healed_at is None


async def test_holes_outside_the_gap_do_not_matter(database: Database, tmp_path: Path) -> None:
    made = garden(database, recorded(tmp_path, [created(1, 1, 1), *WHOLE, BeginNote(at(500)), created(1, 600, 600)]))

    await made.healer.once()

    assert made.gap.healed_from == "recording"


async def read_on(database: Database, kept: Kept, ingest: Ingest, after: int) -> None:
    """Go on where so many events were stored, to the end of what the first host has."""
    stream = f"jetstream {ingest.hosts[0]}"
    database.write_now(cursors.save, stream, after, LOG[after - 1].witnessed_us)
    read = asyncio.Event()

    def committed(_: Outcome) -> None:
        if kept.position() == (stream, LOG[-1].seq, LOG[-1].witnessed_us):
            read.set()

    reading = asyncio.create_task(Reading(ingest, database, kept.storer, Metrics(), committed).run())
    async with asyncio.timeout(10):
        await read.wait()
    reading.cancel()
    await asyncio.wait([reading])


async def test_a_gap_that_the_stream_tells_of_is_healed_from_the_next_host_and_nothing_is_missing_then(database: Database) -> None:
    """The whole way: an instance that has forgotten where we stood, and another one that has not."""
    feeds = [feed("python", "python"), feed("batch", "batch")]
    kept = Kept(database, feeds)
    async with JetstreamServer() as short, JetstreamServer() as long:
        short.floor = 300
        ingest = attrs.evolve(Ingest(hosts=(short.host, long.host)), batch_age=10_000)
        await read_on(database, kept, ingest, 50)
        torn = kept.everything()
        (gap,) = database.read_now(cursors.gaps, 0)
        assert (gap.from_us, gap.to_us, gap.healed_at) == (LOG[49].witnessed_us, LOG[299].witnessed_us, None)

        async def store(events: Sequence[Event]) -> None:
            await write(database, kept.storer, Batch(kept.storer.fold(events)))

        await Healer(database, ingest, None, store, silence=0.3).once()

        with scratch() as other:
            whole = Kept(other, feeds)
            await read_on(other, whole, attrs.evolve(ingest, hosts=(long.host,)), 1)
            expected = whole.everything()

    (gap,) = database.read_now(cursors.gaps, 0)
    assert gap.healed_from == long.host
    assert kept.everything() == expected != torn


SERVICE = """
[service]
hostname = "localhost:3000"
port = 0
[store]
url = "sqlite:///{folder}/plainsky.sqlite"
[ingest]
hosts = ["{short}", "{long}"]
import_after = "9999w"
[appview]
url = "http://127.0.0.1:9"
[identity]
plc = "http://127.0.0.1:9"
resolver = "http://127.0.0.1:9"
[[feeds]]
rkey = "python"
name = "Python"
window = "2w"
[[feeds.include]]
kind = "hashtag"
any = ["python"]
"""


async def test_a_service_heals_while_it_serves_and_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healing, "POLL_SECONDS", 0.05)
    async with JetstreamServer() as short, JetstreamServer() as long:
        short.floor = 300
        service = Service(parse(SERVICE.format(folder=tmp_path, short=short.host, long=long.host)))
        await service.start()
        await service.database.write(cursors.save, f"jetstream {short.host}", 50, LOG[49].witnessed_us)
        ingest = asyncio.create_task(service.ingest())

        def gaps() -> list[dict[str, Any]]:
            return list(get_json(f"{service.url}/status.json")[1]["gaps"])

        try:
            await asyncio.to_thread(wait_until, lambda: any(gap["healedAt"] for gap in gaps()), 20, "the gap is healed")
            told = await asyncio.to_thread(gaps)
        finally:
            ingest.cancel()
            await asyncio.wait([ingest])
            await service.stop()

    assert [(gap["cause"], gap["healedFrom"]) for gap in told] == [("CursorTooOld", long.host)]
