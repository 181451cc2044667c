"""Whoever reads, asks or reports leaves no trace: no DID and no address in database, log, metrics or files (invariant 7)."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from plainsky.ingest.recording import Recorder
from plainsky.sample import sample_events
from tests.support.programs import LABELER_KEY, Service, replaying, wait_until
from tests.support.tokens import mint

TABLES = """
[identity]
plc = "http://127.0.0.1:9"
resolver = "http://127.0.0.1:9"
[appview]
url = "http://127.0.0.1:9"
[[feeds]]
rkey = "all"
name = "All"
window = "3d"
[[feeds.include]]
kind = "language"
any = ["en", "nl", "fr"]
[[feeds]]
rkey = "near"
name = "Near"
followed = true
[[feeds.include]]
kind = "language"
any = ["en"]
[labeler]
[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"
[log]
level = "debug"
"""
ADDRESS = "127.66.77.88"
VIEWER = "did:plc:viewerviewerviewerviewer"
AGENT = "Curious-Browser/7.7"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    folder = tmp_path / "recording"
    with Recorder(folder) as recorder:
        for cursor, event in enumerate(sample_events(1_795_176_000_000_000), 1):
            recorder.put(event, cursor)
    return folder


async def test_no_viewer_no_address_and_no_browser_is_found_anywhere(service: Callable[..., Service], recording: Path) -> None:
    running = service(replaying(recording, TABLES), env=LABELER_KEY)
    wait_until(lambda: running.get("/feeds/all.json")[1]["newest"] != [], 20, "posts are stored")
    post = running.get("/feeds/all.json")[1]["newest"][0]["uri"]
    feed = f"at://did:web:localhost%3A{running.port}/app.bsky.feed.generator"
    token = mint({"iss": VIEWER, "aud": running.did, "exp": 2**31, "iat": 1, "lxm": "app.bsky.feed.getFeedSkeleton", "jti": "x"})
    paths = ["/", "/?lang=nl", "/feeds/all", "/feeds/all.json", "/feeds/all.atom", "/feeds/all/feed.json", "/status", "/changes", "/labels",
             f"/why?uri={quote(post)}", f"/why?uri=at://{VIEWER}/app.bsky.feed.post/3l5gbwvbz2c2a", "/nowhere", "/metrics", "/_health",
             f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={quote(feed)}/all", f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={quote(feed)}/near",
             "/xrpc/com.atproto.label.queryLabels?uriPatterns=*", "/.well-known/did.json"]  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "User-Agent": AGENT, "X-Forwarded-For": ADDRESS, "Accept-Language": "fr"}

    connector = aiohttp.TCPConnector(local_addr=(ADDRESS, 0))
    async with aiohttp.ClientSession(running.url.replace("localhost", "127.0.0.1"), connector=connector, headers=headers) as reader:
        for path in paths:
            async with reader.get(path) as answer:
                assert answer.status < 500 or path.startswith("/why"), path
        async with reader.post("/xrpc/app.bsky.feed.sendInteractions", json={"interactions": [{"item": post}]}) as answer:
            assert answer.status == 200
        report = {"reasonType": "com.atproto.moderation.defs#reasonSpam", "subject": {"did": VIEWER}, "reason": "x"}
        async with reader.post("/xrpc/com.atproto.moderation.createReport", json=report) as answer:
            assert answer.status in (400, 401, 503)
        async with reader.get("/metrics") as answer:
            metrics = await answer.text()
    running.stop()

    kept = {path.name: path.read_bytes() for path in running.folder.rglob("*") if path.is_file() and path.name != "config.toml"}
    assert {"plainsky.sqlite", "log"} <= kept.keys()
    for secret in (ADDRESS, VIEWER, AGENT, token, token.split(".")[1]):
        assert secret not in metrics
        assert [name for name, content in kept.items() if secret.encode() in content] == []
