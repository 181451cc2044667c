"""A small PDS with its PLC directory and handle resolver, and in front of it a feed generator, all on one socket, for `plainsky publish`.

It keeps records as a real one does: checked against the lexicon, compared and swapped by cid, pictures only when they were uploaded.
"""

import json
from hashlib import sha256
from typing import Any

from aiohttp import web
from libipld import encode_dag_cbor

from feedgen.service import COLLECTION, Identity, description, did_document
from models.protocol.syntax import is_record_key
from tests.support.lexicons import Invalid, assert_valid_record
from tests.support.serving import StreamServer

PUBLISHER = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
PASSWORD = "abcd-efgh-ijkl-mnop"


class Pds(StreamServer):
    """One account and its records of one collection: rkey to (cid, value)."""

    def __init__(self) -> None:
        super().__init__()
        self.account = PUBLISHER
        self.collection = COLLECTION
        self.repo: dict[str, tuple[str, dict[str, Any]]] = {}
        self.blobs: dict[str, bytes] = {}
        self.calls: list[str] = []
        """What was called with a login, in order: "putRecord garden"."""
        self.faults: dict[str, list[web.Response]] = {}
        """By the end of a path: what is answered instead, once each."""
        self.handles = {"alice.example.org": "did:plc:alice2222222222222222222"}
        self.offered: list[str] = []
        """The rkeys that the feed generator offers."""
        self.generator: str | None = None
        """The DID that the feed generator says it is; None: the right one."""
        self.page = 100
        self._tokens = 0
        for path, handler in (
            ("/xrpc/com.atproto.repo.listRecords", self._list_records),
            ("/xrpc/com.atproto.identity.resolveHandle", self._resolve_handle),
            ("/.well-known/did.json", self._did_json),
            ("/xrpc/app.bsky.feed.describeFeedGenerator", self._describe),
            ("/{did}", self._plc),
        ):
            self.app.router.add_get(path, handler)
        self.app.router.add_post("/xrpc/com.atproto.server.createSession", self._create_session)
        self.app.router.add_post("/xrpc/com.atproto.repo.{method}", self._write)
        self.app.middlewares.append(self._fail)
        self.document: dict[str, Any] | None = None
        """The publisher's DID document; None: a good one."""

    @property
    def url(self) -> str:
        """Where everything is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def did(self) -> str:
        """The feed generator's DID."""
        return f"did:web:localhost%3A{self.port}"

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """What stands in the repo."""
        return {rkey: value for rkey, (_, value) in self.repo.items()}

    def put(self, rkey: str, **fields: Any) -> None:
        """A record from elsewhere."""
        value = {"$type": COLLECTION, "did": self.did, "displayName": rkey, "createdAt": "2025-01-02T03:04:05.678Z", **fields}
        self.repo[rkey] = (cid_of(value), value)

    def fail(self, path: str, status: int, name: str, message: str = "", **headers: str) -> None:
        """Answer the next call whose path ends so with an error."""
        body = {"error": name, "message": message or name}
        self.faults.setdefault(path, []).append(web.json_response(body, status=status, headers=headers))

    @web.middleware
    async def _fail(self, request: web.Request, handler: Any) -> web.StreamResponse:
        for path, answers in self.faults.items():
            if request.path.endswith(path) and answers:
                return answers.pop(0)
        return await handler(request)

    async def _plc(self, request: web.Request) -> web.Response:
        if request.match_info["did"] != self.account:
            return web.json_response({"message": "DID not registered"}, status=404)
        pds = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
        document = {"id": self.account, "alsoKnownAs": ["at://news.example.org"], "service": [pds]}
        return web.json_response(self.document or document)

    async def _did_json(self, _: web.Request) -> web.Response:
        did = self.generator or self.did
        return web.json_response(did_document(Identity(did, self.account, f"http://localhost:{self.port}"), {}))

    async def _describe(self, _: web.Request) -> web.Response:
        return web.json_response(description(Identity(self.generator or self.did, self.account, ""), self.offered, {}))

    async def _resolve_handle(self, request: web.Request) -> web.Response:
        did = self.handles.get(request.query["handle"])
        return web.json_response({"did": did}) if did else error(400, "InvalidRequest", "Unable to resolve handle")

    async def _list_records(self, request: web.Request) -> web.Response:
        assert (request.query["repo"], request.query["collection"]) == (self.account, self.collection)
        rest = sorted((rkey for rkey in self.repo if rkey < request.query.get("cursor", "~")), reverse=True)
        rkeys = rest[: min(self.page, int(request.query["limit"]))]
        of_rkeys = [(f"at://{self.account}/{self.collection}/{rkey}", *self.repo[rkey]) for rkey in rkeys]
        records = [{"uri": uri, "cid": cid, "value": value} for uri, cid, value in of_rkeys]
        return web.json_response({"records": records, **({"cursor": rkeys[-1]} if rkeys else {})})

    async def _create_session(self, request: web.Request) -> web.Response:
        if await request.json() != {"identifier": self.account, "password": PASSWORD}:
            return error(401, "AuthenticationRequired", "Invalid identifier or password")
        self._tokens += 1
        return web.json_response(
            {"accessJwt": f"token{self._tokens}", "refreshJwt": "x", "handle": "news.example.org", "did": self.account}
        )

    def has_login(self, request: web.Request) -> bool:
        """Whether the caller showed the newest token."""
        return request.headers.get("Authorization") == f"Bearer token{self._tokens}"

    async def _write(self, request: web.Request) -> web.Response:
        if not self.has_login(request):
            return error(401, "AuthMissing", "Authentication Required")
        method = request.match_info["method"]
        if method == "uploadBlob":
            return self._upload(await request.read(), request.content_type)
        asked = json.loads(await request.text())
        assert (asked["repo"], asked["collection"], is_record_key(asked["rkey"])) == (self.account, self.collection, True)
        self.calls.append(f"{method} {asked['rkey']}")
        if asked["swapRecord"] != self.repo.get(asked["rkey"], (None,))[0]:
            return error(400, "InvalidSwap", "Record was at another version")
        if method == "deleteRecord":
            del self.repo[asked["rkey"]]
            return web.json_response({})
        return self._put(asked["rkey"], asked["record"])

    def _put(self, rkey: str, record: dict[str, Any]) -> web.Response:
        try:
            assert_valid_record(record)
        except Invalid as invalid:
            return error(400, "InvalidRequest", str(invalid))
        if (avatar := record.get("avatar")) and avatar["ref"]["$link"] not in self.blobs:
            return error(400, "BlobNotFound", f"Could not find blob: {avatar['ref']['$link']}")
        self.repo[rkey] = (cid_of(record), record)
        uri = f"at://{self.account}/{self.collection}/{rkey}"
        return web.json_response({"uri": uri, "cid": self.repo[rkey][0], "validationStatus": "valid"})

    def _upload(self, content: bytes, mime: str) -> web.Response:
        cid = _link(0x55, content)
        self.calls.append(f"uploadBlob {mime}")
        self.blobs[cid] = content
        return web.json_response({"blob": {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(content)}})


def cid_of(record: dict[str, Any]) -> str:
    """CIDv1 of DAG-CBOR."""
    return _link(0x71, encode_dag_cbor(record))


def _link(codec: int, content: bytes) -> str:
    """A CIDv1 in base32, bit by bit, so that it owes nothing to the code under test."""
    number = int.from_bytes(bytes([1, codec, 0x12, 32]) + sha256(content).digest())
    return "b" + "".join("abcdefghijklmnopqrstuvwxyz234567"[number << 2 >> shift & 31] for shift in range(285, -1, -5))


def error(status: int, name: str, message: str) -> web.Response:
    """An XRPC error."""
    return web.json_response({"error": name, "message": message}, status=status)
