"""Pages for people: what the feeds are, by which rules, and how the service fares. No script, no cookie, nothing from elsewhere."""

import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from urllib.parse import quote

import jinja2
import msgspec
from aiohttp import hdrs, web

from feedgen.feed import Feed
from labeler.policy import LabelPolicy
from models import cursors, entries, posts
from models.database import Database, Session
from models.protocol.syntax import parse_at_uri
from plainsky import __version__
from plainsky.config.describe import feed_described
from plainsky.http import PAGE_HEADERS
from plainsky.metrics import Metrics

NEWEST = 5
"""Entries of each feed on the start page."""


class ShownPost(msgspec.Struct, frozen=True):
    """An entry on a page: its text, why it is there, how long ago it was written."""

    text: str
    address: str
    why: str
    ago: str


class ShownFeed(msgspec.Struct, frozen=True):
    """A feed on a page; `skeleton` is the address of what it serves."""

    name: str
    description: str
    rules: str
    count: int
    newest: Sequence[ShownPost]
    skeleton: str


class Pages:
    """The start page and its stylesheet."""

    def __init__(
        self,
        database: Database,
        feeds: Sequence[tuple[int, Feed]],
        labels: Sequence[LabelPolicy],
        publisher: str,
        metrics: Metrics,
        source: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._feeds, self._labels, self._publisher = database, feeds, labels, publisher
        self._metrics, self.source, self._clock = metrics, source, clock
        folder = files("plainsky.pages")
        environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
        self._index = environment.from_string((folder / "templates" / "index.html").read_text())
        self._style = (folder / "static" / "style.css").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        """What is served to people."""
        return [web.get("/", self.index), web.get("/style.css", self.style)]

    async def index(self, request: web.Request) -> web.Response:
        """The start page; with `?watch` it reloads itself every three seconds."""
        shown = await self._database.read(self._shown)
        html = self._index.render(
            feeds=shown,
            labels=self._labels,
            lag=self._lag(),
            source=self.source,
            version=__version__,
            watch="watch" in request.query,
        )
        return web.Response(text=html, content_type="text/html", headers={**PAGE_HEADERS, hdrs.CACHE_CONTROL: "no-cache"})

    async def style(self, request: web.Request) -> web.Response:
        """The stylesheet."""
        return web.Response(body=self._style, content_type="text/css", headers={hdrs.CACHE_CONTROL: "max-age=3600"})

    def _lag(self) -> str:
        lag = self._metrics.lag()
        return "waiting for the first post" if not lag else f"newest event {_ago(lag)} old"

    def _shown(self, session: Session) -> list[ShownFeed]:
        log_time = cursors.log_time(session)
        return [self._shown_feed(session, feed_id, feed, log_time) for feed_id, feed in self._feeds]

    def _shown_feed(self, session: Session, feed_id: int, feed: Feed, log_time: int) -> ShownFeed:
        floor = log_time - feed.window
        newest = [
            shown for entry in entries.page(session, feed_id, floor, entries.TOP, NEWEST) if (shown := self._shown_post(session, entry))
        ]
        skeleton = skeleton_path(self._publisher, feed.rkey)
        return ShownFeed(
            feed.name, feed.description, "\n".join(feed_described(feed)[1:]), entries.count(session, feed_id, floor), newest, skeleton
        )

    def _shown_post(self, session: Session, entry: entries.Shown) -> ShownPost | None:
        uri = parse_at_uri(entry.uri)
        assert uri
        assert uri.rkey
        found = posts.by_uri(session, uri.authority, uri.rkey)
        if found is None:
            return None
        ago = _ago(self._clock() - entry.sort_at / 1e6)
        return ShownPost(found[0].text or "(no text)", f"https://bsky.app/profile/{uri.authority}/post/{uri.rkey}", entry.why, ago)


def skeleton_path(publisher: str, rkey: str) -> str:
    """Path and query of a feed's first page. A did:web may hold a percent sign, which a query must spell %25."""
    return f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={quote(f'at://{publisher}/app.bsky.feed.generator/{rkey}', safe=':/')}"


def _ago(seconds: float) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{max(0, int(seconds))} seconds"
