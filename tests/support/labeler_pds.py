"""The small PDS of `tests.support.pds` for a labeler's account: it signs PLC operations, beside a directory and a labeler's service.

The directory takes operations as the real one does: only on top of the newest, and only with a signature of a rotation key.
"""

import base64
import time
from typing import Any

from aiohttp import WSMsgType, web
from libipld import encode_dag_cbor

from labeler.keys import did_key
from labeler.signing import sign, verify_bytes
from models.labels import Label
from models.protocol import public_keys
from models.protocol.k256 import PrivateKey
from models.protocol.syntax import format_datetime
from tests.support.pds import PASSWORD, Pds, cid_of, error

OWN_PASSWORD = "the account's own"
CODE = "ABCDE-FGHIJ"
IDENTITY = "/xrpc/com.atproto.identity."
ACCOUNT_KEY = "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"


class LabelerPds(Pds):
    """`log` are the account's operations, `key` signs the service's labels."""

    def __init__(self) -> None:
        super().__init__()
        self.collection = "app.bsky.labeler.service"
        self.key, self.rotation, self.own = PrivateKey(), PrivateKey(), PrivateKey()
        self.labels: list[dict[str, Any]] = []
        """What the service tells, as JSON gives it but for `sig` (bytes)."""
        self.frames: list[bytes] | None = None
        """What the stream sends; None: the labels, each in a frame of its own."""
        self.future = True
        """Whether a cursor beyond the log is told so."""
        self.upgrades = True
        self.views: list[Any] = [{"uri": "x"}]
        self.web_document: dict[str, Any] | None = None
        """What stands at /.well-known/did.json."""
        self.factors: list[str] = []
        """The codes that logins came with."""
        self.mails = 0
        self.signs: dict[str, Any] = {}
        """What the PDS puts into an operation besides what it was asked."""
        self.log: list[dict[str, Any]] = []
        self._password = ""
        router = self.app.router
        router.add_get("/{did}/log/last", self._last)
        router.add_post("/{did}", self._take)
        router.add_get(f"{IDENTITY}getRecommendedDidCredentials", self._recommend)
        for name, handler in (
            ("requestPlcOperationSignature", self._mail),
            ("signPlcOperation", self._sign),
            ("submitPlcOperation", self._submit),
        ):
            router.add_post(f"{IDENTITY}{name}", handler)
        router.add_get("/xrpc/com.atproto.label.queryLabels", self._query)
        router.add_get("/xrpc/com.atproto.label.subscribeLabels", self._subscribe)
        router.add_get("/xrpc/app.bsky.labeler.getServices", self._services)

    async def listen(self, port: int = 0) -> None:
        """Take connections; the account is there."""
        await super().listen(port)
        genesis = {
            "type": "plc_operation",
            "rotationKeys": [did_key(self.own.public_key), did_key(self.rotation.public_key)],
            "verificationMethods": {"atproto": ACCOUNT_KEY, "other": ACCOUNT_KEY},
            "alsoKnownAs": ["at://news.example.org"],
            "services": {
                "atproto_pds": {"type": "AtprotoPersonalDataServer", "endpoint": self.url},
                "bsky_fg": {"type": "BskyFeedGenerator", "endpoint": "https://feeds.example.org"},
            },
            "prev": None,
        }
        self.log.append(signed(genesis, self.rotation))

    @property
    def endpoint(self) -> str:
        """The labeler's address, as its config says it."""
        return f"http://localhost:{self.port}"

    def say(self, value: str, number: int = 1, key: PrivateKey | None = None, **fields: Any) -> None:
        """A label of ours goes into the log."""
        cts = format_datetime(int(time.time() * 1e6) - 60_000_000)
        label = Label(self.account, f"at://did:plc:author222222222222222222/app.bsky.feed.post/{number}", value, cts)
        told = {**label.fields(), **fields}
        unsigned = Label(**{name: told[name] for name in ("src", "uri", "val", "cts")}, neg=told.get("neg", False))
        self.labels.append({**told, "sig": sign(unsigned, key or self.key)})

    async def _plc(self, request: web.Request) -> web.Response:
        last = self.log[-1]
        did = request.match_info["did"]
        if did != self.account:
            return web.json_response({"message": "DID not registered"}, status=404)
        if self.document:
            return web.json_response(self.document)
        methods = [
            {"id": f"{did}#{name}", "type": "Multikey", "controller": did, "publicKeyMultibase": key.removeprefix("did:key:")}
            for name, key in last["verificationMethods"].items()
        ]
        services = [{"id": f"#{name}", "type": one["type"], "serviceEndpoint": one["endpoint"]} for name, one in last["services"].items()]
        document = {"id": did, "alsoKnownAs": last["alsoKnownAs"], "verificationMethod": methods, "service": services}
        return web.json_response(document)

    async def _did_json(self, _: web.Request) -> web.Response:
        return web.json_response(self.web_document) if self.web_document else web.Response(status=404)

    async def _last(self, _: web.Request) -> web.Response:
        return web.json_response(self.log[-1])

    async def _take(self, request: web.Request) -> web.Response:
        return self._taken(await request.json())

    def _taken(self, operation: dict[str, Any]) -> web.Response:
        last = self.log[-1]
        if operation["prev"] != cid_of(last):
            return web.json_response({"message": "Operations not correctly ordered"}, status=409)
        if not any(has_signed(key, operation) for key in last["rotationKeys"]):
            return web.json_response({"message": "Invalid signature on op"}, status=400)
        self.log.append(operation)
        return web.json_response({})

    async def _create_session(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if code := asked.pop("authFactorToken", None):
            self.factors.append(code)
        if asked == {"identifier": self.account, "password": OWN_PASSWORD}:
            self._password, self._tokens = OWN_PASSWORD, self._tokens + 1
            return web.json_response({"accessJwt": f"token{self._tokens}", "did": self.account})
        self._password = PASSWORD
        return await super()._create_session(request)

    def _turned_away(self, request: web.Request) -> web.Response | None:
        if not self.has_login(request):
            return error(401, "AuthMissing", "Authentication Required")
        return None if self._password == OWN_PASSWORD else error(400, "InvalidToken", "Bad token scope")

    async def _recommend(self, request: web.Request) -> web.Response:
        if not self.has_login(request):
            return error(401, "AuthMissing", "Authentication Required")
        pds = {"type": "AtprotoPersonalDataServer", "endpoint": self.url}
        return web.json_response({"verificationMethods": {"atproto": ACCOUNT_KEY}, "services": {"atproto_pds": pds}})

    async def _mail(self, request: web.Request) -> web.Response:
        if answer := self._turned_away(request):
            return answer
        assert await request.read() == b""
        self.mails += 1
        return web.Response()

    async def _sign(self, request: web.Request) -> web.Response:
        if answer := self._turned_away(request):
            return answer
        asked = await request.json()
        if asked.pop("token") != CODE:
            return error(400, "InvalidToken", "Token is invalid")
        operation = {"type": "plc_operation", **asked, "prev": cid_of(self.log[-1]), **self.signs}
        return web.json_response({"operation": signed(operation, self.rotation)})

    async def _submit(self, request: web.Request) -> web.Response:
        return self._turned_away(request) or self._taken((await request.json())["operation"])

    async def _services(self, _: web.Request) -> web.Response:
        return web.json_response({"views": self.views})

    async def _query(self, request: web.Request) -> web.Response:
        cursor, limit = int(request.query.get("cursor", 0)), int(request.query["limit"])
        page = [{**label, "sig": {"$bytes": base64.b64encode(label["sig"]).decode().rstrip("=")}} for label in self.labels[cursor:][:limit]]
        return web.json_response({"labels": page})

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        if not self.upgrades:
            return web.json_response({"error": "InvalidRequest", "message": "no WebSocket"}, status=426)
        socket = await self.open(request)
        frames = self.frames if self.frames is not None else [frame(n, [label]) for n, label in enumerate(self.labels, 1)]
        if int(request.query["cursor"]) > len(frames):
            frames = [encode_dag_cbor({"op": -1}) + encode_dag_cbor({"error": "FutureCursor", "message": "x"})] if self.future else []
        for each in frames:
            await socket.send_bytes(each)
        while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
            pass
        return socket


def frame(seq: int, labels: list[dict[str, Any]]) -> bytes:
    """A #labels frame."""
    return encode_dag_cbor({"op": 1, "t": "#labels"}) + encode_dag_cbor({"seq": seq, "labels": labels})


def signed(operation: dict[str, Any], key: PrivateKey) -> dict[str, Any]:
    """With `sig`."""
    sig = key.sign(encode_dag_cbor(operation))
    return {**operation, "sig": base64.urlsafe_b64encode(sig).decode().rstrip("=")}


def has_signed(key: str, operation: dict[str, Any]) -> bool:
    """Whether the did:key signed it, low-S and without padding, as the directory wants."""
    unsigned = encode_dag_cbor({name: value for name, value in operation.items() if name != "sig"})
    if "=" in operation["sig"]:
        return False
    sig = base64.urlsafe_b64decode(operation["sig"] + "==")
    return verify_bytes(unsigned, sig, public_keys.parse(key))
