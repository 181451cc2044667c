"""After a #sync the repo itself is asked what is left in it; until it has answered, nothing changes (plainsky/knowing/rechecking.py)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web

from labeler.signals.gtube import TEST_STRING
from models import accounts
from models.database import Database
from models.events import Event
from plainsky.asking.did_documents import DidDocuments
from plainsky.knowing import rechecking
from plainsky.knowing.rechecking import PAGES, Rechecker
from tests.support.garden import created, did, record, reset, rkey, uri
from tests.support.kept import Kept
from tests.support.serving import StreamServer
from tests.support.tokens import Clock

START = 1_795_176_600.0


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


@pytest.fixture
async def repo() -> AsyncIterator[Repo]:
    async with Repo() as server:
        yield server


@pytest.fixture
def kept(database: Database) -> Kept:
    return Kept(database)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def rechecker(kept: Kept, repo: Repo, clock: Clock) -> Rechecker:
    return Rechecker(kept.database, DidDocuments(repo.url, clock), storing(kept), clock)


def storing(kept: Kept) -> Callable[[Sequence[Event]], Awaitable[None]]:
    async def store(events: Sequence[Event]) -> None:
        await kept.database.write(kept.storer.store, kept.storer.fold(events), None)

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
    rechecker = Rechecker(database, DidDocuments(repo.url, clock), storing(kept), clock)

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

    await Rechecker(database, DidDocuments(repo.url, clock), storing(kept), clock).once()

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

    work = asyncio.create_task(Rechecker(kept.database, DidDocuments(repo.url, clock), store, clock).run())
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


async def test_a_repo_that_has_moved_is_asked_where_it_is_now(kept: Kept, repo: Repo, rechecker: Rechecker, clock: Clock) -> None:
    """A reset often comes with a move, so a document read before it is not good enough."""
    kept.store([ONE, TWO, reset(0, 9)])
    repo.holds(ONE, TWO)
    await rechecker.once()
    before = repo.pages_asked
    async with Repo() as other:
        other.holds(TWO)
        moved = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": other.url}
        repo.document = {"id": did(0), "service": [moved]}
        kept.store([reset(0, 20)])
        clock.now += 60

        await rechecker.once()

        assert (kept.shown(), bool(other.pages_asked), repo.pages_asked) == ([uri(0, 2)], True, before)


async def test_a_repo_in_a_private_network_is_not_asked(kept: Kept, repo: Repo, clock: Clock) -> None:
    documents = DidDocuments(repo.url, clock)
    documents.outside.local = False  # the directory itself is the operator's choice
    kept.store([ONE, reset(0, 9)])

    await Rechecker(kept.database, documents, storing(kept), clock).once()

    assert (kept.shown(), waiting(kept), repo.asked) == ([uri(0, 1)], [did(0)], [f"/{did(0)}"])
