"""A pipeline that also learns: lists are read, labelers are heard, authors are written down. Its feeds ask for all of that."""

from typing import Any

from feedgen.feed import Feed, Quota
from feedgen.opt_out import OptOut
from feedgen.rules import load
from models import opt_outs
from models.database import Database
from models.duration import duration
from models.known_labels import KnownLabel
from models.lists import Copy
from models.opt_outs import CONFIG
from plainsky.ingest import Position
from plainsky.pipeline.learning import labels_read, list_read, opted_out
from tests.support.garden import at
from tests.support.kept import Kept
from tests.support.neighbours import LABELER, list_uri, members

FRIENDS, PACK, ASKING = list_uri("friends"), list_uri("pack", "starterpack"), list_uri("asking")
ASKS = OptOut(hashtags=("#NoFeeds",), self_labels=("no-feeds",))


def feed(rkey: str, *include: Any, exclude: tuple[Any, ...] = (), quota: Quota | None = None) -> Feed:
    return Feed(rkey=rkey, name=rkey, include=include, exclude=exclude, window=duration("2w"), per_author=quota)


GARDEN = load("hashtag")(any=("garden",))
BAD = load("label")(any=("spam", "plainsky-test"), by=("self", "ours", LABELER))
FEEDS = (
    feed("friends", load("list")(any=(FRIENDS,))),
    feed("pack", load("starter_pack")(any=(PACK,)), exclude=(BAD,), quota=Quota(1, duration("1h"))),
    feed("clean", GARDEN, exclude=(BAD,)),
    feed("spammers", load("label")(any=("spam",), by=(LABELER,), on=("account",))),
    feed("flagged", load("label")(any=("spam",), by=(LABELER,), on=("post",))),
    feed("garden", GARDEN, exclude=(load("list")(any=(FRIENDS,)),)),
)


class Learning(Kept):
    """A pipeline that also learns."""

    def __init__(self, database: Database, **more: Any) -> None:
        super().__init__(database, FEEDS, opt_out=more.pop("opt_out", ASKS), **more)

    def read_list(self, where: str, *numbers: int, opts_out: bool = False) -> None:
        """These accounts are on a list now."""
        rooms, copy = self.storer.rooms, Copy(where, "Friends", 1, frozenset(members(numbers)))
        informed = rooms.with_list(copy) if where in rooms.lists else None
        self.database.write_now(list_read, self.storer, copy, informed, opts_out)

    def hear(self, *labels: KnownLabel, cursor: int = 1) -> None:
        """A labeler said this."""
        self.database.write_now(labels_read, self.storer, "labels x", labels, cursor)

    def write_down(self, *numbers: int) -> None:
        """The operator writes these accounts down."""
        listed = self.database.read_now(opt_outs.of_source, ASKING)
        self.database.write_now(opted_out, self.storer, {CONFIG: members(numbers), ASKING: listed})

    def pass_time(self, second: int) -> None:
        """The log goes on, without events."""
        self.database.write_now(self.storer.store, self.storer.fold([]), Position("wss://relay.example", 1, at(second)))

    def out(self) -> set[str]:
        """Who is in no feed."""
        return {one for (one,) in self.database.read_now(lambda session: session.execute("SELECT did FROM account WHERE opted_out = 1"))}


def label(of: str, val: str = "spam", second: int = 1, seq: int = 1, **more: Any) -> KnownLabel:
    """A label of LABELER; exp in seconds."""
    exp = at(more.pop("exp")) if "exp" in more else None
    return KnownLabel(of, more.pop("src", LABELER), val, more.pop("cid", ""), more.pop("neg", False), at(second), seq, exp, **more)


def asking(event: Any, val: str = "no-feeds") -> Any:
    """The post with a self-label."""
    event.record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": val}]}
    return event
