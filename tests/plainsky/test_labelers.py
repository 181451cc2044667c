"""Other labelers' streams: resumed, checked, and never trusted further than their own labels (plainsky/knowing/labelers.py)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from models import cursors, settings
from models.database import Database
from plainsky.asking.did_documents import DidDocuments
from plainsky.knowing import label_stream
from plainsky.knowing.labelers import Labeler, prepare, stream_of
from plainsky.metrics import Metrics
from plainsky.pipeline.storing import Outcome
from tests.support.firehose_server import frame
from tests.support.garden import NOON, created, did, uri
from tests.support.learning import Learning
from tests.support.neighbours import LABELER, Neighbours, label, labels_frame
from tests.support.tokens import KEY, OTHER, Clock

STREAM = stream_of(LABELER)


class Following:
    """A labeler that is followed, and what comes of it."""

    def __init__(self, database: Database, neighbours: Neighbours) -> None:
        self.database, self.neighbours = database, neighbours
        self.kept = Learning(database)
        self.clock = Clock()
        self.documents = DidDocuments(neighbours.url, self.clock)
        self.metrics = Metrics()
        self.pauses: list[float] = []
        self.paused = asyncio.Event()
        self.floor = 0
        self._moved = asyncio.Event()
        self._job: asyncio.Task[None] | None = None

    def begin(self, *values: str) -> None:
        """Follow, as after a start."""
        self.database.write_now(prepare, {LABELER: values or ("spam",)})
        made = (self.database, self.kept.storer, self.documents, self.metrics, self._committed, lambda _: self.floor, self._pause)
        self._job = asyncio.create_task(Labeler(LABELER, values or ("spam",), *made, chance=lambda: 1.0).run())

    async def end(self) -> None:
        """Stop as a service stops."""
        if self._job:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)

    async def until(self, rkey: str, *shown: str) -> None:
        """Wait until a feed shows this."""
        async with asyncio.timeout(10):
            while self.kept.shown(rkey) != [*shown]:
                self._moved.clear()
                await self._moved.wait()

    async def reads_to(self, cursor: int) -> None:
        """Wait until so much of the stream is stored."""
        async with asyncio.timeout(10):
            while self.cursor != cursor:
                self._moved.clear()
                await self._moved.wait()

    @property
    def cursor(self) -> int:
        """How far the stream is stored."""
        return (self.database.read_now(cursors.of_host, STREAM) or (0,))[0]

    def dropped(self, reason: str) -> int:
        """How often something was left out for a reason."""
        return int(self.metrics.registry.get_sample_value("plainsky_dropped_total", {"reason": reason}) or 0)

    def _committed(self, _: Outcome) -> None:
        self._moved.set()

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.paused.set()
        self.clock.now += 61
        self._moved.set()
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_stream, "AGE_SECONDS", 0.01)
    monkeypatch.setattr(label_stream, "IDLE_SECONDS", 0.05)


@pytest.fixture
async def neighbours() -> AsyncIterator[Neighbours]:
    async with Neighbours() as running:
        yield running


@pytest.fixture
async def following(database: Database, neighbours: Neighbours) -> AsyncIterator[Following]:
    made = Following(database, neighbours)
    made.kept.store([created(0, 1, 1), created(1, 2, 2)])
    yield made
    await made.end()


async def test_the_whole_history_is_read_then_what_is_said_live(following: Following, neighbours: Neighbours) -> None:
    await neighbours.tell(label(uri(0, 1)))
    following.begin()
    await following.until("clean", uri(1, 2))

    await neighbours.tell(label(uri(1, 2), second=2))
    await following.until("clean")
    await neighbours.tell(label(uri(0, 1), second=3, neg=True), label(uri(1, 2), second=3, neg=True))
    await following.until("clean", uri(1, 2), uri(0, 1))
    assert (neighbours.cursors, following.cursor) == ([0], 3)


async def test_after_a_restart_the_stream_is_resumed(following: Following, neighbours: Neighbours, database: Database) -> None:
    await neighbours.tell(label(uri(0, 1)))
    following.begin()
    await following.until("clean", uri(1, 2))
    await following.end()

    await neighbours.tell(label(uri(1, 2)))
    again = Following(database, neighbours)
    again.begin()
    await again.until("clean")
    await again.end()
    assert neighbours.cursors == [0, 1]


async def test_a_broken_connection_is_made_again_after_a_growing_pause(following: Following, neighbours: Neighbours) -> None:
    await neighbours.tell(label(uri(0, 1)))
    following.begin()
    await following.until("clean", uri(1, 2))
    for _ in range(3):
        neighbours.connected.clear()
        await neighbours.cut()
        await asyncio.wait_for(neighbours.connected.wait(), 10)

    await neighbours.tell(label(uri(1, 2)))
    await following.until("clean")
    assert following.pauses == [2.0, 4.0, 8.0]


async def test_a_labeler_that_moved_is_found_again(following: Following, neighbours: Neighbours) -> None:
    neighbours.endpoint = "http://127.0.0.1:1"
    await neighbours.tell(label(uri(0, 1)))
    following.begin()
    await asyncio.wait_for(following.paused.wait(), 10)
    neighbours.endpoint = None

    await following.until("clean", uri(1, 2))


async def test_only_labels_that_the_labelers_key_signed_count_and_a_new_key_is_found(following: Following, neighbours: Neighbours) -> None:
    await neighbours.tell(label(uri(0, 1), key=OTHER), label(uri(1, 2)))
    following.begin()
    await following.until("clean", uri(0, 1))
    assert following.dropped("bad_label_signature") == 1

    neighbours.keys = {"#atproto": KEY, "#atproto_label": OTHER}
    following.clock.now += 61
    await neighbours.tell(label(uri(0, 1), second=1, key=OTHER))
    await following.until("clean")


async def test_the_key_of_the_account_is_no_key_for_labels(following: Following, neighbours: Neighbours) -> None:
    neighbours.keys = {"#atproto": KEY}
    await neighbours.tell(label(uri(0, 1)))
    following.begin()
    await following.reads_to(1)

    assert following.kept.shown("clean") == [uri(1, 2), uri(0, 1)]


async def test_garbage_is_counted_and_the_rest_goes_on(following: Following, neighbours: Neighbours) -> None:
    good = label(uri(0, 1))
    garbage = [None, 7, {}, {**good, "src": did(5)}, {**good, "cts": "now"}, {**good, "sig": b""}]
    await neighbours.send(labels_frame(1, *garbage, good), frame("#news", {"x": 1}))
    following.begin()
    await following.until("clean", uri(1, 2))

    assert following.dropped("bad_label") == 3
    assert following.dropped("foreign_label") == 2
    assert following.dropped("bad_label_signature") == 1


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xff\xff", id="no CBOR"),
        pytest.param(labels_frame("one"), id="no seq"),
        pytest.param(labels_frame(-1), id="a negative seq"),
        pytest.param(labels_frame(2**63), id="a seq beyond all bounds"),
        pytest.param(frame("#labels", {"seq": 1, "labels": "none"}), id="no labels"),
        pytest.param(frame("", {"error": "ConsumerTooSlow", "message": "too slow"}, op=-1), id="an error frame"),
    ],
)
async def test_a_frame_that_breaks_the_protocol_ends_the_connection_and_what_was_good_is_stored(
    following: Following, neighbours: Neighbours, raw: bytes
) -> None:
    await neighbours.tell(label(uri(0, 1)))
    await neighbours.send(raw)
    following.begin()
    await following.until("clean", uri(1, 2))
    await asyncio.wait_for(following.paused.wait(), 10)
    neighbours.connected.clear()
    await asyncio.wait_for(neighbours.connected.wait(), 10)

    assert neighbours.cursors[:2] == [0, 1]


async def test_a_labeler_that_begins_anew_is_read_from_its_beginning(following: Following, neighbours: Neighbours) -> None:
    await neighbours.tell(label(uri(0, 1)))
    await neighbours.tell(label(did(5)))
    following.begin()
    await following.reads_to(2)
    await following.end()
    neighbours.frames = []
    await neighbours.tell(label(uri(1, 2), second=5))

    following.begin()
    await following.until("clean")
    assert neighbours.cursors == [0, 2, 0]
    assert following.cursor == 1


async def test_a_cursor_that_is_outdated_is_told_and_the_stream_goes_on(
    following: Following, neighbours: Neighbours, caplog: pytest.LogCaptureFixture
) -> None:
    neighbours.oldest = 5
    await neighbours.tell(label(uri(0, 1)))
    following.begin()
    await following.until("clean", uri(1, 2))

    assert "OutdatedCursor" in caplog.text


async def test_the_cursor_moves_on_while_only_other_labels_pass_by(following: Following, neighbours: Neighbours) -> None:
    await neighbours.tell(label(uri(0, 1), val="rude"))
    await neighbours.tell(label(uri(0, 1), val="porn"))
    following.begin()
    await following.reads_to(2)

    assert following.dropped("bad_label") == 0


async def test_labels_on_posts_that_cannot_be_stored_any_more_are_not_kept(following: Following, neighbours: Neighbours) -> None:
    following.floor = NOON + 5_000_000
    await neighbours.tell(label(uri(0, 1), second=1), label(did(1), second=1))
    following.begin()
    await following.until("clean", uri(0, 1))

    assert following.kept.shown("spammers") == [uri(1, 2)]


async def test_a_labeler_of_which_more_is_asked_is_read_from_its_beginning(following: Following, neighbours: Neighbours) -> None:
    await neighbours.tell(label(uri(0, 1), val="rude"))
    following.begin("spam")
    await following.reads_to(1)
    await following.end()
    following.begin("rude", "spam")
    await asyncio.wait_for(neighbours.connected.wait(), 10)
    await following.reads_to(1)
    await following.end()
    following.begin("spam")
    await following.end()

    assert neighbours.cursors[:2] == [0, 0]


def test_before_the_first_connection_what_is_asked_no_more_is_forgotten(database: Database) -> None:
    other = did(5)
    database.write_now(prepare, {LABELER: {"spam", "rude"}, other: {"spam"}})
    for who in (LABELER, other):
        database.write_now(cursors.save_aside, stream_of(who), 9)
    database.write_now(prepare, {LABELER: {"spam"}})

    def state() -> list[Any]:
        return [database.read_now(cursors.of_host, stream_of(who)) for who in (LABELER, other)]

    assert state() == [(9, 0), None], "fewer values are no reason to read anew"
    assert msgspec.json.decode(database.read_now(settings.get, stream_of(LABELER)) or "") == ["spam"]
    database.write_now(prepare, {LABELER: {"spam", "rude"}})
    assert state() == [None, None]
