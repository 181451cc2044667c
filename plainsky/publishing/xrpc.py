"""XRPC calls of a command: one request, one answer, and errors that an operator understands.

No redirect is followed, so that a password goes nowhere but where it was sent. Source: atproto.com/specs/xrpc.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from plainsky.config.errors import shown
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import Parameters, body_of, fetch, new_session, retry_after, url

CALL_SECONDS = 60.0
BODY_BYTES = 4_000_000


class Unable(Exception):
    """It cannot be done now; the message says why, and what to do."""


class Refused(Unable):
    """A server said no: its HTTP status, and the XRPC error's name; `wait` is the time it asks for, in seconds."""

    def __init__(self, nsid: str, host: str, status: int, body: bytes, wait: float | None = None) -> None:
        self.status, self.wait = status, wait
        self.name, message = error_in(body)
        super().__init__(f"{host} refused {nsid}: HTTP {status} {self.name} {message}".rstrip())


async def get(host: str, path: str, parameters: Parameters = (), token: str = "") -> tuple[int, bytes]:
    """HTTP status and body; Unable when nobody answers."""
    try:
        return await fetch(host, path, parameters, BODY_BYTES, (lambda: new_session(token)) if token else None)
    except Disconnected as error:
        raise Unable(f"{host}{path}: {error}. Is this machine online?") from None


async def post(host: str, nsid: str, body: bytes, mime: str, token: str = "") -> dict[str, Any]:
    """The output of a procedure. Refused when the server says no, Unable when nobody answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await send(url(host, f"/xrpc/{nsid}", (), "http"), nsid, body, mime, headers)


async def send(
    address: str, what: str, body: bytes, mime: str = "application/json", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """POST to an address; the JSON object of the answer. `what` is its name in errors, as in `post`. An empty body has no type."""
    host = address.partition("/xrpc/")[0]
    headers = {**(headers or {}), **({"Content-Type": mime} if body else {})}
    try:
        async with (
            asyncio.timeout(CALL_SECONDS),
            new_session() as session,
            session.post(address, data=body or None, headers=headers, allow_redirects=False) as answer,
        ):
            said = await body_of(answer, BODY_BYTES)
            if answer.status != 200:
                raise Refused(what, host, answer.status, said, _wait(answer))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unable(f"{host} does not answer {what}: {str(error) or type(error).__name__}. Run this again later.") from None
    return object_in(said)


def object_in(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; empty when it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError):
        return {}


def error_in(body: bytes) -> tuple[str, str]:
    """Name and message of an XRPC error, fit to be shown; empty when the body is none."""
    answer = object_in(body)
    name, message = answer.get("error"), answer.get("message")
    return (shown(name)[1:-1] if isinstance(name, str) else ""), (shown(message, 300) if isinstance(message, str) else "")


def _wait(answer: aiohttp.ClientResponse) -> float | None:
    reset = answer.headers.get("RateLimit-Reset", "")  # the reference PDS says when, in seconds since the epoch
    if reset.isascii() and reset.isdigit():
        return max(0.0, float(reset[:12]) - time.time())
    return retry_after(answer.headers)
