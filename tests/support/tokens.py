"""Service-auth tokens signed with `cryptography`, which the service itself does not use for k256, and a directory that knows the keys."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import libipld
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.garden import did
from tests.support.serving import StreamServer

LXM = "app.bsky.feed.getFeedSkeleton"
SERVICE = "did:web:feeds.example.org"
NOW = 1_795_176_000
VIEWER = did(1)

_ORDERS = {
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}
_CODECS = {"ES256K": b"\xe7\x01", "ES256": b"\x80\x24"}


class Key:
    """A key pair on the curve of `alg`."""

    def __init__(self, number: int, alg: str = "ES256K") -> None:
        self.alg = alg
        self._private = ec.derive_private_key(number, ec.SECP256K1() if alg == "ES256K" else ec.SECP256R1())

    @property
    def multibase(self) -> str:
        """As in a DID document's Multikey."""
        point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return str(libipld.encode_multibase("z", _CODECS[self.alg] + point))

    def sign(self, message: bytes, high: bool = False) -> bytes:
        """r || s, with low or high S."""
        r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(SHA256())))
        order = _ORDERS[self.alg]
        if high != (s > order // 2):
            s = order - s
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


KEY, OTHER = Key(7), Key(8)
P256 = Key(7, "ES256")


def claims(now: float = NOW, **changed: Any) -> dict[str, Any]:
    """What the reference PDS puts into a token; a change to None leaves the claim out."""
    good = {"iat": int(now), "iss": VIEWER, "aud": SERVICE, "exp": int(now) + 60, "lxm": LXM, "jti": "0123456789abcdef"}
    return {name: value for name, value in (good | changed).items() if value is not None}


def mint(said: Mapping[str, Any], key: Key = KEY, high: bool = False, **header: Any) -> str:
    """A token. Header fields as keywords; None leaves one out."""
    head = {name: value for name, value in ({"typ": "JWT", "alg": key.alg} | header).items() if value is not None}
    signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(said).encode())}"
    return f"{signed}.{encoded(key.sign(signed.encode(), high))}"


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bearer(token: str) -> str:
    """As an Authorization header."""
    return f"Bearer {token}"


def document(of: str, *keys: Key, endpoint: str | None = None) -> dict[str, Any]:
    """A DID document as plc.directory serves it."""
    methods = [{"id": f"{of}#atproto", "type": "Multikey", "controller": of, "publicKeyMultibase": key.multibase} for key in keys]
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint or "https://pds.example.com"}
    return {"@context": [], "id": of, "alsoKnownAs": ["at://Alice.example.com"], "verificationMethod": methods, "service": [service]}


class Raw(NamedTuple):
    """An answer as it stands."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}


class Directory(StreamServer):
    """Serves DID documents, by DID, or what is Raw. did:web is this server, by its port."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: dict[str, Any] = {}
        self.app.router.add_get("/.well-known/did.json", self._web)
        self.app.router.add_get("/{did}", self._plc)

    @property
    def url(self) -> str:
        """As a PLC directory."""
        return self.host.replace("ws:", "http:")

    @property
    def web_did(self) -> str:
        """The did:web of this server."""
        return f"did:web:localhost%3A{self.port}"

    async def _web(self, _: web.Request) -> web.StreamResponse:
        return await self._answer(self.web_did)

    async def _plc(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request.match_info["did"])

    async def _answer(self, of: str) -> web.StreamResponse:
        self.connected.set()
        while self.mute:
            async with self._changed:
                await self._changed.wait()
        found = self.documents.get(of)
        if found is None:
            return web.json_response({"message": f"DID not registered: {of}"}, status=404)
        return (
            web.Response(body=found.body, status=found.status, headers=found.headers)
            if isinstance(found, Raw)
            else web.json_response(found)
        )


class Clock:
    """Seconds, moved by hand."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def soon() -> dict[str, Any]:
    """Claims that are good by the real clock, for judges that know no other."""
    return claims(time.time())
