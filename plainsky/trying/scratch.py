"""A database for the length of a command, filled by the very pipeline that the service runs: what it then shows is what the service shows.

Events come from a recording, from Jetstream's own lookback, or posts from a service's database.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import msgspec

from feedgen.feed import Feed
from feedgen.opt_out import OptOut
from feedgen.rules import Nest, Rule
from feedgen.rules.label import Label
from labeler.foreign import Garbage, heard
from labeler.issuer import Issuer
from models import accounts, cursors, posts, settings
from models.database import Database, Row, Session
from models.duration import Duration
from models.events import Event
from models.known_labels import KnownLabel
from models.opt_outs import CONFIG
from models.post import OURS
from models.protocol.k256 import PrivateKey
from plainsky.config.schema import Config, Ingest
from plainsky.errors import OperatorError
from plainsky.ingest import Position
from plainsky.ingest.notes import LabelerNote, LabelNote, noted
from plainsky.ingest.recording import lines
from plainsky.ingest.replay import decoded
from plainsky.ingest.stretch import Shown, Stretch
from plainsky.ingest.supervisor import Supervisor
from plainsky.knowing.known import Known
from plainsky.knowing.labelers import stream_of
from plainsky.opening import usable
from plainsky.pipeline.entering import layout
from plainsky.pipeline.judging import Rooms
from plainsky.pipeline.learning import MARKS, labels_read, look_through, opted_out
from plainsky.pipeline.rebuilding import align
from plainsky.pipeline.storing import Storer
from plainsky.reading import patience_of, source_of

BATCH = 2_000
STEP = 1_000
HOST = "scratch"


@contextmanager
def scratch(url: str | None = None) -> Iterator[Database]:
    """A new SQLite file in a temporary folder, or the empty database at `url`."""
    with tempfile.TemporaryDirectory(prefix="plainsky-") as folder:
        with usable(where="--store"):
            database = Database(url or f"sqlite:///{Path(folder) / 'scratch.sqlite'}", scratch=url is None)
        try:
            with usable(where="--store"):
                database.open()
            if database.read_now(cursors.log_time) or database.read_now(posts.last_id):
                raise OperatorError(f"{url}: there is something in this database; give an empty one")
            yield database
        finally:
            database.close()


class House(msgspec.Struct):
    """The pipeline around a scratch database."""

    database: Database
    feeds: Sequence[Feed]
    ids: Sequence[int]
    storer: Storer
    followed: dict[str, frozenset[str]] = {}
    """By DID, the labelers whose stream the recording holds, and the values that it was asked for."""
    events: int = 0
    log_time: int = 0
    first_time: int = 0

    @classmethod
    def of(cls, database: Database, feeds: Sequence[Feed], known: Known, config: Config, played: bool = False) -> "House":
        """These feeds, filled from what is stored there; all else is as in the config. No post is judged for labels.

        played: what comes is from a recording, which knows our own labeler by its DID, like any other.
        """
        if played and config.labeler:
            feeds = [by_name(feed, config.labeler_did) for feed in feeds]
        asks = config.opt_out if config.opt_out.marks else None
        # Nothing that it signs leaves the database: it only says whose labels are our own.
        issuer = Issuer(config.labeler_did, PrivateKey(), lambda: 0) if config.labeler and not played else None

        def rooms_of(ids: Sequence[int]) -> Rooms:
            return Rooms(layout(feeds, ids), known.matcher(feeds), None, issuer, asks, known, known.lists_of(feeds))

        rooms = align(database, feeds, rooms_of, {feed.rkey: "scratch" for feed in feeds})
        house = cls(database, feeds, rooms.layout.feed_ids, Storer(rooms, config.ingest.import_after))
        house.opt_out(config.opt_out)
        return house

    def opt_out(self, asks: OptOut) -> None:
        """From now on authors are out of all feeds for the reasons of this config, also by what they said before."""
        rooms = self.storer.rooms
        resolve, copies = rooms.known.handles.get, rooms.known.lists
        self.storer.rooms = msgspec.structs.replace(rooms, opt_out=asks if asks.marks else None)
        look_through(self.database, self.storer, asks)
        listed = {uri: copies[uri].members for uri in asks.list_uris(resolve) if uri in copies}
        self.database.write_now(opted_out, self.storer, {CONFIG: asks.dids(resolve), **listed})

    def opt_out_anew(self, asks: OptOut, kept: Collection[int]) -> dict[int, int]:
        """`opt_out`, while what these feeds hold now is kept under other numbers, which are returned."""
        self.database.write_now(_set_aside, kept)
        self.opt_out(asks)
        self.database.write_now(_put_back)
        return {feed_id: _aside(feed_id) for feed_id in kept}

    def store(self, events: Sequence[Event]) -> None:
        """One batch."""
        if not events:
            return
        self.first_time = self.first_time or events[0].time_us
        self.events += len(events)
        self.log_time = max(self.log_time, *[event.time_us for event in events])
        self.database.write_now(self.storer.store, self.storer.fold(events), Position(HOST, self.events, self.log_time))

    @property
    def asked(self) -> Mapping[str, frozenset[str]]:
        """By DID, the labelers whose word rules need, and the values that they ask for."""
        return self.storer.rooms.matcher.labelers

    def hear(self, notes: Sequence[LabelNote]) -> None:
        """Labels, as they stand in a recording; what is none, or is not asked for, is left out.

        They may be told a little later than they came: afterwards the feeds are the same (`plainsky.pipeline.judging`).
        """
        told: dict[str, list[KnownLabel]] = {}
        for note in notes:
            src = str(note.label.get("src"))
            with suppress(Garbage, ValueError, TypeError, KeyError):
                if one := heard(note.seq, note.fields, src, self.asked.get(src, ())):
                    told.setdefault(src, []).append(one.label)
        for src, labels in told.items():
            self.database.write_now(labels_read, self.storer, stream_of(src), labels, labels[-1].seq)

    def follows(self, note: LabelerNote) -> None:
        """From here on the recording holds what a labeler says."""
        self.followed[note.did] = frozenset(note.values)

    def unheard(self) -> Iterator[str]:
        """What labelers say and the recording does not, in words."""
        for src, values in sorted(self.asked.items()):
            if missing := sorted(values - self.followed.get(src, frozenset())):
                whose = "this service's labeler" if src == OURS else f"the labeler {src}"
                labels = " or ".join(f'"{value}"' for value in missing)
                yield f"the recording does not hold what {whose} says ({labels}): rules that ask for it match nothing here"

    def store_all(self, told: Iterable[Event | LabelerNote | LabelNote], shown: Shown = lambda done: None, end: int = 0) -> None:
        """All of these; `end` is the time (µs) of the last event, for whoever is shown how much is done."""
        batch: list[Event] = []
        labels: list[LabelNote] = []
        for one in told:
            if isinstance(one, LabelNote):
                labels.append(one)
            elif isinstance(one, LabelerNote):
                self.follows(one)
            else:
                batch.append(one)
            if len(batch) >= BATCH or len(labels) >= BATCH:
                self.store(batch)
                self.hear(labels)
                batch, labels = [], []
                shown((self.log_time - self.first_time) / max(1, end - self.first_time))
        self.store(batch)
        self.hear(labels)


def recorded(path: Path) -> Iterator[Event | LabelerNote | LabelNote]:
    """The events and labels of a recording; other lines are left out. OperatorError when there is no recording."""
    for line in lines(path):
        event = decoded(line)
        if event is not None:
            yield event
        elif isinstance(note := noted(line), LabelerNote | LabelNote):
            yield note


def by_name(feed: Feed, own: str) -> Feed:
    """The feed, with the DID of our own labeler where rules say "ours"."""
    include, require, exclude = (tuple(_named(rule, own) for rule in part) for part in (feed.include, feed.require, feed.exclude))
    return attrs.evolve(feed, include=include, require=require, exclude=exclude)


def _named(rule: Rule, own: str) -> Rule:
    if isinstance(rule, Nest):
        return attrs.evolve(rule, rules=tuple(_named(part, own) for part in rule.rules))
    return attrs.evolve(rule, by=tuple(own if src == OURS else src for src in rule.by)) if isinstance(rule, Label) else rule


def copy_posts(source: Database, target: Database, since: Duration | None, shown: Shown = lambda done: None) -> int:
    """The live posts of a service's database, with their authors and the log's time; how many. since: only the newest stretch."""
    log_time = source.read_now(cursors.log_time)
    last, floor, copied = source.read_now(posts.last_id), log_time - since if since else None, 0
    met: set[int] = set()
    after = 0
    while step := source.read_now(posts.scan, after, STEP):
        after = step[-1].id
        wanted = [each for each in step if floor is None or each.indexed_at >= floor]
        target.write_now(_put, wanted, met)
        copied += len(wanted)
        shown(after / max(1, last))
    target.write_now(cursors.save, HOST, 1, log_time)
    return copied


def _put(session: Session, step: Sequence[posts.Seen], met: set[int]) -> None:
    new = {each.account.id: each.account for each in step if each.account.id not in met}
    accounts.add(session, new.values())
    met.update(new)
    rows = [(e.id, e.account.id, e.rkey, "", e.cid, e.sort_at, e.indexed_at, posts.packed(e.post)) for e in step]
    posts.add(session, rows)


_ENTRY = "state, sort_at, tie, post_id, item"


def _aside(feed_id: int) -> int:
    """No feed has a number below 0."""
    return -2 - feed_id


def _set_aside(session: Session, feed_ids: Collection[int]) -> None:
    """In a table of their own, for whoever is out is taken out of all that stands in `entry`."""
    session.execute(f"CREATE TABLE aside AS SELECT feed_id, {_ENTRY} FROM entry WHERE feed_id IN ({', '.join(map(str, feed_ids))})")


def _put_back(session: Session) -> None:
    session.execute(f"INSERT INTO entry (feed_id, {_ENTRY}) SELECT {_aside(0)} - feed_id, {_ENTRY} FROM aside")


def copy_opt_outs(source: Database, target: Database) -> None:
    """Why authors are in no feed, into an SQLite file that holds their posts already."""
    _copy(source, target, "opt_out", "account_id, source, mark")
    target.write_now(lambda session: session.execute("DELETE FROM opt_out WHERE account_id NOT IN (SELECT id FROM account)"))
    if marks := source.read_now(settings.get, MARKS):
        target.write_now(settings.put, MARKS, marks)


def copy_labels(source: Database, target: Database) -> None:
    """What labelers say, others and our own, from a service's database into an SQLite file."""
    for table in ("known_label", "decision", "label"):
        _copy(source, target, table, "uri, src, val, cid" if table == "known_label" else "")


