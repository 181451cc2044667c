"""kill -9 at any moment loses nothing, doubles nothing, and no seq is used again (docs/invariants.md 1, 6)."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from labeler.signals.gtube import TEST_STRING
from models.database import Database
from models.events import Event
from plainsky.ingest.recording import Recorder
from tests.support.crashing import Nursery
from tests.support.garden import account, created, deleted, updated
from tests.support.kept import Kept

KILLS = 50
EVENTS = 9_000
LONGEST = 0.08
"""Seconds that a process lives at most before it is killed."""


def history() -> list[Event]:
    """Posts, some flagged, edits, deletes and account events; event n happens in second n."""
    rng = random.Random(5)
    events: list[Event] = []
    posts: list[tuple[int, int]] = []
    for second in range(1, EVENTS + 1):
        author, kind = rng.randrange(6), rng.random()
        if kind < 0.8 or not posts:
            posts.append((author, second))
            text = TEST_STRING if rng.random() < 0.05 else rng.choice(("#garden", "#cats and #garden", "nothing"))
            events.append(created(author, second, second, text))
        elif kind < 0.88:
            events.append(deleted(*posts.pop(rng.randrange(len(posts))), second))
        elif kind < 0.97:
            author, post = rng.choice(posts)
            events.append(updated(author, post, second, rng.choice(("#garden", TEST_STRING, "edited"))))
        else:
            events.append(account(author, second, rng.random() < 0.7, "deactivated"))
    return events


def live_posts(events: Sequence[Event]) -> int:
    """How many posts there are after these events."""
    return sum(type(event).__name__ == "PostCreated" for event in events) - sum(type(event).__name__ == "PostDeleted" for event in events)


def stored_posts(database: Database) -> int:
    return int(database.read_now(lambda session: session.execute("SELECT count(*) FROM post WHERE body IS NOT NULL"))[0][0])


def signatures(database: Database) -> dict[int, bytes]:
    return {seq: bytes(sig) for seq, sig in database.read_now(lambda session: session.execute("SELECT seq, sig FROM label"))}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    folder = tmp_path_factory.mktemp("recording")
    events = history()
    with Recorder(folder) as recorder:
        for number, event in enumerate(events, 1):
            recorder.put(event, number)
    return folder, events


@pytest.mark.long
def test_killed_at_50_random_moments_it_loses_nothing_doubles_nothing_and_uses_no_seq_again(
    database_url: str, recording: tuple[Path, list[Event]], tmp_path: Path
) -> None:
    folder, events = recording
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # shown when the test fails
    rng = random.Random(seed)
    nursery = Nursery(database_url, folder)
    sent: dict[int, bytes] = {}
    kills = 0
    with contextlib.closing(nursery):
        for _ in range(KILLS):
            pid = nursery.child()
            time.sleep(rng.uniform(0.005, LONGEST))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            kills += not nursery.ended()
            sent = _check(database_url, events, sent)
        nursery.child()
        assert nursery.ended()

    assert kills > KILLS / 2
    _check(database_url, events, sent)
    _compare(database_url, tmp_path, events)


def _check(url: str, events: list[Event], sent: dict[int, bytes]) -> dict[int, bytes]:
    """Exactly the events up to the cursor are stored; every label that could have been sent still stands under its seq."""
    database = Database(url)
    database.open()
    try:
        position = Kept(database).position()
        assert stored_posts(database) == live_posts(events[: position[1] if position else 0])
        log = signatures(database)
        assert sorted(log) == list(range(1, len(log) + 1))
        assert sent.items() <= log.items()
        return log
    finally:
        database.close()


def _compare(url: str, tmp_path: Path, events: list[Event]) -> None:
    """The feeds and the label log are those of a life without kills."""
    survivor, quiet = Database(url), Database(f"sqlite:///{tmp_path / 'quiet.sqlite'}")
    try:
        survivor.open()
        quiet.open()
        undisturbed = Kept(quiet)
        for start in range(0, len(events), 500):
            undisturbed.store(events[start : start + 500], cursor=start + 1)

        assert undisturbed.everything() == Kept(survivor).everything()
        assert _standing(undisturbed) == _standing(Kept(survivor))
    finally:
        survivor.close()
        quiet.close()


def _standing(kept: Kept) -> set[tuple[str, str]]:
    """(uri, cid) of the labels that stand. Batches cut at other events may label and negate in between."""
    standing: set[tuple[str, str]] = set()
    for _, uri, cid, neg in kept.labels():
        (standing.discard if neg else standing.add)((uri, cid))
    return standing
