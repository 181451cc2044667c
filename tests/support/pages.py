"""Pages for people on a real socket, around a pipeline; and how tests read them: strictly."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import attrs
from aiohttp import web
from justhtml import JustHTML

from plainsky.config.schema import AppView, Config, Identity, Service
from plainsky.health import Health
from plainsky.http import make_app
from plainsky.metrics import Metrics
from plainsky.pages import Pages
from tests.support.garden import at
from tests.support.kept import Kept

CONFIG = Config(service=Service("feeds.example.org", publisher="did:plc:ewvi7nxzyoun6zhxrhs64oiz"))


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: Any
    body: str

    @property
    def html(self) -> JustHTML:
        """The page; a parse error fails the test."""
        return JustHTML(self.body, strict=True, sanitize=False)

    def texts(self, selector: str) -> list[str]:
        """The text of each element, its white space as readers see it."""
        return [" ".join(element.to_text().split()) for element in self.html.query(selector)]


class Reader:
    """Asks for pages."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self.url = session, url

    async def get(self, path: str, language: str = "", **headers: str) -> Got:
        """A page, asked for in a language."""
        told = {"Accept-Language": language, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self._session.get(self.url + path, headers=told, allow_redirects=False) as answer:
            return Got(answer.status, answer.headers, await answer.text())


@asynccontextmanager
async def reading(
    kept: Kept,
    config: Config = CONFIG,
    public: str | None = None,
    clock: Callable[[], float] = lambda: at(3600) / 1e6,
    metrics: Metrics | None = None,
) -> AsyncIterator[Reader]:
    """A reader of the pages around a pipeline; `public`: the address of the public network, for posts that were never stored."""
    public = public or "http://127.0.0.1:1"
    config = attrs.evolve(config, feeds=tuple(kept.feeds), appview=AppView(public), identity=Identity(public))
    metrics = metrics or Metrics()
    pages = Pages(kept.database, config, lambda: kept.storer.rooms, metrics, clock)
    runner = web.AppRunner(make_app(Health(kept.database, metrics.lag), metrics, pages.routes()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Reader(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


def links(page: JustHTML) -> list[str]:
    """What a browser loads, or sends a form to, without being asked to go there."""
    return [
        value or ""
        for element in page.query("*")
        for name, value in element.attrs.items()
        if name in ("src", "srcset", "action", "data", "poster", "background", "xlink:href") or (name == "href" and element.name == "link")
    ]


def assert_safe(got: Got) -> None:
    """What holds for every page."""
    page = got.html
    ids = [element.attrs["id"] for element in page.query("[id]")]
    policy = got.headers["Content-Security-Policy"]

    assert len(set(ids)) == len(ids)
    assert all(link.startswith("/") and not link.startswith("//") for link in links(page))
    assert page.query("script") == page.query("[style]") == page.query("style") == []
    assert not [name for element in page.query("*") for name in element.attrs if name.startswith("on")]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "Set-Cookie" not in got.headers
    assert got.headers["Referrer-Policy"] == "no-referrer"
    assert len(page.query("h1")) == len(page.query("main")) == 1