def _copy(source: Database, target: Database, table: str, order: str) -> None:
    """order: its key, where that is not the first column."""
    columns = target.read_now(_columns, table)
    copied = 0
    while rows := source.read_now(_rows, table, columns, order or columns.partition(",")[0], copied):
        target.write_now(_fill, table, columns, rows)
        copied += len(rows)


def _columns(session: Session, table: str) -> str:
    return ", ".join(name for (name,) in session.execute("SELECT name FROM pragma_table_info(?)", (table,)))


def _rows(session: Session, table: str, columns: str, order: str, offset: int) -> list[Row]:
    return session.execute(f"SELECT {columns} FROM {table} ORDER BY {order} LIMIT ? OFFSET ?", (10 * STEP, offset))


def _fill(session: Session, table: str, columns: str, rows: Sequence[Row]) -> None:
    session.insert(f"INSERT INTO {table} ({columns})", rows)


async def look_back(house: House, ingest: Ingest, since: Duration, shown: Shown, now: Callable[[], float] = time.time) -> None:
    """Store what the config's Jetstream hosts still have of the newest stretch."""
    until = int(now() * 1e6) - ingest.margin

    async def store(events: Sequence[Event]) -> None:
        await asyncio.to_thread(house.store, events)
        shown(stretch.progress)

    stretch = Stretch(until - since, until, store, at_once=BATCH)
    supervisor = Supervisor(source_of(ingest), ingest.hosts, stretch, stretch.resume, patience=patience_of(ingest))
    tasks = [asyncio.create_task(supervisor.run()), asyncio.create_task(stretch.done.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    await stretch.finish()
