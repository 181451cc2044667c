"""Author rules may name handles: asked of the configured resolver at start, else as last heard on the stream (plainsky/asking)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from models.events import Event, IdentityChanged
from plainsky.asking import identity
from plainsky.asking.identity import resolve_handles
from plainsky.config.loading import parse
from plainsky.ingest.recording import Recorder
from plainsky.service import Service
from tests.support.garden import at, created, did, uri
from tests.support.programs import free_port
from tests.support.serving import StreamServer

CONFIG = """
[service]
hostname = "localhost:3000"
port = 0

[store]
url = "sqlite:///{folder}/plainsky.sqlite"

[ingest]
source = "replay"
path = "{folder}/recording"
import_after = "9999w"

[identity]
resolver = "{resolver}"

[[feeds]]
rkey = "people"
name = "People"

[[feeds.include]]
kind = "author"
any = ["@Alice.Example.com", "bob.example.com"]
"""
STREAM = (created(0, 1, 1), created(1, 2, 2), created(2, 3, 3))


class Resolver(StreamServer):
    """com.atproto.identity.resolveHandle; `raw` is answered as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.dids: dict[str, Any] = {}
        self.raw: bytes | None = None
        self.app.router.add_get("/xrpc/com.atproto.identity.resolveHandle", self._resolve_handle)

    @property
    def url(self) -> str:
        return self.host.replace("ws:", "http:")

    async def _resolve_handle(self, request: web.Request) -> web.Response:
        if self.mute:
            await asyncio.Event().wait()
        if self.raw is not None:
            return web.Response(body=self.raw, content_type="application/json")
        found = self.dids.get(request.query["handle"])
        if found is None:
            return web.json_response({"error": "HandleNotFound", "message": "Unable to resolve handle"}, status=400)
        return web.json_response({"did": found})


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    async with Resolver() as server:
        yield server


Feed = Callable[..., Any]


@pytest.fixture
def fed(tmp_path: Path, resolver: Resolver) -> Feed:
    """`await fed(EVENTS)`: the feed's posts, after a service has started, read these and stopped; its database stays for the next."""

    async def serve(events: Sequence[Event], url: str = "") -> list[str]:
        folder = tmp_path / "recording"
        with Recorder(folder) as recorder:
            for number, event in enumerate(events, 1):
                recorder.put(event, number)
        service = Service(parse(CONFIG.format(folder=tmp_path, resolver=url or resolver.url), "config.toml", {}))
        await service.start()
        try:
            await service.ingest()
            return await shown(service.url)
        finally:
            await service.stop()

    return serve


async def shown(url: str) -> list[str]:
    feed = "at://did:web:localhost%3A3000/app.bsky.feed.generator/people"
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/xrpc/app.bsky.feed.getFeedSkeleton", params={"feed": feed}) as answer,
    ):
        return [entry["post"] for entry in (await answer.json())["feed"]]


async def test_handles_are_asked_of_the_configured_resolver_at_start(fed: Feed, resolver: Resolver) -> None:
    resolver.dids = {"alice.example.com": did(0), "bob.example.com": did(1)}

    assert await fed(STREAM) == [uri(1, 2), uri(0, 1)]
    assert sorted(resolver.asked) == [
        f"/xrpc/com.atproto.identity.resolveHandle?handle={handle}" for handle in ("alice.example.com", "bob.example.com")
    ]


async def test_a_handle_that_cannot_be_resolved_matches_nobody_and_is_logged(
    fed: Feed, resolver: Resolver, caplog: pytest.LogCaptureFixture
) -> None:
    resolver.dids = {"bob.example.com": did(1)}

    assert await fed(STREAM) == [uri(1, 2)]
    assert [record.getMessage() for record in caplog.records if record.name == identity.__name__] == [
        f"the handle alice.example.com is not known to {resolver.url}: its author matches nothing"
    ]


async def test_without_a_resolver_the_handle_as_last_heard_on_the_stream_counts(fed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    heard = [IdentityChanged(did(0), at(4), "bob.example.com"), IdentityChanged(did(2), at(5), "alice.example.com")]
    changed = [IdentityChanged(did(0), at(6), "other.example.com"), created(0, 7, 7), created(2, 8, 8)]
    nobody = f"http://127.0.0.1:{free_port()}"
    assert await fed([*STREAM, *heard, changed[0]], nobody) == []
    assert caplog.text.count("could not be resolved (ClientConnectorError)") == 2

    assert await fed(changed, nobody) == [uri(2, 8), uri(2, 3)]


async def test_the_resolvers_word_counts_more_than_what_was_heard(fed: Feed, resolver: Resolver) -> None:
    heard = IdentityChanged(did(0), at(4), "alice.example.com")
    await fed([*STREAM, heard])
    resolver.dids = {"alice.example.com": did(2)}

    assert await fed([created(0, 7, 7), created(2, 8, 8)]) == [uri(2, 8), uri(2, 3)]


async def test_a_handle_that_resolves_later_fills_its_feed_with_what_its_author_wrote_before(fed: Feed, resolver: Resolver) -> None:
    assert await fed(STREAM) == []
    resolver.dids = {"bob.example.com": did(1)}

    assert await fed([]) == [uri(1, 2)]


async def test_what_a_resolver_said_once_holds_while_it_is_away_also_for_an_author_never_met(fed: Feed, resolver: Resolver) -> None:
    resolver.dids = {"bob.example.com": did(1), "alice.example.com": did(3)}
    assert await fed(STREAM) == [uri(1, 2)]
    resolver.dids = {}

    assert await fed([created(3, 9, 9)]) == [uri(3, 9), uri(1, 2)]


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"did": 7}', b'{"did": "did:plc:"}', b'{"did": "alice"}', b'{"did": "\xff"}', b"[" * 100_000],
    ids=lambda raw: repr(raw[:20]),
)
async def test_whatever_the_resolver_answers_the_service_starts(resolver: Resolver, raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    resolver.raw = raw

    assert await resolve_handles(resolver.url, ["alice.example.com"]) == {}
    assert "the handle alice.example.com" in caplog.text


async def test_a_resolver_that_does_not_answer_is_not_waited_for(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "TIMEOUT_SECONDS", 0.05)
    resolver.mute = True

    assert await resolve_handles(resolver.url, ["alice.example.com"]) == {}
    assert len(resolver.asked) == 1


async def test_each_handle_is_asked_for_once_and_none_without_need(resolver: Resolver) -> None:
    resolver.dids = {"alice.example.com": did(0)}

    assert await resolve_handles(resolver.url + "/", ["alice.example.com"] * 3) == {"alice.example.com": did(0)}
    assert len(resolver.asked) == 1
    assert await resolve_handles("http://nowhere.example", []) == {}
