"""The same events give the same feeds, byte for byte, over every wire and in both databases (docs/invariants.md 4)."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

from feedgen.feed import Feed, Quota
from feedgen.pages import FeedPages
from feedgen.rules import load
from feedgen.skeleton import place_of
from models import cursors
from models.database import Database
from models.duration import duration
from plainsky.config.schema import Ingest
from plainsky.ingest import Position, Source
from plainsky.ingest.firehose import Firehose
from plainsky.ingest.jetstream import Jetstream
from plainsky.ingest.recording import Recorder
from plainsky.ingest.replay import Replay
from plainsky.metrics import Metrics
from plainsky.reading import Reading
from tests.support import postgres
from tests.support.firehose_server import FirehoseServer
from tests.support.jetstream_server import JetstreamServer
from tests.support.kept import Kept
from tests.support.recorded import entries, raw_frames
from tests.support.sinks import Remembering

LATE_US = 250_000
"""A Jetstream instance sees an event so much later than its relay says that it happened."""

SHOWN = {"everything": 197, "python": 42, "pictures": 19, "calm": 10, "edited": 1, "gone": 0}
"""Posts in each feed; the recorded edit and its author's accounts are as tests/network/populate.py made them."""


def feed(rkey: str, kind: str, quota: Quota | None = None, **fields: object) -> Feed:
    return Feed(rkey=rkey, name=rkey, include=(load(kind)(**fields),), window=duration("2w"), per_author=quota)


FEEDS = (
    feed("everything", "language", any=("en", "de", "fr", "pt", "ru", "ar", "ja")),
    feed("python", "hashtag", any=("python", "batch", "日本")),
    feed("pictures", "embed", any=("image",)),
    feed("calm", "keyword", Quota(2, duration("1h")), any=("reply", "the")),
    feed("edited", "keyword", any=("after the edit",)),
    feed("gone", "keyword", any=("before the edit",)),
)


@contextlib.contextmanager
def databases(folder: Path, server: postgres.Server) -> Iterator[dict[str, Database]]:
    """A fresh one of each kind."""
    with server.migrated() as url, contextlib.ExitStack() as stack:
        found = {"sqlite": Database(f"sqlite:///{folder / 'same.sqlite'}"), "postgresql": Database(url)}
        for database in found.values():
            stack.callback(database.close)
            database.open()
        yield found


async def stored(source: Source, host: str, database: Database, last: int) -> None:
    """Read `host` from its beginning until its cursor has come to `last`."""
    kept, done = Kept(database, FEEDS), asyncio.Event()

    def committed(_: object) -> None:
        position = kept.position()
        if position and position[1] >= last:
            done.set()

    kept.database.write_now(cursors.save, f"{source.kind} {host}", 1 if last < 10**15 else 10**15, 0)
    config = Ingest(source="replay", path=Path(host)) if isinstance(source, Replay) else Ingest(hosts=(host,))
    reading = asyncio.create_task(Reading(config, database, kept.storer, Metrics(), committed).run(source))
    await asyncio.wait([reading, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED, timeout=30)
    assert done.is_set()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def served(database: Database) -> dict[str, list[bytes]]:
    """Every page of every feed, walked with a limit of 7."""
    kept = Kept(database, FEEDS)
    pages = FeedPages(database, FEEDS, {one.rkey: number for one, number in zip(FEEDS, kept.ids, strict=True)})
    pages.committed((), database.read_now(cursors.log_time))
    return {one.rkey: await _walk(pages, one.rkey) for one in FEEDS}


async def _walk(pages: FeedPages, rkey: str) -> list[bytes]:
    found = [await pages.skeleton(rkey, None, 7)]
    while b'"cursor":"' in found[-1]:
        cursor = found[-1].rpartition(b'"cursor":"')[2].partition(b'"')[0].decode()
        found.append(await pages.skeleton(rkey, place_of(cursor), 7))
    return found


async def heard(source: Source, host: str, count: int) -> Remembering:
    """What a source tells from its host's beginning."""
    sink = Remembering(host)
    reading = asyncio.ensure_future(source.run(host, Position(host, 1, 0), sink))
    await sink.reaches(count)
    reading.cancel()
    await asyncio.wait([reading])
    return sink


async def test_every_wire_and_both_databases_serve_the_same_bytes(tmp_path: Path, postgresql_server: postgres.Server) -> None:
    log = entries(raw_frames(), late_us=LATE_US)
    answers = {}
    async with FirehoseServer() as relay, JetstreamServer(log, dictionary=True) as instance:
        sources: dict[str, tuple[Source, str, int]] = {
            "firehose": (Firehose(), relay.host, 368),
            "v2": (Jetstream("v2"), instance.host, 368),
            "v1": (Jetstream("v1"), instance.host, 357),
            "replay": (Replay(), str(tmp_path / "recording"), 368),
        }
        with Recorder(tmp_path / "recording") as recorder:
            for number, event in enumerate((await heard(Firehose(), relay.host, 368)).events, 1):
                recorder.put(event, number)
        for wire, (source, host, count) in sources.items():
            last = (await heard(source, host, count)).cursors[-1]
            (tmp_path / wire).mkdir()
            with databases(tmp_path / wire, postgresql_server) as found:
                for dialect, database in found.items():
                    await stored(source, host, database, last)
                    answers[wire, dialect] = await served(database)

    reference = answers["firehose", "sqlite"]
    assert {rkey: sum(page.count(b'{"post"') for page in pages) for rkey, pages in reference.items()} == SHOWN
    for way, answer in answers.items():
        assert answer == reference, way
