"""A batch under way: what it writes, table by table. Lives as long as its transaction.

Everything that must be judged is judged from values; everything that is written is written here.
"""

from collections.abc import Collection, Sequence

import msgspec

from labeler.issuer import Deleted, Judged
from labeler.judge import Judge
from models import accounts, decisions, entries, moves, opt_outs, posts
from models.accounts import Account
from models.database import Session
from models.events import AccountChanged
from plainsky.pipeline.entering import Entered, apply_quotas, judged
from plainsky.pipeline.folding import Ended, Folded, Told, earliest
from plainsky.pipeline.judging import Rooms, asked, rejudge, relabelled, settle


class Work:
    """What one transaction does; its steps are to be taken in the order in which they stand here."""

    def __init__(self, session: Session, folded: Folded, rooms: Rooms) -> None:
        self.session, self.folded, self.rooms = session, folded, rooms
        self.accounts: dict[str, Account] = {}
        self.feeds: set[int] = set()
        """Numbers of the feeds whose entries change."""
        self.dropped: dict[str, int] = {"malformed_record": folded.malformed} if folded.malformed else {}
        self._posts = folded.posts
        self._touched: set[entries.Touched] = set()
        """What quotas must look at again, and perhaps more."""
        self._written: list[tuple[int, Account, Told]] = []
        """What was stored: each post by its number, as it is now."""
        self._labels: list[Judged | Deleted] = []
        self._buried: set[str] = set()
        self._stood: set[moves.Stood] = set()
        """Where edited posts stood in the feeds."""

    def change_accounts(self) -> None:
        """Account events and repo resets: what was there of these accounts is hidden, shown, forgotten, or to be looked at again."""
        self._end()
        changed = [new for event in self.folded.accounts.values() if (new := _changed(self.accounts[event.did], event))]
        for new in changed:
            self._follow(self.accounts[new.did], new)
            self.accounts[new.did] = new
        told = {did for did, _ in self._posts} if self.folded.resets else set()
        for event in self.folded.resets.values():
            account = self.accounts[event.did]
            stale = account.reset_rev is not None and account.reset_rev >= event.rev
            if not stale and (event.did in told or posts.ids_of_account(self.session, account.id)):
                # `plainsky.knowing.rechecking` asks the repo what is left.
                self.accounts[event.did] = msgspec.structs.replace(account, reset_rev=event.rev)
                changed.append(self.accounts[event.did])
        accounts.update(self.session, changed)
        accounts.set_handles(self.session, self.folded.handles)

    def _end(self) -> None:
        """Accounts that were deleted and came back within the batch: as if batches had been cut in between."""
        ended = {did: end for did, end in self.folded.ended.items() if self.accounts[did].changed_at <= end.deleted_at}
        for did in ended:
            self._bury(self.accounts[did])
        if ended:
            self._posts = {(did, rkey): _ended(told, ended.get(did)) for (did, rkey), told in self._posts.items()}

    def _follow(self, old: Account, new: Account) -> None:
        if new.gone:
            self._bury(new)
        elif old.visible and not new.visible:
            self._touch(entries.hide(self.session, posts.ids_of_account(self.session, new.id)))
        elif new.visible and not old.visible:
            self._touch(entries.show(self.session, posts.ids_of_account(self.session, new.id)))

    def _bury(self, account: Account) -> None:
        """Nothing is kept of what a deleted account said, and nothing is said of it any more."""
        told = posts.of_account(self.session, account.id)
        ids = [post.id for post in told]
        self._touch(entries.remove(self.session, ids))
        posts.bury(self.session, ids)
        opt_outs.take_back(self.session, account.id)
        self._buried.add(account.did)
        if self.rooms.issuer:
            self._labels += [Deleted(uri) for uri in decisions.uris_of(self.session, account.did)]

    def _touch(self, touched: set[entries.Touched]) -> None:
        self._touched |= touched
        self.feeds.update(touch.feed_id for touch in touched)

    def write_posts(self, last_id: int) -> int:
        """Insert, change and bury posts with their entries; return the last number given."""
        last_id, met = self._write_new(last_id)
        if met:
            last_id = self._write_met(met, last_id)
        return last_id

    def _write_new(self, last_id: int) -> tuple[int, list[Told]]:
        """Insert what is likely new, without a look whether it is; return the last number given, and all posts that need the look."""
        new: list[posts.NewPost] = []
        written: list[tuple[int, Account, Told]] = []
        met: list[Told] = []
        for told in self._posts.values():
            account = self.accounts[told.did]
            if told.likely_new and account.active and not told.imported:
                last_id += 1
                new.append(_row(last_id, account, told))
                written.append((last_id, account, told))
            else:
                met.append(told)
        known = posts.add(self.session, new)
        if known:
            met += [told for post_id, _, told in written if post_id in known]
            written = [each for each in written if each[0] not in known]
        self._written += written
        if self.rooms.judge:
            for _, _, told in written:
                self._judge_labels(self.rooms.judge, told, known=False)
        return last_id, met

    def _write_met(self, met: Sequence[Told], last_id: int) -> int:
        """Posts that were met before, or may have been."""
        stored = posts.find(self.session, [(told.rkey, self.accounts[told.did].id) for told in met])
        new: list[posts.NewPost] = []
        newer: list[posts.NewPost] = []
        left: list[int] = []
        edited: list[int] = []
        for told in met:
            account = self.accounts[told.did]
            before = stored.get((told.rkey, account.id))
            if before is None:
                if news := self._let_past(told, account):
                    last_id += 1
                    new.append(_row(last_id, account, news))
                    self._write(last_id, account, news, known=False)
            elif news := self._news(told, account, before):
                newer.append(_row(before.id, account, news))
                if before.live:
                    left.append(before.id)
                    if news.post:
                        edited.append(before.id)
                self._write(before.id, account, news, known=before.live)
        self._stood = moves.standing(self.session, edited)
        self._touch(entries.remove(self.session, left))
        posts.add(self.session, new)
        posts.update(self.session, newer)
        return last_id

    def _let_past(self, told: Told, account: Account) -> Told | None:
        """What is stored of a post that is newer than what stands here; of one that is kept out a tombstone at most.

        Imports may ask to opt out as well. A late repeat of what they asked must be known as such, and so must what somebody said while
        his account was deleted, for it may come back.
        """
        if told.post is None:
            return told
        if not (account.gone or told.imported):
            return told
        self._drop("account_deleted" if account.gone else "import")
        asks = self.rooms.opt_out
        if not account.gone and told.likely_new and (asks is None or not asks.asks(told.did, told.post)):
            return None
        return msgspec.structs.replace(told, post=None, cid=None)

    def _news(self, told: Told, account: Account, before: posts.Stored) -> Told | None:
        """What is to be written of a post that was met before; None for a repeat."""
        if told.rev > before.rev:
            newer = self._let_past(told, account)
            return newer and earliest(newer, before.sort_at, before.indexed_at)
        # An older version came late, or a repeat along with one. If its place is earlier, what stands here moves there.
        moved = earliest(msgspec.structs.replace(told, sort_at=before.sort_at, indexed_at=before.indexed_at), told.sort_at, told.indexed_at)
        if moved.sort_at == before.sort_at and moved.indexed_at == before.indexed_at:
            return None
        post = posts.unpacked(posts.body(self.session, before.id)) if before.live else None
        return msgspec.structs.replace(moved, rev=before.rev, cid=before.cid, post=post, likely_new=False)

    def _drop(self, reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def _write(self, post_id: int, account: Account, told: Told, known: bool) -> None:
        self._written.append((post_id, account, told))
        if self.rooms.judge:
            self._judge_labels(self.rooms.judge, told, known)

    def _judge_labels(self, judge: Judge, told: Told, known: bool) -> None:
        if told.post is not None:
            verdicts = judge.judge(told.did, told.post)
            if verdicts or known or not told.likely_new:  # a label may outlive the post in our store
                self._labels.append(Judged(posts.uri_of(told.did, told.rkey), told.cid or "", verdicts, told.post if verdicts else None))
        else:
            self._labels.append(Deleted(posts.uri_of(told.did, told.rkey)))

    def label(self) -> bool:
        """Issue and negate labels; True when the stream has something new."""
        if self.rooms.issuer is None or not self._labels:
            return False
        return self.rooms.issuer.apply(self.session, self._labels)

    def opt_out(self) -> None:
        """Follow authors who ask, by a post, to be in no feed, or who took such a post back."""
        said = [(account, told.rkey, self._marks(account, told)) for _, account, told in self._written] if self.rooms.opt_out else []
        concerned = sorted(self._buried | asked(self.session, said))
        settled, touched = settle(self.session, [self.accounts[did] for did in concerned])
        self._touch(touched)
        self.accounts.update((account.did, account) for account in settled)

    def _marks(self, account: Account, told: Told) -> Collection[str]:
        """What a post asks with; also one that is kept out, but for those of deleted accounts."""
        if account.gone:
            return ()
        said = self._posts[told.did, told.rkey]
        post = said.post if said.rev == told.rev else told.post
        return self.rooms.opt_out.asks(told.did, post) if self.rooms.opt_out and post else ()

    def enter(self, before: int, now: int) -> None:
        """Put into the feeds what enters them; the log's time moves from `before` to `now` (µs)."""
        rooms = self.rooms
        here = [seen(post_id, self.accounts[told.did], told) for post_id, _, told in self._written if told.post is not None]
        entered = Entered(rooms.layout)
        judged(self.session, rooms.matcher, rooms.own_src, here, now, entered)
        entered.write(self.session)
        moves.remember(self.session, self._stood, {post_id: told.time_us for post_id, _, told in self._written} if self._stood else {})
        self.feeds |= entered.feeds
        self._touched |= entered.touched
        if rooms.matcher.labelers:
            changed, touched = rejudge(self.session, rooms, relabelled(self.session, rooms, before, now), now)
            self.feeds |= changed
            self._touched |= touched
        apply_quotas(self.session, rooms.layout, self._touched)


def _changed(account: Account, event: AccountChanged) -> Account | None:
    """The account after an event; None when a later event was handled already, or this very one."""
    if event.time_us < account.changed_at:
        return None
    if (event.active, event.status, event.time_us) == (account.active, account.status, account.changed_at):
        return None
    return msgspec.structs.replace(account, active=event.active, status=event.status, changed_at=event.time_us)


def _ended(told: Told, end: Ended | None) -> Told:
    if end is None or told.time_us >= end.until:
        return told
    return msgspec.structs.replace(told, post=None, cid=None, likely_new=False, imported=False)


def _row(post_id: int, account: Account, told: Told) -> posts.NewPost:
    body = None if told.post is None else posts.packed(told.post)
    return post_id, account.id, told.rkey, told.rev, told.cid, told.sort_at, told.indexed_at, body


def seen(post_id: int, account: Account, told: Told) -> posts.Seen:
    """A post of a batch, as it is judged."""
    assert told.post is not None
    return posts.Seen(post_id, account, told.rkey, told.cid or "", told.sort_at, told.indexed_at, told.post)
