"""Why a post is in a feed, or not: what the database holds, and what every rule says.

Promise: a stored post is said to be in a feed exactly when the feed's pages show it. No text is told of a post that was deleted, or whose
author is not active or asked to be in no feed.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from feedgen.feed import Feed
from feedgen.matcher import Explanation, explain
from feedgen.orders import Stretch, placers, stretch, upwards
from models import cursors, entries, looking
from models.accounts import Account
from models.database import Session
from models.looking import MOST, Stands, Stored
from models.post import Post
from models.posts import Seen, uri_of
from plainsky.pages.site import apart
from plainsky.pipeline.entering import labelled
from plainsky.pipeline.judging import Rooms

PAGE = 30
"""Posts that the Bluesky app asks for at once."""
IN = frozenset({"shown", "shown_followed", "pinned", "ending"})


class FeedWhy(NamedTuple):
    """A feed and a post: `state` is the key of a text, `position` counts from 1 in the feed's order (None: it has none).

    `explained` is None when the rules were not asked, because nothing may be told of the post.
    """

    feed: Feed
    state: str
    position: int | None = None
    by: str | None = None
    explained: Explanation | None = None

    @property
    def is_in(self) -> bool:
        """Whether the feed's pages show it."""
        return self.state in IN


class Why(NamedTuple):
    """A post and all feeds. `state`: "stored", "fetched", "deleted", "opted_out" or "inactive". `post` is None unless it may be told."""

    did: str
    rkey: str
    state: str
    post: Post | None
    written_at: int | None
    feeds: Sequence[FeedWhy]
    handle: str | None = None

    @property
    def uri(self) -> str:
        """The post's at-uri."""
        return uri_of(self.did, self.rkey)


class _Looked(NamedTuple):
    """What there is to know of a post: `now` is the log's time."""

    session: Session
    rooms: Rooms
    seen: Seen
    stands: Mapping[int, Stands]
    now: int


def why_stored(session: Session, rooms: Rooms, did: str, rkey: str) -> Why | None:
    """What is known of a post that was met, or of an author who may not be spoken of; None when neither is known."""
    found = looking.stored(session, did, rkey)
    if found is None:
        account = looking.account_of(session, did)
        return (
            None
            if account is None or account.visible
            else Why(did, rkey, _unseen(account), None, None, _by_hand_only(rooms, uri_of(did, rkey)))
        )
    if found.deleted:
        return Why(did, rkey, "deleted", None, None, _by_hand_only(rooms, uri_of(did, rkey)))
    stands = looking.stands(session, found.id)
    if found.post is None:
        hidden = [_hidden(feed, stands.get(feed_id), found.account, uri_of(did, rkey)) for feed_id, feed in _feeds(rooms)]
        return Why(did, rkey, _unseen(found.account), None, None, hidden)
    seen = Seen(found.id, found.account, rkey, found.cid, found.sort_at, found.indexed_at, found.post)
    return _told(session, rooms, seen, stands, found)


def why_fetched(session: Session, rooms: Rooms, did: str, rkey: str, cid: str, post: Post) -> Why:
    """What the rules say of a post that was never stored."""
    now = cursors.log_time(session)
    written = now if post.created_at is None else post.created_at
    seen = Seen(0, Account(0, did), rkey, cid, written, written, post)
    (seen,) = labelled(session, rooms.matcher, rooms.own_src, [seen], now)
    explained = [(feed, explained_by(rooms, feed, seen)) for _, feed in _feeds(rooms)]
    feeds = [FeedWhy(feed, _of_fetched(feed, told, uri_of(did, rkey), written, now), None, told.by, told) for feed, told in explained]
    return Why(did, rkey, "fetched", post, post.created_at, feeds)


def explained_by(rooms: Rooms, feed: Feed, seen: Seen) -> Explanation:
    """What a feed's rules say, with what is known."""
    return explain(feed, seen.account.did, seen.post, rooms.known.handles.get, rooms.known.members)


