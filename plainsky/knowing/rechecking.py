"""After a #sync: asks the repo itself which of its posts are left, since the event does not say (atproto.com/specs/sync, "#sync").

Promises: until the repo has answered nothing changes; what it no longer holds, or holds otherwise, then goes the way of every event.
Whatever a stranger's server answers costs bounded time and memory, and never ends the work.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from models import accounts, posts
from models.accounts import Account
from models.database import Database
from models.events import Event, PostDeleted, PostUpdated
from models.posts import OfAccount
from models.protocol.syntax import is_cid
from plainsky.asking.did_documents import DidDocuments, Unresolved
from plainsky.ingest import POSTS, Disconnected
from plainsky.patience import for_ever

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
AT_ONCE = 10
PAGES = 100
BODY_BYTES = 4_000_000
ACCOUNT_BYTES = 40_000_000
"""Of all pages of one repo together: four times what 10,000 long posts need."""
ACCOUNT_SECONDS = 60.0
PAGE_SECONDS = 20.0

Store = Callable[[Sequence[Event]], Awaitable[None]]
T = TypeVar("T")


class Record(msgspec.Struct, frozen=True):
    """com.atproto.repo.listRecords#record."""

    uri: str
    cid: str
    value: dict[str, Any]


class Page(msgspec.Struct, frozen=True):
    """The output of com.atproto.repo.listRecords."""

    records: list[Record]
    cursor: str | None = None


class Left(NamedTuple):
    """Of the posts asked for, those that the repo still holds, by rkey; it was read down to the rkey `down_to`."""

    records: dict[str, Record]
    down_to: str


class Rechecker:
    """Looks after accounts whose repo was reset; `documents` tell where it is."""

    def __init__(self, database: Database, documents: DidDocuments, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._database, self._documents, self._store, self._clock = database, documents, store, clock
        self._later: dict[int, tuple[float, float]] = {}  # account: (not before, the pause after that)

    async def run(self) -> None:
        """Until cancelled."""
        await for_ever(self.once, POLL_SECONDS)

    async def once(self) -> None:
        """Look after those that wait; who does not answer is asked again later, less and less often."""
        waiting = await self._database.read(accounts.to_recheck, 1000)
        due = [account for account in waiting if self._later.get(account.id, (0.0, 0.0))[0] <= self._clock()][:AT_ONCE]
        for account in due:
            await self._recheck(account)

    async def _recheck(self, account: Account) -> None:
        stored = await self._database.read(posts.of_account, account.id)
        try:
            async with asyncio.timeout(ACCOUNT_SECONDS):
                left = await self._left(account.did, {post.rkey for post in stored}) if stored else Left({}, "")
        except (Disconnected, Unresolved, ValueError, TimeoutError) as error:
            pause = max(self._later.get(account.id, (0.0, 30.0))[1], 30.0)
            self._later[account.id] = (self._clock() + pause, min(pause * 2, 3600.0))
            log.warning("a reset repo does not say what is left in it (%s): asked again in %.0f s", type(error).__name__, pause)
            return
        self._later.pop(account.id, None)
        await self._store(differences(account, stored, left, int(self._clock() * 1e6)))
        await self._database.write(accounts.rechecked, account)

    async def _left(self, did: str, wanted: set[str]) -> Left:
        """Ask for the repo's posts, newest first, down to the oldest of the wanted rkeys."""
        pds, oldest = await self._pds(did), min(wanted)
        found: dict[str, Record] = {}
        lowest, cursor, spare = "", "", ACCOUNT_BYTES
        for _ in range(PAGES):
            asked: list[tuple[str, str | int]] = [("repo", did), ("collection", POSTS), ("limit", 100)]
            body = await self._answer(pds, [*asked, *([("cursor", cursor)] if cursor else [])])
            page = _decoded(body, Page)
            spare -= len(body)
            records = {record.uri.rpartition("/")[2]: record for record in page.records}
            found |= {rkey: record for rkey, record in records.items() if rkey in wanted}
            lowest, cursor = min(records, default=""), page.cursor or ""
            if not records or not cursor or lowest < oldest:
                return Left(found, "")
            if spare < 0:
                break
        return Left(found, lowest)

    async def _pds(self, did: str) -> str:
        endpoint = (await self._documents.get(did, fresh=True)).endpoint("#atproto_pds", "AtprotoPersonalDataServer")
        if endpoint is None:
            raise ValueError("the DID document names no PDS")
        return endpoint

    async def _answer(self, pds: str, asked: Sequence[tuple[str, str | int]]) -> bytes:
        path = "/xrpc/com.atproto.repo.listRecords"
        status, body = await self._documents.outside.get(pds, path, asked, BODY_BYTES, PAGE_SECONDS)
        if status != 200:
            raise ValueError(f"HTTP {status}")
        return body


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("not what was asked for, or too much of it") from error


def differences(account: Account, stored: Sequence[OfAccount], left: Left, time_us: int) -> list[Event]:
    """What must have happened to the stored posts, as events of the reset's revision."""
    rev = account.reset_rev or ""
    events: list[Event] = []
    for post in stored:
        record = left.records.get(post.rkey)
        if post.rev >= rev or (record is None and post.rkey < left.down_to):
            continue
        if record is None:
            events.append(PostDeleted(account.did, post.rkey, rev, time_us))
        elif record.cid != post.cid and is_cid(record.cid):
            events.append(PostUpdated(account.did, post.rkey, rev, record.cid, time_us, record.value))
    return events
