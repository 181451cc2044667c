"""One batch, one transaction: posts, feed entries, decisions, labels and the cursor together (invariant 1).

Everything that must be judged is judged from values; everything that is written is written here. A `Storer` is used by one thread, the
database's writer; what it remembers between batches (numbers given out, accounts met) is only kept when the transaction was.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from feedgen.feed import Feed
from feedgen.matcher import Admission, Matcher
from feedgen.skeleton import feed_context, item
from labeler.issuer import Deleted, Issuer, Judged
from labeler.judge import Judge
from models import accounts, cursors, entries, feeds, posts
from models.accounts import Account
from models.cursors import Gap
from models.database import Session
from models.duration import Duration
from models.events import AccountChanged, Event
from models.post import is_import
from plainsky.ingest import Position
from plainsky.pipeline.folding import Folded, Told, fold

ACCOUNTS_REMEMBERED = 200_000


class Outcome(msgspec.Struct, frozen=True):
    """What a batch came to, once it is stored."""

    feeds: frozenset[int]
    """Numbers of the feeds whose entries changed."""
    labelled: bool
    dropped: dict[str, int]
    log_time: int
    """Upstream time (µs) of the newest event stored; 0 when the batch had no position."""


class Rooms(msgspec.Struct, frozen=True):
    """What the rooms decide with: `feeds[i]` has the number `feed_ids[i]` in the database. Without a labeler, judge and issuer are None."""

    feeds: Sequence[Feed]
    feed_ids: Sequence[int]
    matcher: Matcher
    judge: Judge | None
    issuer: Issuer | None


def quotas_of(configured: Sequence[Feed], feed_ids: Sequence[int]) -> dict[int, entries.Quota]:
    """By number, the feeds that hold prolific authors back."""
    pairs = zip(feed_ids, configured, strict=True)
    return {feed_id: feed.per_author for feed_id, feed in pairs if feed.per_author}


def uri_of(did: str, rkey: str) -> str:
    """The at-uri of a post."""
    return f"at://{did}/app.bsky.feed.post/{rkey}"


def entry_rows(
    admissions: Sequence[Admission], feed_ids: Sequence[int], account: Account, sort_at: int, post_id: int, uri: str
) -> list[entries.Entry]:
    """The entries of one post, with their reasons."""
    state = entries.SHOWN if account.active else entries.HIDDEN
    tie = entries.tie_of(uri)
    rows: list[entries.Entry] = []
    for why in admissions:
        served = item(uri, feed_context(why.rule, why.kind, why.words))
        rows += [(feed_ids[feed], state, sort_at, tie, post_id, served) for feed in why.feeds]
    return rows


def touched_by(rows: Iterable[entries.Entry], quotas: Collection[int], account: Account) -> Iterator[entries.Touched]:
    """What the quotas must look at again because of an account's new entries."""
    return (entries.Touched(row[0], account.id, row[2]) for row in rows if row[0] in quotas)


class Storer:
    """Stores batches. Posts whose createdAt lies `import_after` further back than their event are imports, and kept out."""

    def __init__(self, rooms: Rooms, import_after: Duration) -> None:
        self._rooms, self._import_after = rooms, import_after
        self._quotas = quotas_of(rooms.feeds, rooms.feed_ids)
        self._accounts: dict[str, Account] = {}
        self._last_ids: tuple[int, int] | None = None

    def forget(self) -> None:
        """A transaction was lost, or another process wrote: remember nothing."""
        self._accounts.clear()
        self._last_ids = None

    def store(self, session: Session, events: Iterable[Event], position: Position | None, gaps: Sequence[Gap] = ()) -> Outcome:
        """Write a batch and the position it ends at."""
        work = _Work(session, fold(events), self._rooms, self._quotas, self._import_after)
        last_account, last_post = self._last_ids or (accounts.last_id(session), posts.last_id(session))
        last_account = self._meet(session, work, last_account)
        work.change_accounts()
        last_post = work.write_posts(last_post)
        labelled = work.label()
        entries.apply_quota(session, self._quotas, work.touched)
        changed = frozenset(work.feeds)
        feeds.bump(session, changed)
        if position:
            cursors.save(session, position.host, position.cursor, position.time_us)
        cursors.add_gaps(session, gaps)
        self._last_ids = (last_account, last_post)
        self._accounts.update(work.accounts)
        return Outcome(changed, labelled, work.dropped, position.time_us if position else 0)

    def _meet(self, session: Session, work: "_Work", last_id: int) -> int:
        """Find the accounts a batch speaks of, or number them; return the last number given."""
        folded = work.folded
        dids = dict.fromkeys([did for did, _ in folded.posts] + [*folded.accounts] + [*folded.resets])
        if len(self._accounts) + len(dids) > ACCOUNTS_REMEMBERED:
            self._accounts.clear()
        unknown = [did for did in dids if did not in self._accounts]
        stored = accounts.find(session, unknown) if unknown else {}
        new = [Account(last_id + number, did) for number, did in enumerate((d for d in unknown if d not in stored), 1)]
        accounts.add(session, new)
        stored.update((account.did, account) for account in new)
        work.accounts = {did: stored.get(did) or self._accounts[did] for did in dids}
        return last_id + len(new)


