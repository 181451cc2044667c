"""`plainsky record` writes what a host sends; `plainsky run` plays it again (docs/recording.md)."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest

from models.events import Event
from plainsky.cli import main
from plainsky.ingest import Position
from plainsky.ingest.firehose import Firehose
from plainsky.ingest.recording import lines
from plainsky.ingest.replay import decoded
from tests.support.firehose_server import FirehoseServer
from tests.support.programs import Program, Service, free_port, replaying, wait_until
from tests.support.recorded import raw_frames
from tests.support.sinks import Remembering

CONFIG = """
[service]
hostname = "localhost:3000"

[ingest]
source = "firehose"
hosts = ["{host}"]

[[feeds]]
rkey = "python"
name = "Python"
[[feeds.include]]
kind = "hashtag"
any = ["python"]
"""
OF_PYTHON = """
[[feeds]]
rkey = "python"
name = "Python"
window = "2w"
[[feeds.include]]
kind = "hashtag"
any = ["python", "batch", "日本"]
"""


def record(folder: Path, host: str, *options: str) -> Program:
    """`plainsky record` as its operator starts it; its log and config stand beside the folder."""
    config = folder.with_suffix(".toml")
    config.write_text(CONFIG.format(host=host))
    return Program([sys.executable, "-m", "plainsky", "record", str(folder), str(config), *options], folder.with_suffix(".log"))


def recorded(folder: Path) -> list[Event]:
    """The events of a recording; the last line of one under way may be torn."""
    return [event for line in lines(folder) if (event := decoded(line))] if any(folder.glob("*")) else []


async def heard(relay: FirehoseServer) -> list[Event]:
    """What a relay tells, by the source itself."""
    sink = Remembering(relay.host)
    reading = asyncio.ensure_future(Firehose().run(relay.host, Position(relay.host, 1, 0), sink))
    await sink.passes(relay.latest)
    reading.cancel()
    await asyncio.wait([reading])
    return sink.events


async def record_all(folder: Path, frames: Sequence[bytes]) -> tuple[list[Event], int, str]:
    """Record these frames after whatever the folder holds; the events, the exit code after SIGTERM, and what was printed."""
    before = len(recorded(folder))
    async with FirehoseServer(frames=[]) as relay:
        program = record(folder, relay.host)
        try:
            await until(relay.connected.is_set, program)
            await relay.add(*frames)
            events = await heard(relay)
            await until(lambda: len(recorded(folder)) == before + len(events), program)
            return events, await asyncio.to_thread(program.stop), program.log
        finally:
            program.kill()


async def until(happened: Callable[[], bool], program: Program) -> None:
    """Wait until it has happened, or the program has ended."""
    async with asyncio.timeout(20):
        while not happened():
            assert program.running, program.log
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event], int, str]:
    """A recording of all frames, and how it was made."""
    folder = tmp_path_factory.mktemp("record") / "recording"
    return folder, *asyncio.run(record_all(folder, raw_frames()))


def test_a_recording_holds_every_event_that_the_host_sent_and_ends_with_a_signal(told: tuple[Path, list[Event], int, str]) -> None:
    folder, events, code, printed = told

    assert len(events) > 300
    assert recorded(folder) == events
    assert code == 0
    assert f"{len(events)} events in {folder}, " in printed


def test_a_run_on_the_recording_gives_the_feed(told: tuple[Path, list[Event], int, str], service: Callable[..., Service]) -> None:
    running = service(replaying(told[0], OF_PYTHON, 'import_after = "9999w"'))
    feed = quote(f"at://{running.did}/app.bsky.feed.generator/python")
    path = f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={feed}&limit=100"

    wait_until(lambda: len(running.get(path)[1]["feed"]) == 42, 10, "the feed holds the recording's 42 posts")


async def test_a_second_recording_goes_beside_the_first(told: tuple[Path, list[Event], int, str], tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    folder.mkdir()
    (first,) = told[0].iterdir()
    (folder / first.name).write_bytes(first.read_bytes())

    events, *_ = await record_all(folder, raw_frames()[:50])

    assert sorted(path.name for path in folder.iterdir()) == ["000001.jsonl.zst", "000002.jsonl.zst"]
    assert (folder / first.name).read_bytes() == first.read_bytes()
    assert recorded(folder) == told[1] + events


def test_it_ends_by_itself_after_so_many_seconds_also_when_nobody_can_be_reached(tmp_path: Path) -> None:
    program = record(tmp_path / "recording", f"ws://127.0.0.1:{free_port()}", "--seconds", "0.2")
    wait_until(lambda: not program.running, 10, "the recording has ended")

    assert program.stop() == 0
    assert "0 events in" in program.log
    assert "cannot connect" in program.log


def test_a_recording_cannot_be_recorded_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(replaying("x.jsonl.zst", OF_PYTHON).replace("@PORT@", "3000"))

    assert main(["record", str(tmp_path / "recording"), str(config)]) == 2

    told = capsys.readouterr().err
    assert told == 'ingest.source: "replay": a recording cannot be recorded again: choose "jetstream" or "firehose"\n'
    assert not (tmp_path / "recording").exists()


@pytest.mark.parametrize("name", ["file", "file/recording"])
def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "file").write_text("")
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(host="ws://127.0.0.1:1"))

    assert main(["record", str(tmp_path / name), str(config)]) == 2

    assert f"{tmp_path / name}: cannot be the folder of a recording: " in capsys.readouterr().err
