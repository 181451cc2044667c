"""Drift in a running service: counted while posts are judged, kept over a restart, told in log, metrics, /status and health."""

import asyncio
import logging
import random
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from labeler.judge import Judge, Verdict
from labeler.policy import LabelPolicy
from labeler.stance.judging import shipped_text_model
from models import settings
from models.database import Database
from models.events import PostCreated
from models.post import Post
from models.protocol.syntax import format_datetime, tid_of
from plainsky.config.schema import Config, Labeler
from plainsky.config.schema import Service as Served
from plainsky.ingest.recording import Recorder
from plainsky.labeling.drifting import ONE_IN, Drift
from plainsky.metrics import Metrics
from tests.support.labels import AUTHOR
from tests.support.programs import LABELER_KEY, Service, replaying, wait_until

LABELS = (LabelPolicy("likely-disinformation", ("claim_match",)), LabelPolicy("plainsky-test", ("gtube",)))
FLAGGED, TEST = (Verdict(policy.value, "shadow", {}, "") for policy in LABELS)
STRANGE = "doctors admit vaccine microchips and bill gates hoax cure exposed video shows covid plandemic"
CHANCE = random.Random(7)
WORDS = STRANGE.split()


def posts(count: int, langs: tuple[str, ...] = ("en",)) -> list[Post]:
    """Posts that read like what was rated false."""
    return [Post(" ".join(CHANCE.choices(WORDS, k=12)), langs=langs) for _ in range(count)]


async def watching(database: Database, metrics: Metrics | None = None, labels: Sequence[LabelPolicy] = LABELS, one_in: int = 1) -> Drift:
    config = Config(Served("feeds.example.org"), labeler=Labeler(), labels=tuple(labels))
    drift = Drift(database, lambda: config, metrics or Metrics(), one_in)
    await drift.prepare()
    return drift


async def test_one_post_of_so_many_is_scored_and_all_in_english_are_counted(database: Database) -> None:
    drift = await watching(database, one_in=ONE_IN)
    judge = Judge(LABELS, saw=drift.saw)

    for post in (*posts(3 * ONE_IN), *posts(ONE_IN, ("nl",)), *posts(ONE_IN, ())):
        judge.judge(AUTHOR, post)
    drift.saw(Post("x", langs=("en-GB",)), [FLAGGED, TEST])
    drift.saw(Post("x", langs=("en-GB",)), [TEST])

    found = drift.measures
    assert found
    assert (found.posts, found.judged, round(found.matches * found.judged)) == (3, 3 * ONE_IN + 2, 1)


async def test_without_a_label_on_claims_nothing_is_watched(database: Database) -> None:
    metrics = Metrics()
    drift = await watching(database, metrics, LABELS[1:])
    drift.saw(Post("x", langs=("en",)), [])

    assert drift.measures is drift.told() is None
    assert "\nplainsky_drift_posts " not in metrics.text().decode()


async def test_posts_unlike_those_of_the_training_are_told_of_once_and_never_make_the_service_unwell(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "plainsky.labeling.drifting")
    metrics = Metrics()
    drift = await watching(database, metrics)
    drift.look()
    for post in posts(1_000):
        drift.saw(post, [])
    drift.look()
    drift.look()

    (record,) = caplog.records
    assert (record.levelname, "(drifted)" in record.message) == ("WARNING", True)
    told = drift.told()
    assert told
    assert (told["ok"], told["state"], told["posts"]) == (True, "drifted", 1_000)
    assert told["shift"] > 0.25
    assert f"plainsky_drift_shift {told['shift']:.3}" in metrics.text().decode()
    assert "plainsky_drift_coverage_then 0.64" in metrics.text().decode()
    assert "plainsky_drift_matches_then 0.0001" in metrics.text().decode()


async def test_counts_outlive_a_restart_while_the_model_is_the_same(database: Database) -> None:
    drift = await watching(database)
    for post in posts(20):
        drift.saw(post, [FLAGGED])
    job = asyncio.create_task(drift.run())
    await asyncio.sleep(0)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)

    assert (await watching(database)).measures == drift.measures
    kept = await database.read(settings.get, "drift")
    assert kept
    await database.write(settings.put, "drift", kept.replace(shipped_text_model().hash, "of another model"))
    again = (await watching(database)).measures
    assert again
    assert again.posts == 0


TABLES = """
[labeler]
[[labels]]
value = "likely-disinformation"
signals = ["claim_match"]
mode = "review"
"""


def test_a_running_service_tells_of_it_on_status_and_in_health_and_metrics(service: Callable[..., Service], tmp_path: Path) -> None:
    now = int((time.time() - 60) * 1e6)
    with Recorder(tmp_path) as recorder:
        for number, post in enumerate(posts(2 * ONE_IN)):
            tid = tid_of(now + number, 1)
            record = {"$type": "app.bsky.feed.post", "text": post.text, "langs": ["en"], "createdAt": format_datetime(now)}
            recorder.put(PostCreated(AUTHOR, tid, tid, f"bafyrei{number}", now + number, record), number + 1)
    running = service(replaying(tmp_path, TABLES), env=LABELER_KEY)

    def health() -> dict[str, object]:
        return dict(running.get("/_health")[1]["drift"])

    wait_until(lambda: health()["posts"] == 2, 20, "the posts are judged")
    assert (health()["ok"], health()["state"], health()["judged"]) == (True, "too few posts", 2 * ONE_IN)
    for lang, said in (("en", "Too few English posts"), ("nl", "te weinig Engelse berichten"), ("fr", "Trop peu de messages en anglais")):
        with urllib.request.urlopen(f"{running.url}/status?lang={lang}") as answer:
            assert said in answer.read().decode()
