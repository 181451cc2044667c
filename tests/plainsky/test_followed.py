"""Followed feeds: each reader sees the posts of those he follows, read when asked and kept in memory for minutes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from feedgen.feed import Feed, Quota
from feedgen.rules import load
from feedgen.service import FeedService, Identity
from models.database import Database
from models.duration import duration
from models.protocol.service_auth import audiences
from plainsky.asking import follows
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.follows import Follows
from plainsky.asking.tokens import Verifier
from tests.support.feeds import serving
from tests.support.garden import account, created, deleted, did, uri
from tests.support.kept import Kept
from tests.support.lexicons import assert_valid_output
from tests.support.serving import StreamServer
from tests.support.tokens import KEY, LXM, SERVICE, VIEWER, Clock, Directory, bearer, claims, document, mint

PUBLISHER = did(0)
FEED = f"at://{PUBLISHER}/app.bsky.feed.generator/friends"


class AppView(StreamServer):
    """Answers getFollows, three at a time; `mute` lets it wait."""

    def __init__(self) -> None:
        super().__init__()
        self.follows: dict[str, list[str]] = {}
        self.let = asyncio.Event()
        self.let.set()
        self.body: bytes | None = None
        self.app.router.add_get("/xrpc/app.bsky.graph.getFollows", self._get)

    @property
    def url(self) -> str:
        return self.host.replace("ws:", "http:")

    async def _get(self, request: web.Request) -> web.StreamResponse:
        self.connected.set()
        await self.let.wait()
        if self.body is not None:
            return web.Response(body=self.body)
        all_of = self.follows[request.query["actor"]]
        start = int(request.query.get("cursor", 0))
        page = {
            "subject": {"did": request.query["actor"]},
            "follows": [{"did": each, "handle": "x.test"} for each in all_of[start : start + 3]],
        }
        return web.json_response(page | ({"cursor": str(start + 3)} if start + 3 < len(all_of) else {}))


@pytest.fixture
async def appview() -> AsyncIterator[AppView]:
    async with AppView() as server:
        server.follows[VIEWER] = [did(2), did(3)]
        yield server
        server.let.set()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def reading(appview: AppView, clock: Clock) -> AsyncIterator[Follows]:
    found = Follows(appview.url, clock)
    yield found
    await found.close()


def friends(**fields: object) -> Feed:
    rules = (load("hashtag")(any=("garden",)),)
    return Feed("friends", "Friends", rules, window=duration("2w"), followed=True, **fields)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def reader(kept: Kept, reading: Follows, clock: Clock) -> AsyncIterator["Reader"]:
    """The feed through HTTP, asked with real tokens."""
    async with Directory() as directory:
        directory.documents[VIEWER] = document(VIEWER, KEY)
        verify = Verifier(DidDocuments(directory.url, clock), audiences(SERVICE, "bsky_fg"), clock).verify
        ids = dict(zip((feed.rkey for feed in kept.feeds), kept.ids, strict=True))
        identity = Identity(SERVICE, PUBLISHER, "https://feeds.example.org")
        service = FeedService(kept.database, kept.feeds, ids, identity, follows=reading.shown_to(verify))
        await service.poll()
        async with serving(service) as url, aiohttp.ClientSession() as client:
            yield Reader(client, url, service)


class Reader:
    def __init__(self, client: aiohttp.ClientSession, url: str, service: FeedService) -> None:
        self._client, self._url, self.service = client, url, service

    async def ask(self, token: str | None = None, **query: str) -> tuple[int, dict[str, object], str]:
        headers = {"Authorization": bearer(token or mint(claims()))} if token != "" else {}
        asked = {"feed": FEED, **query}
        async with self._client.get(f"{self._url}/xrpc/{LXM}", params=asked, headers=headers) as answer:
            body = await answer.json()
            if answer.status == 200:
                assert_valid_output(LXM, body)
            return answer.status, body, answer.headers.get("Cache-Control", "")

    async def shown(self, **query: str) -> list[str]:
        await self.service.poll()
        status, body, _ = await self.ask(**query)
        assert status == 200, body
        return [item["post"] for item in body["feed"]]  # type: ignore[attr-defined]


async def test_a_reader_sees_the_posts_of_those_he_follows_and_no_others(database: Database, reading: Follows, clock: Clock) -> None:
    kept = Kept(database, (friends(),))
    kept.store([created(2, 1, 1), created(4, 2, 2), created(3, 3, 3), created(2, 4, 4, "no tag")])

    async with reader(kept, reading, clock) as bob:
        assert await bob.shown() == [uri(3, 3), uri(2, 1)]

        kept.store([deleted(3, 3, 10), created(2, 5, 11)])
        assert await bob.shown() == [uri(2, 5), uri(2, 1)]

        kept.store([account(2, 12, active=False)])
        assert await bob.shown() == []


async def test_pages_fit_together_while_posts_arrive(database: Database, reading: Follows, clock: Clock) -> None:
    kept = Kept(database, (friends(per_author=Quota(3, duration("10s"))),))
    kept.store([created(2 + number % 3, number, number) for number in range(20)])

    async with reader(kept, reading, clock) as bob:
        stood = await bob.shown(limit="100")
        seen, cursor = list[str](), ""
        for late in range(100):
            kept.store([created(2, 100 + late, 100 + late)])
            await bob.service.poll()
            _, body, _ = await bob.ask(limit="2", **({"cursor": cursor} if cursor else {}))
            seen += [item["post"] for item in body["feed"]]  # type: ignore[attr-defined]
            cursor = str(body.get("cursor", ""))
            if not cursor:
                break

    assert len(stood) > 5
    assert [post for post in seen if post in stood] == stood
    assert len(seen) == len(set(seen))


async def test_without_a_token_the_reader_is_told_what_to_do(database: Database, reading: Follows, clock: Clock) -> None:
    async with reader(Kept(database, (friends(),)), reading, clock) as bob:
        status, body, _ = await bob.ask(token="")

    assert (status, body["error"]) == (401, "AuthMissing")
    assert body["message"] == "This feed shows posts of the people whom you follow. Please log in to read it."


async def test_a_token_for_another_method_opens_nothing(database: Database, reading: Follows, clock: Clock, appview: AppView) -> None:
    async with reader(Kept(database, (friends(),)), reading, clock) as bob:
        status, body, _ = await bob.ask(token=mint(claims(lxm="app.bsky.feed.getTimeline")))

    assert (status, body["error"]) == (401, "BadJwtLexiconMethod")
    assert appview.asked == []


async def test_no_proxy_may_keep_what_one_reader_sees(database: Database, reading: Follows, clock: Clock) -> None:
    async with reader(Kept(database, (friends(),)), reading, clock) as bob:
        assert (await bob.ask())[2] == "private, no-store"


async def test_follows_are_read_page_by_page_and_kept_for_minutes(reading: Follows, appview: AppView, clock: Clock) -> None:
    appview.follows[VIEWER] = [did(number) for number in range(1, 8)] + ["no did"]

    assert await reading.of(VIEWER) == {did(number) for number in range(1, 8)}
    asked = len(appview.asked)
    assert asked == 3

    appview.follows[VIEWER] = [did(2)]
    clock.now += follows.KEPT_SECONDS - 1
    assert len(await reading.of(VIEWER)) == 7
    assert len(appview.asked) == asked
    clock.now += 2
    assert await reading.of(VIEWER) == {did(2)}


async def test_many_questions_at_once_are_one_reading(reading: Follows, appview: AppView) -> None:
    assert len({*await asyncio.gather(*(reading.of(VIEWER) for _ in range(20)))}) == 1
    assert len(appview.asked) == 1


async def test_who_waits_too_long_is_told_and_finds_it_read_later(
    reading: Follows, appview: AppView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "WAIT_SECONDS", 0.01)
    appview.let.clear()
    with pytest.raises(follows.XrpcError, match=r"still reading whom you follow.*again in a moment") as caught:
        await reading.of(VIEWER)
    assert caught.value.status == 503

    monkeypatch.setattr(follows, "WAIT_SECONDS", 6.0)
    appview.let.set()
    assert await reading.of(VIEWER) == {did(2), did(3)}
    assert len(appview.asked) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b'{"follows": [{}]}', b"{" * 5000, b'{"follows": 1}'])
async def test_an_appview_that_talks_nonsense_leaves_what_was_read_before(
    reading: Follows, appview: AppView, clock: Clock, body: bytes
) -> None:
    assert len(await reading.of(VIEWER)) == 2
    appview.body = body

    clock.now += follows.KEPT_SECONDS + 1
    assert len(await reading.of(VIEWER)) == 2
    clock.now += follows.STALE_SECONDS
    with pytest.raises(follows.XrpcError, match="cannot read whom you follow just now"):
        await reading.of(VIEWER)


async def test_what_is_kept_is_bounded(appview: AppView, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follows, "KEPT_FOLLOWS", 10)
    reading = Follows(appview.url, clock)
    for number in range(1, 8):
        appview.follows[did(number)] = [did(0), did(1), did(2), did(3)]
        await reading.of(did(number))
    asked = len(appview.asked)

    await reading.of(did(7))
    assert len(appview.asked) == asked
    await reading.of(did(1))
    assert len(appview.asked) > asked
    await reading.close()


async def test_no_reader_is_named_in_the_log_or_the_database(
    database: Database, reading: Follows, clock: Clock, appview: AppView, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kept = Kept(database, (friends(),))
    kept.store([created(2, 1, 1)])
    async with reader(kept, reading, clock) as bob:
        await bob.shown()
        appview.body = b"nonsense"
        clock.now += follows.STALE_SECONDS + 1
        await bob.ask()

    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # that is the stubs' own log
    assert not [message for message in ours if VIEWER in message]
    tables = ["account", "post", "entry", "entry_group", "cursor", "setting", "list_member"]
    for table in tables:
        rows = database.read_now(lambda session, name: session.execute(f"SELECT * FROM {name}"), table)
        assert VIEWER not in repr(rows)
