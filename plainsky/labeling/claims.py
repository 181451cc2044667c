"""Brings claims into the bank: from a file, an address or the seed, once or again and again.

Promises: an address answers within bounds of time and size, over https; what cannot be read changes nothing, so that the last good copy
stays; many claims are written in steps that ingest can slip between. Importing the same again changes nothing.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from labeler.claims.merging import merged
from labeler.claims.reading import NotClaims, Reading
from models import claims as bank
from models.claims import Claim, Source
from models.database import Database, Session
from models.duration import Duration
from plainsky.config.schema import is_local
from plainsky.ingest.connecting import body_of, new_session
from plainsky.patience import patiently

log = logging.getLogger(__name__)

STEP = 500
"""Claims written in one transaction."""
MOST_BYTES = 300_000_000
SECONDS = 180.0
REDIRECTS = 5
RETRY = 900.0
"""Seconds until a feed that failed is asked again, when its turn would be later."""


class Unreadable(Exception):
    """A file or address gave no claims; the message says why."""


class Imported(NamedTuple):
    """What became of a file's claims. `changed` are those that are new or told something new; `dropped` counts by reason."""

    taken: int
    changed: int
    dropped: Mapping[str, int]


class Answer(NamedTuple):
    """What an address answered; `body` is None when nothing has changed since the copy that the headers speak of."""

    body: bytes | None
    etag: str | None
    last_modified: str | None


def keep(session: Session, claims: Iterable[Claim], now: int) -> int:
    """Merge claims into the bank and return how many are new or changed; `now` in microseconds."""
    new = list(claims)
    changed = merged(bank.alike(session, new), new)
    bank.put(session, changed, now)
    return len(changed)


async def import_bytes(
    database: Database, reading: Reading, now: Callable[[], int], progress: Callable[[int], None] = lambda _count: None
) -> Imported:
    """Merge what is read into the bank, telling `progress` how many claims were looked at."""
    changed = 0
    claims = iter(reading)
    while step := await asyncio.to_thread(lambda: list(islice(claims, STEP))):
        changed += await database.write(keep, step, now())
        progress(reading.taken)
    return Imported(reading.taken, changed, dict(reading.dropped))


async def get(address: str, known: Source | None = None) -> Answer:
    """Ask an address, or only whether it has changed since the copy that is `known`. Unreadable when that fails."""
    headers: dict[str, str] = {}
    if known and known.good_at:
        headers |= {"If-None-Match": known.etag} if known.etag else {}
        headers |= {"If-Modified-Since": known.last_modified} if known.last_modified else {}
    try:
        async with asyncio.timeout(SECONDS), new_session() as session:
            session.headers.update(headers)
            return await _get(session, address, REDIRECTS)
    except TimeoutError:
        raise Unreadable(f"no answer within {SECONDS:.0f} seconds") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unreadable(f"no answer: {error or type(error).__name__}"[:200]) from error


async def _get(session: aiohttp.ClientSession, address: str, redirects: int) -> Answer:
    # Redirects are followed by hand: each of them must keep to https.
    if not is_guarded(address):
        raise Unreadable(f"{address[:200]}: expected an address that starts with https://")
    async with session.get(address, allow_redirects=False) as answer:
        if answer.status in (301, 302, 303, 307, 308) and redirects:
            onwards = str(answer.url.join(URL(answer.headers.get("Location", ""))))
        elif answer.status == 304:
            return Answer(None, None, None)
        elif answer.status != 200:
            raise Unreadable(f"HTTP {answer.status}")
        else:
            return Answer(await _body(answer), answer.headers.get("ETag"), answer.headers.get("Last-Modified"))
    return await _get(session, onwards, redirects - 1)


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = await body_of(answer, MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise Unreadable(f"more than {MOST_BYTES // 1_000_000} MB")
    return body


def is_guarded(address: str) -> bool:
    """https, or http to this machine itself."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and (is_local(parts.netloc) or parts.hostname == "127.0.0.1"))


def is_address(source: str) -> bool:
    """Whether a source is an address; otherwise it is a file's name."""
    return "://" in source


class Refresher:
    """Looks at the configured files and addresses for new claims, every so often; `clock` in seconds."""

    def __init__(self, database: Database, sources: Iterable[str], refresh: Duration, clock: Callable[[], float] = time.time) -> None:
        self._database, self._sources, self._clock = database, tuple(sources), clock
        self._every = refresh / 1e6

    async def run(self) -> None:
        """Until cancelled."""
        pause = 0.0
        while self._sources:
            await asyncio.sleep(pause)
            pause = max(1.0, await patiently(self.once))

    async def once(self) -> float:
        """Refresh what is due; return in how many seconds something is due again."""
        known = await self._database.read(bank.sources)
        for source in self._sources:
            if self._wait(known.get(source)) <= 0:
                await self._refresh(source, known.get(source))
        known = await self._database.read(bank.sources)
        return min((self._wait(known.get(source)) for source in self._sources), default=self._every)

    def _wait(self, known: Source | None) -> float:
        if known is None:
            return 0.0
        pause = min(RETRY, self._every) if known.error else self._every
        return known.tried_at / 1e6 + pause - self._clock()

    async def _refresh(self, source: str, known: Source | None) -> None:
        before = known or Source(source)
        now = self._now()
        try:
            after = await self._imported(before)
        except (Unreadable, NotClaims) as error:
            log.warning("claims of %s: %s; what was read before stays", source, error)
            after = before._replace(error=str(error)[:300])
        await self._database.write(bank.put_source, after._replace(tried_at=now))

    async def _imported(self, before: Source) -> Source:
        if is_address(before.source):
            answer = await get(before.source, before)
        else:
            answer = Answer(await asyncio.to_thread(read, before.source), None, None)
        if answer.body is None:
            return before._replace(good_at=self._now(), error=None)
        reading = Reading(answer.body, before.source, self._now())
        done = await import_bytes(self._database, reading, self._now)
        if not done.taken:
            raise Unreadable(f"no claims in it ({told(done.dropped)})")
        log.info("claims of %s: %d read, %d new or changed, dropped: %s", before.source, done.taken, done.changed, told(done.dropped))
        dropped = Counter(done.dropped).total()
        return Source(before.source, answer.etag, answer.last_modified, done.taken, dropped, self._now())

    def _now(self) -> int:
        return int(self._clock() * 1e6)


def read(file: str) -> bytes:
    """A file's bytes. Unreadable when it cannot be read, or is too large."""
    path = Path(file)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(f"more than {MOST_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{file}: {error.strerror}") from None


def told(dropped: Mapping[str, int]) -> str:
    """What was dropped and why, most first."""
    return ", ".join(f"{count} {reason}" for reason, count in Counter(dropped).most_common()) or "none"
