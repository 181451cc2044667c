"""DID documents: the one reader of them, guarded and cached. Which key signs for an account, where its repo is, what it calls itself.

Promises: at most one request at a time for a DID, however many wait for it; what is kept, what waits and how often a document is fetched
ahead of its time are bounded; did:web hosts that do not answer hold up no did:plc. No DID is logged: those of readers pass through here.
Nothing is closed at the end: no connection outlives its request.
Sources: atproto.com/specs/did, web.plc.directory/spec/v0.1/did-plc (404 unknown, 410 tombstone).
"""

import asyncio
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec

from models.protocol import public_keys
from models.protocol.public_keys import PublicKey
from models.protocol.syntax import is_did, is_handle
from plainsky.asking.guarding import Outside
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import fetch

KEPT = 10_000
"""Documents, some 2 kB each."""
KEPT_SECONDS = 3600.0
STALE_SECONDS = 24 * 3600.0
"""So long a document serves while it cannot be fetched anew, as in the reference implementation."""
UNKNOWN_SECONDS = 300.0
AWAY_SECONDS = 20.0
FRESH_SECONDS = 60.0
"""A document this young is not fetched anew, whoever asks."""
FRESH_A_MINUTE = 120
"""Documents fetched anew because somebody asked: anybody can, with a token whose signature is wrong."""
ASK_SECONDS = 5.0
AT_ONCE = 16
WAITING = 200
"""Requests of one DID method, under way or waiting for their turn."""
BODY_BYTES = 64_000
_ITEMS = 16
_LONGEST = 300
_PLC = re.compile(r"did:plc:[a-z0-9]{24}")

V = TypeVar("V")


class Unresolved(Exception):
    """No document of a DID can be had just now. The message names no DID."""


class NoSuchDid(Unresolved):
    """There is none: unknown, given up, of another method, or in a place that is not asked."""


class Service(NamedTuple):
    """A service of a DID document."""

    type: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class DidDocument:
    """What a DID's owner says. Keys and services by their fragment, such as "#atproto"; `handle` is claimed, not checked."""

    did: str
    keys: Mapping[str, PublicKey]
    services: Mapping[str, Service]
    handle: str | None = None

    def endpoint(self, id: str, type: str) -> str | None:
        """Where a service of this id and type is."""
        service = self.services.get(id)
        return service.endpoint if service and service.type == type else None


