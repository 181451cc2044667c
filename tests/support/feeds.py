"""A feed with posts in it, written straight into the tables, and the feed generator on a real socket."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web

from feedgen.feed import Edition, Feed, Quota, TopicOrder
from feedgen.orders import placers
from feedgen.rules import load
from feedgen.service import FeedService, Identity
from feedgen.skeleton import feed_context, item
from models import accounts, entries, feeds, moves, posts, quotas
from models.database import Database, Session
from models.duration import Duration, duration
from models.post import Post
from tests.support.garden import NOON, did
from tests.support.labels import xrpc_errors

PUBLISHER = did(0)
IDENTITY = Identity("did:web:feeds.example.org", PUBLISHER, "https://feeds.example.org")
FEED_URI = f"at://{PUBLISHER}/app.bsky.feed.generator/garden"


def garden(window: str = "3d", **fields: Any) -> Feed:
    """The feed that tests serve; `fields` are further keys of the config."""
    return Feed("garden", "Garden", (load("hashtag")(any=("garden",)),), window=duration(window), **fields)


EVERY_ORDER: Mapping[str, Mapping[str, Any]] = {
    "newest": {},
    "oldest_first": {"order": "oldest_first"},
    "edition": {"order": "edition", "edition": Edition(("06:00", "12:00", "18:00"))},
    "topic": {"order": "topic", "topic": TopicOrder(duration("6h"), {"rose": 3.0, "tulip": 1.0, "weed": -1.0})},
}
"""What makes a feed of each order."""


def uri(number: int, author: int = 1) -> str:
    """The at-uri of a post."""
    return f"at://{did(author)}/app.bsky.feed.post/post{number}"


class Sown(NamedTuple):
    """A row of the table `entry`, with its post's uri, its author's account, and when it was written and came (µs)."""

    feed_id: int
    state: int
    sort_at: int
    tie: int
    post_id: int
    item: str
    uri: str
    account_id: int
    written: int
    came: int

    @property
    def row(self) -> entries.Entry:
        """As the table takes it."""
        return self[:6]


def entry(number: int, sort_at: int, author: int = 1, feed_id: int = 1, words: Sequence[str] = ("garden",)) -> Sown:
    """A shown entry of post `number`; `sort_at` is counted from noon, in µs."""
    at, place = uri(number, author), NOON + sort_at
    served = item(at, feed_context("include[0]", "hashtag", tuple(words)))
    return Sown(feed_id, entries.SHOWN, place, entries.tie_of(at), number, served, at, author, place, place)


def placed(feed: Feed, number: int, written: int, came: int, text: str = "", author: int = 1) -> Sown:
    """The entry of a post where the feed's order puts it; the times are counted from noon, in µs."""
    placer = placers([feed]).get(0)
    place, words = placer.place(NOON + written, NOON + came, Post(text)) if placer else (NOON + written, "")
    at = uri(number, author)
    served = item(at, feed_context("include[0]", "hashtag", ("garden",), words))
    return Sown(1, entries.SHOWN, place, entries.tie_of(at), number, served, at, author, NOON + written, NOON + came)


def begin(session: Session) -> None:
    """The feed has number 1."""
    assert feeds.begin(session, "garden") == 1
    accounts.add(session, (accounts.Account(number, did(number)) for number in range(1, 6)))


def write(session: Session, new: Iterable[Sown], quota: Quota | None = None) -> None:
    """Posts with their entries, as the pipeline stores them."""
    new = list(new)
    posts.add(session, [(e.post_id, e.account_id, e.uri[-13:], "3a", "cid", e.written, e.came, "{}") for e in new])
    entries.add(session, [e.row for e in new])
    settle(session, {entries.Touched(e.feed_id, e.account_id, e.written) for e in new}, quota)


def rewrite(session: Session, new: Sown, log_time: int, quota: Quota | None = None) -> None:
    """An edit of a post that is there, as the pipeline stores it."""
    stood = moves.standing(session, [new.post_id])
    touched = entries.remove(session, [new.post_id])
    posts.update(session, [(new.post_id, new.account_id, new.uri[-13:], "3b", "cid", new.written, new.came, "{}")])
    entries.add_new(session, [new.row])
    moves.remember(session, stood, {new.post_id: log_time})
    settle(session, {*touched, entries.Touched(new.feed_id, new.account_id, new.written)}, quota)


def settle(session: Session, touched: Collection[entries.Touched], quota: Quota | None) -> None:
    """Feed 1 has this quota for authors."""
    quotas.apply(session, {1: quotas.Quotas(quota, None)} if quota else {}, touched)


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
