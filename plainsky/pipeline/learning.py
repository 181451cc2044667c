"""What becomes known beside the posts: who is on a list, what labelers say, who opted out.

Promise: the feeds change in the transaction that stores the news, between two batches; nothing is lost or doubled when it fails. The
functions run in the database's writer thread, as `plainsky.pipeline.storing.Storer` does; `learn` is the way there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Concatenate, ParamSpec

import msgspec

from feedgen.opt_out import OptOut
from models import accounts, cursors, feeds, known_labels, lists, opt_outs, posts, settings
from models.database import Database, Session
from models.entries import Touched
from models.known_labels import KnownLabel
from models.lists import Copy
from models.opt_outs import CONFIG
from plainsky.pipeline.entering import apply_quotas
from plainsky.pipeline.judging import STEP, Rooms, posts_about, posts_by, rejudge, settle
from plainsky.pipeline.storing import Outcome, Storer

P = ParamSpec("P")

MARKS = "opt-out marks"
"""The setting that says with which marks the stored posts were looked through."""


async def learn(
    database: Database, storer: Storer, news: Callable[Concatenate[Session, Storer, P], Outcome], *args: P.args, **kwargs: P.kwargs
) -> Outcome:
    """Store what became known; when the transaction is lost, the storer decides by what was known before."""
    async with storer.turn:
        before = storer.rooms
        try:
            return await database.write(news, storer, *args, **kwargs)
        except Exception:  # not when the wait is given up: the transaction goes on
            storer.rooms = before
            storer.forget()
            raise


def list_read(session: Session, storer: Storer, copy: Copy, rooms: Rooms | None, opts_out: bool) -> Outcome:
    """A list was read; `rooms`, where rules ask for it, know who is on it now, and are used from here on.

    opts_out: who is on it is in no feed.
    """
    changed = lists.keep(session, copy)
    outcome = _opted_out(session, storer, copy.uri, copy.members if opts_out else frozenset())
    if rooms is None:
        return outcome
    storer.rooms = rooms
    again = _again(session, storer, posts_by(session, changed))
    return msgspec.structs.replace(again, feeds=again.feeds | outcome.feeds)


def labels_read(session: Session, storer: Storer, stream: str, told: Sequence[KnownLabel], cursor: int) -> Outcome:
    """Another labeler's stream was read up to `cursor`."""
    known_labels.keep(session, told)
    cursors.save_aside(session, stream, cursor)
    return _again(session, storer, posts_about(session, {label.uri for label in told}))


def opted_out(session: Session, storer: Storer, by_source: Mapping[str, Collection[str]]) -> Outcome:
    """Who is out because of the config and of lists, as far as they are known, is exactly this; nobody is because of another list."""
    sources = {CONFIG: frozenset[str](), **dict.fromkeys(opt_outs.lists(session), frozenset[str]()), **by_source}
    outcomes = [_opted_out(session, storer, source, dids) for source, dids in sorted(sources.items())]
    return _outcome(session, {feed for outcome in outcomes for feed in outcome.feeds})


def _opted_out(session: Session, storer: Storer, source: str, dids: Collection[str]) -> Outcome:
    before = opt_outs.of_source(session, source)
    concerned = accounts.meet(session, sorted(before ^ set(dids)))
    opt_outs.add(session, {opt_outs.OptOut(concerned[did].id, source) for did in set(dids) - before})
    opt_outs.remove(session, {opt_outs.OptOut(concerned[did].id, source) for did in before - set(dids)})
    return _settled(session, storer, concerned.values())


def _settled(session: Session, storer: Storer, concerned: Collection[accounts.Account]) -> Outcome:
    _, touched = settle(session, list(concerned))
    storer.forget()
    return _changed(session, storer.rooms, {touch.feed_id for touch in touched}, touched)


def look_through(database: Database, storer: Storer, asks: OptOut) -> None:
    """Bring what posts ask in line with the config: new marks count backwards, those that are configured no more count no more.

    Of posts that are not stored any more only what they asked with is known. Blocks: call it from a thread. Killed in between, it begins
    again at the next start.
    """
    known = database.read_now(settings.get, MARKS)
    before = frozenset(msgspec.json.decode(known, type=list[str]) if known else ())
    if before == asks.marks:
        return
    database.write_now(_take_back, storer, asks)
    after: int | None = 0 if asks.marks - before else None
    while after is not None:
        after = database.write_now(_look_at, storer, asks, after)
    database.write_now(settings.put, MARKS, msgspec.json.encode(sorted(asks.marks)).decode())


def _take_back(session: Session, storer: Storer, asks: OptOut) -> Outcome:
    gone = opt_outs.take_back_marks(session, asks.marks)
    return _settled(session, storer, accounts.find(session, gone).values())


def _look_at(session: Session, storer: Storer, asks: OptOut, after: int) -> int | None:
    """A step; returns the last post of it, None behind the end."""
    step = posts.scan(session, after, STEP)
    asked = {
        opt_outs.OptOut(post.account.id, post.rkey, mark): post.account.did
        for post in step
        for mark in asks.asks(post.account.did, post.post)
    }
    opt_outs.add(session, asked)
    _settled(session, storer, accounts.find(session, set(asked.values())).values())
    return step[-1].id if step else None


def _again(session: Session, storer: Storer, post_ids: set[int]) -> Outcome:
    return _changed(session, storer.rooms, *rejudge(session, storer.rooms, post_ids, cursors.log_time(session)))


def _changed(session: Session, rooms: Rooms, changed: set[int], touched: set[Touched]) -> Outcome:
    apply_quotas(session, rooms.layout, touched)
    feeds.bump(session, changed)
    return _outcome(session, changed)


def _outcome(session: Session, changed: set[int]) -> Outcome:
    return Outcome(frozenset(changed), False, {}, cursors.log_time(session))
