"""`plainsky publish feeds`, from a config to the records of a repo, against a small PDS on a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from plainsky.asking.guarding import Outside
from plainsky.cli import main
from plainsky.publishing import xrpc
from plainsky.publishing.images import MOST_BYTES
from tests.support.commands import Said
from tests.support.lexicons import assert_valid_record
from tests.support.pds import PASSWORD, PUBLISHER, Pds
from tests.support.programs import free_port

HEAD = """
[service]
hostname = "localhost:{port}"
publisher = "{publisher}"

[identity]
plc = "http://127.0.0.1:{port}"
resolver = "http://127.0.0.1:{port}"
"""
FEED = """
[[feeds]]
rkey = "{rkey}"
name = "{name}"
{more}
[[feeds.include]]
kind = "hashtag"
any = ["x"]
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


Publish = Callable[..., Awaitable[Said]]


@pytest.fixture
async def pds() -> AsyncIterator[Pds]:
    async with Pds() as server:
        server.offered = ["garden", "second"]
        yield server


@pytest.fixture
def publish(pds: Pds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Publish:
    """`await publish(FEEDS, "--yes")`: the command, with the password in the environment."""
    monkeypatch.setenv("PLAINSKY_PUBLISHER_PASSWORD", PASSWORD)

    async def run(feeds: str, *options: str, head: str = HEAD, publisher: str = PUBLISHER) -> Said:
        file = tmp_path / "config.toml"
        file.write_text(head.format(port=pds.port, publisher=publisher) + feeds)
        code = await asyncio.to_thread(main, ["publish", "feeds", *options, str(file)])
        return Said(code, *capsys.readouterr())

    return run


def feed(rkey: str = "garden", name: str = "Garden", **keys: str) -> str:
    """A [[feeds]] table; values as TOML."""
    return FEED.format(rkey=rkey, name=name, more="\n".join(f"{key} = {value}" for key, value in keys.items()))


async def test_a_feed_is_published_with_all_that_the_config_says(pds: Pds, publish: Publish, tmp_path: Path) -> None:
    (tmp_path / "garden.png").write_bytes(PNG)
    avatar, labels = f'"{tmp_path / "garden.png"}"', '["sexual", "nudity"]'
    said = await publish(
        feed(description='"Été 🌷 by @alice.example.org"', avatar=avatar, content_mode='"video"', self_labels=labels), "--yes"
    )

    assert (said.code, said.err) == (0, "")
    record = pds.records["garden"]
    assert_valid_record(record)
    created, picture = record.pop("createdAt"), record.pop("avatar")
    assert created.startswith("20")
    assert pds.blobs[picture["ref"]["$link"]] == PNG
    assert record == {
        "$type": "app.bsky.feed.generator",
        "did": pds.did,
        "displayName": "Garden",
        "description": "Été 🌷 by @alice.example.org",
        "descriptionFacets": [
            {
                "index": {"byteStart": 14, "byteEnd": 32},
                "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:alice2222222222222222222"}],
            }
        ],
        "acceptsInteractions": False,
        "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "sexual"}, {"val": "nudity"}]},
        "contentMode": "app.bsky.feed.defs#contentModeVideo",
    }
    assert f"https://bsky.app/profile/{PUBLISHER}/feed/garden\n" in said.out


async def test_a_feed_without_frills_leaves_out_what_it_has_not(pds: Pds, publish: Publish) -> None:
    assert (await publish(feed(), "--yes")).code == 0

    assert set(pds.records["garden"]) == {"$type", "did", "displayName", "acceptsInteractions", "createdAt"}


async def test_a_second_run_changes_nothing_and_needs_no_login(
    pds: Pds, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "garden.jpg").write_bytes(b"\xff\xd8\xff" + bytes(50))
    config = feed(description='"#x by @alice.example.org"', avatar=f'"{tmp_path / "garden.jpg"}"') + feed("second", "Second")
    await publish(config, "--yes")
    before, calls = dict(pds.repo), list(pds.calls)
    monkeypatch.delenv("PLAINSKY_PUBLISHER_PASSWORD")
    pds.handles.clear()  # the resolver does not know her any more: what was marked stays marked

    said = await publish(config)

    assert (said.code, said.err, pds.repo, pds.calls) == (0, "", before, calls)
    assert said.out.endswith("Nothing to do.\n")


