"""Requests while the database is away: refused in a few words, to programs and to people, and a line of the log (plainsky/http.py)."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from feedgen.service import FeedService, Identity
from models import cursors
from models.database import Database
from plainsky.health import Health
from plainsky.http import make_app
from plainsky.metrics import Metrics
from tests.support.kept import FEEDS

SAID = "Our database does not answer. Please try again in a minute."


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A service whose PostgreSQL is away."""
    database = Database("postgresql://nobody@127.0.0.1:1/plainsky")
    feeds = FeedService(database, FEEDS[:1], {"garden": 1}, Identity("did:web:x.example", "did:web:x.example", "https://x.example"))

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=str(await database.read(cursors.log_time)))

    runner = web.AppRunner(make_app(Health(database, lambda: 0.0), Metrics(), [*feeds.routes(), web.get("/status", page)]), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
    await asyncio.to_thread(database.close)


async def test_a_request_that_fails_for_the_database_may_be_made_again_and_is_a_line_of_the_log(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    feed = "at://did:web:x.example/app.bsky.feed.generator/garden"
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{url}/xrpc/app.bsky.feed.getFeedSkeleton", params={"feed": feed}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
            assert await answer.json() == {"error": "ServiceUnavailable", "message": SAID}
        async with client.get(f"{url}/status") as answer:
            assert (answer.status, answer.content_type, await answer.text()) == (503, "text/plain", SAID)

    told = [record for record in caplog.records if record.name == "plainsky.http"]
    assert [record.args[0] for record in told if record.args] == ["app.bsky.feed.getFeedSkeleton", "/status"]
    assert not any(record.exc_info for record in told)
