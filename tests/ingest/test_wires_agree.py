"""Whichever way an event came, it is the same value: firehose, both wires of Jetstream, and a recording of any of them."""

import asyncio
from pathlib import Path

import msgspec

from models.events import Event, PostCreated, RepoReset
from plainsky.ingest import Position, Source
from plainsky.ingest.firehose import Firehose
from plainsky.ingest.jetstream import Jetstream
from plainsky.ingest.recording import Recorder
from plainsky.ingest.replay import Replay
from tests.support.firehose_server import FirehoseServer
from tests.support.jetstream_server import JetstreamServer
from tests.support.recorded import entries, raw_frames
from tests.support.sinks import Remembering

LATE = 250_000
"""An instance sees an event later than it happened; the time of a commit is when it was seen, that of other events upstream's own."""


async def read(source: Source, host: str, start: Position | None, count: int) -> list[Event]:
    sink = Remembering(host)
    reading = asyncio.ensure_future(source.run(host, start, sink))
    await sink.reaches(count)
    reading.cancel()
    await asyncio.wait([reading])
    assert not sink.dropped
    return sink.events


def on_time(event: Event) -> Event:
    return msgspec.structs.replace(event, time_us=event.time_us - LATE) if hasattr(event, "rkey") else event


async def test_the_same_events_come_over_every_wire(tmp_path: Path) -> None:
    log = entries(raw_frames(), late_us=LATE)
    async with FirehoseServer() as relay, JetstreamServer(log, dictionary=True) as instance:
        firehose = await read(Firehose(), relay.host, Position(relay.host, 1, 0), 368)
        v2 = await read(Jetstream("v2"), instance.host, Position(instance.host, 1, 0), 368)
        v1 = await read(Jetstream("v1"), instance.host, Position(instance.host, log[0].witnessed_us, log[0].witnessed_us), 357)
    with Recorder(tmp_path) as recorder:
        for cursor, event in enumerate(firehose):
            recorder.put(event, cursor)
    replayed = await read(Replay(), str(tmp_path), None, 368)

    assert [on_time(event) for event in v2] == firehose
    assert [on_time(event) for event in v1] == [event for event in firehose if not isinstance(event, RepoReset)]
    assert replayed == firehose
    assert any("$link" in str(event.record) for event in firehose if isinstance(event, PostCreated))