class _Raw(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    also_known_as: Any = None
    verification_method: Any = None
    service: Any = None


def read(did: str, body: bytes) -> DidDocument:
    """A document as its place serves it; entries that make no sense are left out. ValueError when it is none of this DID."""
    try:
        raw = msgspec.json.decode(body, type=_Raw)
    except (ValueError, RecursionError) as error:
        raise ValueError("no DID document, or too much of one") from error
    if raw.id != did:
        raise ValueError("the document of another DID")
    keys, services = {}, {}
    for id, method in _items(raw.verification_method, did):
        if key := _key(method):
            keys[id] = key
    for id, service in _items(raw.service, did):
        type, endpoint = service.get("type"), service.get("serviceEndpoint")
        if isinstance(type, str) and isinstance(endpoint, str) and len(type) + len(endpoint) <= _LONGEST:
            services[id] = Service(type, endpoint)
    return DidDocument(did, keys, services, _handle(raw.also_known_as))


def _items(entries: Any, did: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Entries by the fragment of their id, "#x" or "did#x"; of several with one id only the first counts."""
    seen = set()
    for entry in entries[:_ITEMS] if isinstance(entries, list) else ():
        id = entry.get("id") if isinstance(entry, dict) else None
        fragment = id.removeprefix(did) if isinstance(id, str) else ""
        if fragment.startswith("#") and len(fragment) <= 128 and fragment not in seen:
            seen.add(fragment)
            yield fragment, entry


def _key(method: Mapping[str, Any]) -> PublicKey | None:
    text = method.get("publicKeyMultibase")
    try:
        return public_keys.parse(text) if method.get("type") == "Multikey" and isinstance(text, str) else None
    except ValueError:
        return None


def _handle(names: Any) -> str | None:
    for name in names[:_ITEMS] if isinstance(names, list) else ():
        if isinstance(name, str) and name.startswith("at://"):
            return name[5:].lower() if is_handle(name[5:]) else None
    return None


class _Held(NamedTuple):
    """A document told at a time, asked for last at another, and to be asked for again at a third; seconds of the clock."""

    document: DidDocument
    told: float
    asked: float
    until: float


class _Lru(OrderedDict[str, V]):
    """What was used last, up to KEPT of it."""

    def put(self, key: str, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > KEPT:
            self.popitem(last=False)


class DidDocuments:
    """`plc` is the directory of did:plc; where it is on this machine, so may be all others. `clock` counts seconds."""

    def __init__(self, plc: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.outside = Outside.of(plc)
        """Asks the servers that documents name, under the same guard."""
        self._plc, self._clock = plc.rstrip("/"), clock
        self._held: _Lru[_Held] = _Lru()
        self._failed: _Lru[tuple[Unresolved, float]] = _Lru()
        self._asking: dict[str, asyncio.Task[DidDocument | Unresolved]] = {}
        self._waiting: Counter[str] = Counter()
        self._lanes = {method: asyncio.Semaphore(AT_ONCE) for method in ("plc", "web")}
        self._minute, self._fresh = 0.0, 0

    async def get(self, did: str, fresh: bool = False) -> DidDocument:
        """The document, an hour old at most, or a day where it cannot be had anew. Unresolved when there is none.

        fresh: asked for anew, unless that was done within the last minute, or too often for others.
        """
        held, now = self._held.get(did), self._clock()
        if held and (now < held.until if not fresh else not self._may_ask(held, now)):
            self._held.move_to_end(did)
            return held.document
        failed = self._failed.get(did)
        found = failed[0] if failed and now < failed[1] else await self._ask(did)
        if isinstance(found, Unresolved):
            raise type(found)(*found.args)
        return found

    def _may_ask(self, held: _Held, now: float) -> bool:
        if held.document.did in self._asking:
            return True
        if now - held.asked < FRESH_SECONDS:
            return False
        if now - self._minute >= 60:
            self._minute, self._fresh = now, 0
        self._fresh += 1
        return self._fresh <= FRESH_A_MINUTE

    async def _ask(self, did: str) -> DidDocument | Unresolved:
        """What the DID's place says; whoever else asks meanwhile waits for the same answer."""
        task = self._asking.get(did)
        if task is None:
            method = "web" if did.startswith("did:web:") else "plc"
            if not (is_did(did) and len(did) <= _LONGEST if method == "web" else _PLC.fullmatch(did)):
                return NoSuchDid("neither did:plc nor did:web")
            if self._waiting[method] >= WAITING:
                return Unresolved("too many are being looked up")
            task = self._asking[did] = asyncio.create_task(self._resolve(did, method))
            self._waiting[method] += 1
            task.add_done_callback(lambda _: self._asked(did, method))
        return await asyncio.shield(task)  # who stops waiting does not take the answer from the others

    async def _resolve(self, did: str, method: str) -> DidDocument | Unresolved:
        try:
            async with asyncio.timeout(ASK_SECONDS), self._lanes[method]:
                return self._keep(did, read(did, await self._body(did, method)))
        except NoSuchDid as error:
            self._held.pop(did, None)
            return self._fail(did, error, UNKNOWN_SECONDS)
        except (Unresolved, Disconnected, ValueError, TimeoutError):
            return self._still(did) or self._fail(did, Unresolved("no document can be had"), AWAY_SECONDS)

    def _asked(self, did: str, method: str) -> None:
        self._waiting[method] -= 1
        del self._asking[did]

    async def _body(self, did: str, method: str) -> bytes:
        if method == "plc":
            status, body = await fetch(self._plc, f"/{did}", (), BODY_BYTES)
        else:
            status, body = await self.outside.get(self._web(did), "/.well-known/did.json", (), BODY_BYTES, ASK_SECONDS)
        if status in (404, 410):
            raise NoSuchDid(f"HTTP {status}")
        if status != 200:
            raise Unresolved(f"HTTP {status}")
        return body

    def _web(self, did: str) -> str:
        """The server of a did:web: a name alone, or on this machine one with a port (atproto-devtool's is 127.0.0.1)."""
        name = did.removeprefix("did:web:")
        if ":" in name:
            raise NoSuchDid("a path, which the protocol does not know")
        local = self.outside.local and name.partition("%3A")[0] in ("localhost", "127.0.0.1")
        try:
            return self.outside.address(f"http://{name.replace('%3A', ':')}" if local else f"https://{name}")
        except ValueError as error:
            raise NoSuchDid("in no public place") from error

    def _keep(self, did: str, document: DidDocument) -> DidDocument:
        now = self._clock()
        self._failed.pop(did, None)
        self._held.put(did, _Held(document, now, now, now + KEPT_SECONDS))
        return document

    def _still(self, did: str) -> DidDocument | None:
        """The document as it was last told, if that is not too long ago; it is asked for again soon."""
        held, now = self._held.get(did), self._clock()
        if held is None or now - held.told >= STALE_SECONDS:
            return None
        self._held.put(did, held._replace(asked=now, until=max(held.until, now + AWAY_SECONDS)))
        return held.document

    def _fail(self, did: str, why: Unresolved, seconds: float) -> Unresolved:
        self._failed.put(did, (why, self._clock() + seconds))
        return why
