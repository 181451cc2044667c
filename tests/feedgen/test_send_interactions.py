"""What apps tell of a reader's doings is taken and let go unread (app.bsky.feed.sendInteractions)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from feedgen.service import FeedService
from models.database import Database
from tests.support.feeds import FEED_URI, IDENTITY, serving, uri
from tests.support.lexicons import assert_valid_output

NSID = "app.bsky.feed.sendInteractions"
PATH = f"/xrpc/{NSID}"
SEEN = {"item": uri(1), "event": "app.bsky.feed.defs#interactionSeen", "feedContext": "x", "reqId": "y"}


@pytest.fixture
async def address(sqlite_url: str) -> AsyncIterator[str]:
    database = Database(sqlite_url)
    database.open()
    async with serving(FeedService(database, [], {}, IDENTITY)) as address:
        yield address
    database.close()


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"interactions": [SEEN], "feed": FEED_URI}).encode(),
        json.dumps({"interactions": [SEEN | {"event": "app.bsky.feed.defs#notYetInvented"}]}).encode(),
        b"{}",
        b"",
        b"<html>",
        b"\xff\0" * 100_000,
    ],
    ids=["as apps send it", "an event of tomorrow", "empty", "none", "garbage", "much garbage"],
)
async def test_whatever_is_sent_is_taken(address: str, body: bytes) -> None:
    async with aiohttp.ClientSession(address) as session:
        for _ in range(2):
            async with session.post(PATH, data=body, headers={"Authorization": "Bearer x", "Content-Type": "application/json"}) as answer:
                assert (answer.status, answer.content_type) == (200, "application/json")
                said: Any = await answer.json()
                assert said == {}
                assert_valid_output(NSID, said)


async def test_a_body_that_says_it_is_too_long_is_refused(address: str) -> None:
    async with aiohttp.ClientSession(address) as session, session.post(PATH, data=b"x" * 300_000) as answer:
        assert (answer.status, (await answer.json())["error"]) == (413, "PayloadTooLarge")


async def test_nobody_waits_for_a_body_that_does_not_come(address: str) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".encode())

    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
