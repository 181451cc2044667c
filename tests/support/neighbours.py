"""What feeds ask beside the posts, on one socket: an AppView with lists and starter packs, a resolver, a PLC directory, a labeler.

Every answer and every frame is held against the official lexicon before it goes out, unless it is garbage by intent.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import libipld
from aiohttp import web

from models.protocol.syntax import format_datetime
from tests.support.firehose_server import frame
from tests.support.garden import at, did
from tests.support.lexicons import assert_valid_message, assert_valid_output
from tests.support.serving import StreamServer
from tests.support.tokens import KEY, Key

LABELER = did(7)
PERSON = "2026-01-01T00:00:00.000Z"
_LABELS = "com.atproto.label.subscribeLabels"


def list_uri(rkey: str = "3l5gbwvbz2c2a", kind: str = "list") -> str:
    """A list, or with kind "starterpack" a starter pack, of account 6."""
    return f"at://{did(6)}/app.bsky.graph.{kind}/{rkey}"


def label(uri: str, val: str = "spam", second: int = 0, key: Key | None = KEY, **fields: Any) -> dict[str, Any]:
    """A label of LABELER as a stream sends it, put on at a second of the garden; key None: unsigned."""
    said = {"ver": 1, "src": LABELER, "uri": uri, "val": val, "cts": format_datetime(at(second)), **fields}
    said = {name: value for name, value in said.items() if value is not None}
    if key is None:
        return said
    sig = b"\x01"
    while sig[0] in (0x00, 0x01, 0x12):  # libipld would take it for a CID
        sig = key.sign(libipld.encode_dag_cbor(said))
    return {**said, "sig": sig}


def labels_frame(seq: Any, *labels: Any) -> bytes:
    """A frame of #labels."""
    return frame("#labels", {"seq": seq, "labels": list(labels)})


class Neighbours(StreamServer):
    """`lists`: by at-uri, its name and members; `packs`: by at-uri, the list of a starter pack. `frames`: (seq, frame) of the labeler."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, tuple[str, list[str]]] = {}
        self.packs: dict[str, str] = {}
        self.handles: dict[str, str] = {}
        self.page = 100
        self.raw: web.Response | None = None
        """Answered by the AppView instead of lists."""
        self.hangs = False
        """The AppView takes the request, and says nothing."""
        self.frames: list[tuple[int, bytes]] = []
        self.oldest = 0
        """Cursors below it are told that they are outdated."""
        self.keys: dict[str, Key] = {"#atproto_label": KEY}
        self.endpoint: str | None = None
        """Where the labeler says it is; None: here."""
        self.cursors: list[int] = []
        """With which each subscription began."""
        get = self.app.router.add_get
        get("/xrpc/app.bsky.graph.getList", self._get_list)
        get("/xrpc/app.bsky.graph.getStarterPack", self._get_starter_pack)
        get("/xrpc/com.atproto.identity.resolveHandle", self._resolve_handle)
        get(f"/xrpc/{_LABELS}", self._subscribe_labels)
        get("/{did}", self._document)

    @property
    def url(self) -> str:
        """For plain requests."""
        return self.host.replace("ws:", "http:")

    async def tell(self, *labels: Mapping[str, Any]) -> None:
        """The labeler says something: one frame."""
        seq = self.frames[-1][0] + 1 if self.frames else 1
        for one in labels:
            assert_valid_message(_LABELS, "#labels", {"seq": seq, "labels": [one]})
        self.frames.append((seq, labels_frame(seq, *labels)))
        await self.wake()

    async def send(self, *frames: bytes) -> None:
        """Anything at all, behind what was told."""
        for raw in frames:
            self.frames.append((self.frames[-1][0] + 1 if self.frames else 1, raw))
        await self.wake()

    async def _get_list(self, request: web.Request) -> web.Response:
        uri = request.query["list"]
        if self.hangs:
            await asyncio.Event().wait()
        if self.raw:
            return web.Response(status=self.raw.status, body=self.raw.body, headers=self.raw.headers)
        if uri not in self.lists:
            return web.json_response({"error": "InvalidRequest", "message": "List not found"}, status=400)
        name, members = self.lists[uri]
        start, limit = int(request.query.get("cursor", "0")), min(self.page, int(request.query["limit"]))
        items = [{"uri": f"at://{did(6)}/app.bsky.graph.listitem/{n}", "subject": _person(one)} for n, one in enumerate(members)]
        end = start + limit
        answer = {"list": _list_view(uri, name), "items": items[start:end], **({"cursor": str(end)} if end < len(items) else {})}
        return _valid("app.bsky.graph.getList", answer)

    async def _get_starter_pack(self, request: web.Request) -> web.Response:
        uri = request.query["starterPack"]
        if uri not in self.packs:
            return web.json_response({"error": "InvalidRequest", "message": "Starter pack not found"}, status=400)
        of = self.packs[uri]
        record = {"$type": "app.bsky.graph.starterpack", "name": "Gardeners' pack", "list": of, "createdAt": PERSON}
        view = {"uri": uri, "cid": _CID, "record": record, "creator": _person(did(6)), "indexedAt": PERSON}
        brief = {"uri": of, "cid": _CID, "name": self.lists[of][0], "purpose": "app.bsky.graph.defs#referencelist"}
        return _valid("app.bsky.graph.getStarterPack", {"starterPack": {**view, "list": brief}})

    async def _resolve_handle(self, request: web.Request) -> web.Response:
        found = self.handles.get(request.query["handle"])
        return web.json_response({"did": found} if found else {"error": "InvalidRequest"}, status=200 if found else 400)

    async def _document(self, request: web.Request) -> web.Response:
        of = request.match_info["did"]
        methods = [
            {"id": of + id, "type": "Multikey", "controller": of, "publicKeyMultibase": key.multibase} for id, key in self.keys.items()
        ]
        service = {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": self.endpoint or self.url}
        return web.json_response({"id": of, "alsoKnownAs": [], "verificationMethod": methods, "service": [service]})

    async def _subscribe_labels(self, request: web.Request) -> web.WebSocketResponse:
        """A cursor is exclusive, as with Ozone."""
        cursor = int(request.query["cursor"])
        self.cursors.append(cursor)
        socket = await self.open(request)
        if cursor > (self.frames[-1][0] if self.frames else 0):
            await socket.send_bytes(frame("", {"error": "FutureCursor", "message": "Cursor in the future."}, op=-1))
            await socket.close(code=1008, message=b"FutureCursor")
            return socket
        if cursor < self.oldest:
            await socket.send_bytes(frame("#info", {"name": "OutdatedCursor", "message": "Possibly missing events"}))
        while True:
            for seq, raw in [one for one in self.frames if one[0] > cursor and not self.mute]:
                await socket.send_bytes(raw)
                cursor = seq
            await self.more(socket)


_CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"


def _person(who: str) -> dict[str, Any]:
    return {"did": who, "handle": f"{who[-3:]}.example.org", "displayName": "A gardener", "createdAt": PERSON, "labels": []}


def _list_view(uri: str, name: str) -> dict[str, Any]:
    view = {"uri": uri, "cid": _CID, "creator": _person(did(6)), "name": name, "purpose": "app.bsky.graph.defs#curatelist"}
    return {**view, "indexedAt": PERSON, "listItemCount": 1}


def _valid(nsid: str, answer: Any) -> web.Response:
    assert_valid_output(nsid, answer)
    return web.json_response(answer)


def members(numbers: Iterable[int]) -> list[str]:
    """The DIDs of some accounts of the garden."""
    return [did(number) for number in numbers]
