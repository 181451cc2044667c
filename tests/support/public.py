"""The public network as pages ask it: posts and handles, and a count of how often it was asked."""

import json
from typing import Any

from aiohttp import web

from tests.support.serving import StreamServer


class Public(StreamServer):
    """An AppView with `records` by (did, rkey) and `handles`; what it should answer instead is `answer` or `body`."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        self.handles: dict[str, str] = {}
        self.body: bytes | None = None
        self.app.router.add_get("/xrpc/com.atproto.repo.getRecord", self._record)
        self.app.router.add_get("/xrpc/com.atproto.identity.resolveHandle", self._handle)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def _record(self, request: web.Request) -> web.Response:
        assert request.query["collection"] == "app.bsky.feed.post"
        did, rkey = request.query["repo"], request.query["rkey"]
        value = self.records.get((did, rkey))
        if value is None:
            return web.json_response({"error": "RecordNotFound", "message": "Could not locate record"}, status=400)
        told = {"uri": f"at://{did}/app.bsky.feed.post/{rkey}", "cid": "bafyrei", "value": value}
        return web.Response(body=self.body or json.dumps(told).encode(), content_type="application/json")

    async def _handle(self, request: web.Request) -> web.Response:
        did = self.handles.get(request.query["handle"])
        if did is None:
            return web.json_response({"error": "InvalidRequest", "message": "Unable to resolve handle"}, status=400)
        return web.json_response({"did": did})
