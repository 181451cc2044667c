"""A feed with posts in it, written straight into the tables, and the feed generator on a real socket."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from feedgen.feed import Feed, Quota
from feedgen.rules import load
from feedgen.service import FeedService, Identity
from feedgen.skeleton import feed_context, item
from models import accounts, entries, feeds, posts
from models.database import Database, Session
from models.duration import Duration, duration
from tests.support.garden import NOON, did
from tests.support.labels import xrpc_errors

PUBLISHER = did(0)
IDENTITY = Identity("did:web:feeds.example.org", PUBLISHER, "https://feeds.example.org")
FEED_URI = f"at://{PUBLISHER}/app.bsky.feed.generator/garden"


def garden(window: str = "3d", pinned: str | None = None, per_author: Quota | None = None) -> Feed:
    """The feed that tests serve."""
    return Feed("garden", "Garden", (load("hashtag")(any=("garden",)),), window=duration(window), pinned=pinned, per_author=per_author)


def uri(number: int, author: int = 1) -> str:
    """The at-uri of a post."""
    return f"at://{did(author)}/app.bsky.feed.post/post{number}"


class Sown(NamedTuple):
    """A row of the table `entry`, with its post's uri and its author's account."""

    feed_id: int
    state: int
    sort_at: int
    tie: int
    post_id: int
    item: str
    uri: str
    account_id: int

    @property
    def row(self) -> entries.Entry:
        """As the table takes it."""
        return self[:6]


def entry(number: int, sort_at: int, author: int = 1, feed_id: int = 1, words: Sequence[str] = ("garden",)) -> Sown:
    """A shown entry of post `number`; `sort_at` is counted from noon, in µs."""
    at = uri(number, author)
    served = item(at, feed_context("include[0]", "hashtag", tuple(words)))
    return Sown(feed_id, entries.SHOWN, NOON + sort_at, entries.tie_of(at), number, served, at, author)


def begin(session: Session) -> None:
    """The feed has number 1."""
    assert feeds.begin(session, "garden") == 1
    accounts.add(session, (accounts.Account(number, did(number)) for number in range(1, 6)))


def write(session: Session, new: Iterable[Sown], quota: Quota | None = None) -> None:
    """Posts with their entries, as the pipeline stores them."""
    new = list(new)
    posts.add(session, [(e.post_id, e.account_id, e.uri[-13:], "3a", "cid", e.sort_at, e.sort_at, "{}") for e in new])
    entries.add(session, [e.row for e in new])
    entries.apply_quota(session, {1: quota} if quota else {}, [entries.Touched(e.feed_id, e.account_id, e.sort_at) for e in new])


def filled(database: Database, new: Iterable[Sown]) -> None:
    """A database whose feed 1 has these entries."""
    database.write_now(begin)
    database.write_now(write, new)


@asynccontextmanager
async def serving(service: FeedService) -> AsyncIterator[str]:
    """The service on a port of its own; yields its address."""
    app = web.Application(middlewares=[xrpc_errors])
    app.add_routes(service.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def every(text: str, posts_: int) -> Quota:
    """A quota."""
    return Quota(posts_, Duration(duration(text)))
