"""The table `account`: whose posts may be seen. Read and written inside the pipeline's transaction."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from models.database import Row, Session


class Account(msgspec.Struct, frozen=True):
    """A repo's owner; visibility follows `active`.

    `changed_at` is the upstream time (µs) of the account event that said so, 0 for none. `reset_rev` is the revision of a #sync after
    which nobody has looked yet what is left in the repo.
    """

    id: int
    did: str
    active: bool = True
    status: str | None = None
    changed_at: int = 0
    reset_rev: str | None = None
    opted_out: bool = False
    """Its owner asked to be in no feed: see `models.opt_outs`."""

    @property
    def visible(self) -> bool:
        """Its posts may stand in feeds."""
        return self.active and not self.opted_out

    @property
    def gone(self) -> bool:
        """Deleted for good: nothing of it is kept."""
        return not self.active and self.status == "deleted"


_COLUMNS = "account.id, account.did, active, status, changed_at, reset_rev, opted_out"


def find(session: Session, dids: Collection[str]) -> dict[str, Account]:
    """The accounts known under these DIDs."""
    rows = session.matching(
        f"SELECT {_COLUMNS} FROM wanted JOIN account ON account.did = wanted.did",
        {"did": "TEXT"},
        [(did,) for did in dids],
    )
    return {row[1]: _account(row) for row in rows}


def add(session: Session, accounts: Iterable[Account]) -> None:
    """New accounts; ids are given by the caller, who is the only writer."""
    session.insert("INSERT INTO account (id, did, active, status, changed_at, reset_rev, opted_out)", list(map(_row, accounts)))


def update(session: Session, accounts: Iterable[Account]) -> None:
    """What account events, repo resets and opting out changed."""
    session.executemany(
        "UPDATE account SET active = ?, status = ?, changed_at = ?, reset_rev = ?, opted_out = ? WHERE id = ?",
        [(*_row(account)[2:], account.id) for account in accounts],
    )


def set_handles(session: Session, handles: Mapping[str, str]) -> None:
    """DID to handle, for accounts that are known. Who had the handle before is not looked for: `learn` does that, at a start."""
    session.executemany("UPDATE account SET handle = ? WHERE did = ?", [(handle, did) for did, handle in handles.items()])


def meet(session: Session, dids: Collection[str]) -> dict[str, Account]:
    """The accounts of these DIDs; those never met before are numbered and stored."""
    found = find(session, dids)
    first = last_id(session) + 1
    new = [Account(number, did) for number, did in enumerate(sorted(set(dids) - found.keys()), first)]
    add(session, new)
    return found | {account.did: account for account in new}


def learn(session: Session, handles: Mapping[str, str]) -> None:
    """Handle to DID as the resolver just said, for the next start without a resolver; also for accounts never met."""
    meet(session, list(handles.values()))
    session.executemany("UPDATE account SET handle = NULL WHERE handle = ? AND did <> ?", handles.items())
    set_handles(session, {did: handle for handle, did in handles.items()})


def to_recheck(session: Session, limit: int) -> list[Account]:
    """Accounts whose repo was reset, and whose posts are to be compared with it."""
    rows = session.execute(f"SELECT {_COLUMNS} FROM account WHERE reset_rev IS NOT NULL ORDER BY id LIMIT ?", (limit,))
    return list(map(_account, rows))


def rechecked(session: Session, account: Account) -> None:
    """What is left in the repo is known, as of that revision."""
    session.execute("UPDATE account SET reset_rev = NULL WHERE id = ? AND reset_rev = ?", (account.id, account.reset_rev))


def last_id(session: Session) -> int:
    """The highest id in use."""
    return int(session.execute("SELECT coalesce(max(id), 0) FROM account")[0][0])


def by_handle(session: Session, handles: Collection[str]) -> dict[str, str]:
    """Handle to DID, as last heard on the stream."""
    rows = session.matching(
        "SELECT account.handle, account.did FROM wanted JOIN account ON account.handle = wanted.handle ORDER BY account.id",
        {"handle": "TEXT"},
        [(handle,) for handle in handles],
    )
    return dict(rows)


def _account(row: Row) -> Account:
    account_id, did, active, status, changed_at, reset_rev, opted_out = row
    return Account(account_id, did, bool(active), status, changed_at, reset_rev, bool(opted_out))


def _row(account: Account) -> tuple[int, str, int, str | None, int, str | None, int]:
    return account.id, account.did, int(account.active), account.status, account.changed_at, account.reset_rev, int(account.opted_out)
