"""The service knows its lists, labelers and opted-out authors from its start on, and follows them (plainsky/knowing/following.py)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models import entries
from models.events import Event
from plainsky.config.hashing import rules_hash
from plainsky.config.loading import parse
from plainsky.ingest import Position
from plainsky.knowing import label_stream
from plainsky.pipeline.batching import Batch, write
from plainsky.service import Service
from tests.support.garden import created, did, uri
from tests.support.neighbours import LABELER, Neighbours, label, list_uri, members

CONFIG = """
[service]
hostname = "localhost"
port = 0

[store]
url = "sqlite:///{folder}/plainsky.sqlite"

[ingest]
source = "replay"
path = "nothing"

[identity]
resolver = "{url}"
plc = "{url}"

[appview]
url = "{url}"
refresh = "1s"

[opt_out]
authors = ["quiet.example.org"]
hashtags = ["{tag}"]
lists = ["https://bsky.app/profile/keeper.example.org/lists/asking"]

[[feeds]]
rkey = "friends"
name = "Friends"
[[feeds.include]]
kind = "list"
any = ["https://bsky.app/profile/keeper.example.org/lists/friends"]
[[feeds.exclude]]
kind = "label"
any = ["spam"]
by = ["labels.example.org"]
"""


@pytest.fixture
async def neighbours(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Neighbours]:
    monkeypatch.setattr(label_stream, "AGE_SECONDS", 0.01)
    async with Neighbours() as running:
        running.handles = {"keeper.example.org": did(6), "labels.example.org": LABELER, "quiet.example.org": did(4)}
        running.lists = {list_uri("friends"): ("Friends", members([0, 1, 2, 4])), list_uri("asking"): ("Asking", members([2]))}
        yield running


class Running:
    """A service, and what its feed shows."""

    def __init__(self, folder: Path, neighbours: Neighbours, tag: str = "nofeeds") -> None:
        self.service = Service(parse(CONFIG.format(folder=folder, url=neighbours.url, tag=tag), "c.toml", {}))
        self._moved = asyncio.Event()
        learned = self.service._learned
        self.service._learned = lambda outcome: (learned(outcome), self._moved.set())[0]  # type: ignore[method-assign]

    async def __aenter__(self) -> "Running":
        await self.service.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.service.stop()

    async def store(self, *events: Event) -> None:
        """One batch of the source."""
        batch = Batch(self.service.storer.fold(events), Position("wss://relay.example", 1, events[-1].time_us))
        self.service.committed(await write(self.service.database, self.service.storer, batch))

    async def shown(self) -> list[str]:
        """The feed."""
        page = await self.service.database.read(entries.page, self.service.storer.rooms.layout.feed_ids[0], 0, entries.TOP, 100)
        return [entry.uri for entry in page]

    async def until(self, *expected: str) -> None:
        """Wait until the feed shows this."""
        async with asyncio.timeout(10):
            while await self.shown() != [*expected]:
                self._moved.clear()
                await self._moved.wait()


async def test_lists_labels_and_opting_out_are_followed_and_survive_a_restart(tmp_path: Path, neighbours: Neighbours) -> None:
    async with Running(tmp_path, neighbours) as running:
        await running.store(*[created(number, number, number, "hello") for number in range(5)])
        await running.until(uri(1, 1), uri(0, 0))
        await neighbours.tell(label(uri(1, 1)))
        await running.until(uri(0, 0))
        await neighbours.tell(label(uri(1, 1), second=2, neg=True))
        await running.until(uri(1, 1), uri(0, 0))
        neighbours.lists[list_uri("friends")] = ("Friends", members([0, 1, 2, 3, 4]))
        await running.until(uri(3, 3), uri(1, 1), uri(0, 0))
        assert f'plainsky_list_age_seconds{{list="{list_uri("friends")}"}}' in running.service.metrics.text().decode()

    neighbours.hangs, neighbours.handles = True, {}
    async with Running(tmp_path, neighbours) as again:
        await again.store(created(3, 9, 9, "still a friend"), created(2, 10, 10, "still out"))
        await again.until(uri(3, 9), uri(3, 3), uri(1, 1), uri(0, 0))


async def test_another_hashtag_in_the_config_counts_backwards_after_the_restart(tmp_path: Path, neighbours: Neighbours) -> None:
    async with Running(tmp_path, neighbours, "nofeeds") as running:
        await running.store(created(0, 1, 1, "#nofeeds"), created(1, 2, 2, "#leaveme"))
        await running.until(uri(1, 2))

    async with Running(tmp_path, neighbours, "LeaveMe") as running:
        await running.until(uri(0, 1))


def test_a_handle_that_means_somebody_else_makes_other_rules() -> None:
    feed = parse(CONFIG.format(folder="x", url="https://a.example", tag="x"), "c.toml", {}).feeds[0]
    known = {"keeper.example.org": did(6), "labels.example.org": LABELER}

    assert rules_hash(feed, known) != rules_hash(feed, {**known, "keeper.example.org": did(5)})
    assert rules_hash(feed, known) != rules_hash(feed, {**known, "labels.example.org": did(5)})
    assert rules_hash(feed, known) == rules_hash(feed, {**known, "quiet.example.org": did(5)}), "who is out changes no rule"
