"""A sceptic rebuilds a feed from a recording, and gets the bytes that were served (plainsky/trying/verifying.py, docs/verifying.md)."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from feedgen.pages import FeedPages
from feedgen.skeleton import place_of
from models import cursors
from models.database import Database
from models.duration import duration
from models.events import Event
from models.protocol.syntax import format_datetime
from plainsky.cli import main
from plainsky.commands.record import record
from plainsky.config.loading import parse
from plainsky.config.schema import Config
from plainsky.ingest.notes import BeginNote, HandleNote, ListNote, noted
from plainsky.ingest.recording import Recorder, lines
from plainsky.ingest.replay import Replay
from plainsky.pipeline.pruning import prune
from plainsky.service import Service
from plainsky.trying.recordings import Recordings
from plainsky.trying.scratch import scratch
from plainsky.trying.verifying import rebuilt
from tests.support import postgres
from tests.support.garden import account, at, created, deleted, did, updated, uri
from tests.support.jetstream_server import JetstreamServer
from tests.support.kept import Kept
from tests.support.neighbours import Neighbours, list_uri, members
from tests.support.programs import get_json
from tests.support.sinks import Remembering

CONFIG = """
[service]
hostname = "feeds.example.org"
[ingest]
import_after = "52w"
"""
FEED = """
[[feeds]]
rkey = "{rkey}"
name = "{rkey}"
window = "12h"
per_author = {{ posts = 3, every = "1h" }}
{more}
[[feeds.include]]
kind = "{kind}"
any = ["{word}"]
"""
ORDERS = {
    "newest": "",
    "oldest": 'order = "oldest_first"',
    "edition": 'order = "edition"\nedition = { at = ["00:00", "06:00", "12:00", "18:00"] }',
    "topic": 'order = "topic"\ntopic = { bucket = "1h", terms = { rose = 2.0, weed = -1.0 } }',
    "ends": f'pinned = "{uri(0, 0)}"\nending = "{uri(0, 1)}"',
}
TEXT = CONFIG + "".join(FEED.format(rkey=rkey, more=more, kind="keyword", word="garden") for rkey, more in ORDERS.items())
WORDS = ("rose", "tulip", "weed", "rose rose", "oak")


def story() -> list[Event]:
    """Two days of posts, of which many are edited or deleted, by authors who come and go."""
    events: list[Event] = []
    for number in range(160):
        second = 1_080 * number
        events.append(created(number % 5, second, second, f"my garden has a {WORDS[number % 5]}"))
        if number % 4 == 3:
            events.append(updated((number - 2) % 5, second - 2_160, second + 60, f"my garden had a {WORDS[number % 3]}"))
        if number % 5 == 4:
            events.append(deleted((number - 3) % 5, second - 3_240, second + 120))
        if number % 40 in (15, 20):
            events.append(account(number // 40, second + 180, number % 40 == 20))
    return events


def recording(folder: Path, events: Sequence[Event]) -> Path:
    with Recorder(folder) as recorder:
        for number, event in enumerate(events, 1):
            recorder.put(event, number)
    return folder


async def served(kept: Kept, config: Config, rkey: str) -> list[bytes]:
    """Every page of a feed as the service answers, with a limit of 7."""
    log_time = kept.database.read_now(cursors.log_time)
    pages = FeedPages(kept.database, config.feeds, {one.rkey: number for one, number in zip(config.feeds, kept.ids, strict=True)}, log_time)
    found = [await pages.skeleton(rkey, None, 7)]
    while b'"cursor":"' in found[-1]:
        cursor = found[-1].rpartition(b'"cursor":"')[2].partition(b'"')[0].decode()
        found.append(await pages.skeleton(rkey, place_of(cursor), 7))
    return found


@pytest.mark.parametrize("size", [1, 2])
def test_verify_prints_the_served_bytes_of_every_order_after_deletes_and_edits(
    tmp_path: Path, database: Database, size: int, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    config, events = parse(TEXT), story()
    (tmp_path / "config.toml").write_text(TEXT)
    recording(tmp_path / "recording", events)
    kept, stored = Kept(database, config.feeds), 0
    for share in (0.6, 1.0):
        upto = int(len(events) * share)
        for first in range(stored, upto, size):
            kept.store(events[first : min(first + size, upto)], first)
        stored = upto
        asyncio.run(prune(database, config.feeds, kept.ids, duration("1d"), config.ingest.import_after))
        log_time = database.read_now(cursors.log_time)
        for rkey in ORDERS:
            expected = asyncio.run(served(kept, config, rkey))
            words = ["--recording", str(tmp_path / "recording"), "--config", str(tmp_path / "config.toml"), "--limit", "7"]
            assert main(["verify", rkey, *words, "--at", format_time(log_time)]) == 0
            assert capfdbinary.readouterr().out.splitlines() == expected
            assert len(expected) > 1
            assert rkey in ("oldest", "topic") or b"cursor" in expected[0]


def format_time(time_us: int) -> str:
    """To the microsecond."""
    return format_datetime(time_us)[:-1] + f"{time_us % 1000:03}Z"


def test_a_log_time_that_is_cut_to_the_millisecond_means_the_event_of_that_millisecond(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "config.toml").write_text(TEXT)
    first, second = created(1, 1, 1, "my garden"), created(1, 2, 2, "a garden")
    recording(tmp_path / "recording", [replace(first, time_us=at(1) + 252_817), replace(second, time_us=at(1) + 253_001)])
    words = [
        "--recording",
        str(tmp_path / "recording"),
        "--config",
        str(tmp_path / "config.toml"),
        "--at",
        format_datetime(at(1) + 252_000),
    ]

    assert main(["verify", "newest", *words]) == 0
    assert [item["post"] for item in json.loads(capfdbinary.readouterr().out)["feed"]] == [uri(1, 1)]


async def test_the_rebuilt_bytes_are_the_same_in_postgresql(tmp_path: Path, postgresql_server: postgres.Server) -> None:
    config = parse(TEXT)
    recording(tmp_path / "recording", story())
    with postgresql_server.empty() as url:
        for_each: list[bytes] = []
        for where in (None, url):
            with scratch(where) as database:
                found = rebuilt(database, config, "topic", tmp_path / "recording", None)
                for_each.append(await found.pages.skeleton("topic", None, 100))

    assert for_each[0] == for_each[1]
    assert for_each[0].count(b'"post"') > 10


def test_who_was_on_a_list_counts_from_where_it_was_noted(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    listed = f"at://{did(0)}/app.bsky.graph.list/3kaaaaaaaaa2a"
    (tmp_path / "config.toml").write_text(CONFIG + FEED.format(rkey="listed", more="", kind="list", word=listed))
    with Recorder(tmp_path / "recording") as recorder:
        recorder.note(HandleNote("anna.example.org", did(1), at(0)))
        recorder.put(created(1, 1, 1), 1)
        recorder.note(ListNote(listed, "Gardeners", (did(1), did(2)), at(2)))
        recorder.put(created(2, 3, 3), 2)
        recorder.put(created(3, 4, 4), 3)
        recorder.note(ListNote(listed, "Gardeners", (did(2), did(3)), at(5)))
        recorder.put(created(1, 6, 6), 4)
    words = ["verify", "listed", "--recording", str(tmp_path / "recording"), "--config", str(tmp_path / "config.toml"), "--cursor", ""]

    def posts(*more: str) -> list[str]:
        assert main([*words, *more]) == 0
        return [item["post"] for item in json.loads(capfdbinary.readouterr().out)["feed"]]

    assert posts() == [uri(3, 4), uri(2, 3)]
    assert posts("--at", format_datetime(at(3))) == [uri(2, 3), uri(1, 1)]


async def test_a_replay_passes_notes_over(tmp_path: Path) -> None:
    with Recorder(tmp_path / "recording") as recorder:
        recorder.note(HandleNote("anna.example.org", did(1), at(0)))
        recorder.put(created(1, 1, 1), 1)
        recorder.note(ListNote(uri(1, 1), "L", (did(1),), at(2)))
    sink = Remembering(str(tmp_path / "recording"))

    await Replay().run(str(tmp_path / "recording"), None, sink)

    assert len(sink.events) == 1
    assert not sink.dropped


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--cursor", "nonsense"], "this is no cursor of a feed"),
        (["--at", "1999-01-01T00:00:00Z"], "nothing in it is as old"),
        (["--recording", "nowhere"], "there is no recording"),
    ],
)
def test_what_cannot_be_verified_is_told(tmp_path: Path, more: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(TEXT)
    recording(tmp_path / "recording", story()[:5])

    assert main(["verify", "newest", "--recording", str(tmp_path / "recording"), "--config", str(tmp_path / "config.toml"), *more]) == 2
    assert told in capsys.readouterr().err


def test_what_is_missing_in_a_recording_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(TEXT)
    recording(tmp_path / "recording", story()[:5])

    assert main(["verify", "newest", "--recording", str(tmp_path / "recording"), "--config", str(tmp_path / "config.toml")]) == 0
    assert "posts of before are missing here" in capsys.readouterr().err


def test_holes_in_a_recording_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(TEXT)
    with Recorder(tmp_path / "recording") as recorder:
        recorder.note(BeginNote(at(0)))
        recorder.put(created(1, 1, 1), 1)
        recorder.gap(at(2), at(3), "OutdatedCursor")
        recorder.put(created(1, 4, 4), 2)
        recorder.note(BeginNote(at(100)))
        recorder.put(created(1, 101, 101), 3)

    assert main(["verify", "newest", "--recording", str(tmp_path / "recording"), "--config", str(tmp_path / "config.toml")]) == 0
    told = capsys.readouterr().err
    for start, end in ((2, 3), (4, 101)):
        assert f"a hole from {format_datetime(at(start))} to {format_datetime(at(end))}: posts of then are missing" in told
    assert told.count("a hole") == 2


def test_a_recordings_fingerprints_are_those_of_its_finished_files(tmp_path: Path) -> None:
    for events in (story()[:3], story()[3:6]):
        recording(tmp_path, events)
    first, second = sorted(tmp_path.glob("*.zst"))
    recordings = Recordings(tmp_path)

    (only,) = recordings.files(second.stat().st_mtime + 1)
    assert (only.name, only.sha256) == (first.name, hashlib.sha256(first.read_bytes()).hexdigest())
    assert [file.name for file in recordings.files(second.stat().st_mtime + 7200)] == [first.name, second.name]
    assert Recordings(tmp_path / "nowhere").files() == []


async def test_a_recording_notes_who_is_on_the_lists_and_whose_the_handles_are(tmp_path: Path) -> None:
    async with Neighbours() as others, JetstreamServer() as instance:
        others.lists[list_uri()] = ("Gardeners", members([2, 1]))
        others.handles["anna.example.org"] = did(3)
        words = {"list": list_uri(), "author": "anna.example.org"}
        rules = "".join(FEED.format(rkey=kind, more="", kind=kind, word=word) for kind, word in words.items())
        network = f'[appview]\nurl = "{others.url}"\n[identity]\nresolver = "{others.url}"\n'
        config = parse(CONFIG.replace("[ingest]", f'[ingest]\nhosts = ["{instance.host}"]') + network + rules)
        with Recorder(tmp_path / "recording") as recorder:
            await record(config, recorder, 1.0)

    notes = [note for line in lines(tmp_path / "recording") if (note := noted(line))]
    assert [(type(note).__name__, getattr(note, "did", None), getattr(note, "members", None)) for note in notes] == [
        ("BeginNote", None, None),
        ("HandleNote", did(3), None),
        ("ListNote", None, (did(1), did(2))),
    ]


async def test_the_service_serves_the_fingerprints(tmp_path: Path) -> None:
    for events in (story()[:3], story()[3:6]):
        recording(tmp_path / "recording", events)
    more = f'port = 0\n[store]\nurl = "sqlite:///{tmp_path}/plainsky.sqlite"\n[recording]\nfolder = "{tmp_path}/recording"\n'
    service = Service(parse(TEXT.replace("[ingest]", f"{more}[ingest]")))
    await service.start()
    try:
        status, told = await asyncio.to_thread(get_json, f"{service.url}/recordings.json")
    finally:
        await service.stop()

    assert (status, [file["name"] for file in told["files"]]) == (200, ["000001.jsonl.zst"])
