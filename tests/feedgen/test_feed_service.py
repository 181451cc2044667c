"""The feed generator over HTTP: answers as the lexicons say, errors a reader understands."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from feedgen.service import FeedService, Identity
from feedgen.skeleton import page
from models import entries
from models.database import Database
from models.protocol.syntax import parse_at_uri
from tests.support.feeds import FEED_URI, IDENTITY, PUBLISHER, entry, filled, garden, serving, uri
from tests.support.interop import cases
from tests.support.lexicons import assert_valid_output

SKELETON = "app.bsky.feed.getFeedSkeleton"
LINKS = {"privacyPolicy": "https://feeds.example.org/privacy"}
KEY = {"id": "did:web:feeds.example.org#atproto_label", "type": "Multikey", "controller": IDENTITY.did, "publicKeyMultibase": "zQ3sh"}
LONGEST = 8000  # of what fits into a request line
LABELER = {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": "https://feeds.example.org"}


class Client:
    """Asks the service; every good answer is checked against its lexicon."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def json(self, path: str, status: int = 200, headers: dict[str, str] | None = None, **query: Any) -> Any:
        async with self._session.get(path, params=query, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (status, "application/json"), await answer.text()
            body = await answer.json()
        if status == 200 and path.startswith("/xrpc/"):
            assert_valid_output(path.removeprefix("/xrpc/"), body)
        return body

    async def skeleton(self, status: int = 200, **query: Any) -> Any:
        return await self.json(f"/xrpc/{SKELETON}", status, **({"feed": FEED_URI} | query))

    async def bytes(self, **query: Any) -> bytes:
        async with self._session.get(f"/xrpc/{SKELETON}", params={"feed": FEED_URI} | query) as answer:
            return await answer.read()


@pytest.fixture
def service(database: Database) -> FeedService:
    filled(database, [entry(number, number) for number in range(1, 121)])
    parts = {"service": [LABELER], "verificationMethod": [KEY]}
    return FeedService(database, [garden()], {"garden": 1}, IDENTITY, LINKS, parts)


@pytest.fixture
async def client(service: FeedService) -> AsyncIterator[Client]:
    async with serving(service) as address, aiohttp.ClientSession(address) as session:
        yield Client(session)


async def test_the_did_document_names_the_feed_generator_and_what_else_lives_under_the_did(client: Client) -> None:
    document = await client.json("/.well-known/did.json")

    assert document["id"] == "did:web:feeds.example.org"
    generator = {"id": "#bsky_fg", "type": "BskyFeedGenerator", "serviceEndpoint": "https://feeds.example.org"}
    assert document["service"] == [generator, LABELER]
    assert document["verificationMethod"] == [KEY]


async def test_a_did_plc_has_its_document_elsewhere(database: Database) -> None:
    service = FeedService(database, [], {}, IDENTITY._replace(did=PUBLISHER))

    assert "/.well-known/did.json" not in [route.path for route in service.routes()]
    assert Identity("did:web:localhost%3A8080", PUBLISHER, "http://localhost:8080").is_web


async def test_the_generator_describes_itself(client: Client) -> None:
    described = await client.json("/xrpc/app.bsky.feed.describeFeedGenerator")

    assert described == {"did": IDENTITY.did, "feeds": [{"uri": FEED_URI}], "links": LINKS}


async def test_a_skeleton_holds_the_newest_posts_with_the_reason_for_each(client: Client) -> None:
    answer = await client.skeleton(limit=2)

    context = "include[0] hashtag: garden"
    assert answer["feed"] == [{"post": uri(120), "feedContext": context}, {"post": uri(119), "feedContext": context}]
    assert (await client.skeleton(limit=1, cursor=answer["cursor"]))["feed"] == [{"post": uri(118), "feedContext": context}]


async def test_fifty_posts_unless_asked_otherwise_and_up_to_a_hundred(client: Client) -> None:
    assert len((await client.skeleton())["feed"]) == 50
    first = await client.skeleton(limit=100)
    assert len(first["feed"]) == 100
    last = await client.skeleton(limit=100, cursor=first["cursor"])
    assert (len(last["feed"]), "cursor" in last) == (20, False)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "", "1.5", "１"])