class _Work:
    """A batch under way: lives as long as its transaction."""

    def __init__(self, session: Session, folded: Folded, rooms: Rooms, quotas: Collection[int], import_after: Duration) -> None:
        self.session, self.folded, self.rooms, self.import_after = session, folded, rooms, import_after
        self.accounts: dict[str, Account] = {}
        self.feeds: set[int] = set()
        """Numbers of the feeds whose entries change."""
        self.touched: set[entries.Touched] = set()
        """What quotas must look at again, and perhaps more."""
        self.dropped: dict[str, int] = {"malformed_record": folded.malformed} if folded.malformed else {}
        self._quotas = quotas
        self._labels: list[Judged | Deleted] = []
        self._entries: list[entries.Entry] = []

    def change_accounts(self) -> None:
        """Account events and repo resets: what was there of these accounts is hidden, shown, forgotten, or to be looked at again."""
        changed = [new for event in self.folded.accounts.values() if (new := _changed(self.accounts[event.did], event))]
        for new in changed:
            self._follow(self.accounts[new.did], new)
            self.accounts[new.did] = new
        told = {did for did, _ in self.folded.posts} if self.folded.resets else set()
        for event in self.folded.resets.values():
            account = self.accounts[event.did]
            stale = account.reset_rev is not None and account.reset_rev >= event.rev
            if not stale and (event.did in told or posts.ids_of_account(self.session, account.id)):
                # `plainsky.rechecking` asks the repo what is left.
                self.accounts[event.did] = msgspec.structs.replace(account, reset_rev=event.rev)
                changed.append(self.accounts[event.did])
        accounts.update(self.session, changed)
        accounts.set_handles(self.session, self.folded.handles)

    def _follow(self, old: Account, new: Account) -> None:
        if new.gone:
            self._bury(new)
        elif old.active and not new.active:
            self._touch(entries.hide(self.session, posts.ids_of_account(self.session, new.id)))
        elif new.active and not old.active:
            self._touch(entries.show(self.session, posts.ids_of_account(self.session, new.id)))

    def _bury(self, account: Account) -> None:
        """Nothing is kept of what a deleted account said, and nothing is said of it any more."""
        told = posts.of_account(self.session, account.id)
        ids = [post.id for post in told]
        self._touch(entries.remove(self.session, ids))
        posts.bury(self.session, ids)
        self._labels += [Deleted(uri_of(account.did, post.rkey)) for post in told]

    def _touch(self, touched: set[entries.Touched]) -> None:
        self.touched |= touched
        self.feeds.update(touch.feed_id for touch in touched)

    def write_posts(self, last_id: int) -> int:
        """Insert, change and bury posts with their entries; return the last number given."""
        last_id, met = self._write_new(last_id)
        if met:
            last_id = self._write_met(met, last_id)
        entries.add_new(self.session, self._entries)
        return last_id

    def _write_new(self, last_id: int) -> tuple[int, list[Told]]:
        """Insert what is likely new, without a look whether it is; return the last number given, and all posts that need the look."""
        new: list[posts.NewPost] = []
        written: list[tuple[int, Account, Told]] = []
        met: list[Told] = []
        for told in self.folded.posts.values():
            account = self.accounts[told.did]
            if told.likely_new and self._let_in(told, account):
                last_id += 1
                new.append(_row(last_id, account, told))
                written.append((last_id, account, told))
            else:
                met.append(told)
        known = posts.add(self.session, new)
        for post_id, account, told in written:
            if post_id in known:
                met.append(told)
            else:
                self._judge(post_id, account, told, known=False)
        return last_id, met

    def _let_in(self, told: Told, account: Account) -> bool:
        """`_kept_out` has no reason, at one look."""
        return account.active and told.post is not None and not is_import(told.post.created_at, told.time_us, self.import_after)

    def _write_met(self, met: Sequence[Told], last_id: int) -> int:
        """Posts that were met before, or may have been."""
        stored = posts.find(self.session, [(told.rkey, self.accounts[told.did].id) for told in met])
        new: list[posts.NewPost] = []
        newer: list[posts.NewPost] = []
        left: list[int] = []
        for told in met:
            account = self.accounts[told.did]
            before = stored.get((told.rkey, account.id))
            if before is None:
                if not self._kept_out(told, account):
                    last_id += 1
                    new.append(_row(last_id, account, told))
                    self._judge(last_id, account, told, known=False)
            elif news := self._news(told, account, before):
                newer.append(_row(before.id, account, news))
                if before.live:
                    left.append(before.id)
                self._judge(before.id, account, news, known=before.live)
        posts.add(self.session, new)
        posts.update(self.session, newer)
        self._touch(entries.remove(self.session, left))
        return last_id

    def _kept_out(self, told: Told, account: Account) -> bool:
        if told.post is None:
            return False
        if account.gone:
            return self._drop("account_deleted")
        return is_import(told.post.created_at, told.time_us, self.import_after) and self._drop("import")

    def _news(self, told: Told, account: Account, before: posts.Stored) -> Told | None:
        """What is to be written of a post that was met before; None for a repeat."""
        if told.rev > before.rev:
            if before.live and told.post:
                return msgspec.structs.replace(told, sort_at=min(told.sort_at, before.sort_at))
            return None if self._kept_out(told, account) else told
        if told.rev < before.rev and before.live and told.post and told.sort_at < before.sort_at:
            # An older version came late, and its place is earlier: the newer version moves there.
            return msgspec.structs.replace(told, rev=before.rev, cid=before.cid, post=posts.unpacked(posts.body(self.session, before.id)))
        return None

    def _drop(self, reason: str) -> bool:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        return True

    def _judge(self, post_id: int, account: Account, told: Told, known: bool) -> None:
        if told.post is not None:
            admissions = self.rooms.matcher.match(told.did, told.post)
            if admissions:
                self._enter(admissions, post_id, account, told)
        if self.rooms.judge:
            self._judge_labels(self.rooms.judge, told, known)

    def _enter(self, admissions: Sequence[Admission], post_id: int, account: Account, told: Told) -> None:
        rows = entry_rows(admissions, self.rooms.feed_ids, account, told.sort_at, post_id, uri_of(told.did, told.rkey))
        self._entries += rows
        self.feeds.update([row[0] for row in rows])
        if self._quotas:
            self.touched.update(touched_by(rows, self._quotas, account))

    def _judge_labels(self, judge: Judge, told: Told, known: bool) -> None:
        if told.post is not None:
            verdicts = judge.judge(told.did, told.post)
            if verdicts or known:
                self._labels.append(Judged(uri_of(told.did, told.rkey), told.cid or "", verdicts))
        elif known:
            self._labels.append(Deleted(uri_of(told.did, told.rkey)))

    def label(self) -> bool:
        """Issue and negate labels; True when the stream has something new."""
        if self.rooms.issuer is None or not self._labels:
            return False
        return self.rooms.issuer.apply(self.session, self._labels)


def _changed(account: Account, event: AccountChanged) -> Account | None:
    """The account after an event; None when a later event was handled already, or this very one."""
    if event.time_us < account.changed_at:
        return None
    if (event.active, event.status, event.time_us) == (account.active, account.status, account.changed_at):
        return None
    return msgspec.structs.replace(account, active=event.active, status=event.status, changed_at=event.time_us)


def _row(post_id: int, account: Account, told: Told) -> posts.NewPost:
    body = None if told.post is None else posts.packed(told.post)
    return post_id, account.id, told.rkey, told.rev, told.cid, told.sort_at, told.time_us, body
