"""The claims in force: read from the database when labels are judged by them, and anew when the bank there has changed.

Promises: indexing runs beside the loop, in a thread, and posts are judged by what was before until it is done; a bank that has not changed
costs one small read.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from labeler.claims import seed
from labeler.claims.bank import Bank, in_force
from labeler.policy import LabelPolicy
from labeler.signals import Given
from models import claims
from models.database import Database, Session, connectable
from plainsky.config.schema import Config, Labeler
from plainsky.labeling.claims import keep
from plainsky.patience import for_ever

log = logging.getLogger(__name__)

LOOK_SECONDS = 20.0
KINDS = frozenset({"claim_match"})
"""Signals that ask the bank. Without any, no claim is held in memory."""


def asks(labels: Iterable[LabelPolicy]) -> bool:
    """Whether a label is judged by claims."""
    return any(not KINDS.isdisjoint((*policy.signals, *policy.abstain)) for policy in labels)


def given_of(config: Config, bank: Bank) -> Given:
    """What signals may ask beside the post, by a config."""
    labeler = config.labeler or Labeler()
    return Given(bank, config.claims.ratings, labeler.context.doubtful, labeler.scorecard, labeler.text_model)


def given_by(session: Session, config: Config) -> Given:
    """The same for a command: of the claims that are in the database now, and before there are any, those of the seed."""
    bank = Bank()
    if asks(config.labels):
        found = claims.active(session) or (seed.claims(0) if config.claims.seed else [])
        bank.state = in_force(found, index_file(config))
    return given_of(config, bank)


def index_file(config: Config) -> Path | None:
    """Where the index is kept for the next start: beside an SQLite file."""
    dialect, connection = connectable(config.store.url)
    name = str(connection.database)
    return Path(f"{name}-claims") if dialect == "sqlite" and name and not name.startswith((":", "file:")) else None


class BankKeeper:
    """Keeps the bank of a running service in step with the database; `clock` in seconds."""

    def __init__(self, database: Database, bank: Bank, config: Callable[[], Config], clock: Callable[[], float] = time.time) -> None:
        self._database, self._bank, self._config, self._clock = database, bank, config, clock
        self._version: tuple[int, int] | None = None

    async def prepare(self, writes: bool) -> None:
        """Put the seed into the database, if it is wanted, and read the bank, if labels are judged by it."""
        if not asks(self._config().labels):
            return
        if writes and self._config().claims.seed:
            now = int(self._clock() * 1e6)
            if added := await self._database.write(keep, seed.claims(now), now):
                log.info("claims that ship with Plainsky: %d put into the bank", added)
        await self.once()

    async def run(self) -> None:
        """Until cancelled."""
        await for_ever(self.once, LOOK_SECONDS)

    async def once(self) -> None:
        """Read the bank if it has changed."""
        config = self._config()
        if not asks(config.labels):
            return
        version = await self._database.read(claims.version)
        if version != self._version or self._bank.state is None:
            found = await self._database.read(claims.active)
            self._bank.state = await asyncio.to_thread(in_force, found, index_file(config))
            self._version = version
            log.info("%d claims are in force", len(found))