def _told(session: Session, rooms: Rooms, seen: Seen, stands: Mapping[int, Stands], found: Stored) -> Why:
    now = cursors.log_time(session)
    (seen,) = labelled(session, rooms.matcher, rooms.own_src, [seen], now)
    looked = _Looked(session, rooms, seen, stands, now)
    feeds = [_of_feed(looked, feed_id, feed) for feed_id, feed in _feeds(rooms)]
    return Why(seen.account.did, seen.rkey, "stored", seen.post, seen.sort_at, feeds, found.handle)


def _feeds(rooms: Rooms) -> list[tuple[int, Feed]]:
    return list(zip(rooms.layout.feed_ids, rooms.layout.feeds, strict=True))


def _unseen(account: Account) -> str:
    return "inactive" if not account.active else "opted_out"


def _hidden(feed: Feed, stands: Stands | None, account: Account, uri: str) -> FeedWhy:
    return FeedWhy(feed, _by_hand(feed, uri) or (f"hidden_{_unseen(account)}" if stands else "rules"))


def _by_hand_only(rooms: Rooms, uri: str) -> list[FeedWhy]:
    """Feeds that name the post itself, whatever has become of it."""
    return [FeedWhy(feed, state) for _, feed in _feeds(rooms) if (state := _by_hand(feed, uri))]


def _of_feed(looked: _Looked, feed_id: int, feed: Feed) -> FeedWhy:
    explained = explained_by(looked.rooms, feed, looked.seen)
    stands = looked.stands.get(feed_id)
    state = _by_hand(feed, looked.seen.uri) or _state(looked, feed, stands, explained)
    by = stands.why.partition(" ")[0] if stands else explained.by
    position = _position(looked.session, feed_id, feed, stands, looked.now) if state == "shown" and stands else None
    return FeedWhy(feed, state, position, by, explained)


def _by_hand(feed: Feed, uri: str) -> str | None:
    if uri == feed.pinned:
        return "pinned"
    return "ending" if uri == feed.ending else None


def _state(looked: _Looked, feed: Feed, stands: Stands | None, explained: Explanation) -> str:
    shows = stretch(feed, looked.now)
    if stands is None:
        return _absent(looked, feed, shows) if explained.enters else "rules"
    outside = _outside(shows, stands.place[0])
    if outside:
        return outside
    return "shown_followed" if stands.state == entries.SHOWN and feed.followed else _STATES[stands.state]


_STATES = {entries.SHOWN: "shown", entries.HELD: "held_author", entries.HELD_IN_THREAD: "held_thread", entries.HIDDEN: "hidden_opted_out"}


def _absent(looked: _Looked, feed: Feed, shows: Stretch) -> str:
    """The rules let it in, and it does not stand there: it has left the window, or the rules changed since."""
    seen, placer = looked.seen, placers([feed]).get(0)
    place = placer.place(seen.sort_at, seen.indexed_at, seen.post).at if placer else seen.sort_at
    return _outside(shows, place) or "not_placed"


def _outside(shows: Stretch, place: int) -> str | None:
    if place > shows.top:
        return "edition_to_come"
    if place >= shows.floor:
        return None
    return "too_old" if shows.edition is None else "edition_over"


def _of_fetched(feed: Feed, explained: Explanation, uri: str, written: int, now: int) -> str:
    if by_hand := _by_hand(feed, uri):
        return by_hand
    if not explained.enters:
        return "rules"
    return "too_old" if written < stretch(feed, now).floor else "not_met"


def _position(session: Session, feed_id: int, feed: Feed, stands: Stands, now: int) -> int:
    shows, up = stretch(feed, now), upwards(feed)
    before = looking.before(session, feed_id, stands.place, shows.floor if up else shows.top, apart(feed), up)
    return before + 1 + bool(feed.pinned)


class OnPage(msgspec.Struct, frozen=True, rename="camel"):
    """Where a position is when pages have `PAGE` posts."""

    page: int
    number: int

    @classmethod
    def of(cls, position: int) -> "OnPage":
        """The page of a position."""
        return cls((position - 1) // PAGE + 1, (position - 1) % PAGE + 1)


def beyond_counting(position: int) -> bool:
    """Whether counting ended before the position was reached."""
    return position > MOST
