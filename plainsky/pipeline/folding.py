"""What a batch of events comes to, record by record and account by account: pure, so that it can be tested with every order of events.

The law: of one record the highest revision wins, of one account the latest account event; handling events again, later or in another
order changes nothing (invariant 2). A post stands at the earliest place that any of its versions gives it: no edit moves it up.
"""

from collections.abc import Iterable

import msgspec

from models.events import AccountChanged, Event, IdentityChanged, PostCreated, PostDeleted, PostUpdated, RepoReset
from models.post import Post, parse, sort_at


class Told(msgspec.Struct, frozen=True):
    """The last word of a batch on one post: `post` is None when it was deleted (or is no post any more). Times in µs."""

    did: str
    rkey: str
    rev: str
    cid: str | None
    sort_at: int
    time_us: int
    post: Post | None


class Folded(msgspec.Struct, frozen=True):
    """A batch, reduced."""

    posts: dict[tuple[str, str], Told]
    """By (did, rkey)."""
    accounts: dict[str, AccountChanged]
    resets: dict[str, RepoReset]
    handles: dict[str, str]
    malformed: int
    """Records that are no posts: dropped."""


def fold(events: Iterable[Event]) -> Folded:
    """Reduce events, in the order they came."""
    folded = Folded({}, {}, {}, {}, 0)
    malformed = 0
    for event in events:
        if isinstance(event, (PostCreated, PostUpdated)):
            malformed += not _fold_post(folded.posts, event)
        elif isinstance(event, PostDeleted):
            _keep(folded.posts, Told(event.did, event.rkey, event.rev, None, event.time_us, event.time_us, None))
        elif isinstance(event, AccountChanged):
            if event.did not in folded.accounts or folded.accounts[event.did].time_us <= event.time_us:
                folded.accounts[event.did] = event
        elif isinstance(event, RepoReset):
            if event.did not in folded.resets or folded.resets[event.did].rev < event.rev:
                folded.resets[event.did] = event
        elif isinstance(event, IdentityChanged) and event.handle:
            folded.handles[event.did] = event.handle
    return msgspec.structs.replace(folded, malformed=malformed)


def _fold_post(posts: dict[tuple[str, str], Told], event: PostCreated | PostUpdated) -> bool:
    post = parse(event.record)
    if post is None and isinstance(event, PostCreated):
        return False
    # An edit that leaves no post behind takes the old one away.
    place = event.time_us if post is None else sort_at(post.created_at, event.rev, event.time_us)
    _keep(posts, Told(event.did, event.rkey, event.rev, event.cid if post else None, place, event.time_us, post))
    return post is not None


def _keep(posts: dict[tuple[str, str], Told], told: Told) -> None:
    key = (told.did, told.rkey)
    before = posts.get(key)
    if before is None:
        posts[key] = told
        return
    last = told if before.rev <= told.rev else before
    both = before.post is not None and told.post is not None
    posts[key] = msgspec.structs.replace(last, sort_at=min(before.sort_at, told.sort_at)) if both else last
