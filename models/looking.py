"""What pages for people look up of feeds and posts. Each question is short, bounded, and knows nothing of who asks.

Promise: a post's text leaves only while the post stands and its author is visible.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from models.accounts import Account
from models.database import Session
from models.entries import HELD, HELD_IN_THREAD, SHOWN, Place, why_of
from models.post import Post
from models.posts import unpacked

NO_TIES = (-1, -1)
MOST = 10_000
"""Counting ends here."""


class Told(NamedTuple):
    """A post as a feed shows it: `place` in the feed, `written_at` in µs, `handle` as last heard, `why` as served."""

    place: Place
    did: str
    handle: str | None
    rkey: str
    written_at: int
    post: Post
    why: str


_NEWEST = (
    "SELECT entry.sort_at, tie, item, did, handle, rkey, post.sort_at, body FROM entry"
    " JOIN post ON post.id = post_id JOIN account ON account.id = account_id"
    f" WHERE feed_id = ? AND state = {SHOWN} AND entry.sort_at BETWEEN ? AND ? AND tie <> ? AND tie <> ?"
    " ORDER BY entry.sort_at DESC, tie DESC LIMIT ?"
)


def newest(session: Session, feed_id: int, floor: int, top: int, limit: int, but: tuple[int, int] = NO_TIES) -> list[Told]:
    """The entries at the top of what a feed shows between two places (µs), those of the ties `but` left out."""
    rows = session.execute(_NEWEST, (feed_id, floor, top, *but, limit))
    return [
        Told((place, tie), did, handle, rkey, written_at, unpacked(body), why_of(item))
        for place, tie, item, did, handle, rkey, written_at, body in rows
    ]


class Stored(NamedTuple):
    """A post that was met: `post` is None when it was deleted, or its author is not visible. Times in µs."""

    id: int
    account: Account
    handle: str | None
    rkey: str
    cid: str
    sort_at: int
    indexed_at: int
    deleted: bool
    post: Post | None


_STORED = (
    "SELECT post.id, cid, sort_at, indexed_at, body, account.id, did, active, status, opted_out, handle"
    " FROM account JOIN post ON post.account_id = account.id WHERE did = ? AND rkey = ?"
)


def stored(session: Session, did: str, rkey: str) -> Stored | None:
    """The post that was met under this uri."""
    rows = session.execute(_STORED, (did, rkey))
    if not rows:
        return None
    post_id, cid, sort_at, indexed_at, body, account_id, did, active, status, opted_out, handle = rows[0]
    account = Account(account_id, did, bool(active), status, opted_out=bool(opted_out))
    post = unpacked(body) if body is not None and account.visible else None
    return Stored(post_id, account, handle, rkey, cid or "", sort_at, indexed_at, body is None, post)


def account_of(session: Session, did: str) -> Account | None:
    """What is known of an author."""
    rows = session.execute("SELECT id, active, status, opted_out FROM account WHERE did = ?", (did,))
    return Account(rows[0][0], did, bool(rows[0][1]), rows[0][2], opted_out=bool(rows[0][3])) if rows else None


class Stands(NamedTuple):
    """An entry of a post: its state (see `models.entries`) and place."""

    state: int
    place: Place
    why: str


def stands(session: Session, post_id: int) -> dict[int, Stands]:
    """Where a post stands, by feed id."""
    rows = session.execute("SELECT feed_id, state, sort_at, tie, item FROM entry WHERE post_id = ?", (post_id,))
    return {feed_id: Stands(state, (sort_at, tie), why_of(item)) for feed_id, state, sort_at, tie, item in rows}


_BEFORE = {
    upwards: f"SELECT 1 FROM entry WHERE feed_id = ? AND state = {SHOWN} AND (sort_at, tie) {'<' if upwards else '>'} (?, ?)"
    f" AND sort_at {'>=' if upwards else '<='} ? AND tie <> ? AND tie <> ? LIMIT ?"
    for upwards in (False, True)
}


def before(session: Session, feed_id: int, place: Place, end: int, but: tuple[int, int] = NO_TIES, upwards: bool = False) -> int:
    """How many shown entries come before a place, from the end (µs) where the feed begins: its top, or its floor when read upwards.

    Counting ends at `MOST`.
    """
    rows = session.execute(f"SELECT count(*) FROM ({_BEFORE[upwards]}) AS counted", (feed_id, *place, end, *but, MOST))
    return int(rows[0][0])


class Figures(msgspec.Struct, frozen=True):
    """What a feed shows, in numbers. Of the newest `SAMPLE` entries: how many in each stretch of time, by author, by language."""

    shown: int
    held_author: int
    held_thread: int
    sampled: int
    oldest: int
    """When the oldest of the sample was written (µs); 0 when there is none."""
    steps: Mapping[int, int]
    """Posts by how many steps of time before the end they were written."""
    authors: Mapping[int, int]
    """How many authors have so many posts."""
    langs: Mapping[str, int]
    """Posts by the first language that they declare; "" for none."""


SAMPLE = 5_000

LANG = {"sqlite": "json_extract(body, '$.langs[0]')", "postgresql": "CAST(body AS json) #>> '{langs,0}'"}
# One statement and few rows: SQLite's driver lets go of the interpreter at every row.
_FIGURES = (
    "WITH listed AS MATERIALIZED (SELECT account_id, post.sort_at AS written_at, {lang} AS lang FROM entry JOIN post ON post.id = post_id"
    f" WHERE feed_id = ? AND state = {SHOWN} AND entry.sort_at BETWEEN ? AND ? ORDER BY entry.sort_at DESC, tie DESC LIMIT {SAMPLE}),"
    " by_author AS (SELECT count(*) AS posts FROM listed GROUP BY account_id)"
    " SELECT 'step', CAST((? - written_at) / ? AS TEXT) AS name, count(*) FROM listed GROUP BY name"
    " UNION ALL SELECT 'author', CAST(posts AS TEXT) AS name, count(*) FROM by_author GROUP BY name"
    " UNION ALL SELECT 'lang', coalesce(lang, '') AS name, count(*) FROM listed GROUP BY name"
    " UNION ALL SELECT 'oldest', CAST(coalesce(min(written_at), 0) AS TEXT), count(*) FROM listed"
)
_COUNT = f"SELECT count(*) FROM (SELECT 1 FROM entry WHERE feed_id = ? AND state = ? AND sort_at BETWEEN ? AND ? LIMIT {MOST}) AS counted"


def figures(session: Session, feed_id: int, floor: int, top: int, end: int, step: int) -> Figures:
    """The figures of what stands between two places; steps of so many µs count back from `end`. Costs some 30 ms at most."""
    shown, held, in_thread = (int(session.execute(_COUNT, (feed_id, state, floor, top))[0][0]) for state in (SHOWN, HELD, HELD_IN_THREAD))
    rows = session.execute(_FIGURES.format(lang=LANG[session.dialect]), (feed_id, floor, top, end, step))
    oldest, sampled = next((int(name), count) for kind, name, count in rows if kind == "oldest")
    steps, authors = (_numbers((name, count) for kind, name, count in rows if kind == wanted) for wanted in ("step", "author"))
    langs = {name: count for kind, name, count in rows if kind == "lang"}
    return Figures(shown, held, in_thread, sampled, oldest, steps, authors, langs)


def _numbers(rows: Iterable[tuple[str, int]]) -> dict[int, int]:
    return {int(name): count for name, count in rows}


def version(session: Session) -> tuple[str, str]:
    """Name and version of the database."""
    if session.dialect == "sqlite":
        return "SQLite", str(session.execute("SELECT sqlite_version()")[0][0])
    return "PostgreSQL", str(session.execute("SHOW server_version")[0][0]).partition(" ")[0]


class ReadList(NamedTuple):
    """A list or starter pack that rules follow, when it was read (µs), and how many are on it."""

    uri: str
    name: str
    read_at: int
    members: int


def read_lists(session: Session) -> list[ReadList]:
    """All that are followed."""
    rows = session.execute(
        "SELECT uri, name, read_at, (SELECT count(*) FROM list_member WHERE list_member.uri = list.uri) FROM list ORDER BY uri"
    )
    return list(map(ReadList._make, rows))


class Stream(NamedTuple):
    """A stream that was read: its host, how far, and to which upstream time (µs, 0 for none)."""

    host: str
    cursor: int
    time_us: int
    current: bool


def streams(session: Session) -> list[Stream]:
    """Every stream, the one in use first."""
    rows = session.execute("SELECT host, cursor, time_us, current FROM cursor ORDER BY current DESC, time_us DESC, host LIMIT 100")
    return [Stream(host, cursor, time_us, bool(current)) for host, cursor, time_us, current in rows]
