"""Which posts an AppView says are still there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from plainsky.asking.present import AT_ONCE, present

POSTS = [f"at://did:plc:author/app.bsky.feed.post/{number}" for number in range(AT_ONCE + 3)]


@asynccontextmanager
async def appview(status: int = 200, body: bytes | None = None) -> AsyncIterator[tuple[str, list[int]]]:
    """Holds the even posts; how many it was asked for at once."""
    asked: list[int] = []

    async def get_posts(request: web.Request) -> web.Response:
        uris = request.query.getall("uris")
        asked.append(len(uris))
        held = [{"uri": uri, "cid": f"cid{uri[-1]}", "author": {}} for uri in uris if int(uri[-1]) % 2 == 0]
        return web.Response(status=status, body=body) if body is not None else web.json_response({"posts": held}, status=status)

    app = web.Application()
    app.add_routes([web.get("/xrpc/app.bsky.feed.getPosts", get_posts)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def test_each_post_has_its_cid_or_is_not_there() -> None:
    async with appview() as (url, asked):
        assert await present(url, POSTS) == {uri: f"cid{uri[-1]}" if int(uri[-1]) % 2 == 0 else None for uri in POSTS}
        assert asked == [AT_ONCE, 3]
        assert await present(url, []) == {}


@pytest.mark.parametrize(("status", "body"), [(500, None), (200, b"[]"), (200, b"[" * 50_000)], ids=["an error", "no posts", "nonsense"])
async def test_an_appview_that_says_nothing_of_use_says_of_no_post_that_it_is_gone(status: int, body: bytes | None) -> None:
    async with appview(status, body) as (url, _):
        assert await present(url, POSTS) is None


async def test_nor_does_one_that_is_away() -> None:
    async with appview() as (url, _):
        pass
    assert await present(url, POSTS) is None
