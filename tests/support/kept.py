"""A pipeline around a database, and what it then serves: for tests of what is stored."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from feedgen.feed import Feed, Quota
from feedgen.opt_out import OptOut
from feedgen.rules import load
from labeler.issuer import Issuer
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from models import cursors, entries
from models.database import Database
from models.duration import duration
from models.events import Event
from models.protocol.k256 import PrivateKey
from plainsky.ingest import Position
from plainsky.knowing.known import Known
from plainsky.pipeline.entering import layout
from plainsky.pipeline.judging import Rooms
from plainsky.pipeline.rebuilding import align
from plainsky.pipeline.storing import Outcome, Storer

SRC = "did:web:labels.example.org"
KEY = PrivateKey(b"\x07" * 32)
LABELS = (LabelPolicy("plainsky-test", ("gtube",), "auto"),)


def feed(rkey: str, tag: str, quota: Quota | None = None) -> Feed:
    """A feed of one hashtag."""
    return Feed(rkey=rkey, name=rkey, include=(load("hashtag")(any=(tag,)),), window=duration("2w"), per_author=quota)


FEEDS = (feed("garden", "garden"), feed("quiet", "garden", Quota(1, duration("1h"))), feed("cats", "cats"))


def migrated(path: Path, template: bytes) -> Database:
    """A SQLite database at `path`, open; the template (fixture `sqlite_template`) spares the migrations."""
    path.write_bytes(template)
    database = Database(f"sqlite:///{path}")
    database.open()
    return database


class Kept:
    """Stores events; says what the feeds show. Another `again` fills the feeds anew from what is stored."""

    def __init__(
        self,
        database: Database,
        feeds: Sequence[Feed] = FEEDS,
        now: int = 1_795_200_000_000_000,
        opt_out: OptOut | None = None,
        known: Known | None = None,
        again: str = "",
    ) -> None:
        self.database, self.feeds = database, feeds
        known = known or Known()
        judge, issuer, matcher = Judge(LABELS), Issuer(SRC, KEY, lambda: now), known.matcher(feeds)
        rooms = align(
            database,
            feeds,
            lambda ids: Rooms(layout(feeds, ids), matcher, judge, issuer, opt_out, known, known.lists_of(feeds)),
            {one.rkey: repr(one) + again for one in feeds},
        )
        self.ids = rooms.layout.feed_ids
        self.storer = Storer(rooms, duration("1d"))

    def store(self, events: Iterable[Event], cursor: int = 1) -> Outcome:
        """One batch."""
        batch = list(events)
        position = Position("wss://relay.example", cursor, batch[-1].time_us if batch else 0)
        return self.database.write_now(self.storer.store, self.storer.fold(batch), position)

    def shown(self, rkey: str = "garden") -> list[str]:
        """The feed's post uris, newest first."""
        return [entry.uri for entry in self.page(rkey)]

    def page(self, rkey: str = "garden") -> list[entries.Shown]:
        """The feed's entries, newest first."""
        number = self.ids[[one.rkey for one in self.feeds].index(rkey)]
        return self.database.read_now(entries.page, number, 0, entries.TOP, 100_000)

    def everything(self) -> dict[str, list[entries.Shown]]:
        """Every feed's entries."""
        return {one.rkey: self.page(one.rkey) for one in self.feeds}

    def position(self) -> tuple[str, int, int] | None:
        """Where the stream would be resumed."""
        return self.database.read_now(cursors.current)

    def labels(self) -> list[tuple[int, str, str, int]]:
        """(seq, uri, cid, neg) of the label log."""
        rows = self.database.read_now(lambda session: session.execute("SELECT seq, uri, cid, neg FROM label ORDER BY seq"))
        return [(row[0], row[1], row[2], row[3]) for row in rows]
