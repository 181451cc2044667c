"""What the labeler does beside the posts, in the process that writes: issues what waits, renews what holds, keeps the stream's blocks.

Promise: what another process decided (a command, a moderator's page) is in the log and on its way to subscribers within a second, if there
is room. A database that is away is asked again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from labeler import renewing, replay
from labeler.issuer import Issuer
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from models import decisions, label_rates
from models.database import Database, Session
from models.duration import SECOND

log = logging.getLogger(__name__)

There: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, str | None] | None]]
"""The present cid of each post, None for one that is not there; None when nobody can say just now."""

RENEW_SECONDS = 600.0
"""From one look at all labels that end soon to the next."""
ASK_SECONDS = 5.0
"""At least so long from one question about posts to the next: one asks the AppView eight times."""
SEEN_SECONDS = 300.0
"""So long an answer is good for: there may be room for few labels a second."""
COUNT_SECONDS = 5.0


class Issuing:
    """`run` works until it is cancelled. wake: tell the streams. healthy: the service hears all it should, so that labels may be renewed.
    there: is asked about posts before their labels are; None where nobody can be asked.

    `waiting` (by what is waited for) and `tripped` (values whose breaker is open) are for metrics.
    """

    def __init__(
        self,
        database: Database,
        issuer: Issuer,
        judge: Judge,
        policies: Sequence[LabelPolicy],
        wake: Callable[[], object],
        healthy: Callable[[], bool],
        poll: float = 0.5,
        there: There | None = None,
        ask: float = ASK_SECONDS,
    ) -> None:
        self.waiting: Mapping[str, int] = {}
        self.tripped: Sequence[str] = ()
        self._database, self._issuer, self._judge, self._policies = database, issuer, judge, policies
        self._wake, self._healthy, self._poll, self._there, self._ask = wake, healthy, poll, there, ask
        self._renewing: asyncio.Task[None] | None = None
        self._renewed_after: Mapping[str, str] = {}
        self._renewed_at = self._counted_at = float("-inf")
        self._signed_upto: int | None = 0

    @property
    def unissued(self) -> int:
        """How many labels and negations wait for room."""
        return self.waiting.get("labelling", 0) + self.waiting.get("negating", 0)

    @property
    def undecided(self) -> int:
        """How many decisions wait for a person."""
        return self.waiting.get("person", 0) + self.waiting.get("second", 0)

    @property
    def is_renewing(self) -> bool:
        """It is being asked whether posts are still there, or their labels are renewed."""
        return self._renewing is not None

    async def run(self) -> None:
        """For ever."""
        try:
            await self._run()
        finally:
            if self._renewing:
                self._renewing.cancel()

    async def _run(self) -> None:
        ill = False
        while True:
            try:
                await self.step(asyncio.get_running_loop().time())
                ill = False
            except Exception:  # the database is away: try again until it is back
                if not ill:
                    log.exception("cannot issue labels")
                ill = True
            await asyncio.sleep(self._poll)

    async def step(self, seconds: float) -> None:
        """One turn; `seconds` on a clock that does not go back."""
        if await self._database.read(decisions.is_room_wanted):
            await self._issue()
        if self._signed_upto is not None:
            self._signed_upto = await self._database.write(replay.resign, self._issuer, self._signed_upto)
        elif not self._renewing and seconds - self._renewed_at >= RENEW_SECONDS and self._healthy():
            self._renewed_at = seconds
            self._renewing = asyncio.create_task(self._renew())  # whom it asks must not keep labels waiting
        if self._renewing and self._renewing.done():
            renewed, self._renewing = self._renewing, None
            await renewed
        if await self._database.read(replay.unsealed) is not None:
            await self._database.write(replay.seal)
        if seconds - self._counted_at >= COUNT_SECONDS:
            self._counted_at = seconds
            self.waiting = await self._database.read(decisions.count_waiting)
            self.tripped = sorted(await self._database.read(label_rates.tripped))

    async def _issue(self) -> None:
        if await self._database.write(lambda session: self._issuer.issue(session, self._issuer.clock())):
            self._wake()

    async def _renew(self) -> None:
        """Everything that ends soon, some of it at a time."""
        while await self._renew_some() and self._renewed_after:
            await asyncio.sleep(self._ask)
            if not self._healthy():
                return

    async def _renew_some(self) -> bool:
        """Whether anybody could say what is still there; if not, there are days left to ask again."""
        after = self._renewed_after
        ending = await self._database.read(renewing.ending, self._issuer.src_did, self._policies, self._issuer.clock(), after)
        there = await self._there(ending.uris) if self._there else None
        if self._there and there is None:
            return False
        self._renewed_after = ending.after
        until = self._issuer.clock() + SEEN_SECONDS * SECOND
        while not (await self._renew_now(there, after)).is_all and self._issuer.clock() < until:  # noqa: ASYNC110 - room comes with time
            await asyncio.sleep(self._poll)
        return True

    async def _renew_now(self, there: Mapping[str, str | None] | None, after: Mapping[str, str]) -> renewing.Renewed:
        def work(session: Session) -> renewing.Renewed:
            return renewing.renew(session, self._issuer, self._judge, self._policies, self._issuer.clock(), there, after)

        done = await self._database.write(work)
        if done.labels:
            self._wake()
        return done