async def test_the_difference_is_told_key_by_key_before_anything_is_written(pds: Pds, publish: Publish) -> None:
    pds.put("garden", description="Old\u202e words", acceptsInteractions=True)
    pds.put("gone")
    pds.put("foreign", did="did:web:elsewhere.example.org")

    said = await publish(feed(description='"New words"') + feed("second", "Second"), "--dry-run")

    assert said.code == 0
    assert said.out.split("\n\n")[1].splitlines() == [
        'update      garden  "Garden"',
        '    name                "garden"',
        '                     -> "Garden"',
        '    description         "Old\\u202e words"',
        '                     -> "New words"',
        "    wants interactions  yes",
        "                     -> no",
        'create      second  "Second"',
        f'    served by           "{pds.did}"',
        "    wants interactions  no",
        'delete      gone    "gone"',
        'left alone  foreign, which "did:web:elsewhere.example.org" serves',
    ]
    assert said.out.endswith("Nothing was published: this was a dry run.\n")
    assert pds.calls == []


async def test_a_dry_run_needs_no_password(pds: Pds, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAINSKY_PUBLISHER_PASSWORD")

    assert (await publish(feed(), "--dry-run")).code == 0
    assert (await publish(feed(), "--yes")).err.startswith("No password. Make an app password")
    assert not any("createSession" in path for path in pds.asked)


async def test_an_update_keeps_createdat_and_keys_that_are_not_ours(pds: Pds, publish: Publish) -> None:
    pds.put("garden", description="x")
    pds.repo["garden"][1]["createdAt"] = "2023-05-06T07:08:09+02:00"
    cid, value = pds.repo["garden"]

    assert (await publish(feed(), "--yes")).code == 0
    assert pds.records["garden"]["createdAt"] == value["createdAt"]
    assert "description" not in pds.records["garden"]
    assert pds.calls == ["putRecord garden"]
    assert pds.repo["garden"][0] != cid


async def test_only_records_of_our_own_service_are_deleted(pds: Pds, publish: Publish) -> None:
    pds.page = 2
    for n in range(5):
        pds.put(f"ours{n}")
        pds.put(f"others{n}", did=f"did:web:s{n}.example.org")

    assert (await publish(feed(), "--yes")).code == 0
    assert sorted(pds.records) == ["garden", *(f"others{n}" for n in range(5))]


async def test_a_feed_that_another_service_serves_till_now_is_taken_over_with_a_note(pds: Pds, publish: Publish) -> None:
    pds.put("garden", did="did:web:old.example.org")

    said = await publish(feed(), "--yes")

    assert "Note: until now another service serves this feed." in said.out
    assert pds.records["garden"]["did"] == pds.did


async def test_the_picture_is_uploaded_only_when_it_has_changed(pds: Pds, publish: Publish, tmp_path: Path) -> None:
    picture = tmp_path / "garden.png"
    picture.write_bytes(PNG)
    await publish(feed(avatar=f'"{picture}"'), "--yes")
    await publish(feed(name="Other", avatar=f'"{picture}"'), "--yes")
    assert pds.calls == ["uploadBlob image/png", "putRecord garden", "putRecord garden"]

    picture.write_bytes(PNG + b"\0")
    await publish(feed(name="Other", avatar=f'"{picture}"'), "--yes")
    assert pds.calls[3:] == ["uploadBlob image/png", "putRecord garden"]

    await publish(feed(name="Other"), "--yes")
    assert "avatar" not in pds.records["garden"]


async def test_remove_takes_out_one_feed_and_needs_no_service(pds: Pds, publish: Publish) -> None:
    pds.put("garden")
    pds.put("second")
    pds.fail("describeFeedGenerator", 502, "BadGateway")

    said = await publish(feed(name="Changed"), "--yes", "--remove", "garden")

    assert (said.code, list(pds.records), pds.calls) == (0, ["second"], ["deleteRecord garden"])
    assert "garden is still in the config, so publishing again brings it back" in said.out


@pytest.mark.parametrize(("rkey", "told"), [("nothing", "has no feed of that name"), ("foreign", "serves that feed")])
async def test_remove_refuses_what_is_not_ours(pds: Pds, publish: Publish, rkey: str, told: str) -> None:
    pds.put("foreign", did="did:web:elsewhere.example.org")

    said = await publish(feed(), "--yes", "--remove", rkey)

    assert (said.code, list(pds.records), told in said.err) == (2, ["foreign"], True)


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("j", 0), ("", 1), ("no", 1)])
async def test_somebody_must_agree(pds: Pds, publish: Publish, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)

    assert (await publish(feed())).code == code
    assert bool(pds.records) == (code == 0)


