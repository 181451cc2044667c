"""Asks an AppView who is on a list or in a starter pack, as anybody may.

Promise: whatever it answers costs bounded time and memory, and a list is read whole or not at all.
Sources: lexicons app.bsky.graph.getList and app.bsky.graph.getStarterPack.
"""

import asyncio
from typing import NamedTuple, TypeVar

import aiohttp
import msgspec

from feedgen.text import shown
from models.protocol.syntax import is_did, parse_at_uri
from plainsky.ingest.connecting import Parameters, body_of, new_session, url

PAGE = 100
PAGES = 1_000
PAGE_BYTES = 4_000_000
PAGE_SECONDS = 20.0
LIST_SECONDS = 600.0

T = TypeVar("T")


class Unreadable(Exception):
    """A list cannot be read now; the message says why, for the operator."""


class Read(NamedTuple):
    """A list as it is now: its name and the DIDs on it."""

    name: str
    members: frozenset[str]


class _View(msgspec.Struct):
    uri: str
    name: str = ""


class _Subject(msgspec.Struct):
    did: str


class _Item(msgspec.Struct):
    subject: _Subject


class _Page(msgspec.Struct, kw_only=True):
    """The output of getList."""

    view: _View = msgspec.field(name="list")
    items: tuple[_Item, ...]
    cursor: str | None = None


class _Record(msgspec.Struct):
    name: str = ""


class _Pack(msgspec.Struct):
    record: _Record
    view: _View | None = msgspec.field(name="list", default=None)


class _PackAnswer(msgspec.Struct):
    """The output of getStarterPack."""

    starterPack: _Pack  # noqa: N815 the lexicon's name


async def read_list(appview: str, uri: str) -> Read:
    """Who is on the list, or in the starter pack, of this at-uri. Unreadable when that cannot be found out."""
    try:
        async with asyncio.timeout(LIST_SECONDS), new_session() as session:
            return await _Reading(session, appview).read(uri)
    except TimeoutError as error:
        raise Unreadable("the AppView takes too long") from error


class _Reading:
    def __init__(self, session: aiohttp.ClientSession, appview: str) -> None:
        self._session, self._appview = session, appview

    async def read(self, uri: str) -> Read:
        parsed = parse_at_uri(uri)
        if parsed is None or parsed.collection != "app.bsky.graph.starterpack":
            return await self._list(uri)
        pack = (await self._ask("app.bsky.graph.getStarterPack", [("starterPack", uri)], _PackAnswer)).starterPack
        if pack.view is None:
            raise Unreadable("the starter pack has no list")
        return (await self._list(pack.view.uri))._replace(name=_named(pack.record.name))

    async def _list(self, uri: str) -> Read:
        members: set[str] = set()
        cursors = {""}
        name = cursor = ""
        for _ in range(PAGES):
            asked: list[tuple[str, str | int]] = [("list", uri), ("limit", PAGE), *([("cursor", cursor)] if cursor else [])]
            page = await self._ask("app.bsky.graph.getList", asked, _Page)
            members.update(item.subject.did for item in page.items if is_did(item.subject.did))
            name, cursor = page.view.name, page.cursor or ""
            if not cursor:
                return Read(_named(name), frozenset(members))
            if cursor in cursors:
                raise Unreadable("the AppView answers in circles")
            cursors.add(cursor)
        raise Unreadable(f"more than {PAGES * PAGE} accounts are on it")

    async def _ask(self, nsid: str, parameters: Parameters, kind: type[T]) -> T:
        try:
            asked = url(self._appview, f"/xrpc/{nsid}", parameters, "http")
            async with asyncio.timeout(PAGE_SECONDS), self._session.get(asked, allow_redirects=False) as answer:
                status, body = answer.status, await body_of(answer, PAGE_BYTES)
        except (aiohttp.ClientError, OSError) as error:
            raise Unreadable(f"no answer: {str(error) or type(error).__name__}"[:200]) from error
        if status != 200:
            raise Unreadable(f"HTTP {status} {_why(body)}".rstrip())
        try:
            return msgspec.json.decode(body, type=kind)
        except (ValueError, RecursionError) as error:
            raise Unreadable("the AppView's answer is none") from error


def _why(body: bytes) -> str:
    try:
        answer = msgspec.json.decode(body, type=dict[str, str])
    except (ValueError, RecursionError):
        return ""
    return _named(answer.get("message", ""))


def _named(name: str) -> str:
    return shown((name,))[0]
