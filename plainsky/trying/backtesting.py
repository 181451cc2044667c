"""What another config would do: both configs' feeds over the same posts, feed by feed, each with the authors who opted out by its config.

Promise: it is the pipeline that decides, so quotas, orders, deletions and edits count as they do in the service.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import attrs
import msgspec

from feedgen.feed import Feed
from models import changes, differing
from models.database import Database, Session
from models.differing import NOTHING, Difference, Example, Span
from models.duration import duration
from models.entries import TOP
from models.protocol.syntax import format_datetime, parse_at_uri
from plainsky.config.hashing import rules_hash
from plainsky.knowing.known import Known
from plainsky.trying.scratch import House

EXAMPLES = 10
HOUR = duration("1h")


class Sample(msgspec.Struct, frozen=True, rename="camel"):
    """A post with the reason for which it stands in the feed: the rule and the words that matched."""

    uri: str
    url: str
    written_at: str
    text: str
    why: str


class FeedResult(msgspec.Struct, frozen=True, rename="camel"):
    """One feed by the old config against the new one. Languages count added and removed posts ("" for no language)."""

    rkey: str
    change: str
    """"added", "removed", "changed" or "same": what becomes of the feed itself."""
    added: int
    removed: int
    unchanged: int
    authors: int
    languages_added: dict[str, int]
    languages_removed: dict[str, int]
    per_hour_before: float
    per_hour_after: float
    added_examples: tuple[Sample, ...]
    removed_examples: tuple[Sample, ...]
    unchanged_examples: tuple[Sample, ...]


class Result(msgspec.Struct, frozen=True, rename="camel"):
    """The whole comparison, of `posts` posts from one time to another. `labels`: posts that set a label's signals off, by value."""

    source: str
    posts: int
    from_: str = msgspec.field(name="from")
    to: str
    feeds: tuple[FeedResult, ...]
    labels: dict[str, changes.Effect]
    notes: tuple[str, ...]


class Pair(NamedTuple):
    """A feed by both configs, None where it is not configured; with its index in `side_by_side`'s feeds."""

    rkey: str
    old: Feed | None
    new: Feed | None
    old_index: int = -1
    new_index: int = -1


def side_by_side(old: Sequence[Feed], new: Sequence[Feed], known: Known) -> tuple[list[Feed], list[Pair]]:
    """The feeds to fill, and what belongs together. A feed whose rules stay the same is filled once."""
    olds, news = ({feed.rkey: feed for feed in feeds} for feeds in (old, new))
    filled, pairs = list[Feed](), list[Pair]()
    for rkey in dict.fromkeys([*news, *olds]):
        before, after = olds.get(rkey), news.get(rkey)
        indexes = [-1, -1]
        if after:
            indexes[1] = _add(filled, after, "new")
        if before and after and rules_hash(before, known.handles) == rules_hash(after, known.handles):
            indexes[0] = indexes[1]
        elif before:
            indexes[0] = _add(filled, before, "old")
        pairs.append(Pair(rkey, before, after, *indexes))
    return filled, pairs


def _add(filled: list[Feed], feed: Feed, side: str) -> int:
    filled.append(attrs.evolve(feed, rkey=f"{side}:{feed.rkey}"))
    return len(filled) - 1


class Tested(NamedTuple):
    """Filled feeds, and the stretch of time (µs) that their posts are of. `aside`: where the old feeds are, by their number."""

    house: House
    pairs: Sequence[Pair]
    first: int
    last: int
    aside: Mapping[int, int] = {}


def result(tested: Tested, source: str, labels: dict[str, changes.Effect], notes: Iterable[str]) -> Result:
    """Compare."""
    database = tested.house.database
    feeds = tuple(_compared(database, tested, pair) for pair in tested.pairs)
    posts = database.read_now(_count)
    return Result(source, posts, format_datetime(tested.first), format_datetime(tested.last), feeds, labels, tuple(notes))


def _count(session: Session) -> int:
    return int(session.execute("SELECT count(*) FROM post")[0][0])


def _compared(database: Database, tested: Tested, pair: Pair) -> FeedResult:
    before, after = _span(tested, pair.old, pair.old_index), _span(tested, pair.new, pair.new_index)
    before = before._replace(feed_id=tested.aside.get(before.feed_id, before.feed_id))
    found = database.read_now(differing.difference, before, after)
    examples = database.read_now(differing.examples, before, after, EXAMPLES)
    return FeedResult(
        pair.rkey,
        _change(pair, found),
        found.added,
        found.removed,
        found.unchanged,
        found.authors,
        found.langs_added,
        found.langs_removed,
        (found.removed + found.unchanged) / _hours(tested, pair.old),
        (found.added + found.unchanged) / _hours(tested, pair.new),
        *(tuple(map(_sample, each)) for each in examples),
    )


def _change(pair: Pair, found: Difference) -> str:
    if pair.old is None or pair.new is None:
        return "added" if pair.old is None else "removed"
    return "changed" if found.added or found.removed else "same"


def _span(tested: Tested, feed: Feed | None, index: int) -> Span:
    return Span(tested.house.ids[index], tested.last - feed.window, TOP[0]) if feed else NOTHING


def _hours(tested: Tested, feed: Feed | None) -> float:
    """What the feed shows is of so many hours."""
    length = min(tested.last - tested.first, feed.window) if feed else 0
    return max(length, HOUR) / HOUR


def _sample(example: Example) -> Sample:
    uri = parse_at_uri(example.uri)
    url = f"https://bsky.app/profile/{uri.authority}/post/{uri.rkey}" if uri else ""
    return Sample(example.uri, url, format_datetime(example.written_at), example.post.text, example.why)