async def test_where_nobody_can_agree_nothing_is_written(pds: Pds, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

    said = await publish(feed())

    assert (said.code, pds.records) == (2, {})
    assert "add --yes" in said.err


async def test_a_failed_check_stops_it_before_anything_is_written(pds: Pds, publish: Publish) -> None:
    pds.offered = ["second"]

    said = await publish(feed(), "--yes")

    assert (said.code, pds.calls, pds.records) == (1, [], {})
    assert f"FAILED  http://localhost:{pds.port}/xrpc/app.bsky.feed.describeFeedGenerator" in said.out
    assert "restart it" in said.out


PICTURES: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "no such file"),
    "gif": (b"GIF89a", "expected a PNG or a JPEG picture"),
    "huge": (PNG + bytes(MOST_BYTES), "too large: at most 1000000 bytes"),
}


@pytest.mark.parametrize("name", PICTURES)
async def test_a_picture_that_the_lexicon_forbids_is_refused_with_its_place(pds: Pds, publish: Publish, tmp_path: Path, name: str) -> None:
    content, told = PICTURES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)

    said = await publish(feed("second", "Second") + feed(avatar=f'"{tmp_path / name}"'), "--yes")

    assert (said.code, pds.asked) == (2, [])
    assert f"feeds[1].avatar: {tmp_path / name}: {told}" in said.err


async def test_a_name_that_the_lexicon_forbids_is_refused_with_its_place(pds: Pds, publish: Publish) -> None:
    said = await publish(feed(name="x" * 25, description='"' + "é" * 301 + '"'), "--yes")

    assert (said.code, pds.asked) == (2, [])
    assert "feeds[0].name: " in said.err
    assert "feeds[0].description: " in said.err


@pytest.mark.parametrize("values", ['["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]', f'["{"x" * 129}"]'])
async def test_self_labels_that_the_lexicon_forbids_are_refused_with_their_place(pds: Pds, publish: Publish, values: str) -> None:
    said = await publish(feed(self_labels=values), "--yes")

    assert (said.code, pds.asked) == (2, [])
    assert "feeds[0].self_labels" in said.err


