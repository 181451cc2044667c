"""The feed generator's endpoints: who it is, which feeds it offers, and their pages. Handlers are named as their NSID.

Promise: nothing about who asks is kept (invariant 7). The Authorization header that a server passes on is left unread, and every reader
gets the same bytes; only for a followed feed is it looked at, since the reader chose a feed of the people whom he follows.
Sources: lexicons app.bsky.feed.{describeFeedGenerator,getFeedSkeleton,sendInteractions}, atproto.com/specs/did.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
from aiohttp import hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy

from feedgen.feed import Feed
from feedgen.pages import FeedPages, UnknownCursor
from feedgen.skeleton import Cursor, place_of
from models.database import Database
from models.protocol.syntax import parse_at_uri
from models.protocol.xrpc import Query, XrpcError, integer, invalid, one, required

COLLECTION = "app.bsky.feed.generator"
_JSON = CIMultiDictProxy(CIMultiDict({"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}))
_PRIVATE = CIMultiDictProxy(CIMultiDict({**_JSON, "Cache-Control": "private, no-store"}))
_REMEMBERED = 1024
_LONGEST = 500
_LONGEST_BODY = 256 * 1024


Follows: TypeAlias = Callable[[str], Awaitable[Collection[str]]]
"""An Authorization header to the DIDs that whoever asks follows. XrpcError says to them why they cannot be told."""


class Identity(NamedTuple):
    """Who serves: `did` of the service, `publisher` the DID in whose repo the feeds' records stand, `endpoint` like "https://feeds.example.org"."""

    did: str
    publisher: str
    endpoint: str

    @property
    def is_web(self) -> bool:
        """The DID document is ours to serve; that of a did:plc stands in the PLC directory."""
        return self.did == "did:web:" + self.endpoint.partition("://")[2].replace(":", "%3A")


class Asked(NamedTuple):
    """The parameters of getFeedSkeleton; `start` is None at the top."""

    rkey: str
    start: Cursor | None
    limit: int


class FeedService:
    """The routes, and the state behind them."""

    def __init__(
        self,
        database: Database,
        feeds: Sequence[Feed],
        feed_ids: Mapping[str, int],
        identity: Identity,
        links: Mapping[str, str] | None = None,
        did_parts: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
        follows: Follows | None = None,
    ) -> None:
        """links: privacyPolicy, termsOfService; did_parts: further `service` and `verificationMethod` entries, such as a labeler's.

        follows: needed where a feed is followed.
        """
        self._follows, self._database, self._identity = follows, database, identity
        self._did_document = msgspec.json.encode(did_document(identity, did_parts or {}))
        self._pages = FeedPages(database, (), {})
        self.offer(feeds, feed_ids, links or {})

    def offer(self, feeds: Sequence[Feed], feed_ids: Mapping[str, int], links: Mapping[str, str]) -> None:
        """Serve these feeds from now on, and tell these links of the operator's."""
        self._pages = FeedPages(self._database, feeds, feed_ids, self._pages.log_time)
        self.committed, self.poll = self._pages.committed, self._pages.poll
        self._description = msgspec.json.encode(description(self._identity, [feed.rkey for feed in feeds], links))
        self._asked: dict[str, Asked] = {}

    def routes(self) -> list[web.RouteDef]:
        """What this service answers; errors are raised as XrpcError."""
        routes = [
            web.get("/xrpc/app.bsky.feed.describeFeedGenerator", self.describe_feed_generator),
            web.get("/xrpc/app.bsky.feed.getFeedSkeleton", self.get_feed_skeleton),
            web.post("/xrpc/app.bsky.feed.sendInteractions", self.send_interactions),
        ]
        if self._identity.is_web:
            routes.append(web.get("/.well-known/did.json", self.did_json))
        return routes

    async def did_json(self, _request: web.Request) -> web.Response:
        """The service's DID document."""
        return web.Response(body=self._did_document, headers=_JSON)

    async def describe_feed_generator(self, _request: web.Request) -> web.Response:
        """app.bsky.feed.describeFeedGenerator."""
        return web.Response(body=self._description, headers=_JSON)

    async def get_feed_skeleton(self, request: web.Request) -> web.Response:
        """app.bsky.feed.getFeedSkeleton."""
        asked, pages = self._parsed(request), self._pages
        try:
            if pages.is_followed(asked.rkey):
                return await self._followed(request, asked, pages)
            return web.Response(body=await pages.skeleton(*asked), headers=_JSON)
        except UnknownCursor:
            raise _foreign_cursor() from None

    async def _followed(self, request: web.Request, asked: Asked, pages: FeedPages) -> web.Response:
        assert self._follows
        authorization = request.headers.get(hdrs.AUTHORIZATION)
        if authorization is None:
            raise XrpcError(401, "AuthMissing", "This feed shows posts of the people whom you follow. Please log in to read it.")
        dids = await self._follows(authorization)
        return web.Response(body=await pages.followed(*asked, dids), headers=_PRIVATE)

    async def send_interactions(self, request: web.Request) -> web.Response:
        """app.bsky.feed.sendInteractions: taken with thanks, and let go unread, since who saw or liked what is no business of ours.

        Records say `acceptsInteractions: false`, so this answers clients that send all the same. The server throws the body away as it
        comes in, and closes the connection when that takes long; one that says it is long is refused.
        """
        if (request.content_length or 0) > _LONGEST_BODY:
            raise XrpcError(413, "PayloadTooLarge", "That is too much at once.")
        return web.Response(body=b"{}", headers=_JSON)

    def _parsed(self, request: web.Request) -> Asked:
        # Every reader's app sends the same few query strings, at most with another cursor at their end: to parse anew costs a fifth
        # of an answer.
        start, more, cursor = request.rel_url.raw_query_string.partition("&cursor=")
        known, before = self._asked.get(start), place_of(cursor) if more else None
        if known and (before or not more):
            return Asked(known.rkey, before, known.limit)  # `_replace` costs four times as much
        new = asked(request.query, self._identity, self._pages.__contains__)
        if new.start == before and (more or "cursor" not in request.query):  # all that `start` leaves open is the cursor
            self._remember(start, new._replace(start=None))
        return new

    def _remember(self, text: str, new: Asked) -> None:
        if len(self._asked) >= _REMEMBERED:
            self._asked.clear()
        if len(text) <= _LONGEST:
            self._asked[text] = new


