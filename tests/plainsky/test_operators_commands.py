"""`plainsky reload`, `backtest`, `explain`, `feeds show` and `verify-log`, as an operator runs them (docs/operating.md)."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from models.events import Event
from models.protocol.syntax import format_datetime
from plainsky.cli import main
from plainsky.config.loading import parse
from plainsky.ingest.recording import Recorder
from plainsky.knowing.known import Known
from plainsky.opening import opened
from plainsky.progress import Bar
from plainsky.trying.explaining import explained
from plainsky.trying.scratch import House, look_back, scratch
from tests.support.garden import account, at, created, deleted, did, updated, uri
from tests.support.jetstream_server import JetstreamServer
from tests.support.programs import Service, replaying, wait_until

HEAD = replaying("@FOLDER@/../recording", '[appview]\nurl = "http://127.0.0.1:9"\n', 'import_after = "9999w"')
FEED = """
[[feeds]]
rkey = "garden"
name = "Garden"
window = "2w"
{more}
[[feeds.include]]
kind = "keyword"
any = [{words}]
"""
QUOTA = 'per_author = { posts = 1, every = "1h" }'
STORY: tuple[Event, ...] = (
    created(0, 1, 1, "a rose"),
    created(0, 2, 2, "a rose and a tulip"),
    created(1, 3, 3, "a tulip"),
    created(1, 4, 4, "a weed"),
    created(2, 5, 5, "a tulip that was deleted"),
    updated(1, 4, 6, "a tulip after all"),
    deleted(2, 5, 7),
    created(3, 6, 8, "a rose of one who left"),
    account(3, 9, active=False, status="deactivated"),
)


def feed(*words: str, more: str = "") -> str:
    return FEED.format(words=", ".join(f'"{word}"' for word in words), more=more)


def record(folder: Path, events: Iterator[Event] | tuple[Event, ...] = STORY) -> Path:
    with Recorder(folder) as recorder:
        for number, event in enumerate(events, 1):
            recorder.put(event, number)
    return folder


@pytest.fixture
def running(service: Callable[..., Service], tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service that has stored the story."""
    recording = tmp_path_factory.getbasetemp() / "recording"
    if not recording.exists():
        record(recording)
    started = service(HEAD + feed("rose"))
    wait_until(lambda: len(shown(started)) == 2, 10, "the story is stored")
    return started


