"""`plainsky labels`: a person's decisions, beside the running service, which issues them and wakes its streams."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aiohttp
import pytest

from models import decisions, labels
from models.database import Database
from plainsky.cli import main
from tests.support.labels import CIDS, SRC, decoded, uri
from tests.support.programs import LABELER_KEY, Service

CONFIG = """
[service]
hostname = "localhost:@PORT@"
port = @PORT@

[store]
url = "{store}"

[ingest]
source = "firehose"
hosts = ["ws://localhost:1"]

[appview]
url = "{appview}"

[labeler]
did = "{did}"

[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"
targets = ["post", "account"]
"""
POST = uri("post")


@pytest.fixture
def appview() -> Iterator[str]:
    """Says how many follow an account: 50,000 whose DID holds "famous"."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"did": "did:plc:x", "followersCount": 50_000 if "famous" in self.path else 5}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def config(tmp_path: Path, appview: str, database_url: str) -> Path:
    """A config whose service does not run."""
    path = tmp_path / "config.toml"
    text = CONFIG.format(store="sqlite:///x", appview=appview, did=SRC)
    path.write_text(text.replace("@PORT@", "3000"))
    return path


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("PLAINSKY_STORE_URL", database_url)
    monkeypatch.setattr("plainsky.commands.labels.WAIT_SECONDS", 0.0)


def do(config: Path, *words: str, who: str = "ann", reason: str = "because") -> int:
    said = ["--reason", reason, "--as", who, "--yes"] if words[0] not in ("list", "log") else []
    return main(["labels", *words, "--config", str(config), *said])


@pytest.fixture
def stored(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.open()
    yield database
    database.close()


def test_a_decision_waits_in_the_database_until_the_service_runs_and_needs_no_key(
    config: Path, stored: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do(config, "issue", POST, "plainsky-test", "--cid", CIDS[0]) == 0

    assert "1 of 1 wait: for the service to run, or for room." in capsys.readouterr().out
    (decided,) = stored.read_now(decisions.waiting, "labelling")
    assert (decided.role, decided.moderator, decided.reason, decided.cid) == ("operator", "ann", "because", CIDS[0])
    assert stored.read_now(labels.last_seq) == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_wide_accounts_and_accounts_themselves_need_a_second_person(
    config: Path, stored: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    famous = "at://did:plc:famous222222222222222222/app.bsky.feed.post/post"
    do(config, "issue", famous, "plainsky-test", "--all-versions")
    do(config, "issue", "did:plc:author222222222222222222", "plainsky-test")
    assert capsys.readouterr().out.count("waits for a second person") == 2
    assert [one.waits_for for one in stored.read_now(decisions.waiting, "second")] == ["second", "second"]

    assert do(config, "confirm", "1") == 2
    assert "another one than the first" in capsys.readouterr().err
    assert do(config, "confirm", "1", who="ben") == 0
    assert [one.uri for one in stored.read_now(decisions.waiting, "labelling")] == [famous]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["issue", POST, "plainsky-test"], "is not stored here"),
        (["issue", POST, "other", "--all-versions"], 'the config has no label "other"'),
        (["issue", POST, "plainsky-test", "--all-versions", "--expires", "soon"], "is no length of time"),
        (["issue", POST, "plainsky-test", "--all-versions", "--expires", "999999w"], "52 weeks at most"),
        (["negate", POST, "plainsky-test"], "does not stand there"),
        (["confirm", "7"], "there is no decision 7"),
        (
            ["issue", "https://bsky.app/profile/a.example/post/x", "plainsky-test", "--all-versions"],
            "https://bsky.app/profile/a.example/post/x: exp",
        ),
        (["resume", "plainsky-test"], "has not tripped"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_told_with_the_reason(config: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(config, *words) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "follow https" not in told.out


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "words", [["confirm", "9" * 30], ["confirm", "0"], ["log", "--limit", "9" * 30], ["list", "--limit", "-1"]], ids=str
)
def test_numbers_that_no_database_holds_are_refused(config: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        do(config, *words)
    assert "expected a whole number from 1" in capsys.readouterr().err


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_nothing_is_decided_without_yes_where_nobody_can_be_asked(
    config: Path, stored: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["labels", "issue", POST, "plainsky-test", "--all-versions", "--config", str(config), "--reason", "because"]

    assert main(words) == 2
    assert "Say --yes" in capsys.readouterr().err
    assert stored.read_now(decisions.last_id) == 0


def test_the_running_service_issues_what_another_process_decided_and_wakes_its_streams(
    service: Callable[..., Service],
    appview: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("plainsky.commands.labels.WAIT_SECONDS", 20.0)
    text = CONFIG.format(store="sqlite:///x", appview=appview, did=SRC)
    running = service(text, env={**LABELER_KEY, "PLAINSKY_STORE_URL": database_url})

    async def subscribed() -> list[tuple[str, bool]]:
        read: list[tuple[str, bool]] = []
        url = running.url + "/xrpc/com.atproto.label.subscribeLabels?cursor=0"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            for words in (["issue", POST, "plainsky-test", "--cid", CIDS[0]], ["negate", POST, "plainsky-test"]):
                assert await asyncio.to_thread(do, running.config, *words) == 0
                _, body = decoded(await socket.receive_bytes(timeout=20))
                read += [(label["cid"], label.get("neg", False)) for label in body["labels"]]
            for number in range(3):
                assert await asyncio.to_thread(do, running.config, "issue", uri(f"p{number}"), "plainsky-test", "--all-versions") == 0
            assert await asyncio.to_thread(do, running.config, "negate-all", "plainsky-test") == 0
            while len(read) < 8:
                _, body = decoded(await socket.receive_bytes(timeout=20))
                read += [(label.get("cid", ""), label.get("neg", False)) for label in body["labels"]]
        return read

    read = asyncio.run(subscribed())

    assert read[:2] == [(CIDS[0], False), (CIDS[0], True)]
    assert [neg for _, neg in read[2:]] == [False] * 3 + [True] * 3
    out = capsys.readouterr().out
    assert "1 issued." in out
    assert "3 taken back" in out
    assert do(running.config, "list") == 0
    assert do(running.config, "log", POST) == 0
    assert do(running.config, "log") == 0
    told = capsys.readouterr().out
    assert "0 labels." in told
    assert "by operator (person): label plainsky-test" in told
    assert f"seq 2: negation of plainsky-test {CIDS[0]}" in told
