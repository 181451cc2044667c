"""A recording holds what labelers say, so that feeds which go by labels can be rebuilt from it (plainsky/ingest/notes.py)."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from labeler.foreign import are_signed, heard
from labeler.signals.gtube import TEST_STRING
from models import cursors
from models.database import Database
from models.events import Event
from models.protocol.public_keys import parse as parse_key
from plainsky.cli import main
from plainsky.commands.record import record
from plainsky.config.loading import parse
from plainsky.ingest.notes import LabelerNote, LabelNote, noted
from plainsky.ingest.recording import Recorder, lines
from plainsky.pipeline.learning import labels_read
from tests.plainsky.test_verifying import CONFIG, ORDERS, format_time, served
from tests.support.garden import at, created, deleted, did, updated, uri
from tests.support.jetstream_server import JetstreamServer
from tests.support.kept import LABELS, SRC, Kept
from tests.support.neighbours import LABELER, Neighbours, label
from tests.support.tokens import KEY

FEED = """
[[feeds]]
rkey = "{rkey}"
name = "{rkey}"
window = "12h"
per_author = {{ posts = 3, every = "1h" }}
{more}
[[feeds.include]]
kind = "keyword"
any = ["garden"]
[[feeds.exclude]]
kind = "label"
any = ["spam", "plainsky-test"]
by = [{by}]
"""
LABELED = f'[labeler]\ndid = "{SRC}"\n'


def text(by: str, more: str = "", orders: Mapping[str, str] = ORDERS) -> str:
    return CONFIG + more + "".join(FEED.format(rkey=rkey, more=order, by=by) for rkey, order in orders.items())


Told = Event | dict[str, Any]


def story() -> list[Told]:
    """A day of posts, of which many are labelled: on the post, a version of it or the account; some are taken back, some run out."""
    told: list[Told] = []
    for number in range(80):
        second = 900 * number
        told.append(created(number % 4, second, second, "my garden has a rose"))
        if number % 3 == 1:
            told.append(label(uri((number - 1) % 4, second - 900), second=second + 1))
        if number % 9 == 4:
            told.append(label(uri((number - 1) % 4, second - 900), second=second + 60, neg=True))
        if number % 10 == 5:
            told.append(label(uri(number % 4, second), second=second + 2, exp=f"{_time(second + 5_000)}"))
        if number in (20, 60):
            told.append(label(did(3), second=second + 3, neg=True if number == 60 else None))
        if number % 7 == 6:
            told.append(updated((number - 2) % 4, second - 1_800, second + 100, "my garden had a rose"))
        if number % 8 == 7:
            told.append(deleted((number - 1) % 4, second - 900, second + 120))
    return told


def _time(second: int) -> str:
    return format_time(at(second))


def recorded(folder: Path, told: Sequence[Told]) -> None:
    with Recorder(folder) as recorder:
        recorder.note(LabelerNote(LABELER, ("plainsky-test", "spam"), at(0)))
        for number, one in enumerate(told, 1):
            if isinstance(one, dict):
                recorder.note(LabelNote.of(number, one))
            else:
                recorder.put(one, number)


def live(kept: Kept, number: int, one: Told) -> None:
    """As the service hears of it."""
    if isinstance(one, dict):
        known = heard(number, one, LABELER, ("spam",))
        assert known is not None
        kept.database.write_now(labels_read, kept.storer, "labels x", [known.label], number)
    else:
        kept.store([one], number)


def rebuilt(folder: Path, rkey: str, capfdbinary: pytest.CaptureFixture[bytes], *more: str) -> tuple[list[bytes], str]:
    words = ["--recording", str(folder / "recording"), "--config", str(folder / "config.toml"), "--limit", "7", *more]
    assert main(["verify", rkey, *words]) == 0
    printed = capfdbinary.readouterr()
    return printed.out.splitlines(), printed.err.decode()


def test_verify_prints_the_served_bytes_of_feeds_that_go_by_labels_in_every_order(
    tmp_path: Path, database: Database, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    written = text(f'"{LABELER}"')
    config, told = parse(written), story()
    (tmp_path / "config.toml").write_text(written)
    recorded(tmp_path / "recording", told)
    kept = Kept(database, config.feeds)
    recorded(tmp_path / "silent", [one for one in told if not isinstance(one, dict)])
    for first, upto in ((0, 70), (70, len(told))):
        for number in range(first, upto):
            live(kept, number, told[number])
        while isinstance(told[upto - 1], dict):  # what was said after the last event has no time of its own
            upto -= 1
        log_time = database.read_now(cursors.log_time)
        for rkey in ORDERS:
            expected = asyncio.run(served(kept, config, rkey))
            found, doubts = rebuilt(tmp_path, rkey, capfdbinary, "--at", format_time(log_time))
            assert (found, doubts.count("match nothing")) == (expected, 0)
            assert (
                rebuilt(tmp_path, rkey, capfdbinary, "--at", format_time(log_time), "--recording", str(tmp_path / "silent"))[0] != expected
            )


def test_what_our_own_labeler_said_counts_as_its_stream_told(
    tmp_path: Path, database: Database, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Our labels are decided and counted in one transaction; a recording knows them from `subscribeLabels`, as everybody does."""
    written = text('"ours"', LABELED, {"newest": ""})
    config = parse(written)
    (tmp_path / "config.toml").write_text(written)
    posts = [created(1, 1, 1), created(1, 2, 2, f"my garden {TEST_STRING}"), created(2, 3, 3)]
    kept = Kept(database, config.feeds)
    kept.store(posts)
    assert [(one[1], one[3]) for one in kept.labels()] == [(uri(1, 2), 0)]
    with Recorder(tmp_path / "recording") as recorder:
        recorder.note(LabelerNote(SRC, (LABELS[0].value, "spam"), at(0)))
        for number, post in enumerate(posts, 1):
            recorder.put(post, number)
        recorder.note(LabelNote.of(1, label(uri(1, 2), LABELS[0].value, 2, src=SRC)))

    found, doubts = rebuilt(tmp_path, "newest", capfdbinary)

    assert found == asyncio.run(served(kept, config, "newest"))
    assert [item["post"] for item in json.loads(found[0])["feed"]] == [uri(2, 3), uri(1, 1)]
    assert "match nothing" not in doubts


