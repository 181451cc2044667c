"""Whether our labels reach readers: a post of another account of the operator's gets a test label, again and again, and is read back
through an AppView, as apps read it.

Promises: only that one post is labelled, with a label that ends by itself when the service does; what the AppView answers costs bounded
time and memory. The post's account must be another one than the labeler's: clients never show a labeler's labels on its own posts.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import aiohttp
import msgspec

from labeler.issuer import Issuer
from labeler.persons import By, Persons, Refused
from models.database import Database, Session
from models.protocol.syntax import parse_datetime
from plainsky.config.schema import Canary as CanaryConfig
from plainsky.ingest.connecting import body_of, new_session, url
from plainsky.metrics import Metrics
from plainsky.patience import patiently

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 120.0
"""A label that readers do not see by then has not reached them."""
LOOK_SECONDS = 1.0
ASK_SECONDS = 20.0
BODY_BYTES = 200_000
WHO = By("operator", "a test whether labels reach readers", "canary")


class Reached(NamedTuple):
    """How long a label took to be seen, in seconds, and when that was, on the clock."""

    delay: float
    at: float


class _Label(msgspec.Struct):
    src: str = ""
    val: str = ""
    cts: str = ""


class _Post(msgspec.Struct):
    labels: list[_Label] = []


class _Posts(msgspec.Struct):
    """The output of app.bsky.feed.getPosts."""

    posts: list[_Post]


class Unseen(Exception):
    """The label was not seen; the message says why, for the operator."""


class Canary:
    """Labels and looks, every so often; `clock` counts seconds since the epoch."""

    def __init__(
        self,
        config: CanaryConfig,
        appview: str,
        database: Database,
        issuer: Issuer,
        persons: Persons,
        wake: Callable[[], object],
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.reached: Reached | None = None
        self.missed = 0
        """How often in a row readers did not see the label."""
        self._config, self._appview, self._database = config, appview.rstrip("/"), database
        self._issuer, self._persons, self._wake = issuer, persons, wake
        self._clock, self._patience = clock, patience
        metrics.watch("plainsky_canary_delay_seconds", "From the test label to its sight in the AppView, the last time.", self._delay)
        metrics.watch("plainsky_canary_age_seconds", "How long ago the test label was last seen.", self._age)
        metrics.watch("plainsky_canary_missed", "How often in a row the test label was not seen.", lambda: self.missed)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self._config.every / 1e6)

    async def once(self) -> None:
        """Label, and wait until it is seen."""
        began = self._clock()
        try:
            await patiently(self._database.write, self._label, int(began * 1e6))
            self._wake()
            async with asyncio.timeout(self._patience):
                await self._seen(int(began * 1e3))
        except (Unseen, Refused, TimeoutError) as error:
            self.missed += 1
            log.warning("the canary: %s", error or f"readers do not see the test label after {self._patience:.0f} s")
        else:
            self.missed, self.reached = 0, Reached(self._clock() - began, self._clock())

    def _label(self, session: Session, now: int) -> None:
        """The test label anew: the one that stands is taken back first, so that the new one is told by its time."""
        uri, value = self._config.post, self._config.value
        try:
            self._persons.negate(session, uri, None, value, WHO, now, bar=False)
        except Refused:
            pass  # none stands
        else:
            self._issuer.issue(session, now)
        self._persons.label(session, uri, None, value, WHO, now, life=2 * self._config.every)
        self._issuer.issue(session, now)

    async def _seen(self, since_ms: int) -> None:
        asked = url(self._appview, "/xrpc/app.bsky.feed.getPosts", [("uris", self._config.post)], "http")
        async with new_session() as session:
            session.headers["atproto-accept-labelers"] = self._issuer.src_did
            while True:
                if any(self._is_new(label, since_ms) for label in await self._labels(session, asked)):
                    return
                await asyncio.sleep(LOOK_SECONDS)

    def _is_new(self, label: _Label, since_ms: int) -> bool:
        ours = (label.src, label.val) == (self._issuer.src_did, self._config.value)
        return ours and (parse_datetime(label.cts) or 0) // 1000 >= since_ms

    async def _labels(self, session: aiohttp.ClientSession, asked: str) -> list[_Label]:
        try:
            async with asyncio.timeout(ASK_SECONDS), session.get(asked, allow_redirects=False) as answer:
                status, body = answer.status, await body_of(answer, BODY_BYTES)
        except (aiohttp.ClientError, OSError) as error:
            raise Unseen(f"{self._appview} does not answer: {error or type(error).__name__}"[:200]) from error
        if status != 200:
            raise Unseen(f"{self._appview} answers HTTP {status}")
        try:
            posts = msgspec.json.decode(body, type=_Posts).posts
        except (ValueError, RecursionError) as error:
            raise Unseen(f"{self._appview} answers something else than posts") from error
        if not posts:
            raise Unseen(f"{self._appview} knows no post {self._config.post}: was it deleted? [canary] post needs another one")
        return posts[0].labels

    def _delay(self) -> float:
        return self.reached.delay if self.reached else float("nan")

    def _age(self) -> float:
        return max(0.0, self._clock() - self.reached.at) if self.reached else float("nan")
