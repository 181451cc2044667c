"""Recordings: written safely, played at any pace, from any line, and moved in time without losing what belongs together."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from models.events import AccountChanged, Event, IdentityChanged, PostCreated, PostDeleted, PostUpdated, RepoReset
from plainsky.errors import OperatorError
from plainsky.ingest import Position
from plainsky.ingest.recording import Recorder, lines, recorded_files
from plainsky.ingest.replay import Replay, decoded
from tests.support.sinks import Remembering

ROOT = Path(__file__).parents[2]
DID = "did:plc:4c62uglso3yznblk2tzpikk7"
START = 1_795_202_768_000_000
EVERY_KIND: list[Event] = [
    PostCreated(DID, "3n2rcvze7a22t", "3n2rcvpjork2t", "bafyreib", START, {"text": "a\nb ☀ \0", "b": {"$bytes": "eA"}, "f": 1.5}),
    PostUpdated(DID, "3n2rcvze7a22t", "3n2rcvpjork2t", "bafyreib", START + 1, {}),
    PostDeleted(DID, "3n2rcvze7a22t", "3n2rcvpjork2t", START + 2),
    AccountChanged(DID, False, START + 3, "takendown"),
    AccountChanged(DID, True, START + 4),
    IdentityChanged(DID, START + 5, "alice.test"),
    RepoReset(DID, "3n2rcvpjork2t", START + 6),
]


def changes(count: int, every_us: int = 1_000_000) -> list[Event]:
    return [AccountChanged(DID, True, START + n * every_us, str(n)) for n in range(count)]


def recorded(folder: Path, events: list[Event], **options: float) -> Path:
    with Recorder(folder, **options) as recorder:
        for cursor, event in enumerate(events, 100):
            recorder.put(event, cursor)
            recorder.flush()
    return folder


async def played(path: Path, start: Position | None = None, **options: object) -> Remembering:
    sink = Remembering(str(path))
    await Replay(**options).run(str(path), start, sink)
    return sink


async def test_every_kind_of_event_comes_back_as_it_was(tmp_path: Path) -> None:
    sink = await played(recorded(tmp_path, EVERY_KIND))

    assert sink.events == EVERY_KIND
    assert sink.cursors == list(range(1, 8))


def test_a_line_is_the_event_as_json_with_the_sources_cursor(tmp_path: Path) -> None:
    line = json.loads(next(lines(recorded(tmp_path, EVERY_KIND[3:]))))

    assert line == {"kind": "account", "did": DID, "active": False, "time_us": START + 3, "status": "takendown", "cursor": 100}


async def test_files_are_rotated_and_played_in_order_as_one(tmp_path: Path) -> None:
    recorded(tmp_path, changes(25), file_bytes=300)

    assert len(recorded_files(tmp_path)) > 2
    assert (await played(tmp_path)).events == changes(25)


def test_a_new_file_is_begun_when_the_hour_is_over(tmp_path: Path) -> None:
    now = 0.0
    with Recorder(tmp_path, clock=lambda: now) as recorder:
        for event in changes(3):
            recorder.put(event, 1)
            now += 1801.0
            recorder.flush()

    assert len(recorded_files(tmp_path)) == 2


async def test_a_second_recording_in_the_same_folder_goes_on_and_overwrites_nothing(tmp_path: Path) -> None:
    recorded(tmp_path, changes(3))
    recorded(tmp_path, EVERY_KIND)

    assert (await played(tmp_path)).events == changes(3) + EVERY_KIND


def test_a_kill_loses_nothing_that_was_flushed_and_the_torn_file_is_read_up_to_there(tmp_path: Path) -> None:
    program = f"""
import sys; from pathlib import Path
from models.events import AccountChanged
from plainsky.ingest.recording import Recorder
recorder = Recorder(Path({str(tmp_path)!r}))
for n in range(1000):
    recorder.put(AccountChanged({DID!r}, True, {START} + n * 1_000_000, str(n)), n)
    if n == 700:
        recorder.flush()
