"""The service as its operator runs it: a process, a config, real sockets (issue: operating)."""

import re
import resource
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from models.database import Database
from models.entries import tie_of
from models.events import PostCreated
from plainsky.ingest.recording import Recorder
from plainsky.memory import OPEN_FILES, take_room
from plainsky.sample import sample_events
from tests.support.lexicons import assert_valid_output
from tests.support.programs import LABELER_KEY, Service, replaying, request_json, wait_until

TABLES = """
[[feeds]]
rkey = "all"
name = "All"
window = "3d"
[[feeds.include]]
kind = "language"
any = ["en", "nl", "fr"]

[labeler]

[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"

[log]
level = "debug"
format = "json"
"""
VIEWER = "did:plc:viewerviewerviewerviewer"
TOKEN = "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NksifQ.eyJpc3MiOiJkaWQ6cGxjOnZpZXdlcnZpZXdlcnZpZXdlcnZpZXdlciJ9.c2ln"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled sample, as if it had ended a minute ago."""
    folder = tmp_path_factory.mktemp("recording")
    with Recorder(folder) as recorder:
        for number, event in enumerate(sample_events(int((time.time() - 60) * 1e6)), 1):
            recorder.put(event, number)
    return folder


def start(service: Callable[..., Service], recording: Path) -> Service:
    started = service(replaying(recording, TABLES), env=LABELER_KEY)
    wait_until(lambda: len(skeleton(started)["feed"]) > 50, 20, "the recording is stored")
    return started


@pytest.fixture(scope="module")
def running(lasting_service: Callable[..., Service], recording: Path) -> Service:
    """Started, and the whole recording is stored: for tests that only ask it something."""
    return start(lasting_service, recording)


@pytest.fixture
def own(service: Callable[..., Service], recording: Path) -> Service:
    """The same for one test, which may end it."""
    return start(service, recording)


def feed_uri(service: Service) -> str:
    return quote(f"at://did:web:localhost%3A{service.port}/app.bsky.feed.generator/all")


def skeleton(service: Service, parameters: str = "&limit=100", **headers: str) -> dict[str, list[dict[str, str]]]:
    return dict(service.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={feed_uri(service)}{parameters}", headers)[1])


def test_every_answer_is_valid_by_the_official_lexicons(running: Service) -> None:
    assert_valid_output("app.bsky.feed.describeFeedGenerator", running.get("/xrpc/app.bsky.feed.describeFeedGenerator")[1])
    assert_valid_output("app.bsky.feed.getFeedSkeleton", skeleton(running))
    assert_valid_output("com.atproto.label.queryLabels", running.get("/xrpc/com.atproto.label.queryLabels?uriPatterns=*")[1])


def test_the_did_document_names_both_services_and_the_labelers_key(running: Service) -> None:
    document = running.get("/.well-known/did.json")[1]

    assert {service["id"]: service["type"] for service in document["service"]} == {
        "#bsky_fg": "BskyFeedGenerator",
        "#atproto_labeler": "AtprotoLabeler",
    }
    assert document["verificationMethod"][0]["id"].endswith("#atproto_label")


def test_of_the_samples_two_flagged_posts_the_one_that_was_edited_has_no_label_that_stands(running: Service) -> None:
    labels = running.get("/xrpc/com.atproto.label.queryLabels?uriPatterns=*")[1]["labels"]

    assert [label["val"] for label in labels if not label.get("neg")] == ["plainsky-test"]


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/xrpc/app.bsky.feed.getFeedSkeleton", 400, "InvalidRequest"),
        ("/xrpc/app.bsky.feed.getFeedSkeleton?feed=at://did:web:x.example/app.bsky.feed.generator/all", 400, "UnknownFeed"),
        ("/xrpc/com.example.unknown", 501, "MethodNotImplemented"),
        ("/xrpc/com.atproto.label.queryLabels", 400, "InvalidRequest"),
        ("/xrpc/com.atproto.label.subscribeLabels", 426, "InvalidRequest"),
    ],
)
def test_errors_are_in_xrpc_shape(running: Service, path: str, status: int, name: str) -> None:
    got, body = running.get(path)

    assert (got, body["error"]) == (status, name)
    assert set(body) == {"error", "message"}


@pytest.mark.parametrize("nsid", ["com.atproto.label.queryLabels", "com.atproto.moderation.createReport", "app.bsky.feed.getFeedSkeleton"])
def test_a_browser_that_asks_first_may_send_the_headers_that_the_protocols_clients_send(running: Service, nsid: str) -> None:
    asked = {
        "Origin": "https://app.example.org",
        "Access-Control-Request-Method": "POST" if "create" in nsid else "GET",
        "Access-Control-Request-Headers": "atproto-accept-labelers,authorization,content-type",
    }
    request = urllib.request.Request(f"{running.url}/xrpc/{nsid}", headers=asked, method="OPTIONS")
    with urllib.request.urlopen(request, timeout=10) as answer:
        told = {name.removeprefix("Access-Control-Allow-"): value for name, value in answer.headers.items()}

    assert answer.status == 204
    assert (told["Origin"], told["Headers"]) == ("*", "authorization, *")
    assert asked["Access-Control-Request-Method"] in told["Methods"].split(", ")


def test_a_method_called_wrongly_says_how_it_is_called(running: Service) -> None:
    request = urllib.request.Request(running.url + "/xrpc/app.bsky.feed.getFeedSkeleton", b"", method="POST")

    assert request_json(request, 10) == (405, {"error": "MethodNotAllowed", "message": "This method is called with GET,HEAD."})


def test_labels_may_be_asked_for_some_hundred_posts_at_once(running: Service) -> None:
    uris = [f"at://did:plc:{'a' * 24}/app.bsky.feed.post/3n2rcvze7{number:04}" for number in range(250)]
    asked = "&".join(f"uriPatterns={quote(uri)}" for uri in uris)

    assert len(asked) > 20_000
    assert running.get(f"/xrpc/com.atproto.label.queryLabels?{asked}") == (200, {"labels": []})


def test_health_tells_each_part_and_metrics_count(running: Service) -> None:
    health = running.get("/_health")[1]
    metrics = text(running, "/metrics")
    routes = {"app.bsky.feed.getFeedSkeleton"}

    assert health["status"] == "ok"
    assert health["database"]["ok"]
    assert health["signingKey"]["ok"]
    created = sum(isinstance(event, PostCreated) for event in sample_events(0))
    assert f'plainsky_events_total{{kind="create"}} {created}.0' in metrics
    assert re.search(r'plainsky_dropped_total\{reason="(import|account_deleted)"\} [1-9]', metrics)
    assert routes <= set(re.findall(r'plainsky_requests_total\{nsid="([^"]+)"', metrics))


def test_what_a_stranger_types_becomes_no_name_of_a_metric(running: Service) -> None:
    running.get("/xrpc/com.example.secret-of-a-reader")

    assert "secret-of-a-reader" not in text(running, "/metrics")


def test_no_trace_of_a_viewer_is_in_database_logs_or_metrics(own: Service) -> None:
    skeleton(own, Authorization=TOKEN)
    skeleton(own, parameters=f"&limit=30&viewer={VIEWER}", Authorization=TOKEN)
    own.get("/xrpc/com.atproto.label.queryLabels?uriPatterns=*", {"Authorization": TOKEN})
    metrics = text(own, "/metrics")
    own.stop()

    files = [path for path in own.folder.iterdir() if path.is_file()]
    assert {"plainsky.sqlite", "log"} <= {path.name for path in files}
    for secret in (VIEWER, TOKEN.split()[1], TOKEN.split(".")[1]):
        assert secret not in metrics
        assert [path.name for path in files if secret.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    "raw", [b"\xff\x00\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nbroken header\r\n\r\n"]
)
def test_a_request_that_is_none_is_refused_and_leaves_no_line_in_the_log(running: Service, raw: bytes) -> None:
    before = running.logs
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as stranger:
        stranger.sendall(raw)
        assert stranger.recv(100).startswith(b"HTTP/1.0 400")

    assert running.logs == before


def test_the_start_page_shows_feeds_and_reasons_without_script_cookie_or_third_party(running: Service) -> None:
    with urllib.request.urlopen(f"{running.url}/") as answer:
        page, headers = answer.read().decode(), answer.headers

    assert '<a href="/feeds/all">All</a></h2>' in page
    assert re.search(r"language: (en|nl|fr)\b", page)
    assert "<script" not in page
    assert "Set-Cookie" not in headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert re.findall(r'(?:src|<link[^>]*href)="(?!/)[^"]*"', page) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_five_seconds_also_with_open_streams(own: Service, number: signal.Signals) -> None:
    import asyncio
    import os

    import aiohttp

    async def stop_with_a_stream_open() -> object:
        url = own.url.replace("http", "ws") + "/xrpc/com.atproto.label.subscribeLabels?cursor=0"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as stream:
            await stream.receive(5)
            os.kill(own.program.pid, number)
            while not (message := await stream.receive(5)).type.name.startswith("CLOS"):
                pass
            return message.type

    asyncio.run(stop_with_a_stream_open())
    wait_until(lambda: not own.program.running, 5, "the process has ended")
    assert own.program.stop() == 0


def test_after_a_restart_it_serves_the_same_bytes(own: Service) -> None:
    before = skeleton(own)
    own.restart()

    assert skeleton(own) == before


def test_a_changed_rule_fills_its_feed_anew_from_the_stored_posts(own: Service) -> None:
    everything = len(skeleton(own)["feed"])
    own.config.write_text(own.config.read_text().replace('any = ["en", "nl", "fr"]', 'any = ["nl"]'))
    own.restart()

    assert 0 < len(skeleton(own)["feed"]) < everything


def test_a_second_writer_on_one_file_is_told_so(running: Service, tmp_path: Path) -> None:
    other = Service(tmp_path, running.config.read_text().replace(f"port = {running.port}", "port = 0"), LABELER_KEY)

    with pytest.raises(AssertionError, match="another plainsky already writes"):
        other.start()


def test_a_port_that_is_taken_is_a_clear_error(running: Service, tmp_path: Path) -> None:
    other = Service(tmp_path, running.config.read_text().replace(str(running.folder), str(tmp_path)), LABELER_KEY)

    with pytest.raises(AssertionError, match=r"cannot listen on 127\.0\.0\.1"):
        other.start()


def test_it_takes_room_for_more_connections_than_a_process_is_given_at_first() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        take_room()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(OPEN_FILES, hard) if hard > 0 else OPEN_FILES, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def on_postgresql(service: Callable[..., Service], recording: Path, postgresql_url: str) -> Service:
    """The service on PostgreSQL; the URL comes from the environment, as a secret must."""
    return service(replaying(recording, TABLES), env={**LABELER_KEY, "PLAINSKY_STORE_URL": postgresql_url})


def test_on_postgresql_a_serving_process_shows_what_another_stores_and_a_standby_takes_over(
    on_postgresql: Service, service: Callable[..., Service], recording: Path, postgresql_url: str
) -> None:
    wait_until(lambda: len(skeleton(on_postgresql)["feed"]) > 50, 20, "the recording is stored")
    environment = {**LABELER_KEY, "PLAINSKY_STORE_URL": postgresql_url}
    config = on_postgresql.config.read_text().replace(f"\nport = {on_postgresql.port}", "\nport = @PORT@")
    serving = service(config, env=environment, arguments=("--role", "serve"))

    def shown(one: Service) -> object:
        return one.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={feed_uri(on_postgresql)}&limit=100")[1]

    assert shown(serving) == shown(on_postgresql)

    database = Database(postgresql_url)
    database.open()
    try:
        newest = shown(serving)["feed"][0]["post"]  # type: ignore[index]
        database.write_now(lambda session: session.execute("DELETE FROM entry WHERE tie = ?", (tie_of(newest),)))
        database.write_now(lambda session: session.execute("UPDATE feed SET version = version + 1"))
        wait_until(lambda: newest not in str(shown(serving)), 3, "the other process shows it")
    finally:
        database.close()


def test_health_is_503_while_the_database_is_away_and_200_when_it_is_back(on_postgresql: Service, postgresql_url: str) -> None:
    import psycopg

    server, name = postgresql_url.rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        wait_until(lambda: on_postgresql.get("/_health")[0] == 503, 10, "health says that the database is away")
        assert not on_postgresql.get("/_health")[1]["database"]["ok"]
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    wait_until(lambda: on_postgresql.get("/_health")[0] == 200, 10, "health says that the database is back")


def text(service: Service, path: str) -> str:
    """An answer as text."""
    with urllib.request.urlopen(service.url + path) as answer:
        return str(answer.read().decode())
