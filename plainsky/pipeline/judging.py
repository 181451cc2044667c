"""Judging again what is stored: when a labeler changed its word, a list its members, an author wants to be in no feed any more.

Promise: afterwards the feeds hold what they would hold if all that is known now had been known from the beginning. To be called in the
transaction that stores what became known; `apply_quotas` must follow with what is returned.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from feedgen.matcher import Matcher
from feedgen.opt_out import OptOut
from labeler.issuer import Issuer
from labeler.judge import Judge
from models import accounts, cursors, entries, known_labels, labels, opt_outs, posts
from models.accounts import Account
from models.database import Session
from models.entries import Touched
from models.lists import Copy
from models.post import OURS
from models.protocol.syntax import parse_at_uri
from plainsky.knowing.known import Known
from plainsky.pipeline.entering import Entered, Layout, judged


class Rooms(msgspec.Struct, frozen=True):
    """What the rooms decide with. Without a labeler, judge and issuer are None; `opt_out` is None when nobody can ask by a post."""

    layout: Layout
    matcher: Matcher
    judge: Judge | None
    issuer: Issuer | None
    opt_out: OptOut | None = None
    known: Known = Known()
    """What the matcher was made with."""
    lists: frozenset[str] = frozenset()
    """The at-uris of the lists that rules name."""

    def with_list(self, copy: Copy) -> "Rooms":
        """The same, where a list was read anew."""
        known = self.known.with_list(copy)
        return msgspec.structs.replace(self, known=known, matcher=known.matcher(self.layout.feeds))

    @property
    def own_src(self) -> str | None:
        """The DID that our own labels speak for."""
        return self.issuer.src_did if self.issuer else None


STEP = 1_000
"""Posts judged at once."""
LABELS_AT_ONCE = 10_000


def rejudge(session: Session, rooms: Rooms, post_ids: Collection[int], now: int) -> tuple[set[int], set[Touched]]:
    """Judge these posts again, as labelers see them at `now` (µs): the numbers of the feeds that changed, and what quotas must look at."""
    changed: set[int] = set()
    touched: set[Touched] = set()
    ids = sorted(set(post_ids))
    for at in range(0, len(ids), STEP):
        step = ids[at : at + STEP]
        left = entries.remove(session, step)
        entered = Entered(rooms.layout)
        judged(session, rooms.matcher, rooms.own_src, posts.these(session, step), now, entered)
        entered.write(session)
        changed.update(touch.feed_id for touch in left)
        changed.update(entered.feeds)
        touched |= left | entered.touched
    return changed, touched


def relabelled(session: Session, rooms: Rooms, before: int, now: int) -> set[int]:
    """The posts of which our own labeler has said something new, or on which a label ran out since `before` (µs)."""
    uris = set(known_labels.expired(session, before, now))
    if rooms.own_src and {OURS, rooms.own_src} & rooms.matcher.labelers.keys():
        uris.update(_own(session, rooms.own_src), labels.expired(session, rooms.own_src, before, now))
    return posts_about(session, uris)


def _own(session: Session, own_src: str) -> list[str]:
    """What our own labeler spoke of since this was last asked."""
    stream = f"labels {own_src}"
    read = cursors.of_host(session, stream)
    found = labels.subjects_since(session, read[0] if read else 0, LABELS_AT_ONCE)
    if found:
        cursors.save_aside(session, stream, found[-1][0])
    return [uri for _, uri in found]


def posts_about(session: Session, uris: Iterable[str]) -> set[int]:
    """The stored posts that these are the uris, or the authors' DIDs, of."""
    parsed = [parse_at_uri(uri) for uri in uris if uri.startswith("at://")]
    records = [(uri.authority, uri.rkey) for uri in parsed if uri and uri.rkey and uri.collection == "app.bsky.feed.post"]
    dids = {uri for uri in uris if uri.startswith("did:")}
    known = accounts.find(session, [*dids, *{did for did, _ in records}])
    wanted = [(rkey, known[did].id) for did, rkey in records if did in known]
    found = {post.id for post in posts.find(session, wanted).values() if post.live}
    return found | posts_by(session, dids)


def posts_by(session: Session, dids: Collection[str]) -> set[int]:
    """The stored posts of these authors."""
    return {post_id for account in accounts.find(session, dids).values() for post_id in posts.ids_of_account(session, account.id)}


def asked(session: Session, said: Sequence[tuple[Account, str, Collection[str]]]) -> set[str]:
    """Remember what posts ask. said: author, rkey and marks of each. Returns the DIDs for which `settle` must follow."""
    now = {opt_outs.OptOut(account.id, rkey, mark) for account, rkey, marks in said for mark in marks}
    before = opt_outs.of_posts(session, [(account.id, rkey) for account, rkey, _ in said if account.opted_out])
    opt_outs.add(session, now - before)
    opt_outs.remove(session, before - now)
    return {account.did for account, _, marks in said if marks or account.opted_out}


def settle(session: Session, concerned: Sequence[Account]) -> tuple[list[Account], set[Touched]]:
    """Let the feeds follow what `opt_out` says of these authors: the accounts that changed, and what was touched."""
    out = opt_outs.remaining(session, [account.id for account in concerned])
    turned = [account for account in concerned if account.opted_out != (account.id in out)]
    changed = [msgspec.structs.replace(account, opted_out=not account.opted_out) for account in turned]
    touched: set[Touched] = set()
    for account in changed:
        if account.active:
            follow = entries.hide if account.opted_out else entries.show
            touched |= follow(session, posts.ids_of_account(session, account.id))
    accounts.update(session, changed)
    return changed, touched
