"""The labeler's HTTP service: its two public endpoints as routes, and what the rest of the process needs to know of them.

The app calls `close` in its `on_shutdown`, so that streams end before the server waits for its connections.
"""

import asyncio

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from labeler.issuer import Issuer
from labeler.replay import MAX_SEQ
from labeler.stream import Subscriber, Tail
from labeler.xrpc import query_labels
from models.database import Database
from models.labels import Found, sources
from models.protocol.xrpc import XrpcError, integer, one

_JSON = CIMultiDictProxy(CIMultiDict({"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}))


class LabelService:
    """Serves the label log; belongs to one event loop, from the first subscriber on.

    Seconds: `poll` until labels written by another process are noticed, `patience` until a subscriber that does not read is too slow,
    `grace` for saying goodbye.
    """

    def __init__(self, database: Database, issuer: Issuer, *, poll: float = 1.0, patience: float = 10.0, grace: float = 2.0) -> None:
        self._database, self._issuer = database, issuer
        self._poll, self._patience, self._grace = poll, patience, grace
        self._tail: Tail | None = None
        self._subscribers: set[Subscriber] = set()
        self._closing = False
        self._sources: frozenset[str] | None = None  # what others said here before us never becomes more

    def routes(self) -> list[web.RouteDef]:
        """Both endpoints; what they raise as XrpcError is put into words by the app."""
        return [
            web.get("/xrpc/com.atproto.label.queryLabels", self.label_query_labels),
            web.route("*", "/xrpc/com.atproto.label.subscribeLabels", self.label_subscribe_labels),
        ]

    def wake(self) -> None:
        """Labels were committed. From any thread."""
        if self._tail:
            self._tail.wake()

    def subscribers(self) -> list[int]:
        """How many labels behind each subscriber is."""
        head = self._tail.head if self._tail else 0
        return [max(0, head - subscriber.cursor) for subscriber in self._subscribers]

    def healthy(self) -> bool:
        """The signing key works."""
        return self._issuer.can_sign()

    async def close(self) -> None:
        """End every stream, within seconds."""
        self._closing = True
        leaving = [asyncio.create_task(subscriber.leave()) for subscriber in self._subscribers]
        if leaving:
            await asyncio.wait(leaving)
        if self._tail:
            await self._tail.close()

    async def label_query_labels(self, request: web.Request) -> web.Response:
        """com.atproto.label.queryLabels"""
        return web.Response(body=await query_labels(self._database, request.query, self._sig, self._known), headers=_JSON)

    async def _known(self) -> frozenset[str]:
        if self._sources is None:
            self._sources = await self._database.read(sources)
        return self._sources | {self._issuer.src_did}

    def _sig(self, row: Found) -> bytes:
        issuer = self._issuer
        return row.sig if row.key_id == issuer.key_id or row.label.src != issuer.src_did else issuer.sign(row.label)

    async def label_subscribe_labels(self, request: web.Request) -> web.StreamResponse:
        """com.atproto.label.subscribeLabels"""
        if request.method != "GET":
            return _refusal(405, "Allow", "GET", "subscribeLabels is read with GET")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return _refusal(426, "Upgrade", "websocket", "subscribeLabels is a stream: connect with a WebSocket")
        if self._closing:
            raise XrpcError(503, "ServiceUnavailable", "this service is about to stop")
        cursor = None if one(request.query, "cursor") is None else integer(request.query, "cursor", 0, 0, MAX_SEQ)
        self._tail = self._tail or Tail(self._database, self._poll)
        subscriber = Subscriber(request, self._database, self._tail, self._issuer.seq_above, self._patience, self._grace)
        self._subscribers.add(subscriber)
        try:
            await subscriber.serve(cursor)
        finally:
            self._subscribers.discard(subscriber)
        return subscriber.socket


def _refusal(status: int, header: str, value: str, message: str) -> web.Response:
    """RFC 9110 wants the header with these two statuses."""
    body = XrpcError(status, "InvalidRequest", message).body()
    return web.Response(status=status, body=body, headers={**_JSON, header: value})