def shown(running: Service) -> list[str]:
    at_ = f"at://did:web:localhost%253A{running.port}/app.bsky.feed.generator/garden"
    return [item["post"] for item in running.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={at_}")[1]["feed"]]


def plainsky(*words: str) -> subprocess.CompletedProcess[str]:
    """What a command prints and its exit code, run in this process: the service is the other one."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        code = main(words)
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())


def test_reload_says_in_the_terminal_what_came_of_it(running: Service) -> None:
    running.config.write_text(running.config.read_text().replace('"rose"', '"tulip"'))

    done = plainsky("reload", str(running.config), "--reason", "Spring.")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Feed garden changed: +2, -1 of the stored posts, by 2 authors" in done.stdout
    assert shown(running) == [uri(1, 4), uri(1, 3), uri(0, 2)]
    log = running.get("/changes.json")[1]["changes"]
    assert (log[-1]["reason"], log[-1]["effect"]) == ("Spring.", {"added": 2, "removed": 1, "authors": 2})
    copy = running.folder / "changes.json"
    copy.write_text(json.dumps({"changes": log}))
    assert plainsky("verify-log", str(copy)).stdout.startswith("2 entries, and the chain holds.")
    assert plainsky("verify-log", f"{running.url}/changes.json", "--holds", log[0]["hash"]).returncode == 0
    assert plainsky("verify-log", "--config", str(running.config)).returncode == 0
    copy.write_text(json.dumps({"changes": [{**log[0], "reason": "No reason."}, log[1]]}))
    broken = plainsky("verify-log", str(copy))
    assert (broken.returncode, broken.stdout) == (1, "The log is broken: entry 1 was changed: its hash is another.\n")
    assert plainsky("verify-log", str(copy).replace("changes", "nothing")).returncode == 2


def test_a_wrong_config_is_refused_with_the_text_of_check(running: Service) -> None:
    running.config.write_text(running.config.read_text().replace('kind = "keyword"', 'kind = "keywrod"'))

    refused, checked = plainsky("reload", str(running.config)), plainsky("check", str(running.config))

    assert (refused.returncode, refused.stderr) == (2, checked.stderr)
    assert len(shown(running)) == 2


def test_what_needs_a_restart_is_refused_by_the_service(running: Service) -> None:
    running.config.write_text(running.config.read_text() + '[identity]\nplc = "https://plc.example.org"\n')

    refused = plainsky("reload", str(running.config))

    assert refused.returncode == 2
    assert "identity.plc: takes effect at a restart only" in refused.stderr
    assert "Nothing is changed." in refused.stderr


def test_hang_up_reloads_as_well_and_logs_what_came_of_it(running: Service) -> None:
    running.config.write_text(running.config.read_text().replace('"rose"', '"tulip"'))
    os.kill(running.program.pid, signal.SIGHUP)
    wait_until(lambda: len(shown(running)) == 3, 10, "the feed is another")

    running.config.write_text("nonsense")
    os.kill(running.program.pid, signal.SIGHUP)
    wait_until(lambda: "this is no TOML" in running.logs, 10, "the error is told")
    assert len(shown(running)) == 3


def test_reload_without_a_service_says_so(running: Service) -> None:
    running.stop()

    nobody = plainsky("reload", str(running.config), "--wait", "0.3")

    assert nobody.returncode == 2
    assert "no running service answers" in nobody.stderr


def test_feeds_show_prints_what_readers_see_with_reasons_and_times(running: Service) -> None:
    told = plainsky("feeds", "show", "garden", "--config", str(running.config), "--limit", "1", "--pages", "5").stdout

    assert told.count("Page ") == 2
    assert "a rose and a tulip" in told
    assert format_datetime(at(2)) in told
    assert "because of include[0] keyword: rose" in told
    assert told.rstrip().endswith("(the feed ends here)")
    unknown = plainsky("feeds", "show", "gardn", "--config", str(running.config))
    assert (unknown.returncode, unknown.stderr) == (2, "there is no feed 'gardn' in this config; it has: garden\n")


def test_feeds_show_of_a_service_that_has_read_nothing_yet_tells_no_time(service: Callable[..., Service]) -> None:
    head = HEAD.replace('"replay"', '"jetstream"\nhosts = ["ws://127.0.0.1:9"]').replace('path = "@FOLDER@/../recording"\n', "")
    started = service(head + feed("rose"))

    told = plainsky("feeds", "show", "garden", "--config", str(started.config)).stdout

    assert told == "Garden (garden): nothing has come in yet\n"


def test_a_rule_of_rules_is_told_line_by_line_and_no_line_ends_in_the_middle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nest = """
[[feeds.exclude]]
kind = "all"
[[feeds.exclude.rules]]
kind = "keyword"
any = ["weed"]
[[feeds.exclude.rules]]
kind = "none"
[[feeds.exclude.rules.rules]]
kind = "language"
any = ["nl"]
"""
    config, file = write(tmp_path, "config.toml", feed("rose") + nest), tmp_path / "post.json"
    file.write_text(json.dumps({"$type": "app.bsky.feed.post", "text": "a rose and a weed", "createdAt": "2026-11-20T19:26:19.252Z"}))

    lines = told(capsys, "explain", str(file), "--config", config, "--offline").splitlines()

    assert [line.split("exclude[0]", 1)[1] for line in lines if "exclude[0]" in line] == [
        " (keeps out) fits all of these: weed",
        ".rules[0] says the word “weed”: weed",
        ".rules[1] fits none of these",
        ".rules[1].rules[0] declares the language nl",
    ]


def test_explain_tells_of_a_stored_post_what_each_rule_says(running: Service) -> None:
    stored = plainsky("explain", uri(0, 2), "--config", str(running.config), "--offline")
    gone = plainsky("explain", uri(2, 5), "--config", str(running.config), "--offline")

    assert "from the database" in stored.stdout
    assert "| a [rose] and a tulip" in stored.stdout
    assert "+ Garden (garden): It stands in the feed, at place 1." in stored.stdout
    assert "This post was deleted" in gone.stdout
    assert "tulip" not in gone.stdout
    assert plainsky("explain", uri(4, 9), "--config", str(running.config), "--offline").returncode == 2


def write(folder: Path, name: str, *tables: str) -> str:
    file = folder / name
    file.write_text(HEAD.replace("@PORT@", "3000").replace("@FOLDER@", str(folder)) + "".join(tables))
    return str(file)


def text_of(file: str) -> str:
    return Path(file).read_text()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "given",
    [
        {"text": "a rose", "createdAt": "2026-11-20T12:00:00Z"},
        {"kind": "create", "did": did(1), "rkey": "3kaaaaaaaaa2a", "record": {"text": "a rose"}},
        {"uri": uri(1, 1), "cid": "bafy", "value": {"$type": "app.bsky.feed.post", "text": "a rose"}},
    ],
    ids=["record", "line of a recording", "getRecord"],
)
def test_explain_takes_a_posts_json_without_network_or_database(
    tmp_path: Path, given: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, file = write(tmp_path, "config.toml", feed("rose")), tmp_path / "post.json"
    file.write_text(json.dumps(given))

    from_file = told(capsys, "explain", str(file), "--config", config, "--offline")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    answer = json.loads(told(capsys, "explain", "-", "--config", config, "--offline", "--json"))

    assert "+ Garden (garden): The rules let it in." in from_file
    assert "gtube (counts for no label): nothing" in from_file
    assert answer["feeds"]["feeds"][0]["rules"][0]["words"] == ["rose"]
    assert not (tmp_path / "plainsky.sqlite").exists()


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"no": "text"}', "[" * 5000])
def test_explain_refuses_what_is_no_post(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    config, file = write(tmp_path, "config.toml", feed("rose")), tmp_path / "post.json"
    file.write_text(text)

    assert main(["explain", str(file), "--config", config, "--offline"]) == 2
    assert "expected" in capsys.readouterr().err


async def test_explain_asks_the_appview_for_a_post_that_was_never_stored(tmp_path: Path) -> None:
    async def get_record(request: web.Request) -> web.Response:
        return web.json_response({"uri": uri(1, 1), "cid": "bafy", "value": {"text": "a rose", "createdAt": format_datetime(at(1))}})

    text = text_of(write(tmp_path, "config.toml", feed("rose")))
    app = web.Application()
    app.router.add_get("/xrpc/com.atproto.repo.getRecord", get_record)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        config = parse(text.replace("127.0.0.1:9", f"127.0.0.1:{runner.addresses[0][1]}"))
        found = await explained(config, uri(1, 1))
    finally:
        await runner.cleanup()

    assert found.source == "network"
    assert found.feeds.feeds[0].by == "include[0]"


def test_a_backtest_over_a_recording_counts_edits_deletions_accounts_and_quotas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = record(tmp_path / "recording")
    old, new = write(tmp_path, "old.toml", feed("rose")), write(tmp_path, "new.toml", feed("rose", "tulip", more=QUOTA))

    found = json.loads(told(capsys, "backtest", new, "--config", old, "--recording", str(recording), "--json"))

    (garden,) = found["feeds"]
    assert [post["uri"] for post in garden["addedExamples"]] == [uri(1, 3)]
    assert [post["uri"] for post in garden["removedExamples"]] == [uri(0, 2)]
    assert [post["uri"] for post in garden["unchangedExamples"]] == [uri(0, 1)]
    assert (garden["added"], garden["removed"], garden["unchanged"], garden["authors"]) == (1, 1, 1, 2)
    assert garden["addedExamples"][0]["why"] == "include[0] keyword: tulip"
    assert garden["languagesAdded"] == {"en": 1}
    assert (garden["perHourBefore"], garden["change"]) == (2.0, "changed")


def test_a_backtest_is_a_table_or_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording, page = record(tmp_path / "recording"), tmp_path / "page.html"
    old, new = (
        write(tmp_path, "old.toml", feed("rose")),
        write(tmp_path, "new.toml", feed("tulip") + feed("weed").replace("garden", "weeds")),
    )
    words = ("backtest", new, "--config", old, "--recording", str(recording))

    table = told(capsys, *words)
    told(capsys, *words, "--html", str(page))

    assert [line.split()[:5] for line in table.splitlines() if line.startswith(("garden ", "weeds "))] == [
        ["garden", "2", "1", "1", "2"],
        ["weeds", "0", "0", "0", "0"],
    ]
    assert f"[include[0] keyword: tulip] {uri(1, 4)}" in table
    assert "a tulip after all" in page.read_text()
    assert "<script" not in page.read_text()


def test_a_backtest_over_the_services_own_posts_finds_what_a_reload_then_does(running: Service, capsys: pytest.CaptureFixture[str]) -> None:
    new = running.folder / "new.toml"
    new.write_text(running.config.read_text().replace('"rose"', '"tulip"'))

    found = json.loads(told(capsys, "backtest", str(new), "--config", str(running.config), "--json"))
    running.config.write_text(new.read_text())
    plainsky("reload", str(running.config))

    effect = running.get("/changes.json")[1]["changes"][-1]["effect"]
    assert {name: found["feeds"][0][name] for name in effect} == effect


OUT = '[opt_out]\nauthors = ["{}"]\nhashtags = ["nofeeds"]\n'


def test_authors_who_opted_out_are_those_of_each_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the feeds are the same, and where a mark counts by one config only; quotas look at those who are in."""
    asks = created(3, 20, 20, "a tulip, and #nofeeds for me")
    recording = record(tmp_path / "recording", (*STORY, created(4, 19, 19, "a rose of my own"), asks, account(3, 21, active=True)))
    old, new = (
        write(tmp_path, f"{name}.toml", out + feed("rose", "tulip", more=QUOTA))
        for name, out in (("old", f'[opt_out]\nauthors = ["{did(0)}"]\n'), ("new", OUT.format(did(4))))
    )
    words = ("--recording", str(recording), "--json")

    there = json.loads(told(capsys, "backtest", new, "--config", old, *words))["feeds"][0]
    back = json.loads(told(capsys, "backtest", old, "--config", new, *words))["feeds"][0]

    assert {post["uri"] for post in there["addedExamples"]} == {uri(0, 1)}
    assert {post["uri"] for post in there["removedExamples"]} == {uri(3, 6), uri(4, 19)}
    assert {post["uri"] for post in there["unchangedExamples"]} == {uri(1, 3)}
    assert there["change"] == "changed"
    for one, other in (("added", "removed"), ("removed", "added"), ("unchanged", "unchanged")):
        assert there[f"{one}Examples"] == back[f"{other}Examples"]


def test_authors_who_opted_out_are_known_from_the_services_database_too(
    service: Callable[..., Service], tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path_factory.mktemp("asking") / "recording"
    record(recording, (*STORY, created(4, 19, 19, "a rose #nofeeds"), created(4, 20, 20, "another rose")))
    head = HEAD.replace("@FOLDER@/../recording", str(recording))
    started = service(head + OUT.format(did(1)) + feed("rose"))
    wait_until(lambda: len(shown(started)) == 2, 10, "the story is stored")
    new = started.folder / "new.toml"
    new.write_text(started.config.read_text().replace('hashtags = ["nofeeds"]', ""))

    found = json.loads(told(capsys, "backtest", str(new), "--config", str(started.config), "--json"))["feeds"][0]

    assert [post["uri"] for post in found["addedExamples"]] == [uri(4, 20), uri(4, 19)]
    assert (found["removed"], found["unchanged"]) == (0, 2)


def test_claims_are_those_of_the_old_configs_database_or_a_note_says_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = record(tmp_path / "recording")
    labels = '[labeler]\nkey_file = "{folder}/key"\n[[labels]]\nvalue = "doubtful"\nsignals = ["claim_match"]\nmode = "{mode}"\n'
    (tmp_path / "key").write_text("07" * 32)
    old, new = (write(tmp_path, f"{mode}.toml", labels.format(folder=tmp_path, mode=mode) + feed("rose")) for mode in ("shadow", "review"))
    words = ("backtest", new, "--config", old, "--recording", str(recording), "--json")

    without = json.loads(told(capsys, *words))
    with opened(parse(Path(old).read_text())):
        pass
    with_one = json.loads(told(capsys, *words))

    assert [note for note in without["notes"] if "claims that come with Plainsky" in note]
    assert not with_one["notes"]
    assert set(without["labels"]) == {"doubtful"}


def test_a_backtest_with_since_leaves_out_what_is_older(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = record(tmp_path / "recording", (*STORY, created(4, 7200, 7200, "a rose of later")))
    config = write(tmp_path, "old.toml", feed("rose"))

    found = json.loads(told(capsys, "backtest", config, "--config", config, "--recording", str(recording), "--since", "1h", "--json"))

    assert (found["posts"], found["feeds"][0]["unchanged"], found["feeds"][0]["change"]) == (1, 1, "same")


HOSTILE = "\x1b[2J\x1b]0;owned\x07 a rose \u202e reversed\r\n\x9b31m" + " and more" * 30


def test_what_a_post_says_gives_no_orders_to_the_terminal_nor_to_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = record(tmp_path / "recording", (created(0, 1, 1, f"{HOSTILE}<script>alert(1)</script>"),))
    old, new = write(tmp_path, "old.toml", feed("tulip")), write(tmp_path, "new.toml", feed("rose"))
    words = ("backtest", new, "--config", old, "--recording", str(recording))
    post, page = tmp_path / "post.json", tmp_path / "page.html"
    post.write_text(json.dumps({"text": HOSTILE, "createdAt": "2026-11-20T12:00:00Z"}))

    table, explained_ = told(capsys, *words), told(capsys, "explain", str(post), "--config", new, "--offline")
    told(capsys, *words, "--html", str(page))

    for printed in (table, explained_):
        assert "rose" in printed
        assert not {"\x1b", "\x07", "\u202e", "\x9b", "\r"} & set(printed)
    assert explained_.count("more") == 30, "the whole text"
    assert "<script" not in page.read_text()


def test_a_backtest_without_posts_says_where_to_get_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write(tmp_path, "old.toml", feed("rose"))

    assert main(["backtest", config, "--config", config]) == 2
    assert "give --recording or --jetstream" in capsys.readouterr().err


async def test_a_backtest_reads_jetstreams_own_lookback(tmp_path: Path) -> None:
    async with JetstreamServer() as instance:
        last = instance.log[-1].witnessed_us
        text = HEAD.replace("@PORT@", "3000").replace("@FOLDER@", str(tmp_path))
        text = text.replace('source = "replay"', f'source = "jetstream"\nhosts = ["{instance.host}"]\nmargin = "1s"')
        config = parse(text.replace(f'path = "{tmp_path}/../recording"\n', "") + feed("the"))
        with scratch() as database:
            house = House.of(database, config.feeds, Known(), config)
            span = last - instance.log[0].witnessed_us + 1
            await look_back(house, config.ingest, span, lambda done: None, lambda: (last + 995_000) / 1e6)
            stored = database.read_now(lambda session: session.execute("SELECT count(*) FROM post"))[0][0]

    assert stored > 150


def test_a_bar_is_drawn_on_a_terminal_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out, drawn in ((io.StringIO(), False), (Terminal(), True)):
        with Bar(out) as bar:
            bar(0.5)
        assert ("50 %" in out.getvalue()) is drawn
