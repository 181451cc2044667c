"""What becomes of judged posts in the feeds: entries with their reasons and places, groups, and what the quotas must look at again."""

from collections.abc import Mapping, Sequence

import msgspec

from feedgen.feed import Feed
from feedgen.matcher import Admission, Matcher
from feedgen.orders import Placer, placers
from feedgen.skeleton import feed_context, item
from models import entries, known_labels, labels, quotas
from models.database import Session
from models.entries import Touched
from models.known_labels import Standing
from models.post import OURS, label_of
from models.posts import Seen, uri_of
from models.quotas import Quotas


class Layout(msgspec.Struct, frozen=True):
    """The configured feeds as the database numbers them, and what their entries need: `feeds[i]` has the number `feed_ids[i]`."""

    feeds: Sequence[Feed]
    feed_ids: Sequence[int]
    quotas: Mapping[int, Quotas]
    """By number, the feeds that hold posts back."""
    placers: Mapping[int, Placer]
    """By index, the feeds with a place of their own for each post."""
    grouped: Mapping[int, Feed]
    """By number, the feeds whose entries are found by author or thread."""


def layout(feeds: Sequence[Feed], feed_ids: Sequence[int]) -> Layout:
    """What the pipeline needs to know of the feeds."""
    numbered = dict(zip(feed_ids, feeds, strict=True))
    allowed = {
        feed_id: Quotas(feed.per_author, feed.per_thread) for feed_id, feed in numbered.items() if feed.per_author or feed.per_thread
    }
    grouped = {feed_id: feed for feed_id, feed in numbered.items() if feed.followed or feed.per_thread}
    return Layout(feeds, feed_ids, allowed, placers(feeds), grouped)


class Entered:
    """Gathers the entries of some posts; `write` stores them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.rows: list[entries.Entry] = []
        self.touched: set[Touched] = set()
        self._groups: list[entries.Group] = []

    def add(self, admissions: Sequence[Admission], seen: Seen) -> None:
        """The entries of one post, with their reasons."""
        layout, rows, uri = self._layout, self.rows, uri_of(seen.account.did, seen.rkey)
        state = entries.SHOWN if seen.account.visible else entries.HIDDEN
        ids, at, tie, post_id, first = layout.feed_ids, seen.sort_at, entries.tie_of(uri), seen.id, len(rows)
        for why in admissions:
            if layout.placers and not layout.placers.keys().isdisjoint(why.feeds):
                self._add_placed(why, seen, uri, state, tie)
                continue
            served = item(uri, feed_context(why.rule, why.kind, why.words))
            for feed in why.feeds:  # mostly one or two: a comprehension costs as much again
                rows.append((ids[feed], state, at, tie, post_id, served))
        if layout.quotas or layout.grouped:
            self._note(rows[first:], seen)

    def _add_placed(self, why: Admission, seen: Seen, uri: str, state: int, tie: int) -> None:
        for feed in why.feeds:
            placer = self._layout.placers.get(feed)
            at, words = placer.place(seen.sort_at, seen.indexed_at, seen.post) if placer else (seen.sort_at, "")
            served = item(uri, feed_context(why.rule, why.kind, why.words, words))
            self.rows.append((self._layout.feed_ids[feed], state, at, tie, seen.id, served))

    def _note(self, rows: Sequence[entries.Entry], seen: Seen) -> None:
        layout = self._layout
        thread: int | None = None
        for feed_id, _, sort_at, *_ in rows:
            feed = layout.grouped.get(feed_id)
            if feed is not None and feed.followed:
                self._groups.append((feed_id, entries.AUTHOR, seen.account.id, sort_at, seen.id))
            if feed is not None and feed.per_thread:
                thread = entries.tie_of(seen.post.reply_root or seen.uri)
                self._groups.append((feed_id, entries.THREAD, thread, seen.sort_at, seen.id))
            if feed_id in layout.quotas:
                self.touched.add(Touched(feed_id, seen.account.id, seen.sort_at, thread))

    @property
    def feeds(self) -> set[int]:
        """The numbers of the feeds that something enters."""
        return {row[0] for row in self.rows}

    def write(self, session: Session) -> None:
        """Store the entries of posts that stand in no feed of theirs yet; `quotas.apply` must follow."""
        entries.add_new(session, self.rows)
        if self._groups:
            entries.group(session, self._groups)

    def write_absent(self, session: Session, feed_ids: frozenset[int]) -> None:
        """The same for some feeds, where posts may stand already."""
        self.rows = [row for row in self.rows if row[0] in feed_ids]
        self.touched = {touch for touch in self.touched if touch.feed_id in feed_ids}
        entries.add(session, self.rows)
        entries.group(session, [group for group in self._groups if group[0] in feed_ids])


def judged(session: Session, matcher: Matcher, own_src: str | None, posts: Sequence[Seen], now: int, entered: Entered) -> None:
    """Ask all rules about these posts, as labelers see them at `now` (µs), and gather the entries."""
    here = labelled(session, matcher, own_src, posts, now)
    for seen, admissions in zip(here, matcher.match_each([(seen.account.did, seen.post) for seen in here]), strict=True):
        if admissions:
            entered.add(admissions, seen)


def labelled(session: Session, matcher: Matcher, own_src: str | None, posts: Sequence[Seen], now: int) -> Sequence[Seen]:
    """The posts with what labelers that rules ask say of them at `now` (µs)."""
    told = _labels(session, matcher, own_src, posts, now) if matcher.labelers else {}
    return [_with_labels(seen, told[seen.uri]) if told.get(seen.uri) else seen for seen in posts] if told else posts


def _with_labels(seen: Seen, labels: tuple[str, ...]) -> Seen:
    return msgspec.structs.replace(seen, post=msgspec.structs.replace(seen.post, labels=labels))


def _labels(session: Session, matcher: Matcher, own_src: str | None, posts: Sequence[Seen], now: int) -> dict[str, tuple[str, ...]]:
    """By uri, what labelers that rules ask say of each post or its author."""
    subjects = list({subject for seen in posts for subject in (seen.uri, seen.account.did)})
    wanted = matcher.labelers
    standing = [label for label in known_labels.standing(session, subjects, now) if label.val in wanted.get(label.src, ())]
    if own_src and (OURS in wanted or own_src in wanted):
        standing += labels.standing(session, own_src, subjects, now)
    of: dict[str, list[Standing]] = {}
    for label in standing:
        of.setdefault(label.uri, []).append(label)
    return {seen.uri: _of_post(seen, of, own_src) for seen in posts} if of else {}


def _of_post(seen: Seen, of: Mapping[str, Sequence[Standing]], own_src: str | None) -> tuple[str, ...]:
    on_post = [("post", label) for label in of.get(seen.uri, ()) if label.cid in ("", seen.cid)]
    on_account = [("account", label) for label in of.get(seen.account.did, ()) if not label.cid]
    named = {(on, src, label.val) for on, label in (*on_post, *on_account) for src in _sources(label.src, own_src)}
    return tuple(label_of(*each) for each in sorted(named))


def _sources(src: str, own_src: str | None) -> tuple[str, ...]:
    return (src, OURS) if src == own_src else (src,)


def apply_quotas(session: Session, layout: Layout, touched: set[Touched]) -> None:
    """Hold back what the feeds' quotas do not allow, where something changed."""
    if layout.quotas and touched:
        quotas.apply(session, layout.quotas, touched)
