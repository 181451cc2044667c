"""What a batch of events comes to, record by record and account by account: pure, so that it can be tested with every order of events.

The law: of one record the highest revision wins, of one account the latest account event; handling events again, later or in another
order changes nothing (invariant 2). A post stands at the earliest place that any of its versions gives it, also of those that were
deleted since: no edit moves it up, and nobody comes back to the top by writing a record again. Imports count for no place.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import msgspec

from models.duration import Duration
from models.events import AccountChanged, Event, IdentityChanged, PostCreated, PostDeleted, PostUpdated, RepoReset
from models.post import Post, indexed_at, is_import, parse, sort_at

NEVER = 2**63 - 1
"""As `indexed_at`: no version was seen that counts for the place, and `sort_at` is the event's time for want of a better one."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """The last word of a batch on one post: `post` is None when it was deleted (or is no post any more). Times in µs."""

    did: str
    rkey: str
    rev: str
    cid: str | None
    sort_at: int
    indexed_at: int
    time_us: int
    post: Post | None
    likely_new: bool = False
    """All that the batch says of it is that it was created."""
    imported: bool = False
    """It is an import: dated long before it was written."""


Posts: TypeAlias = dict[tuple[str, str], Told]


class Ended(NamedTuple):
    """An account was deleted, and the next that was said of it is something else. Times in µs."""

    deleted_at: int
    until: int


class Folded(msgspec.Struct):
    """A batch, reduced."""

    posts: Posts = {}
    """By (did, rkey)."""
    accounts: dict[str, AccountChanged] = {}
    ended: dict[str, Ended] = {}
    """Of those that were deleted and came back: what they said until then is gone all the same."""
    resets: dict[str, RepoReset] = {}
    handles: dict[str, str] = {}
    malformed: int = 0
    """Records that are no posts: dropped."""
    kinds: dict[type[Event], int] = {}
    """How many events of each kind."""


class Folding:
    """Reduces events as they come, in their order. Posts dated `import_after` further back than their event are imports.

    A record is read while it is at hand, and let go: of a batch that waits, only what is said in the end is in memory.
    """

    def __init__(self, import_after: Duration) -> None:
        self.folded = Folded()
        self._import_after = import_after
        self._posts, self._kinds = self.folded.posts, self.folded.kinds

    def add(self, event: Event) -> None:
        """One more."""
        kind = type(event)
        self._kinds[kind] = self._kinds.get(kind, 0) + 1
        if isinstance(event, (PostCreated, PostUpdated)):  # a tuple: it takes half of what A | B takes
            told = _told(event, self._import_after)
            if told is None or told.post is None:
                self.folded.malformed += 1
            if told is not None:
                _keep(self._posts, told)
        elif isinstance(event, PostDeleted):
            _keep(self._posts, _gone(event))
        else:
            _fold_account(self.folded, event)


def fold(events: Iterable[Event], import_after: Duration) -> Folded:
    """All of a batch at once."""
    folding = Folding(import_after)
    for event in events:
        folding.add(event)
    return folding.folded


def _fold_account(folded: Folded, event: AccountChanged | IdentityChanged | RepoReset) -> None:
    did = event.did
    if isinstance(event, AccountChanged):
        before = folded.accounts.setdefault(did, event)
        if before.time_us <= event.time_us:
            folded.accounts[did] = event
            if before.deletes and not event.deletes:
                folded.ended[did] = Ended(before.time_us, event.time_us)
    elif isinstance(event, RepoReset):
        if did not in folded.resets or folded.resets[did].rev < event.rev:
            folded.resets[did] = event
    elif event.handle:
        folded.handles[did] = event.handle


def _told(event: PostCreated | PostUpdated, import_after: Duration) -> Told | None:
    post = parse(event.record)
    time_us = event.time_us
    if post is None:
        # An edit that leaves no post behind takes the old one away.
        return None if isinstance(event, PostCreated) else _gone(event)
    new = type(event) is PostCreated
    if new and is_import(post.created_at, time_us, import_after):  # the edit of an old post is none
        return Told(event.did, event.rkey, event.rev, event.cid, time_us, NEVER, time_us, post, new, imported=True)
    indexed = indexed_at(event.rev, time_us)
    return Told(event.did, event.rkey, event.rev, event.cid, sort_at(post.created_at, indexed), indexed, time_us, post, new)


def _gone(event: PostUpdated | PostDeleted) -> Told:
    return Told(event.did, event.rkey, event.rev, None, event.time_us, NEVER, event.time_us, None)


def _keep(posts: Posts, told: Told) -> None:
    key = (told.did, told.rkey)
    before = posts.setdefault(key, told)
    if before is told:
        return
    last, other = (told, before) if before.rev <= told.rev else (before, told)
    posts[key] = msgspec.structs.replace(earliest(last, other.sort_at, other.indexed_at), likely_new=False)


def earliest(told: Told, sort_at: int, indexed_at: int) -> Told:
    """With the times of another version, where these are earlier."""
    if indexed_at == NEVER:
        return told
    if told.indexed_at != NEVER:
        sort_at, indexed_at = min(told.sort_at, sort_at), min(told.indexed_at, indexed_at)
    return msgspec.structs.replace(told, sort_at=sort_at, indexed_at=indexed_at)
