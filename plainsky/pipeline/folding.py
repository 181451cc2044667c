"""What a batch of events comes to, record by record and account by account: pure, so that it can be tested with every order of events.

The law: of one record the highest revision wins, of one account the latest account event; handling events again, later or in another
order changes nothing (invariant 2). A post stands at the earliest place that any of its versions gives it: no edit moves it up.
"""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from models.events import AccountChanged, Event, IdentityChanged, PostCreated, PostDeleted, PostUpdated, RepoReset
from models.post import Post, parse, sort_at


class Told(msgspec.Struct, frozen=True, gc=False):
    """The last word of a batch on one post: `post` is None when it was deleted (or is no post any more). Times in µs."""

    did: str
    rkey: str
    rev: str
    cid: str | None
    sort_at: int
    time_us: int
    post: Post | None
    likely_new: bool = False
    """All that the batch says of it is that it was created."""


Posts: TypeAlias = dict[tuple[str, str], Told]


class Folded(msgspec.Struct):
    """A batch, reduced."""

    posts: Posts = {}
    """By (did, rkey)."""
    accounts: dict[str, AccountChanged] = {}
    resets: dict[str, RepoReset] = {}
    handles: dict[str, str] = {}
    malformed: int = 0
    """Records that are no posts: dropped."""


def fold(events: Iterable[Event]) -> Folded:
    """Reduce events, in the order they came."""
    folded = Folded()
    posts = folded.posts
    for event in events:
        if isinstance(event, (PostCreated, PostUpdated)):  # a tuple: it takes half of what A | B takes
            told = _told(event)
            if told is None or told.post is None:
                folded.malformed += 1
            if told is not None:
                _keep(posts, told)
        elif isinstance(event, PostDeleted):
            _keep(posts, Told(event.did, event.rkey, event.rev, None, event.time_us, event.time_us, None))
        else:
            _fold_account(folded, event)
    return folded


def _fold_account(folded: Folded, event: AccountChanged | IdentityChanged | RepoReset) -> None:
    did = event.did
    if isinstance(event, AccountChanged):
        if did not in folded.accounts or folded.accounts[did].time_us <= event.time_us:
            folded.accounts[did] = event
    elif isinstance(event, RepoReset):
        if did not in folded.resets or folded.resets[did].rev < event.rev:
            folded.resets[did] = event
    elif event.handle:
        folded.handles[did] = event.handle


def _told(event: PostCreated | PostUpdated) -> Told | None:
    post = parse(event.record)
    time_us = event.time_us
    if post is not None:
        place = sort_at(post.created_at, event.rev, time_us)
        return Told(event.did, event.rkey, event.rev, event.cid, place, time_us, post, type(event) is PostCreated)
    # An edit that leaves no post behind takes the old one away.
    return None if isinstance(event, PostCreated) else Told(event.did, event.rkey, event.rev, None, time_us, time_us, None)


def _keep(posts: Posts, told: Told) -> None:
    key = (told.did, told.rkey)
    before = posts.setdefault(key, told)
    if before is told:
        return
    last = told if before.rev <= told.rev else before
    both = before.post is not None and told.post is not None
    place = min(before.sort_at, told.sort_at) if both else last.sort_at
    posts[key] = msgspec.structs.replace(last, sort_at=place, likely_new=False)
