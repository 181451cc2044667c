"""Opens a WebSocket to a host and tells an answer to try again from a refusal: the only part of ingest that knows HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode

import aiohttp
import msgspec

from plainsky import __version__
from plainsky.ingest import Disconnected, Refused

Parameters: TypeAlias = Sequence[tuple[str, str | int]]
WebSocket: TypeAlias = "aiohttp.ClientWebSocketResponse[Any]"
Sessions: TypeAlias = Callable[[], aiohttp.ClientSession]

MAX_MESSAGE = 8_000_000
"""Bytes of one message: the protocol's limit is 5 MB a frame, the rest is slack for JSON."""
CONNECT_SECONDS = 20.0
CLOSE_SECONDS = 0.2  # how long a goodbye waits for its echo: a host amid a backlog does not answer at once
_NEVER = frozenset({400, 401, 403, 404, 405, 410, 426, 501})


class NotServed(Refused):
    """The host does not know this endpoint (404, 405, 501): it may speak another wire."""


class BadRequest(Refused):
    """HTTP 400; `name` is the XRPC error's name, empty when the answer has none."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"HTTP 400 {name}: {message}")
        self.name = name


def url(host: str, path: str, parameters: Parameters = (), scheme: str = "ws") -> str:
    """The address of an endpoint. A host is a name (then over TLS), or starts with ws://, wss://, http:// or https://."""
    given, _, rest = host.rpartition("://")
    secure = "s" if given in ("", "wss", "https") else ""
    query = f"?{urlencode(parameters)}" if parameters else ""
    return f"{scheme}{secure}://{rest.rstrip('/')}{path}{query}"


@asynccontextmanager
async def connected(
    host: str,
    path: str,
    parameters: Parameters = (),
    protocols: Sequence[str] = (),
    sessions: Sessions | None = None,
    heartbeat: float | None = None,
) -> AsyncIterator[WebSocket]:
    """An open WebSocket; text messages come as bytes. Raises Disconnected or one of its kinds when none can be had.

    sessions: another way to connect than `new_session`. heartbeat: seconds after which a silent host is asked whether it is still there.
    """
    sessions = sessions or new_session
    async with sessions() as session:
        try:
            socket = await _open(session, url(host, path, parameters), protocols, heartbeat)
        except aiohttp.WSServerHandshakeError as error:
            raise await _turned_away(error, host, path, parameters, sessions) from error
        async with socket:
            yield socket


def ended(socket: WebSocket, message: Any) -> Disconnected:
    """Why a message is not one to read: the host closed, or broke the protocol."""
    if message.type is aiohttp.WSMsgType.ERROR:
        return Disconnected(f"broken connection: {message.data!r}"[:200])
    if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
        return Disconnected(f"invalid framing: a {message.type.name} message")
    said = message.extra if isinstance(message.extra, str) else ""
    return Disconnected(f"the host closed the connection (code {socket.close_code}) {said[:120]}".rstrip())


async def fetch(host: str, path: str, parameters: Parameters, limit: int, sessions: Sessions | None = None) -> tuple[int, bytes]:
    """HTTP status and body (cut at `limit` bytes) of a GET; Disconnected when there is no answer. No redirect is followed."""
    try:
        address = url(host, path, parameters, "http")
        made = (sessions or new_session)()
        async with asyncio.timeout(CONNECT_SECONDS), made as session, session.get(address, allow_redirects=False) as answer:
            return answer.status, await body_of(answer, limit)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Disconnected(f"no answer: {str(error) or type(error).__name__}"[:200]) from error


async def body_of(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """An answer's body, cut at `limit` bytes."""
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > limit:
            break
    del body[limit:]  # in place: a large body is not in memory once more
    return bytes(body)


def new_session(token: str = "") -> aiohttp.ClientSession:
    """A client session that says who we are, and goes through the proxy that the environment names; `token` is an account's."""
    headers = {"User-Agent": f"plainsky/{__version__}"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return aiohttp.ClientSession(headers=headers, trust_env=True)


async def _open(session: aiohttp.ClientSession, address: str, protocols: Sequence[str], heartbeat: float | None) -> WebSocket:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await session.ws_connect(
                address,
                protocols=protocols,
                max_msg_size=MAX_MESSAGE,
                decode_text=False,
                heartbeat=heartbeat,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            )
    except aiohttp.WSServerHandshakeError:
        raise
    except aiohttp.InvalidURL as error:
        raise Refused(f"{address!r} is no address") from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Disconnected(f"cannot connect: {str(error) or type(error).__name__}"[:200]) from error


async def _turned_away(
    error: aiohttp.WSServerHandshakeError, host: str, path: str, parameters: Parameters, sessions: Sessions
) -> Disconnected:
    status = error.status
    if status == 400:
        return await _bad_request(host, path, parameters, sessions)
    if status in (404, 405, 501):
        return NotServed(f"HTTP {status}: the host does not serve {path}")
    if status in _NEVER:
        return Refused(f"HTTP {status}")
    return Disconnected(f"HTTP {status}", retry_after(error.headers or {}))


async def _bad_request(host: str, path: str, parameters: Parameters, sessions: Sessions) -> BadRequest:
    """aiohttp throws the body of a failed handshake away: ask again without the upgrade, which is checked in the same order."""
    try:
        _, body = await fetch(host, path, parameters, 4096, sessions)
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (Disconnected, msgspec.MsgspecError):
        answer = {}
    return BadRequest(str(answer.get("error", "")), str(answer.get("message", ""))[:200])


def retry_after(headers: Any) -> float | None:
    """Seconds of a Retry-After header; a date counts from the answer's own Date, so no clock of ours is needed."""
    given = headers.get("Retry-After", "")
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        until, now = parsedate_to_datetime(given), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None
