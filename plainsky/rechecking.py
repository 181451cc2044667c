"""After a #sync: asks the repo itself which of its posts are left, since the event does not say (atproto.com/specs/sync, "#sync").

Promise: until the repo has answered nothing changes; what it no longer holds, or holds otherwise, then goes the way of every event.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from models import accounts, posts
from models.accounts import Account
from models.database import Database
from models.events import Event, PostDeleted, PostUpdated
from models.posts import OfAccount
from models.protocol.syntax import is_did
from plainsky.ingest import POSTS, Disconnected
from plainsky.ingest.connecting import Parameters, fetch
from plainsky.patience import patiently

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
AT_ONCE = 10
PAGES = 100
BODY_BYTES = 4_000_000

Store = Callable[[Sequence[Event]], Awaitable[None]]


class Rechecker:
    """Looks after accounts whose repo was reset; `plc` is the directory that knows where did:plc repos are."""

    def __init__(self, database: Database, plc: str, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._database, self._plc, self._store, self._clock = database, plc.rstrip("/"), store, clock
        self._later: dict[int, tuple[float, float]] = {}  # account: (not before, the pause after that)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await patiently(self.once)
            await asyncio.sleep(POLL_SECONDS)

    async def once(self) -> None:
        """Look after those that wait; who does not answer is asked again later, less and less often."""
        waiting = await self._database.read(accounts.to_recheck, 1000)
        due = [account for account in waiting if self._later.get(account.id, (0.0, 0.0))[0] <= self._clock()][:AT_ONCE]
        if not due:
            return
        for account in due:
            await self._recheck(account)

    async def _recheck(self, account: Account) -> None:
        stored = await self._database.read(posts.of_account, account.id)
        try:
            left = await self._left(account.did, min(post.rkey for post in stored)) if stored else {}
        except (Disconnected, ValueError, KeyError, TypeError) as error:
            pause = max(self._later.get(account.id, (0.0, 30.0))[1], 30.0)
            self._later[account.id] = (self._clock() + pause, min(pause * 2, 3600.0))
            log.warning("a reset repo does not say what is left in it (%s): asked again in %.0f s", type(error).__name__, pause)
            return
        self._later.pop(account.id, None)
        await self._store(differences(account, stored, left, int(self._clock() * 1e6)))
        await self._database.write(accounts.rechecked, account)

    async def _left(self, did: str, oldest: str) -> dict[str, dict[str, Any]]:
        """The repo's posts, newest first, down to the oldest that we hold: rkey to {cid, value}."""
        pds = await self._pds(did)
        found: dict[str, dict[str, Any]] = {}
        cursor = ""
        for _ in range(PAGES):
            asked: list[tuple[str, str | int]] = [
                ("repo", did),
                ("collection", POSTS),
                ("limit", 100),
                *([("cursor", cursor)] if cursor else []),
            ]
            page = await _json(pds, "/xrpc/com.atproto.repo.listRecords", asked)
            records = {record["uri"].rpartition("/")[2]: record for record in page["records"]}
            found |= records
            cursor = str(page.get("cursor") or "")
            if not records or not cursor or min(records) < oldest:
                break
        return found

    async def _pds(self, did: str) -> str:
        document = await _json(*did_document(did, self._plc))
        for service in document["service"]:
            if service["id"].endswith("#atproto_pds") and service["type"] == "AtprotoPersonalDataServer":
                return safe_url(service["serviceEndpoint"], self._plc)
        raise ValueError("the DID document names no PDS")


def did_document(did: str, plc: str) -> tuple[str, str]:
    """Host and path of a DID's document (atproto.com/specs/did)."""
    _, method, name = did.split(":", 2)
    if not is_did(did) or method not in ("plc", "web"):
        raise ValueError("neither did:plc nor did:web")
    return (plc, f"/{did}") if method == "plc" else (safe_url(f"https://{name}", plc), "/.well-known/did.json")


def safe_url(url: str, plc: str) -> str:
    """An address that a stranger wrote: over TLS and with a public name only, unless the whole network is this machine's (tests)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    local = urlsplit(plc).hostname in ("localhost", "127.0.0.1")
    if not local and (
        parts.scheme != "https" or "." not in host or host.replace(".", "").isdigit() or ":" in host or host.endswith(".local")
    ):
        raise ValueError("no public https address")
    return f"{parts.scheme}://{parts.netloc}"


async def _json(host: str, path: str, parameters: Parameters = ()) -> Any:
    status, body = await fetch(host, path, parameters, BODY_BYTES)
    if status != 200:
        raise ValueError(f"HTTP {status}")
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError("no JSON, or too much of it") from error


def differences(account: Account, stored: Sequence[OfAccount], left: dict[str, dict[str, Any]], time_us: int) -> list[Event]:
    """What must have happened to the stored posts, as events of the reset's revision."""
    rev = account.reset_rev or ""
    events: list[Event] = []
    for post in stored:
        record = left.get(post.rkey)
        if post.rev >= rev:
            continue
        if record is None:
            events.append(PostDeleted(account.did, post.rkey, rev, time_us))
        elif record["cid"] != post.cid and isinstance(record["value"], dict):
            events.append(PostUpdated(account.did, post.rkey, rev, record["cid"], time_us, record["value"]))
    return events