def asked(query: Query, identity: Identity, offered: Callable[[str], bool]) -> Asked:
    """The parameters, checked as the lexicon says. XrpcError: InvalidRequest or UnknownFeed, worded for the reader."""
    feed, limit, cursor = required(query, "feed"), integer(query, "limit", 50, 1, 100), one(query, "cursor")
    uri = parse_at_uri(feed)
    if uri is None:
        raise invalid("parameter 'feed' must be the at-uri of a feed: at://DID/app.bsky.feed.generator/NAME")
    if uri.authority not in (identity.did, identity.publisher) or uri.collection != COLLECTION or not uri.rkey or not offered(uri.rkey):
        raise XrpcError(400, "UnknownFeed", "This feed is not offered here, or no longer.")
    start = place_of(cursor) if cursor else None
    if cursor and start is None:
        raise _foreign_cursor()
    return Asked(uri.rkey, start, limit)


def _foreign_cursor() -> XrpcError:
    return invalid("The cursor is not one that this feed gave out lately. Please load the feed again from its top.")


def description(identity: Identity, rkeys: Iterable[str], links: Mapping[str, str]) -> dict[str, Any]:
    """The output of app.bsky.feed.describeFeedGenerator."""
    uris = [{"uri": f"at://{identity.publisher}/{COLLECTION}/{rkey}"} for rkey in rkeys]
    return {"did": identity.did, "feeds": uris} | ({"links": dict(links)} if links else {})


def did_document(identity: Identity, parts: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, Any]:
    """A did:web document: this service, and what else lives under the same DID."""
    own = {"id": "#bsky_fg", "type": "BskyFeedGenerator", "serviceEndpoint": identity.endpoint}
    document: dict[str, Any] = {"@context": ["https://www.w3.org/ns/did/v1"], "id": identity.did}
    if keys := parts.get("verificationMethod"):
        document["@context"].append("https://w3id.org/security/multikey/v1")
        document["verificationMethod"] = list(keys)
    return document | {"service": [own, *parts.get("service", ())]}
