"""One batch, one transaction: posts, feed entries, decisions, labels and the cursor together (invariant 1).

A `Storer` is used by one thread, the database's writer; what it remembers between batches (numbers given out, accounts met) is only kept
when the transaction was. What a batch writes is `plainsky.pipeline.work`.
"""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from models import accounts, cursors, feeds, posts
from models.accounts import Account
from models.cursors import Gap
from models.database import Session
from models.duration import Duration
from models.events import Event
from plainsky.ingest import Position
from plainsky.pipeline.folding import Folded, Folding, fold
from plainsky.pipeline.judging import Rooms
from plainsky.pipeline.work import Work

ACCOUNTS_REMEMBERED = 200_000


class Outcome(msgspec.Struct, frozen=True):
    """What a batch came to, once it is stored."""

    feeds: frozenset[int]
    """Numbers of the feeds whose entries changed."""
    labelled: bool
    dropped: dict[str, int]
    log_time: int
    """Upstream time (µs) of the newest event stored; 0 when the batch had no position."""


class Storer:
    """Stores batches. Posts whose createdAt lies `import_after` further back than their event are imports, and kept out."""

    def __init__(self, rooms: Rooms, import_after: Duration) -> None:
        self.rooms = rooms
        """May be replaced between two batches: see `plainsky.pipeline.learning`."""
        self.turn = asyncio.Lock()
        """Whoever writes holds it until he has followed the transaction's end: with what was lost nobody else begins."""
        self._import_after = import_after
        self._accounts: dict[str, Account] = {}
        self._last_ids: tuple[int, int] | None = None

    def forget(self) -> None:
        """A transaction was lost, or somebody else wrote: remember nothing."""
        self._accounts.clear()
        self._last_ids = None

    def folding(self) -> Folding:
        """For the events of a batch to come."""
        return Folding(self._import_after)

    def fold(self, events: Iterable[Event]) -> Folded:
        """A batch of these events."""
        return fold(events, self._import_after)

    def store(self, session: Session, folded: Folded, position: Position | None, gaps: Sequence[Gap] = ()) -> Outcome:
        """Write a batch and the position it ends at."""
        before = cursors.log_time(session)
        now = max(before, position.time_us) if position else before
        work = Work(session, folded, self.rooms)
        last_account, last_post = self._last_ids or (accounts.last_id(session), posts.last_id(session))
        last_account = self._meet(session, work, last_account)
        work.change_accounts()
        last_post = work.write_posts(last_post)
        labelled = work.label()
        work.opt_out()
        work.enter(before, now)
        feeds.bump(session, work.feeds)
        if position:
            cursors.save(session, position.host, position.cursor, position.time_us)
        cursors.add_gaps(session, gaps)
        self._last_ids = (last_account, last_post)
        self._accounts.update(work.accounts)
        return Outcome(frozenset(work.feeds), labelled, work.dropped, position.time_us if position else 0)

    def _meet(self, session: Session, work: Work, last_id: int) -> int:
        """Find the accounts a batch speaks of, or number them; return the last number given."""
        folded = work.folded
        dids = dict.fromkeys([did for did, _ in folded.posts] + [*folded.accounts] + [*folded.resets])
        if len(self._accounts) + len(dids) > ACCOUNTS_REMEMBERED:
            self._accounts.clear()
        unknown = [did for did in dids if did not in self._accounts]
        stored = accounts.find(session, unknown) if unknown else {}
        new = [Account(last_id + number, did) for number, did in enumerate((d for d in unknown if d not in stored), 1)]
        accounts.add(session, new)
        stored.update((account.did, account) for account in new)
        work.accounts = {did: stored.get(did) or self._accounts[did] for did in dids}
        return last_id + len(new)