print("flushed", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"flushed\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()

    events = asyncio.run(played(tmp_path)).events
    assert events[:701] == changes(701)


@pytest.mark.parametrize("cut", [1, 7, 40, 400])
async def test_a_file_torn_anywhere_is_read_up_to_there(tmp_path: Path, cut: int) -> None:
    file = recorded_files(recorded(tmp_path, changes(300)))[0]
    file.write_bytes(file.read_bytes()[:-cut])

    sink = await played(file)

    assert sink.events == changes(300)[: len(sink.events)]
    assert len(sink.events) >= 270


async def test_a_bad_line_is_dropped_and_counted_and_keeps_its_number(tmp_path: Path) -> None:
    file = tmp_path / "by-hand.jsonl.zst"
    good = next(lines(recorded(tmp_path / "good", EVERY_KIND)))
    file.write_bytes(zstandard.compress(b"\n".join([good, b"{", b"", b'{"kind":"like"}', b"\xff", good])))

    sink = await played(file)

    assert sink.dropped == {"bad_line": 4}
    assert sink.cursors == [1, 6]


@pytest.mark.parametrize(
    "changed",
    [
        {"time_us": 10**30},
        {"time_us": 2**63},
        {"time_us": -1},
        {"did": 'x","y'},
        {"did": "did:plc:\0"},
        {"rkey": "a/b"},
        {"rev": ""},
        {"cid": "none"},
    ],
)
async def test_a_recording_of_others_cannot_say_what_no_wire_says(
    changed: dict[str, object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "by-hand.jsonl.zst"
    good = next(lines(recorded(tmp_path / "good", EVERY_KIND)))
    file.write_bytes(zstandard.compress(b"\n".join([good, json.dumps({**json.loads(good), **changed}).encode(), good])))

    sink = await played(file)

    assert sink.cursors == [1, 3]
    assert sink.dropped == {"bad_line": 1}
    assert "line 2 is no event" in caplog.text


async def test_a_recording_that_is_not_there_or_is_none_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no recording"):
        await played(tmp_path / "nothing")
    with pytest.raises(OperatorError, match="there is no recording"):
        await played(tmp_path)
    (tmp_path / "text.jsonl.zst").write_text("no recording at all")
    with pytest.raises(OperatorError, match="this is no recording"):
        await played(tmp_path / "text.jsonl.zst")


async def test_it_resumes_inclusively_from_a_line_over_all_files(tmp_path: Path) -> None:
    recorded(tmp_path, changes(25), file_bytes=300)

    sink = await played(tmp_path, Position(str(tmp_path), 20, 0))

    assert sink.cursors == [20, 21, 22, 23, 24, 25]


async def test_a_position_of_another_source_plays_it_whole(tmp_path: Path) -> None:
    recorded(tmp_path, changes(5))

    assert (await played(tmp_path, Position("wss://elsewhere.test", 4, START))).cursors == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("pace", "seconds"), [(1.0, 9.0), (3.0, 3.0)])
async def test_a_pace_spreads_the_events_as_they_happened(tmp_path: Path, pace: float, seconds: float) -> None:
    now = 50.0
    at: list[float] = []

    async def sleep(wait: float) -> None:
        nonlocal now
        assert wait <= 1.0
        now += wait

    class Timed(Remembering):
        def put(self, event: Event, cursor: int) -> None:
            at.append(now)
            super().put(event, cursor)

    await Replay(pace=pace, clock=lambda: now, sleep=sleep).run(str(recorded(tmp_path, changes(10))), None, Timed())

    assert at == pytest.approx([50.0 + n / pace for n in range(10)])
    assert now == pytest.approx(50.0 + seconds)


async def test_a_replay_leaves_room_for_others(tmp_path: Path) -> None:
    recorded(tmp_path, changes(2000))
    sink = Remembering()
    sink.has_room.clear()
    reading = asyncio.ensure_future(Replay().run(str(tmp_path), None, sink))
    await sink.reaches(256)
    for _ in range(20):
        await asyncio.sleep(0)

    assert len(sink.events) == 256
    sink.has_room.set()
    await reading
    assert len(sink.events) == 2000


@given(st.binary(max_size=60))
def test_whatever_a_line_holds_decoding_never_raises(line: bytes) -> None:
    decoded(line)


def test_what_cannot_be_written_is_dropped(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.put(PostCreated(DID, "a", "b", "c", START, {"text": "\ud800"}), 1)

    assert recorder.dropped == 1
    assert not list(tmp_path.iterdir())


def test_the_lines_in_the_documentation_are_events_of_every_kind() -> None:
    blocks = (ROOT / "docs" / "recording.md").read_text("utf-8").split("```json\n")[1:]

    own_rules, every_kind = ([decoded(line.encode()) for line in block.split("```")[0].splitlines()] for block in blocks)

    assert [type(event) for event in own_rules] == [PostCreated, PostCreated]
    assert [type(event) for event in every_kind] == [PostCreated, PostDeleted, AccountChanged, IdentityChanged, RepoReset]
