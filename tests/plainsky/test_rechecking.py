"""After a #sync the repo itself is asked what is left in it; until it has answered, nothing changes (plainsky/rechecking.py)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web

from labeler.signals.gtube import TEST_STRING
from models import accounts
from models.database import Database
from models.events import Event
from plainsky import rechecking
from plainsky.rechecking import PAGES, Rechecker, did_document, safe_url
from tests.support.garden import created, did, record, reset, rkey, uri
from tests.support.kept import Kept
from tests.support.serving import StreamServer

START = 1_795_176_600.0
PLC = "https://plc.directory"


class Repo(StreamServer):
    """A PLC directory and the PDS of account 0; `garbage` is answered instead of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, Any]] = {}
        self.page_size = 100
        self.garbage: web.Response | None = None
        self.document: Any = None
        self.hangs = False
        self.app.router.add_get("/xrpc/com.atproto.repo.listRecords", self._list_records)
        self.app.router.add_get("/moved", self._moved)
        self.app.router.add_get("/{did}", self._document)

    @property
    def url(self) -> str:
        return self.host.replace("ws:", "http:")

    def holds(self, *events: Any) -> None:
        """The repo's posts, as events told of them."""
        self.records = {
            event.rkey: {"uri": f"at://{event.did}/p/{event.rkey}", "cid": event.cid, "value": event.record} for event in events
        }

    @property
    def pages_asked(self) -> int:
        """How often a page was asked for."""
        return sum("listRecords" in path for path in self.asked)

    async def _document(self, request: web.Request) -> web.Response:
        pds = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
        other = {"id": "#other", "type": ["Any", "Thing"], "serviceEndpoint": {"a": 1}}
        return web.json_response(self.document or {"id": request.match_info["did"], "service": [other, pds]})

    async def _moved(self, _: web.Request) -> web.Response:
        return web.json_response({"records": []})

    async def _list_records(self, request: web.Request) -> web.Response:
        assert request.query["collection"] == "app.bsky.feed.post"
        if self.hangs:
            await asyncio.Event().wait()
        if self.garbage:
            return web.Response(status=self.garbage.status, body=self.garbage.body, headers=self.garbage.headers)
        before = request.query.get("cursor", "~")
        keys = sorted((key for key in self.records if key < before), reverse=True)[: self.page_size]
        return web.json_response({"records": [self.records[key] for key in keys]} | ({"cursor": keys[-1]} if keys else {}))


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def repo() -> AsyncIterator[Repo]:
    async with Repo() as server:
        yield server


@pytest.fixture
def kept(database: Database) -> Kept:
    return Kept(database)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rechecker(kept: Kept, repo: Repo, clock: Clock) -> Rechecker:
    return Rechecker(kept.database, repo.url, storing(kept), clock)


def storing(kept: Kept) -> Callable[[Sequence[Event]], Awaitable[None]]:
    async def store(events: Sequence[Event]) -> None:
        await kept.database.write(kept.storer.store, events, None)

    return store


def waiting(kept: Kept) -> list[str]:
    """The DIDs that are still to be looked after."""
    return [account.did for account in kept.database.read_now(accounts.to_recheck, 100)]


ONE, TWO, THREE = created(0, 1, 1), created(0, 2, 2), created(0, 3, 3)


