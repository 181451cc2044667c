"""Configured sources of claims are looked at again and again; whatever they answer, the last good copy stays."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from models import claims as bank
from models.database import Database
from models.duration import duration
from plainsky.labeling import claims
from plainsky.labeling.claims import Refresher, Unreadable, get

DAY = 86_400.0


def reviews(*wordings: str) -> bytes:
    made = [{"@type": "ClaimReview", "claimReviewed": text, "reviewRating": "False", "author": "Ghent Checks"} for text in wordings]
    return json.dumps(made).encode()


class Site:
    """A web site whose next answer can be set."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = reviews("Cheese cures hiccups"), 200, list[dict[str, str]]()
        self.location = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        if self.location:
            return web.Response(status=302, headers={"Location": self.location})
        tag = f'"{hash(self.body)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(body=self.body, status=self.status, headers={"ETag": tag})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/claims.json", site.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}/claims.json"  # type: ignore[attr-defined]
    yield site
    await runner.cleanup()


class Clock:
    """Time as a value."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wordings(database: Database) -> set[str]:
    return {wording.text for claim in database.read_now(bank.active) for wording in claim.wordings}


def source(database: Database, name: str) -> bank.Source:
    return database.read_now(bank.sources)[name]


async def test_a_source_is_read_when_it_is_due_and_asked_only_for_what_is_new(database: Database, site: Any, clock: Clock) -> None:
    refresher = Refresher(database, [site.url], duration("1d"), clock)

    assert await refresher.once() == DAY
    await refresher.once()
    assert len(site.asked) == 1
    clock.now += DAY
    await refresher.once()

    assert "If-None-Match" not in site.asked[0]
    assert "If-None-Match" in site.asked[1]
    assert wordings(database) == {"Cheese cures hiccups"}
    assert source(database, site.url).good_at == int(clock.now * 1e6)


async def test_new_claims_are_added_and_those_that_vanish_stay(database: Database, site: Any, clock: Clock) -> None:
    refresher = Refresher(database, [site.url], duration("1d"), clock)
    await refresher.once()
    site.body = reviews("Mustard makes you taller")
    clock.now += DAY
    await refresher.once()

    assert wordings(database) == {"Cheese cures hiccups", "Mustard makes you taller"}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        pytest.param(500, b"", "HTTP 500", id="an error"),
        pytest.param(200, b"<html>Sorry</html>", "ClaimReview", id="a page of excuses"),
        pytest.param(200, b"[]", "no claims in it", id="an empty list"),
        pytest.param(200, b"x" * 2_000, "more than 0 MB", id="too much"),
    ],
)
async def test_whatever_a_source_answers_the_last_good_copy_stays(
    database: Database, site: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, told: str
) -> None:
    monkeypatch.setattr(claims, "MOST_BYTES", 1_000)
    refresher = Refresher(database, [site.url], duration("1d"), clock)
    await refresher.once()
    site.status, site.body = status, body
    clock.now += DAY

    assert await refresher.once() == claims.RETRY

    failed = source(database, site.url)
    assert told in (failed.error or "")
    assert (failed.claims, failed.good_at) == (1, int((clock.now - DAY) * 1e6))
    assert wordings(database) == {"Cheese cures hiccups"}


async def test_a_host_that_is_away_is_asked_again_later(database: Database, clock: Clock) -> None:
    gone = "http://127.0.0.1:9/claims.json"

    assert await Refresher(database, [gone], duration("1d"), clock).once() == claims.RETRY

    assert "no answer" in (source(database, gone).error or "")


async def test_one_bad_source_does_not_keep_others_from_being_read(database: Database, site: Any, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_bytes(reviews("Mustard makes you taller"))

    await Refresher(database, ["http://127.0.0.1:9/x", str(tmp_path / "claims.json"), site.url], duration("1d"), clock).once()

    assert len(wordings(database)) == 2


async def test_a_redirect_may_not_leave_https(site: Any) -> None:
    site.location = "http://checks.example/claims.json"

    with pytest.raises(Unreadable, match="https"):
        await get(site.url)


async def test_redirects_end(site: Any) -> None:
    site.location = "/claims.json"

    with pytest.raises(Unreadable, match="HTTP 302"):
        await get(site.url)

    assert len(site.asked) == claims.REDIRECTS + 1


async def test_without_sources_nothing_is_done(database: Database, clock: Clock) -> None:
    await Refresher(database, [], duration("1d"), clock).run()

    assert database.read_now(bank.sources) == {}