@pytest.mark.parametrize(
    ("by", "more", "told"),
    [
        pytest.param(f'"{LABELER}"', "", f'what the labeler {LABELER} says ("plainsky-test" or "spam")', id="another's"),
        pytest.param('"ours"', LABELED, f'what the labeler {SRC} says ("plainsky-test" or "spam")', id="our own"),
        pytest.param('"ours"', "", 'what this service\'s labeler says ("plainsky-test" or "spam")', id="our own, of unknown name"),
    ],
)
def test_a_feed_that_asks_labelers_of_whom_the_recording_holds_nothing_is_told_of(
    tmp_path: Path, by: str, more: str, told: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "config.toml").write_text(text(by, more, {"newest": ""}))
    with Recorder(tmp_path / "recording") as recorder:
        recorder.put(created(1, 1, 1), 1)

    assert f"the recording does not hold {told}" in rebuilt(tmp_path, "newest", capfdbinary)[1]


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"label","seq":1,"label":{}}',
        b'{"kind":"label","seq":1,"label":{"src":"did:plc:x","sig":{"$bytes":"?"}}}',
        b'{"kind":"label","seq":1,"label":{"src":7,"uri":"at://x","sig":3}}',
        b'{"kind":"label","seq":-1,"label":{"ver":2,"sig":{"$bytes":"AA"}}}',
        b'{"kind":"label","label":[]}',
        b'{"kind":"labeler","did":3}',
    ],
)
def test_garbage_in_a_recording_labels_nothing_and_breaks_nothing(
    tmp_path: Path, line: bytes, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    import zstandard

    (tmp_path / "config.toml").write_text(text(f'"{LABELER}"', "", {"newest": ""}))
    with Recorder(tmp_path / "recording") as recorder:
        recorder.put(created(1, 1, 1), 1)
    (tmp_path / "recording" / "000002.jsonl.zst").write_bytes(zstandard.compress(line + b"\n"))

    assert uri(1, 1).encode() in rebuilt(tmp_path, "newest", capfdbinary)[0][0]


async def test_what_labelers_say_is_recorded_as_they_sent_it_with_their_signature(tmp_path: Path) -> None:
    async with Neighbours() as others, JetstreamServer() as instance:
        network = f'[appview]\nurl = "{others.url}"\n[identity]\nresolver = "{others.url}"\nplc = "{others.url}"\n'
        config = parse(text('"gardeners.example.org"', network).replace("[ingest]", f'[ingest]\nhosts = ["{instance.host}"]'))
        others.handles["gardeners.example.org"] = LABELER
        signed = [label(uri(1, 1), cts="2099-01-01T00:00:00.000Z"), label(did(2))]
        await others.tell(*signed, label(uri(1, 2), "rude"), {**label(did(3)), "sig": b"\x09" * 64})
        with Recorder(tmp_path / "recording") as recorder:
            await record(config, recorder, 1.5)

    notes = [note for line in lines(tmp_path / "recording") if isinstance(note := noted(line), LabelerNote | LabelNote)]
    assert [type(note).__name__ for note in notes] == ["LabelerNote", "LabelNote", "LabelNote"]
    assert notes[0] == LabelerNote(LABELER, ("plainsky-test", "spam"), notes[0].time_us)
    assert [note.fields for note in notes if isinstance(note, LabelNote)] == signed
    assert all(are_signed(note.fields, parse_key(KEY.multibase)) for note in notes if isinstance(note, LabelNote))