async def test_a_limit_out_of_bounds_is_refused(client: Client, limit: str) -> None:
    answer = await client.skeleton(400, limit=limit)

    assert answer["error"] == "InvalidRequest"
    assert "from 1 to 100" in answer["message"]


@pytest.mark.parametrize("cursor", ["x", "null", "1700000000000::bafy", "A" * 22, "0" * 32, "F" * 32, "0" * 31 + " ", "é", "AAAA&limit=3"])
async def test_a_cursor_that_is_none_of_ours_is_refused_in_words_for_readers(client: Client, cursor: str) -> None:
    if cursor == "0" * 32:  # the place before which nothing is: well-formed, and the feed ends there
        assert await client.skeleton(cursor=cursor) == {"feed": []}
        return
    await client.skeleton()  # the query without the cursor is known now
    answer = await client.skeleton(400, cursor=cursor)

    assert answer["error"] == "InvalidRequest"
    assert "load the feed again" in answer["message"]


@pytest.mark.parametrize(
    "feed",
    [
        f"at://{PUBLISHER}/app.bsky.feed.generator/other",
        f"at://{PUBLISHER}/app.bsky.feed.post/garden",
        f"at://{PUBLISHER}/app.bsky.feed.generator",
        f"at://{PUBLISHER}",
        "at://did:plc:somebodyelse/app.bsky.feed.generator/garden",
        "at://alice.test/app.bsky.feed.generator/garden",
    ],
)
async def test_a_feed_that_is_not_offered_is_unknown(client: Client, feed: str) -> None:
    assert (await client.skeleton(400, feed=feed))["error"] == "UnknownFeed"


async def test_a_feed_under_the_services_own_did_is_known(client: Client) -> None:
    assert (await client.skeleton(feed=f"at://{IDENTITY.did}/app.bsky.feed.generator/garden"))["feed"]


async def test_what_is_no_at_uri_is_an_invalid_request_as_the_interop_files_decide(client: Client) -> None:
    for text in cases("aturi_syntax_invalid"):
        if len(text) > LONGEST:
            continue
        assert (await client.skeleton(400, feed=text))["error"] == "InvalidRequest", text
    for text in cases("aturi_syntax_valid"):
        assert parse_at_uri(text)
        if len(text) <= LONGEST:
            assert (await client.skeleton(400, feed=text))["error"] == "UnknownFeed", text


async def test_a_missing_or_repeated_parameter_is_refused(client: Client) -> None:
    assert (await client.json(f"/xrpc/{SKELETON}", 400))["error"] == "InvalidRequest"
    twice = f"/xrpc/{SKELETON}?feed={FEED_URI}&cursor=a&cursor={'A' * 22}"
    assert "only once" in (await client.json(twice, 400))["message"]


async def test_who_asks_and_in_which_language_changes_nothing(client: Client) -> None:
    path = f"/xrpc/{SKELETON}"
    plain = await client.json(path, feed=FEED_URI)

    for headers in ({"Authorization": "Bearer no.such.token"}, {"Accept-Language": "nl"}):
        assert await client.json(path, headers=headers, feed=FEED_URI) == plain


async def test_a_committed_batch_is_on_the_next_page_asked_for(client: Client, service: FeedService, database: Database) -> None:
    assert (await client.skeleton(limit=1))["feed"][0]["post"] == uri(120)
    await database.write(entries.remove, [120])
    service.committed([1], 0)

    assert (await client.skeleton(limit=1))["feed"][0]["post"] == uri(119)


async def test_both_databases_give_the_bytes_that_follow_from_the_entries_alone(client: Client) -> None:
    newest = sorted((entry(number, number) for number in range(1, 121)), key=lambda e: (e.sort_at, e.tie), reverse=True)
    found = entries.Items(",".join(e.item for e in newest[:101]), 101, newest[100].sort_at, newest[100].sort_at)

    assert await client.bytes(limit=100) == page(found, 100).body
