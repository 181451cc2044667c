"""The canary: a test label on another account's post, read back through an AppView."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from labeler.persons import Persons
from labeler.policy import LabelPolicy
from models import label_uris, labels
from models.database import Database
from plainsky.config.errors import ConfigErrors
from plainsky.config.loading import parse
from plainsky.config.schema import Canary as Config
from plainsky.labeling.canary import Canary
from plainsky.metrics import Metrics
from tests.support.labels import AUTHOR, KEY, SRC, Issuer, uri
from tests.support.serving import StreamServer

POST = uri("canary")


class AppView(StreamServer):
    """Shows what is in the labeler's log, as soon as it is there."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.hidden: list[str] = []
        """The `cts` of labels that it has not taken in."""
        self.told: web.Response | None = None
        self.accepted: set[str] = set()
        self.app.router.add_get("/xrpc/app.bsky.feed.getPosts", self._posts)

    async def _posts(self, request: web.Request) -> web.Response:
        self.accepted.add(request.headers["atproto-accept-labelers"])
        assert request.query["uris"] == POST
        if self.told:
            return self.told
        log = await self.database.read(labels.history, SRC, [POST])
        shown = [told for told in log[-1:] if not told.neg and told.cts not in self.hidden]
        return web.json_response({"posts": [{"labels": [{"src": SRC, "val": told.val, "cts": told.cts} for told in shown]}]})


class Clock:
    """Moves a second on each time it is asked."""

    now = 1_767_268_800.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
async def appview(database: Database) -> AsyncIterator[AppView]:
    async with AppView(database) as server:
        yield server


def canary(appview: AppView, metrics: Metrics | None = None, patience: float = 10.0) -> Canary:
    clock = Clock()
    issuer = Issuer(SRC, KEY, lambda: int(clock.now * 1e6))
    persons = Persons(SRC, [LabelPolicy("plainsky-test", ("gtube",))])
    address = f"http://127.0.0.1:{appview.port}"
    return Canary(Config(POST), address, appview.database, issuer, persons, lambda: None, metrics or Metrics(), clock, patience)


async def test_a_label_that_readers_see_is_told_with_its_delay(appview: AppView) -> None:
    metrics = Metrics()
    ours = canary(appview, metrics)
    assert (ours.reached, ours.missed) == (None, 0)

    await ours.once()

    assert ours.reached is not None
    assert ours.reached.delay == 1.0
    assert appview.accepted == {SRC}
    text = metrics.text().decode()
    assert "plainsky_canary_delay_seconds 1.0" in text
    assert "plainsky_canary_missed 0.0" in text


async def test_each_time_the_label_is_a_new_one_that_ends_by_itself(appview: AppView, database: Database) -> None:
    ours = canary(appview)
    await ours.once()
    await ours.once()

    log = await database.read(labels.history, SRC, [POST])
    assert [told.neg for told in log] == [False, True, False]
    assert len({told.cts for told in log}) == 3
    (found,) = await database.read(label_uris.query, [label_uris.Pattern(POST)], [], 0, 10)
    assert found.label.exp is not None
    assert found.label.cid is None


async def test_the_label_before_is_not_taken_for_the_new_one(appview: AppView, database: Database) -> None:
    ours = canary(appview, patience=0.1)
    await ours.once()
    seen = ours.reached
    (old,) = await database.read(labels.history, SRC, [POST])
    appview.told = web.json_response({"posts": [{"labels": [{"src": SRC, "val": "plainsky-test", "cts": old.cts}]}]})

    await ours.once()

    assert (ours.missed, ours.reached) == (1, seen)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, {"posts": []}, "was it deleted?"),
        (500, {}, "answers HTTP 500"),
        (200, {"error": "x"}, "answers something else than posts"),
    ],
    ids=["no such post", "an error", "nonsense"],
)
async def test_what_the_appview_answers_instead_is_told_and_ends_nothing(
    appview: AppView, caplog: pytest.LogCaptureFixture, status: int, body: dict[str, Any], told: str
) -> None:
    appview.told = web.Response(status=status, text=json.dumps(body))
    ours = canary(appview)

    await ours.once()

    assert (ours.missed, ours.reached) == (1, None)
    assert told in caplog.text


def test_a_canary_needs_a_label_of_the_config_and_a_post_of_another_account() -> None:
    text = f'[service]\nhostname = "x.example.org"\n[labeler]\ndid = "{AUTHOR}"\n[[labels]]\nvalue = "claim"\nsignals = ["gtube"]\n'

    with pytest.raises(ConfigErrors) as told:
        parse(f'{text}[canary]\npost = "{POST}"\n')

    assert [str(problem) for problem in told.value.problems] == [
        'canary.value: "plainsky-test": expected one of claim',
        "canary.post: expected a post of another account: no app shows a labeler's labels on its own posts",
    ]


@pytest.mark.parametrize(
    "post", ["did:plc:x", f"at://{AUTHOR}", f"at://{AUTHOR}/app.bsky.feed.like/1", "at://news.example.org/app.bsky.feed.post/1"]
)
def test_a_canary_that_is_no_post_is_refused(post: str) -> None:
    with pytest.raises(ValueError, match="expected the at-uri of a post"):
        Config(post)
