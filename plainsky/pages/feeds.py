"""The start page and the page of each feed, for people; the same for programs, and as a feed for readers of news."""

from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from aiohttp import web

from feedgen.feed import Feed
from models.duration import SECOND
from models.protocol.syntax import format_datetime
from plainsky.pages import syndication
from plainsky.pages.answering import OPEN, Answers, Asker
from plainsky.pages.facts import (
    Entry,
    FeedFacts,
    InForce,
    Injected,
    entry,
    gap_of,
    limit_of,
    named,
    said_order,
    said_quotas,
    said_readers,
    signals_of,
)
from plainsky.pages.figures import Rect, drawn
from plainsky.pages.languages import Language, tags
from plainsky.pages.sentences import rules_of
from plainsky.pages.site import Site, View

ON_START = 2
"""Entries of each feed on the start page."""
ON_PAGE = 12
SYNDICATED = 50
FULL = 30
"""With more feeds than this the start page only lists them."""
CHART = (640.0, 120.0)
SPARK = (160.0, 28.0)


class Shown(NamedTuple):
    """A feed as a template shows it."""

    feed: Feed
    facts: FeedFacts
    lang: str
    newest_ago: str
    bars: tuple[Rect, ...]


class FeedPages:
    """`/`, `/feeds/<rkey>`, and its forms for programs."""

    def __init__(self, site: Site, answers: Answers) -> None:
        self._site, self._answers = site, answers
        self._encode = msgspec.json.Encoder().encode

    def routes(self) -> list[web.RouteDef]:
        """What is served. A record key may hold a dot, so a form is told from a name only when it is asked for."""
        return [
            web.get("/", self.start),
            web.get("/feeds/{name}", self.feed),
            web.get("/feeds/{name}/feed.json", self.json_feed),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """The start page; with `?watch` it reloads itself every three seconds."""
        asker, site = Asker(request), self._site
        feeds = site.numbered()
        views = await site.views(feeds, ON_START) if len(feeds) <= FULL else []
        return self._answers.page(
            request,
            "start.html",
            site=site,
            shown=[self._shown(view, asker.lang, SPARK) for view in views],
            others=[(feed, named(feed, asker.lang)) for _, feed in feeds] if not views else [],
            labels=site.config.labels,
            canary=self._canary(asker.lang),
            lag=self._lag(asker.lang),
            watch="watch" in request.query,
        )

    async def feed(self, request: web.Request) -> web.Response:
        """The feed of this name; with .json or .atom behind it, for programs."""
        name = request.match_info["name"]
        for ending, form in (("", self._page), (".json", self._json), (".atom", self._atom)):
            if name.endswith(ending) and (found := self._site.feed(name.removesuffix(ending))):
                return await form(request, found)
        return self._unknown(request)

    async def json_feed(self, request: web.Request) -> web.Response:
        """The feed as a JSON Feed."""
        found = self._site.feed(request.match_info["name"])
        if found is None:
            return self._unknown(request)
        facts = await self._facts(request, found, SYNDICATED)
        body = syndication.json_feed(facts, self._addresses(facts.rkey))
        return self._for_programs(request, body, syndication.JSON_FEED)

    async def _page(self, request: web.Request, found: tuple[int, Feed]) -> web.Response:
        asker = Asker(request)
        (view,) = await self._site.views([found], ON_PAGE)
        return self._answers.page(request, "feed.html", **self._told(view, asker.lang))

    async def _json(self, request: web.Request, found: tuple[int, Feed]) -> web.Response:
        return self._for_programs(request, self._encode(await self._facts(request, found, ON_PAGE)), "application/json")

    async def _atom(self, request: web.Request, found: tuple[int, Feed]) -> web.Response:
        facts = await self._facts(request, found, SYNDICATED)
        return self._for_programs(request, syndication.atom(facts, self._addresses(facts.rkey)), syndication.ATOM)

    def _for_programs(self, request: web.Request, body: bytes, content_type: str) -> web.Response:
        return self._answers.versioned(request, body, content_type, OPEN, Asker(request).lang)

    def _unknown(self, request: web.Request) -> web.Response:
        asker = Asker(request)
        if request.path.endswith((".json", ".atom")):
            said = {"error": "NotFound", "message": asker.lang("feed.unknown")}
            return self._answers.once(self._encode(said), "application/json", OPEN, 404)
        return self._answers.unknown(asker, "feed")

    async def _facts(self, request: web.Request, found: tuple[int, Feed], newest: int) -> FeedFacts:
        (view,) = await self._site.views([found], newest)
        return self._facts_of(view, Asker(request).lang)

    def _told(self, view: View, lang: Language) -> dict[str, Any]:
        """What the feed's page says."""
        feed, config = view.feed, self._site.config
        return {
            "shown": self._shown(view, lang, CHART),
            "order": said_order(feed, lang),
            "quotas": said_quotas(feed, lang),
            "readers": said_readers(feed, lang),
            "window": feed.window,
            "since": view.since,
            "gaps": view.gaps,
            "opt_out": config.opt_out,
            "tags": tags,
            "retention": config.store.retention,
            "lag": self._lag(lang),
            "site": self._site,
            "chart": CHART,
        }

    def _shown(self, view: View, lang: Language, size: tuple[float, float]) -> Shown:
        facts = self._facts_of(view, lang)
        newest = view.newest[0].written_at if view.newest else None
        ago = lang.about(self._site.clock() - newest / 1e6) if newest is not None else ""
        return Shown(view.feed, facts, named(view.feed, lang).lang, ago, drawn([bar.posts for bar in facts.figures.bars], *size))

    def _lag(self, lang: Language) -> str:
        lag = self._site.metrics.lag()
        return lang.about(lag) if lag else ""

    def _canary(self, lang: Language) -> str:
        """Whether our labels reach readers, where that is tried."""
        if (canary := self._site.canary) is None:
            return ""
        if canary.reached is None:
            return lang("canary.missed" if canary.missed else "canary.begun")
        told = lang("canary.reached", seconds=max(1, round(canary.reached.delay)), ago=lang.about(self._site.clock() - canary.reached.at))
        return f"{told} {lang('canary.since', n=canary.missed)}" if canary.missed else told

    def _addresses(self, rkey: str) -> syndication.Addresses:
        base = f"{self._site.config.service.endpoint}/feeds/{quote(rkey)}"
        return syndication.Addresses(base, f"{base}.atom", f"{base}/feed.json")

    def _facts_of(self, view: View, lang: Language) -> FeedFacts:
        feed, config = view.feed, self._site.config
        said = named(feed, lang)
        return FeedFacts(
            uri=f"at://{config.service.publisher}/app.bsky.feed.generator/{feed.rkey}",
            rkey=feed.rkey,
            language=lang.code,
            name=said.name,
            description=said.description,
            rules=rules_of(feed, lang),
            in_force=InForce(view.rules_hash, format_datetime(view.since) if view.since else None),
            signals=signals_of(feed),
            order=feed.order,
            followed=feed.followed,
            window_seconds=feed.window / SECOND,
            per_author=limit_of(feed.per_author),
            per_thread=limit_of(feed.per_thread),
            injected=Injected(feed.pinned, feed.ending),
            stored_about_readers=(),
            retention_seconds=config.store.retention / SECOND,
            log_time=format_datetime(view.log_time) if view.log_time else None,
            lag_seconds=round(self._site.metrics.lag(), 1),
            gaps=tuple(map(gap_of, view.gaps)),
            figures=view.figures,
            newest=tuple(self._entries(view, lang)),
        )

    def _entries(self, view: View, lang: Language) -> list[Entry]:
        return [entry(view.feed, told, lang) for told in view.newest]


def skeleton_path(publisher: str, rkey: str) -> str:
    """Path and query of a feed's first page. A did:web may hold a percent sign, which a query must spell %25."""
    return f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={quote(f'at://{publisher}/app.bsky.feed.generator/{rkey}', safe=':/')}"