async def test_posts_that_are_left_stay_and_missing_ones_go(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    kept.store([ONE, TWO, THREE, created(1, 4, 4), reset(0, 9)])
    repo.holds(ONE, THREE)

    await rechecker.once()

    assert kept.shown() == [uri(1, 4), uri(0, 3), uri(0, 1)]
    assert waiting(kept) == []


async def test_the_label_of_a_missing_post_is_negated(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    flagged = created(0, 1, 1, f"#garden {TEST_STRING}")
    kept.store([flagged, TWO, reset(0, 9)])
    repo.holds(TWO)

    await rechecker.once()

    assert kept.labels() == [(1, uri(0, 1), flagged.cid, 0), (2, uri(0, 1), flagged.cid, 1)]


async def test_an_edited_post_is_judged_anew_and_keeps_its_place(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    kept.store([ONE, TWO, THREE, reset(0, 9)])
    repo.holds(ONE, created(0, 2, 8, "#garden and #cats", written=2), created(0, 3, 8, "nothing", written=3))

    await rechecker.once()

    assert kept.shown("garden") == [uri(0, 2), uri(0, 1)]
    assert kept.shown("cats") == [uri(0, 2)]


async def test_a_repo_without_posts_of_ours_is_not_asked(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    kept.store([created(1, 4, 4), reset(0, 9)])

    await rechecker.once()

    assert (kept.shown(), repo.asked, waiting(kept)) == ([uri(1, 4)], [], [])


async def test_posts_newer_than_the_reset_are_left_alone(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    """The repo answers as of now or a little before: what the stream told after the reset is known better."""
    kept.store([ONE, reset(0, 9), created(0, 10, 10)])
    repo.holds(ONE)

    await rechecker.once()

    assert kept.shown() == [uri(0, 10), uri(0, 1)]


async def test_what_the_recheck_took_away_does_not_come_back_with_a_late_repeat(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    kept.store([ONE, TWO, reset(0, 9)])
    repo.holds(ONE)
    await rechecker.once()

    kept.store([ONE, TWO, reset(0, 9)])

    assert kept.shown() == [uri(0, 1)]


async def test_a_second_reset_is_looked_after_too(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    kept.store([ONE, TWO, reset(0, 9)])
    repo.holds(ONE, TWO)
    await rechecker.once()
    kept.store([reset(0, 20)])
    repo.holds(TWO)

    await rechecker.once()

    assert kept.shown() == [uri(0, 2)]


async def test_nothing_changes_while_the_repo_does_not_answer_and_it_is_asked_less_and_less_often(
    kept: Kept, repo: Repo, rechecker: Rechecker, clock: Clock
) -> None:
    kept.store([ONE, TWO, reset(0, 9)])
    repo.answer = (503, {})
    asked = []
    for second in range(0, 2000, 10):
        clock.now, before = START + second, len(repo.asked)
        await rechecker.once()
        if len(repo.asked) > before:
            asked.append(second)

    assert asked == [0, 30, 90, 210, 450, 930, 1890]
    assert (kept.shown(), waiting(kept)) == ([uri(0, 2), uri(0, 1)], [did(0)])

    repo.answer = None
    repo.holds(TWO)
    clock.now += 3600
    await rechecker.once()
    assert kept.shown() == [uri(0, 2)]


async def test_a_repo_of_many_pages_is_read_down_to_the_oldest_post_that_we_hold(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    kept.store([created(0, number, number) for number in range(20, 30)] + [reset(0, 60)])
    repo.holds(*(created(0, number, number) for number in range(30) if number != 23))
    repo.page_size = 3

    await rechecker.once()

    assert kept.shown() == [uri(0, number) for number in range(29, 19, -1) if number != 23]
    assert repo.pages_asked == 4


async def test_of_a_repo_that_is_too_long_what_was_not_reached_is_left_alone(kept: Kept, repo: Repo, rechecker: Rechecker) -> None:
    newest = 200 + PAGES
    kept.store([ONE, TWO, created(0, newest - 1, newest - 1), created(0, newest, newest), reset(0, newest + 1)])
    repo.holds(*(created(0, number, number) for number in range(1, newest + 1) if number not in (2, newest - 1)))
    repo.page_size = 1

    await rechecker.once()

    assert kept.shown() == [uri(0, newest), uri(0, 2), uri(0, 1)]
    assert repo.pages_asked == PAGES


GOOD = {"uri": uri(0, 1), "cid": ONE.cid, "value": ONE.record}
GARBAGE = {
    "not JSON": web.Response(body=b"<html>"),
    "not UTF-8": web.Response(body=b'{"records": [], "cursor": "\xff"}'),
    "a list": web.json_response([]),
    "no records": web.json_response({}),
    "records of a wrong kind": web.json_response({"records": {"a": 1}}),
    "a record without a cid": web.json_response({"records": [{"uri": uri(0, 1), "value": {}}]}),
    "a uri that is a number": web.json_response({"records": [GOOD | {"uri": 7}]}),
    "a cursor that is a list": web.json_response({"records": [GOOD], "cursor": []}),
    "a surrogate alone": web.Response(body=b'{"records": [], "cursor": "\\ud800"}'),
    "nested too deep": web.Response(body=b'{"records": [{"uri": "a", "cid": "b", "value": {"a": ' + b"[" * 200_000),
    "too long": web.Response(body=b'{"records": [' + b" " * 5_000_000 + b"]}"),
    "a redirect": web.Response(status=302, headers={"Location": "/moved"}),
    "an error in XRPC shape": web.json_response({"error": "RepoDeactivated"}, status=400),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_changes_nothing_and_is_asked_again(
    sqlite_url: str, repo: Repo, clock: Clock, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(sqlite_url)
    database.open()
    kept = Kept(database)
    kept.store([ONE, TWO, reset(0, 9)])
    repo.garbage = GARBAGE[name]
    rechecker = Rechecker(database, repo.url, storing(kept), clock)

    await rechecker.once()
    assert (kept.shown(), waiting(kept)) == ([uri(0, 2), uri(0, 1)], [did(0)])
    assert "asked again in 30 s" in caplog.text

    repo.garbage = None
    repo.holds(ONE)
    clock.now += 30
    await rechecker.once()
    assert kept.shown() == [uri(0, 1)]
    database.close()


@pytest.mark.parametrize("cid", ["", "\0", "not a cid", "x" * 1000])
async def test_a_record_with_a_cid_that_is_none_is_left_as_it_was(kept: Kept, repo: Repo, rechecker: Rechecker, cid: str) -> None:
    kept.store([ONE, reset(0, 9)])
    repo.records = {rkey(1): GOOD | {"cid": cid, "value": record("nothing", 1)}}

    await rechecker.once()

    assert kept.shown() == [uri(0, 1)]


@pytest.mark.parametrize("value", [{}, {"text": 7}, {"$type": "app.bsky.feed.like"}, {"text": None, "createdAt": "\0"}])
async def test_a_record_that_is_no_post_any_more_takes_the_post_away(kept: Kept, repo: Repo, rechecker: Rechecker, value: object) -> None:
    kept.store([ONE, reset(0, 9)])
    repo.records = {rkey(1): GOOD | {"cid": "bafyother", "value": value}}

    await rechecker.once()

    assert (kept.shown(), waiting(kept)) == ([], [])


@pytest.mark.parametrize(
    "document",
    [[], {"a": 1}, {"service": "x"}, {"service": [7]}, {"service": [{"id": 7}]}, {"service": []}]
    + [
        {"service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint}]}
        for endpoint in (None, 7, {}, "", "http://[", "http://127.0.0.1:x", "\0", "http://127.0.0.1:1")
    ],
    ids=str,
)
async def test_a_document_that_leads_nowhere_changes_nothing(sqlite_url: str, repo: Repo, clock: Clock, document: object) -> None:
    database = Database(sqlite_url)
    database.open()
    kept = Kept(database)
    kept.store([ONE, reset(0, 9)])
    repo.document = document or [1]

    await Rechecker(database, repo.url, storing(kept), clock).once()

    assert (kept.shown(), waiting(kept)) == ([uri(0, 1)], [did(0)])
    database.close()


async def test_a_repo_that_never_comes_to_an_end_is_given_up(
    kept: Kept, repo: Repo, rechecker: Rechecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rechecking, "ACCOUNT_SECONDS", 0.1)
    kept.store([ONE, reset(0, 9)])
    repo.hangs = True

    await rechecker.once()

    assert (kept.shown(), waiting(kept)) == ([uri(0, 1)], [did(0)])


async def test_the_loop_goes_on_until_it_is_cancelled(kept: Kept, repo: Repo, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rechecking, "POLL_SECONDS", 0.01)
    kept.store([ONE, TWO, created(1, 4, 4), reset(0, 9)])
    repo.holds(ONE)
    stored = asyncio.Event()

    async def store(events: Sequence[Event]) -> None:
        await storing(kept)(events)
        stored.set()

    work = asyncio.create_task(Rechecker(kept.database, repo.url, store, clock).run())
    for author, left in ((0, [uri(1, 4), uri(0, 1)]), (1, [uri(0, 1)])):
        async with asyncio.timeout(10):
            await stored.wait()
        assert kept.shown() == left
        stored.clear()
        if author == 0:
            repo.holds()
            kept.store([reset(1, 20)])
    work.cancel()
    await asyncio.wait([work])


@pytest.mark.parametrize(
    "url",
    [
        "http://pds.example.com",
        "ftp://pds.example.com",
        "pds.example.com",
        "https://127.0.0.1",
        "https://10.0.0.1:8080",
        "https://127.1",
        "https://2130706433",
        "https://0x7f.0.0.0x1",
        "https://1.0x7f",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://intranet",
        "https://localhost",
        "https://localhost.",
        "https://pds.localhost:3000",
        "https://printer.local",
        "https://metadata.google.internal",
        "https://router.home.arpa",
        "https://me@pds.example.com",
        "https://",
        "https://[",
        "",
    ],
)
def test_an_address_that_is_not_on_the_public_internet_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"no public https address|Invalid IPv6 URL"):
        safe_url(url, PLC)


def test_a_public_address_is_taken_without_its_path() -> None:
    assert safe_url("https://pds.example.com/", PLC) == "https://pds.example.com"
    assert safe_url("https://PDS.example.com:8443/a?b#c", PLC) == "https://PDS.example.com:8443"


@pytest.mark.parametrize("plc", ["http://localhost:2582", "http://127.0.0.1:2582"])
def test_where_the_directory_is_this_machine_so_may_the_repos_be(plc: str) -> None:
    assert safe_url("http://localhost:2583", plc) == "http://localhost:2583"


def test_a_document_is_where_its_did_says() -> None:
    assert did_document(did(0), PLC) == (PLC, f"/{did(0)}")
    assert did_document("did:web:alice.example.com", PLC) == ("https://alice.example.com", "/.well-known/did.json")


@pytest.mark.parametrize(
    "name", ["did:key:zQ3sh", "did:web:localhost", "did:web:127.0.0.1", "did:web:a.example.com%2Fb", "did:plc", "no did"]
)
def test_a_did_of_another_method_or_place_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        did_document(name, PLC)
