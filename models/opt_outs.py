"""The table `opt_out`: which authors asked to be in no feed, and where they asked.

`source` is CONFIG, the uri of a list that the operator keeps, or the rkey of the author's own post that says so; then `mark` is what the
post says it with. While any of them stands, the author is out. `account.opted_out` follows this table.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from models.database import Session

CONFIG = "(config)"
"""The operator wrote the author down. No record key has brackets."""
_BY_LIST = "substr(source, 1, 5) = 'at://'"  # the percent sign of LIKE would be a parameter to PostgreSQL's driver
_BY_POST = f"source <> '{CONFIG}' AND NOT {_BY_LIST}"


class OptOut(NamedTuple):
    """One reason: `mark` is empty where the operator says it."""

    account_id: int
    source: str
    mark: str = ""


def of_source(session: Session, source: str) -> set[str]:
    """The DIDs of those who are out because of this source."""
    rows = session.execute("SELECT did FROM opt_out JOIN account ON account.id = account_id WHERE source = ?", (source,))
    return {did for (did,) in rows}


def lists(session: Session) -> set[str]:
    """The uris of the lists that somebody is out because of."""
    return {source for (source,) in session.execute(f"SELECT DISTINCT source FROM opt_out WHERE {_BY_LIST}")}


def of_posts(session: Session, posts: Collection[tuple[int, str]]) -> set[OptOut]:
    """What these posts, by (account id, rkey), asked."""
    rows = session.matching(
        "SELECT opt_out.account_id, source, mark FROM wanted JOIN opt_out"
        " ON opt_out.account_id = wanted.account_id AND source = wanted.rkey",
        {"account_id": "BIGINT", "rkey": "TEXT"},
        posts,
    )
    return set(map(OptOut._make, rows))


def add(session: Session, asked: Iterable[OptOut]) -> None:
    """These are out."""
    session.insert("INSERT INTO opt_out (account_id, source, mark)", sorted(asked), "ON CONFLICT DO NOTHING")


def remove(session: Session, asked: Iterable[OptOut]) -> None:
    """These reasons are no more."""
    session.executemany("DELETE FROM opt_out WHERE account_id = ? AND source = ? AND mark = ?", sorted(asked))


def remaining(session: Session, account_ids: Collection[int]) -> set[int]:
    """Those of the accounts that are out for any reason."""
    rows = session.matching(
        "SELECT wanted.id FROM wanted WHERE EXISTS (SELECT 1 FROM opt_out WHERE account_id = wanted.id)",
        {"id": "BIGINT"},
        [(each,) for each in account_ids],
    )
    return {account_id for (account_id,) in rows}


def take_back(session: Session, account_id: int) -> None:
    """Forget what the author's own posts asked: the account is no more."""
    session.execute(f"DELETE FROM opt_out WHERE account_id = ? AND {_BY_POST}", (account_id,))


def take_back_marks(session: Session, kept: Collection[str]) -> set[str]:
    """Forget what posts asked with marks that count no more; return the authors' DIDs."""
    rows = session.execute(f"SELECT did, source, mark FROM opt_out JOIN account ON account.id = account_id WHERE {_BY_POST}")
    gone = [row for row in rows if row[2] not in kept]
    session.executemany("DELETE FROM opt_out WHERE account_id = (SELECT id FROM account WHERE did = ?) AND source = ? AND mark = ?", gone)
    return {did for did, *_ in gone}
