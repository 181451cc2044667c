"""What a config decides with: its feeds and labels, and who its handles and lists mean, as that is known when it is loaded."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import msgspec

from feedgen.feed import Feed
from labeler.issuer import Issuer
from labeler.judge import Judge
from models import accounts, feeds, lists
from models.changes import Effect
from models.database import Database, Session
from models.lists import Copy
from plainsky.asking.appview import Unreadable, read_list
from plainsky.asking.identity import resolve_handles
from plainsky.changing import changes as changing
from plainsky.changing.changes import in_force_of
from plainsky.config.hashing import rules_hash
from plainsky.config.schema import Config
from plainsky.knowing.following import handles_in
from plainsky.knowing.known import Known
from plainsky.opening import exists, opened
from plainsky.pipeline.entering import layout
from plainsky.pipeline.judging import Rooms
from plainsky.pipeline.rebuilding import Plan, Record


class Deciding(msgspec.Struct, frozen=True):
    """`judge` and `issuer` are None without a labeler."""

    config: Config
    known: Known
    judge: Judge | None = None
    issuer: Issuer | None = None

    @property
    def feeds(self) -> Sequence[Feed]:
        """As configured."""
        return self.config.feeds

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of each feed's rules, by rkey."""
        return {feed.rkey: rules_hash(feed, self.known.handles) for feed in self.config.feeds}

    def rooms(self, feed_ids: Sequence[int]) -> Rooms:
        """What the pipeline decides with, given the number of each feed."""
        configured, known = self.config.feeds, self.known
        asks = self.config.opt_out if self.config.opt_out.marks else None
        return Rooms(
            layout(configured, feed_ids), known.matcher(configured), self.judge, self.issuer, asks, known, known.lists_of(configured)
        )

    def with_lists(self, copies: Mapping[str, Copy]) -> "Deciding":
        """The same with these copies of lists, by at-uri."""
        return msgspec.structs.replace(self, known=Known(self.known.handles, copies))

    def record(self, reason: str, now: int, of_labels: Mapping[str, Effect]) -> Record:
        """Writes down what is different from before, at `now` (µs). of_labels: by value, what becomes of the stored posts."""

        def write(session: Session, plan: Plan) -> None:
            changing.record(session, in_force_of(self.config, self.known.handles), plan, reason, now, of_labels.get)

        return write

    def numbers(self, session: Session) -> list[int] | None:
        """The number of each feed, as another process made them; None while it has not made all, by these rules."""
        known, hashes = feeds.known(session), self.hashes
        if any(rkey not in known or known[rkey].rules_hash != hash for rkey, hash in hashes.items()):
            return None
        return [known[rkey].id for rkey in hashes]


async def known_now(config: Config, database: Database, writes: bool) -> Known:
    """The config's handles with their DIDs, as they are now or were last known to be, and the lists as they were last read.

    writes: what is found out is stored.
    """
    wanted = handles_in(config)
    told = await resolve_handles(config.identity.resolver, wanted)
    if writes and told:
        await database.write(accounts.learn, told)
    handles = await database.read(accounts.by_handle, wanted) | told if wanted else {}
    return Known(handles, await database.read(lists.known))


async def known_for(configs: Sequence[Config], offline: bool = False) -> tuple[Known, list[str]]:
    """What the first config's database knows for all of them, and else the resolver and the AppView; what nobody could tell, in words.

    For commands: nothing is stored. offline: nobody is asked.
    """
    config, notes = configs[0], list[str]()
    wanted = sorted({handle for each in configs for handle in handles_in(each)})
    with opened(config) if exists(config) else nullcontext() as database:
        handles = await database.read(accounts.by_handle, wanted) if database and wanted else {}
        copies = await database.read(lists.known) if database else {}
    left = [handle for handle in wanted if handle not in handles]
    handles |= {} if offline else await resolve_handles(config.identity.resolver, left)
    notes += [f"nobody could say who {handle} is: rules that name it match nobody there" for handle in left if handle not in handles]
    known = Known(handles, copies)
    uris = {uri for each in configs for uri in (*known.lists_of(each.feeds), *each.opt_out.list_uris(handles.get))}
    for uri in sorted(uris - copies.keys()):
        try:
            read = None if offline else await read_list(config.appview.url, uri)
        except Unreadable as error:
            read, why = None, f": {error}"
        else:
            why = ""
        known = known.with_list(Copy(uri, read.name, 0, read.members)) if read else known
        notes += [] if read else [f"the list {uri} could not be read: nobody is on it here{why}"]
    return known, notes


def numbered(rooms: Rooms) -> dict[str, int]:
    """The number of each feed, by rkey."""
    return {feed.rkey: feed_id for feed, feed_id in zip(rooms.layout.feeds, rooms.layout.feed_ids, strict=True)}


def links_of(config: Config) -> dict[str, str]:
    """The operator's own pages, as describeFeedGenerator tells them."""
    links = {"privacyPolicy": config.service.links.privacy_policy, "termsOfService": config.service.links.terms_of_service}
    return {name: link for name, link in links.items() if link}
