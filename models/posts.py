"""The table `post`: every post of the retention time, as parsed, with the revision that last spoke of it.

A row without a body is a tombstone: the post was deleted (or is held for gone), and a late repeat of an older revision is known as such.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from models.accounts import Account
from models.database import Row, Session
from models.post import POST, Post

HOUR_US = 3_600_000_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Post).decode


class Stored(NamedTuple):
    """What the pipeline needs to know of a post it meets again."""

    id: int
    account_id: int
    rkey: str
    rev: str
    sort_at: int
    indexed_at: int
    cid: str | None
    live: bool


NewPost: TypeAlias = tuple[int, int, str, str, str | None, int, int, str | None]
"""A row of the table: id, account id, rkey, rev, cid, sort_at and indexed_at (µs), body as `packed` makes it, None for a tombstone.

Both times are the earliest that any version of the post gave it.

A plain tuple, for one is made of every post of the network.
"""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A stored post with its author, ready to be judged. Times in µs."""

    id: int
    account: Account
    rkey: str
    cid: str
    sort_at: int
    indexed_at: int
    post: Post

    @property
    def uri(self) -> str:
        """Its at-uri."""
        return uri_of(self.account.did, self.rkey)


def uri_of(did: str, rkey: str) -> str:
    """The at-uri of a post."""
    return f"at://{did}/{POST}/{rkey}"


def packed(post: Post) -> str:
    """A post as the table keeps it: compact JSON without the empty fields."""
    return _encode(post).decode()


def unpacked(body: str) -> Post:
    """The post of a row's body."""
    return _decode(body)


def find(session: Session, records: Collection[tuple[str, int]]) -> dict[tuple[str, int], Stored]:
    """The stored posts among these (rkey, account id)."""
    rows = session.matching(
        "SELECT post.id, post.account_id, post.rkey, rev, sort_at, indexed_at, cid, CASE WHEN body IS NULL THEN 0 ELSE 1 END"
        " FROM wanted JOIN post ON post.rkey = wanted.rkey AND post.account_id = wanted.account_id",
        {"rkey": "TEXT", "account_id": "BIGINT"},
        records,
    )
    return {(row[2], row[1]): Stored._make((*row[:7], bool(row[7]))) for row in rows}


_ADD = "INSERT INTO post (id, account_id, rkey, rev, cid, sort_at, indexed_at, body)"


def add(session: Session, rows: Sequence[NewPost]) -> set[int]:
    """New posts and tombstones; ids are given by the caller, who is the only writer, and rise.

    A record that is stored already stays as it is. Returns the ids that were not used because of that: usually none, and then nobody
    had to look before.
    """
    if session.insert(_ADD, rows, "ON CONFLICT (rkey, account_id) DO NOTHING") == len(rows):
        return set()
    added = {post_id for (post_id,) in session.execute("SELECT id FROM post WHERE id >= ?", (rows[0][0],))}
    return {row[0] for row in rows} - added


def update(session: Session, rows: Iterable[NewPost]) -> None:
    """A newer revision spoke of these: an edit, a deletion, a record created again."""
    session.executemany(
        "UPDATE post SET rev = ?, cid = ?, sort_at = ?, indexed_at = ?, body = ? WHERE id = ?",
        [(*row[3:], row[0]) for row in rows],
    )


def bury(session: Session, post_ids: Iterable[int]) -> None:
    """Forget what these posts say; the revision stays, so that only a newer one brings a post back."""
    session.executemany("UPDATE post SET body = NULL, cid = NULL WHERE id = ?", [(post_id,) for post_id in post_ids])


# Each bound by itself is one look into the index; both in one SELECT would read the table.
_HOURS = f"SELECT (SELECT min(sort_at / {HOUR_US}) FROM post), (SELECT max(sort_at / {HOUR_US}) FROM post)"
_NEXT_HOUR = f"SELECT min(sort_at / {HOUR_US}) FROM post WHERE sort_at / {HOUR_US}"
_HOURS_WITH_POSTS = (
    f"WITH RECURSIVE there(hour) AS (SELECT min(sort_at / {HOUR_US}) FROM post"
    f" UNION ALL SELECT ({_NEXT_HOUR} > there.hour) FROM there WHERE there.hour IS NOT NULL)"
    " SELECT hour FROM there WHERE hour IS NOT NULL"
)
_MANY_HOURS = 1024