REFUSALS: dict[str, tuple[tuple[str, int, str], dict[str, str], str]] = {
    "second factor": (("createSession", 401, "AuthFactorTokenRequired"), {}, "Use an app password instead"),
    "taken down": (("createSession", 401, "AccountTakedown"), {}, "taken the account down"),
    "too many logins": (("createSession", 429, "RateLimitExceeded"), {"Retry-After": "600"}, "run this again in 10 min"),
    "wrong password": (("createSession", 401, "AuthenticationRequired"), {}, "refuses the password. Make a new app password"),
    "too many writes": (("putRecord", 429, "RateLimitExceeded"), {"RateLimit-Reset": "1"}, "run this again in 1 min"),
    "changed meanwhile": (("putRecord", 400, "InvalidSwap"), {}, "changed by somebody else just now"),
    "logged out": (("putRecord", 401, "InvalidToken"), {}, "The login is not accepted any more"),
    "something else": (("putRecord", 400, "InvalidRequest"), {}, "refused com.atproto.repo.putRecord: HTTP 400 InvalidRequest"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_of_the_server_says_what_to_do_and_never_the_password(pds: Pds, publish: Publish, name: str) -> None:
    fault, headers, told = REFUSALS[name]
    pds.fail(*fault, f"no: {PASSWORD} is wrong", **headers)

    said = await publish(feed(), "--yes")

    assert (said.code, pds.records, told in said.err) == (1, {}, True), said.err
    assert PASSWORD not in said.out + said.err


async def test_a_repo_that_cannot_be_read_is_told(pds: Pds, publish: Publish) -> None:
    pds.fail("listRecords", 500, "InternalServerError", "out of \x1b[31morder")

    said = await publish(feed(), "--dry-run")

    assert said.code == 1
    assert said.err == f'{pds.url} refused com.atproto.repo.listRecords: HTTP 500 InternalServerError "out of \\u001b[31morder"\n'


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"records": 7}', b'{"records": [{"uri": "\xff"}]}', b'{"records":' + b"[" * 9999], ids=lambda b: repr(b[:20])
)
async def test_whatever_servers_answer_there_is_no_traceback(pds: Pds, publish: Publish, body: bytes) -> None:
    pds.faults["listRecords"] = [web.Response(body=body)]
    assert (await publish(feed(), "--dry-run")).code == 1

    pds.faults["resolveHandle"] = [web.Response(body=body)]
    assert (await publish(feed(description='"@alice.example.org"'), "--dry-run")).code == 0

    pds.faults["createSession"] = [web.Response(body=body)]
    assert (await publish(feed(), "--yes")).code == 1
    assert pds.records == {}


async def test_an_expired_session_is_renewed_once(pds: Pds, publish: Publish) -> None:
    pds.fail("putRecord", 400, "ExpiredToken")
    assert (await publish(feed(), "--yes")).code == 0

    pds.fail("putRecord", 400, "ExpiredToken")
    pds.fail("putRecord", 400, "ExpiredToken")
    said = await publish(feed(name="Other"), "--yes")
    assert (said.code, said.err.startswith("The login is not accepted any more.")) == (1, True)


async def test_what_was_done_before_a_failure_stays_and_the_next_run_does_the_rest(pds: Pds, publish: Publish) -> None:
    config = feed() + feed("second", "Second")
    pds.faults["putRecord"] = []
    await publish(feed(), "--yes")
    pds.calls.clear()
    pds.fail("putRecord", 502, "UpstreamFailure")

    assert (await publish(config, "--yes")).code == 1
    assert list(pds.records) == ["garden"]
    assert (await publish(config, "--yes")).code == 0
    assert sorted(pds.records) == ["garden", "second"]


async def test_the_password_may_stand_in_a_file(pds: Pds, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAINSKY_PUBLISHER_PASSWORD")
    monkeypatch.setenv("PLAINSKY_PUBLISHER_PASSWORD_FILE", str(tmp_path / "password"))
    assert "cannot be read: No such file" in (await publish(feed(), "--yes")).err

    (tmp_path / "password").write_text("\n")
    assert "is empty" in (await publish(feed(), "--yes")).err

    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    assert (await publish(feed(), "--yes")).code == 0


@pytest.mark.parametrize("line", ['password = "hunter2"', f'publisher = "{PASSWORD}"'], ids=["by its key", "by its value"])
async def test_a_password_in_the_config_is_refused_and_told_where_to_go(publish: Publish, line: str) -> None:
    said = await publish(feed(), head=f'[service]\nhostname = "localhost:1"\n{line}\n')

    assert (said.code, "put it in the environment: PLAINSKY_PUBLISHER_PASSWORD" in said.err) == (2, True)
    assert not any(secret in said.err for secret in ("hunter2", PASSWORD))


async def test_a_publisher_without_a_repo_is_told_how_to_get_one(pds: Pds, publish: Publish) -> None:
    pds.document = {"id": PUBLISHER, "service": []}

    said = await publish(feed(), "--yes")

    assert (said.code, "names no PDS" in said.err, 'publisher = "did:plc:..."' in said.err) == (2, True, True)


async def test_a_directory_that_answers_nonsense_is_told(pds: Pds, publish: Publish) -> None:
    pds.document = {"id": "did:plc:somebodyelse222222222222"}

    said = await publish(feed(), "--yes")

    assert (said.code, said.err.startswith(f"The document of {PUBLISHER} cannot be had")) == (1, True)


@pytest.mark.parametrize("publisher", ["did:web:localhost%3A{port}", "did:plc:unknown22222222222222222", "did:key:zQ3shunrT"])
async def test_a_publisher_that_is_no_account_is_told_what_to_write_where(pds: Pds, publish: Publish, publisher: str) -> None:
    said = await publish(feed(), "--yes", publisher=publisher.format(port=pds.port))

    assert said.code == 2
    assert "resolveHandle?handle=" in said.err
    assert 'publisher = "did:plc:..."' in said.err


async def test_a_password_is_never_sent_without_tls_to_another_machine(pds: Pds, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "http://pds.example.org"}
    pds.document = {"id": PUBLISHER, "service": [service]}
    monkeypatch.setattr(Outside, "of", classmethod(lambda cls, _: cls()))  # as if the directory were a public one

    said = await publish(feed(), "--yes")

    assert (said.code, "no public https address" in said.err) == (2, True), said.err


async def test_a_pds_that_is_away_is_told(pds: Pds, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": f"http://127.0.0.1:{free_port()}"}
    pds.document = {"id": PUBLISHER, "service": [service]}

    said = await publish(feed(), "--yes")

    assert (said.code, "Is this machine online?" in said.err) == (1, True)


async def test_an_unknown_mention_stays_plain_text_and_is_told(pds: Pds, publish: Publish) -> None:
    said = await publish(feed(description='"by @nobody.example.org"'), "--yes")

    assert "descriptionFacets" not in pds.records["garden"]
    assert f"Note: {pds.url} knows no nobody.example.org: plain text, without a link." in said.out


async def test_a_pds_that_does_not_answer_in_time_is_told(pds: Pds, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xrpc, "CALL_SECONDS", 0.0)

    said = await publish(feed(), "--yes")

    assert (said.code, "does not answer com.atproto.server.createSession: TimeoutError" in said.err) == (1, True), said
