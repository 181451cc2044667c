"""A Jetstream instance that speaks both wires as the real one does: v2 (`subscribeEvents`) and v1 (`/subscribe`), over a log of entries.

Rules taken from bluesky-social/jetstream internal/subscribe (doc.go, cursor.go, filterv2.go, handler.go) and its lexicons.
`python -m tests.support.jetstream_server [--port N]` serves the recorded frames as a process and prints its host.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import zstandard
from aiohttp import WSMsgType, web
from multidict import MultiMapping

from tests.support.recorded import Entry, entries, raw_frames
from tests.support.serving import StreamServer, serve_alone

NSID = "network.bsky.jetstream.subscribeEvents"
FIRST_TIME = 10**15
V1_DICTIONARY = 1_612_007_021
KINDS = ("commit", "identity", "account", "sync")


class JetstreamServer(StreamServer):
    """`floor` is the oldest seq that is still replayed. `v1_only` is software of before v2."""

    def __init__(
        self,
        log: list[Entry] | None = None,
        floor: int = 1,
        v1_only: bool = False,
        dictionary: bool = False,
        v1_dictionary: bool = False,
    ) -> None:
        super().__init__()
        self.log = entries(raw_frames()) if log is None else log
        self.floor = floor
        self.v1_only = v1_only
        self.dictionaries: dict[int | None, bytes] = {}
        self.tail: list[bytes | str] = []
        self.app.router.add_get("/subscribe", self._v1)
        if not v1_only:
            self.app.router.add_get(f"/xrpc/{NSID}", self._v2)
        self.app.router.add_get("/xrpc/network.bsky.jetstream.getZstdDictionary", self._dictionary)
        if dictionary:
            self.train(7)
        if v1_dictionary:
            self.dictionaries[V1_DICTIONARY] = _trained(V1_DICTIONARY, self.log)

    @property
    def next_seq(self) -> int:
        """The seq that the next event will get."""
        return self.log[-1].seq + 1 if self.log else 1

    def train(self, id: int) -> None:
        """A new dictionary replaces the current one, which is retired."""
        kept = {V1_DICTIONARY: self.dictionaries[V1_DICTIONARY]} if V1_DICTIONARY in self.dictionaries else {}
        self.dictionaries = {**kept, id: _trained(id, self.log)}
        self.current = id

    async def add(self, *frames: bytes, late_us: int = 0) -> None:
        """Something happens, live."""
        self.log += entries(list(frames), self.next_seq, late_us)
        await self.wake()

    async def _dictionary(self, request: web.Request) -> web.Response:
        id = int(request.query["id"]) if "id" in request.query else getattr(self, "current", None)
        if id not in self.dictionaries:
            return _error(404, "DictionaryNotFound", f"no dictionary with id {id}")
        return web.Response(body=self.dictionaries[id], content_type="application/octet-stream")

    async def _v2(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        wrong = _wrong_v2(query)
        if wrong:
            return _error(400, "InvalidRequest", wrong)
        id = int(query.get("zstdDictionary", "0"))
        if id and id not in self.dictionaries:
            return _error(400, "UnknownZstdDictionary", f"unknown zstd dictionary id {id}; current dictionary id is {self.current}")
        start, notice = self._resolve(query.get("cursor"))
        if start is None:
            return _error(400, "CursorTooOld", f"cursor {query['cursor']} is below the retention floor {self.floor}")
        if "upgrade" not in request.headers:
            return web.Response(status=426)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        socket = await self.open(request, ("xrpc.v1.json",) if "xrpc.v1.json" in offered else ())
        pack = self._packer(id)
        if notice:
            await _send(socket, pack(_json({"$type": "message", "payload": {"$type": f"{NSID}#info", "name": notice}})))
        watch = asyncio.ensure_future(_closes_on_data(socket))
        try:
            await self._stream(socket, start, partial(_wants_v2, query), v2_line, pack)
        finally:
            watch.cancel()
        return socket

    async def _v1(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        compress = query.get("compress") == "true" or "zstd" in request.headers.get("Socket-Encoding", "")
        if compress and "permessage-deflate" in request.headers.get("Sec-WebSocket-Extensions", ""):
            return web.Response(status=400, text="choose one compression scheme")
        raw = query.get("cursor")
        if raw and not raw.isdigit():
            return web.Response(status=400, text=f"subscribe: invalid cursor: {raw!r}")
        if "upgrade" not in request.headers:
            return web.Response(status=426)
        start, _ = self._resolve(raw)
        socket = await self.open(request)
        pack = self._packer(V1_DICTIONARY if compress else 0)
        line = partial(v1_line, with_cursor=not self.v1_only)
        options = V1Options(query)
        listening = asyncio.ensure_future(options.listen(socket))
        try:
            await options.hello.wait()
            await self._stream(socket, self.floor if start is None else start, options.wants, line, pack)
        finally:
            listening.cancel()
        return socket

    def _resolve(self, raw: str | None) -> tuple[int | None, str]:
        """(first seq, name of an #info); seq None: too old for v2, silently clamped on v1."""
        if not raw:
            return self.next_seq, ""
        cursor = int(raw)
        if cursor < FIRST_TIME and not self.v1_only:
            if cursor >= self.next_seq:
                return self.next_seq, ""
            return (cursor, "") if max(1, cursor) >= self.floor else (None, "")
        oldest = self.log[0].witnessed_us if self.log else cursor
        found = next((entry.seq for entry in self.log if entry.witnessed_us >= cursor), self.next_seq)
        return max(found, self.floor), "OutdatedCursor" if found < self.floor or cursor < oldest else ""

    async def _stream(
        self,
        socket: web.WebSocketResponse,
        seq: int,
        wants: Callable[[Entry], bool],
        line: Callable[[Entry], dict[str, Any] | None],
        pack: Callable[[bytes], bytes | str],
    ) -> None:
        while True:
            for entry in [entry for entry in self.log if entry.seq >= max(seq, self.floor) and not self.mute]:
                seq = entry.seq + 1
                said = line(entry) if wants(entry) else None
                if said is not None:
                    await _send(socket, pack(_json(said)))
            for garbage in self.tail:
                await _send(socket, pack(garbage.encode()) if isinstance(garbage, str) else garbage)
            self.tail = []
            await self.more(socket)

    def _packer(self, id: int) -> Callable[[bytes], bytes | str]:
        if not id:
            return bytes.decode
        dictionary = zstandard.ZstdCompressionDict(self.dictionaries[id])
        return zstandard.ZstdCompressor(dict_data=dictionary).compress


def v1_line(entry: Entry, with_cursor: bool = True) -> dict[str, Any] | None:
    """An entry on `/subscribe`; #sync never is. v2 software adds its own `cursor`."""
    if entry.kind == "sync":
        return None
    said = {"did": entry.did, "time_us": entry.witnessed_us, "kind": entry.kind, entry.kind: entry.commit or entry.upstream}
    return {**said, "cursor": entry.seq} if with_cursor else said


def v2_line(entry: Entry) -> dict[str, Any]:
    """An entry on `subscribeEvents`."""
    time = datetime.fromtimestamp(entry.witnessed_us / 1e6, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    body = entry.commit or {entry.kind: entry.upstream}
    return {"$type": "message", "payload": {"$type": f"{NSID}#{entry.kind}", "seq": entry.seq, "did": entry.did, "time": time, **body}}


def _trained(id: int, log: list[Entry]) -> bytes:
    return zstandard.train_dictionary(16_384, [_json(v2_line(entry)) for entry in log], dict_id=id).as_bytes()


def _wrong_v2(query: MultiMapping[str]) -> str:
    """Why the parameters are refused; empty when they are not."""
    for old in ("wantedCollections", "wantedDids", "requireHello"):
        if old in query:
            return f"{old} is the legacy /subscribe parameter"
    kinds, collections = query.getall("kinds", []), query.getall("collections", [])
    if query.get("compress") == "true":
        return "compress=true is the /subscribe (v1) opt-in"
    if len(kinds) > 4 or not set(kinds) <= set(KINDS):
        return "unknown kind"
    if collections and kinds and "commit" not in kinds:
        return "collections filter can never apply: kinds excludes commit"
    numbers = [query.get(name, "1") for name in ("cursor", "zstdDictionary", "maxMessageSizeBytes")]
    return "" if all(number.isdigit() for number in numbers) and query.get("zstdDictionary") != "0" else "invalid number"


def _wants_v2(query: MultiMapping[str], entry: Entry) -> bool:
    kinds, dids, collections = (query.getall(name, []) for name in ("kinds", "dids", "collections"))
    return (
        (not kinds or entry.kind in kinds)
        and (not dids or entry.did in dids)
        and (entry.kind != "commit" or not collections or _matches(entry.commit["collection"], collections))
    )


class V1Options:
    """The filter of one connection, as the query and the client's options_updates leave it."""

    def __init__(self, query: MultiMapping[str]) -> None:
        self.wanted = {"wantedCollections": query.getall("wantedCollections", []), "wantedDids": query.getall("wantedDids", [])}
        self.hello = asyncio.Event()
        if query.get("requireHello") != "true":
            self.hello.set()

    async def listen(self, socket: web.WebSocketResponse) -> None:
        """Take updates; nothing is sent before the first when the client asked for that."""
        async for message in socket:
            update = json.loads(message.data)
            if update.get("type") == "options_update":
                self.wanted |= {key: update["payload"].get(key, []) for key in self.wanted}
                self.hello.set()

    def wants(self, entry: Entry) -> bool:
        """Account and identity events come whatever the collections."""
        collections, dids = self.wanted["wantedCollections"], self.wanted["wantedDids"]
        if dids and entry.did not in dids:
            return False
        return entry.kind != "commit" or not collections or _matches(entry.commit["collection"], collections)


def _matches(collection: str, wanted: list[str]) -> bool:
    return any(collection == one or (one.endswith(".*") and collection.startswith(one[:-1])) for one in wanted)


async def _closes_on_data(socket: web.WebSocketResponse) -> None:
    """v2 is server-push only: any data frame of the client ends the connection."""
    async for message in socket:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await socket.close(code=1008)


async def _send(socket: web.WebSocketResponse, line: bytes | str) -> None:
    await (socket.send_str(line) if isinstance(line, str) else socket.send_bytes(line))


def _json(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _error(status: int, name: str, message: str) -> web.Response:
    return web.json_response({"error": name, "message": message}, status=status)


if __name__ == "__main__":
    serve_alone(JetstreamServer, "a Jetstream that plays the recorded frames, on both wires")