def _hours(session: Session) -> Iterable[int]:
    first, last = session.execute(_HOURS)[0]
    if first is None:
        return ()
    if last - first < _MANY_HOURS:
        return range(first, last + 1)
    # One post that its author dated decades back must not make every look go through all hours since.
    return [row[0] for row in session.execute(_HOURS_WITH_POSTS)]


class OfAccount(NamedTuple):
    """A live post, among those of its author."""

    id: int
    rkey: str
    rev: str
    cid: str


def ids_of_account(session: Session, account_id: int) -> list[int]:
    """The ids of an account's live posts."""
    return [post.id for post in of_account(session, account_id)]


def of_account(session: Session, account_id: int) -> list[OfAccount]:
    """An account's live posts.

    The index is by hour first (so that inserting appends), hence one probe for each hour that the table spans.
    """
    # The plus takes the wanted hour's declared type away, without which SQLite would not use the index on an expression.
    rows = session.matching(
        "SELECT post.id, rkey, rev, cid FROM wanted"
        f" JOIN post ON sort_at / {HOUR_US} = +wanted.hour AND post.account_id = wanted.account_id WHERE body IS NOT NULL",
        {"hour": "BIGINT", "account_id": "BIGINT"},
        [(hour, account_id) for hour in _hours(session)],
    )
    return list(map(OfAccount._make, rows))


_JUDGED = (
    "post.id, rkey, cid, sort_at, indexed_at, body, account_id, did, active, opted_out FROM post JOIN account ON account.id = account_id"
)


def scan(session: Session, after_id: int, limit: int) -> list[Seen]:
    """Live posts in order of their id, for judging all of them again in steps."""
    rows = session.execute(f"SELECT {_JUDGED} WHERE post.id > ? AND body IS NOT NULL ORDER BY post.id LIMIT ?", (after_id, limit))
    return list(map(_seen, rows))


def these(session: Session, post_ids: Collection[int]) -> list[Seen]:
    """Those of the posts that are live, for judging them again."""
    wanted = f"SELECT {_JUDGED} WHERE post.id IN (SELECT id FROM wanted) AND body IS NOT NULL"
    return list(map(_seen, session.matching(wanted, {"id": "BIGINT"}, [(post_id,) for post_id in post_ids])))


def _seen(row: Row) -> Seen:
    post_id, rkey, cid, sort_at, indexed_at, said, account_id, did, active, opted_out = row
    account = Account(account_id, did, bool(active), opted_out=bool(opted_out))
    return Seen(post_id, account, rkey, cid, sort_at, indexed_at, unpacked(said))


def by_uri(session: Session, did: str, rkey: str) -> tuple[Post, str] | None:
    """A live post and its cid, None when it is unknown or gone or its author is not to be seen."""
    rows = session.execute(
        "SELECT body, cid FROM post JOIN account ON account.id = account_id WHERE did = ? AND rkey = ? AND body IS NOT NULL AND active = 1",
        (did, rkey),
    )
    return (unpacked(rows[0][0]), rows[0][1]) if rows else None


def body(session: Session, post_id: int) -> str:
    """What a live post says, as `packed` made it."""
    return str(session.execute("SELECT body FROM post WHERE id = ?", (post_id,))[0][0])


def last_id(session: Session) -> int:
    """The highest id in use."""
    return int(session.execute("SELECT coalesce(max(id), 0) FROM post")[0][0])


def next_hour(session: Session, hour: int = -(2**40)) -> int | None:
    """The first hour (since the epoch), from `hour` on, of which there are posts."""
    found: int | None = session.execute(f"{_NEXT_HOUR} >= ?", (hour,))[0][0]
    return found


def prune_hour(session: Session, hour: int, limit: int) -> int:
    """Remove up to `limit` posts of an hour that are in no feed any more; return how many."""
    rows = session.execute(
        f"SELECT id FROM post WHERE sort_at / {HOUR_US} = ? AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.post_id = post.id) LIMIT ?",
        (hour, limit),
    )
    session.executemany("DELETE FROM post WHERE id = ?", rows)
    return len(rows)
