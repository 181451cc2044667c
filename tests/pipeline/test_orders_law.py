"""In every order a feed is a pure function of the events and the config, and its pages fit together, through the whole pipeline."""

import asyncio
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.feed import Feed, Quota
from feedgen.pages import FeedPages
from models import cursors
from models.database import Database, Session
from models.duration import duration
from models.events import Event
from tests.support.feeds import EVERY_ORDER, every, garden
from tests.support.garden import account as account_event
from tests.support.garden import at, rkey, uri
from tests.support.garden import created as created_event
from tests.support.garden import deleted as deleted_event
from tests.support.garden import updated as updated_event
from tests.support.kept import Kept
from tests.support.walking import shown_there, walked

HOUR = 3600
TEXTS = ("#garden", "#garden rose", "#garden tulip", "#garden rose and tulip", "#garden weed", "nothing")


def feed_of(order: str, quota: Quota | None = None) -> Feed:
    return garden(window="1d", per_author=quota, **EVERY_ORDER[order])


def history(seed: int, length: int) -> list[Event]:
    """What three accounts did in some days, in the order in which it happened."""
    chance = random.Random(seed)
    events: list[Event] = []
    alive: list[tuple[int, int]] = []
    for number in range(1, length + 1):
        second, author = number * HOUR, chance.randrange(3)
        mine = [post for owner, post in alive if owner == author]
        what = chance.choice(("create",) * 5 + ("update", "delete", "account"))
        if what == "create" or (what in ("update", "delete") and not mine):
            alive.append((author, second))
            written = second - chance.choice((0, 0, HOUR, 5 * HOUR))
            events.append(created_event(author, second, second, chance.choice(TEXTS), written))
        elif what == "update":
            events.append(updated_event(author, chance.choice(mine), second, chance.choice(TEXTS)))
        elif what == "delete":
            post = chance.choice(mine)
            alive.remove((author, post))
            events.append(deleted_event(author, post, second))
        else:
            events.append(account_event(author, second, chance.random() < 0.6, None))
    return events


class Told:
    """A pipeline with one feed, and its readers."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self.kept = Kept(database, (feed,))
        self.database, self.feed = database, feed
        self.pages = FeedPages(database, [feed], {"garden": self.kept.ids[0]})

    def tell(self, batch: Sequence[Event]) -> None:
        outcome = self.kept.store(batch)
        self.pages.committed(outcome.feeds, self.log_time())

    def log_time(self) -> int:
        return self.database.read_now(cursors.log_time)

    def there(self, began: int | None = None) -> list[str]:
        return shown_there(self.database, self.feed, self.log_time(), began)


def wipe(session: Session) -> None:
    for table in ("entry", "entry_group", "post", "feed", "cursor", "account"):
        session.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("order", EVERY_ORDER)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), quota=st.sampled_from([None, every("6h", 1)]), data=st.data())
def test_events_that_come_twice_late_and_in_any_order_give_the_same_feed(
    database: Database, order: str, seed: int, quota: Quota | None, data: st.DataObject
) -> None:
    story = history(seed, 24)
    shaken = data.draw(st.permutations(story + data.draw(st.lists(st.sampled_from(story), max_size=5))))
    cuts = sorted({0, len(shaken), *data.draw(st.lists(st.integers(0, len(shaken)), max_size=6))})

    database.write_now(wipe)
    orderly = Told(database, feed_of(order, quota))
    orderly.tell(story)
    expected = orderly.kept.everything()

    database.write_now(wipe)
    shuffled = Told(database, feed_of(order, quota))
    for start, end in pairwise(cuts):
        shuffled.tell(shaken[start:end])
    assert shuffled.kept.everything() == expected


@pytest.mark.parametrize("order", EVERY_ORDER)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 4), quota=st.sampled_from([None, every("6h", 1)]))
def test_a_reader_meets_each_post_once_and_misses_none_while_the_pipeline_goes_on(
    database: Database, order: str, seed: int, limit: int, quota: Quota | None
) -> None:
    database.write_now(wipe)
    told = Told(database, feed_of(order, quota))
    story = history(seed, 70)
    told.tell(story[:35])
    coming = iter(story[35:])
    began, first = told.log_time(), told.there()

    async def between() -> None:
        event = next(coming, None)
        if event:
            told.tell([event])

    walk = asyncio.run(walked(told.pages, limit, lambda: set(told.there(began)), between))

    assert len(walk.seen) == len(set(walk.seen))
    expected = [post for post in first if post in walk.staying]
    met = [post for post in walk.seen if post in walk.staying and post in first]
    assert met == (expected if walk.finished else expected[: len(met)])
    assert walk.finished or order == "edition"


def test_an_edit_between_two_pages_moves_no_post_for_who_reads_and_all_for_who_comes(database: Database) -> None:
    told = Told(database, feed_of("topic"))
    told.tell([created_event(0, n, n, text) for n, text in ((1, "#garden"), (2, "#garden tulip"), (3, "#garden rose"))])
    edited = [updated_event(0, 3, 10, "#garden weed"), updated_event(0, 1, 11, "#garden rose")]

    async def edit() -> None:
        if edited:
            told.tell(edited)
            edited.clear()

    walk = asyncio.run(walked(told.pages, 1, set, edit))

    assert walk.seen == [uri(0, 3), uri(0, 2), uri(0, 1)]
    assert told.there() == [uri(0, 1), uri(0, 2), uri(0, 3)]


def test_a_topics_score_stands_in_the_reason(database: Database) -> None:
    told = Told(database, feed_of("topic"))
    told.tell([created_event(0, 1, 1, "a #garden with a rose")])

    (entry,) = told.kept.page("garden")
    assert entry.why == "include[0] hashtag: garden; topic 0.75: rose 3"
    assert entry.sort_at == at(0) + (750 * duration("6h") + 1_000_000) // 1000
    assert rkey(1) in entry.uri
