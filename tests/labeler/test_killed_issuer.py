"""kill -9 while labels are decided, held back, issued and sent: no seq is used twice, nothing is lost, nothing was sent unstored."""

import asyncio
import random
import subprocess
import sys
from typing import Any

import aiohttp
import pytest

from labeler.limits import Throttle
from labeler.signing import verify
from models.database import Database
from models.labels import Label
from tests.support.issuing import KEY
from tests.support.labels import decoded, seqs

KILLS = 5
PATH = "/xrpc/com.atproto.label.subscribeLabels"


@pytest.mark.long
async def test_killed_at_any_moment_it_loses_no_label_repeats_no_seq_and_has_sent_nothing_that_is_not_stored(database_url: str) -> None:
    sent: dict[int, dict[str, Any]] = {}
    rng = random.Random()
    for _ in range(KILLS):
        before = len(sent)
        with _started(database_url) as process:
            assert process.stdout
            try:
                port = int(await asyncio.to_thread(process.stdout.readline))
                await _read(port, sent, before + rng.randrange(3, 60))
            finally:
                process.kill()
        assert len(sent) > before
    _check(database_url, sent)


def _started(url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-m", "tests.support.issuing", url], stdout=subprocess.PIPE, text=True)


async def _read(port: int, sent: dict[int, dict[str, Any]], enough: int) -> None:
    """Read on behind what was read before, until there is enough."""
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"ws://127.0.0.1:{port}{PATH}?cursor={max(sent, default=0)}") as socket,
    ):
        while len(sent) < enough:
            frame = await socket.receive_bytes(timeout=20)
            for seq, label in zip(seqs(frame), decoded(frame)[1]["labels"], strict=True):
                assert seq not in sent, "a seq was used again"
                sent[seq] = label


def _check(url: str, sent: dict[int, dict[str, Any]]) -> None:
    database = Database(url)
    database.open()
    try:
        stored = database.read_now(
            lambda session: session.execute("SELECT seq, uri, cid, neg, cts, sig, issued_at FROM label ORDER BY seq")
        )
        decided = database.read_now(
            lambda session: session.execute(
                "SELECT decision.id, action, waits_for, outcome, count(seq) FROM decision LEFT JOIN label ON decision_id = decision.id"
                " GROUP BY decision.id, action, waits_for, outcome"
            )
        )
    finally:
        database.close()
    assert [row[0] for row in stored] == list(range(1, len(stored) + 1))
    assert sorted(sent) == list(range(1, len(sent) + 1)), "nothing was left out"
    for seq, uri, cid, neg, cts, sig, _ in stored[: len(sent)]:
        label = sent[seq]
        assert (label["uri"], label["cid"], label.get("neg", False), label["cts"], label["sig"]) == (uri, cid, bool(neg), cts, sig)
        assert verify(Label(**{key: value for key, value in label.items() if key != "sig"}), sig, KEY.public_key)
    for _, _, waits_for, outcome, labels in decided:
        assert labels == (outcome == "issued")
        assert (waits_for is None) == (outcome is not None)
    most, length = Throttle(per_second=5).for_negations[0]
    times = [row[6] for row in stored]
    assert all(later - earlier >= length for earlier, later in zip(times, times[most:], strict=False)), (
        "the throttle held through every kill"
    )
