"""Pages never repeat or skip an entry, however much arrives, goes or comes back between two of them (invariant 5)."""

import asyncio
import random
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.feed import Feed, Quota
from feedgen.pages import FeedPages
from feedgen.skeleton import Cursor, Frame, Page, cursor_at, feed_context, item, page, place_of
from models import cursors, entries, feeds
from models.database import Database, Session
from models.duration import SECOND, duration
from tests.feedgen.test_entries import wipe
from tests.support.feeds import EVERY_ORDER, Sown, entry, every, filled, garden, placed, rewrite, settle, uri, write
from tests.support.garden import NOON
from tests.support.walking import shown_there, walked

HOUR = duration("1h")
TEXTS = ("", "a rose", "a tulip", "rose and tulip", "a weed", "rose and weed")
AUTHORS = (1, 2, 3)


class Fire:
    """A feed in which something happens all the time: posts come, late and backdated too, are edited and deleted; accounts come and go."""

    def __init__(self, database: Database, feed: Feed, seed: int) -> None:
        self.database, self.feed, self.chance = database, feed, random.Random(seed)
        self.pages = FeedPages(database, [feed], {"garden": 1})
        self.live: dict[int, Sown] = {}
        self.hidden: set[int] = set()
        self.now = 0
        self._numbers = count(1)
        database.write_now(wipe)

    def there(self, began: int | None = None) -> list[str]:
        left_out = {self.feed.pinned, self.feed.ending}
        return [post for post in shown_there(self.database, self.feed, NOON + self.now, began) if post not in left_out]

    def happens(self, times: int) -> None:
        """Something, so often; then a batch's end."""
        for _ in range(times):
            self.now += self.chance.choice((0, SECOND, 600 * SECOND, HOUR))
            getattr(self, self.chance.choice(("comes", "comes", "comes", "goes", "is_edited", "leaves", "returns")))()
        self.pages.committed([1], NOON + self.now)

    def comes(self) -> None:
        author = self.chance.choice([author for author in AUTHORS if author not in self.hidden] or [5])
        came = self.now - self.chance.choice((0, 0, 0, SECOND, HOUR))
        new = placed(self.feed, next(self._numbers), came - self.chance.choice((0, 0, HOUR)), came, self.chance.choice(TEXTS), author)
        self.live[new.post_id] = new
        self.database.write_now(write, [new], self.feed.per_author)

    def goes(self) -> None:
        if self.live:
            gone = self.live.pop(self.chance.choice(sorted(self.live)))
            self.database.write_now(lambda session: settle(session, entries.remove(session, [gone.post_id]), self.feed.per_author))

    def is_edited(self) -> None:
        before = self.live.get(self.chance.choice(sorted(self.live))) if self.live else None
        if before and before.account_id not in self.hidden:
            written = min(before.written - NOON, before.written - NOON - self.chance.choice((0, 0, HOUR)))
            text = self.chance.choice(TEXTS)
            self.live[before.post_id] = placed(self.feed, before.post_id, written, before.came - NOON, text, before.account_id)
            self.database.write_now(rewrite, self.live[before.post_id], NOON + self.now, self.feed.per_author)

    def leaves(self) -> None:
        self._account(self.chance.choice(AUTHORS), entries.hide)

    def returns(self) -> None:
        self._account(self.chance.choice(AUTHORS), entries.show)

    def _account(self, author: int, change: Any) -> None:
        (self.hidden.add if change is entries.hide else self.hidden.discard)(author)
        mine = [number for number, post in self.live.items() if post.account_id == author]
        self.database.write_now(lambda session: settle(session, change(session, mine), self.feed.per_author))


@pytest.mark.parametrize("order", EVERY_ORDER)
@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**32),
    limit=st.integers(1, 5),
    busy=st.integers(0, 4),
    quota=st.sampled_from([None, every("6h", 1), every("2h", 2)]),
    pinned=st.sampled_from([None, uri(3), uri(99)]),
    ending=st.sampled_from([None, uri(4), uri(98)]),
)
def test_a_walk_meets_each_post_once_and_misses_none(
    database: Database, order: str, seed: int, limit: int, busy: int, quota: Quota | None, pinned: str | None, ending: str | None
) -> None:
    feed = garden(window="1d", per_author=quota, pinned=pinned, ending=ending, **EVERY_ORDER[order])
    fire = Fire(database, feed, seed)
    fire.happens(30)
    began, order_then = NOON + fire.now, fire.there()

    async def between() -> None:
        fire.happens(fire.chance.randint(0, busy))

    walk = asyncio.run(walked(fire.pages, limit, lambda: set(fire.there(began)), between))

    assert len(walk.seen) == len(set(walk.seen))
    expected = [post for post in order_then if post in walk.staying]
    met = [post for post in walk.seen if post in walk.staying and post in order_then]
    if walk.finished:
        assert met == expected
        assert ending is None or walk.seen[-1] == ending
    else:
        assert order == "edition"
        assert met == expected[: len(met)]
    if pinned:
        assert walk.seen[0] == pinned


def found(count: int) -> entries.Items:
    served = [item(uri(n), feed_context("include[0]", "hashtag", ('"', "garden"))) for n in range(count)]
    return entries.Items(",".join(served), count, *[100 - count if count else None] * 2)


PINNED = Frame(pinned=uri(9))


def read(answer: Page) -> dict[str, Any]:
    return msgspec.json.decode(answer.body)  # type: ignore[no-any-return]


def test_the_last_page_has_no_cursor_even_when_it_is_full() -> None:
    assert [post["post"] for post in read(page(found(4), 3))["feed"]] == [uri(0), uri(1), uri(2)]
    assert place_of(read(page(found(4), 3))["cursor"]) == Cursor((96, entries.tie_of(uri(3))))
    assert "cursor" not in read(page(found(3), 3))
    assert page(found(0), 3).body == b'{"feed":[]}'


def test_a_pinned_post_alone_fills_a_page_of_one_and_nothing_is_skipped_after_it() -> None:
    pin = {"post": uri(9), "reason": {"$type": "app.bsky.feed.defs#skeletonReasonPin"}}

    assert read(page(found(1), 0, PINNED)) == {"feed": [pin], "cursor": cursor_at((99, entries.tie_of(uri(0))))}
    assert read(page(found(0), 0, PINNED)) == {"feed": [pin]}
    assert [post["post"] for post in read(page(found(2), 1, PINNED))["feed"]] == [uri(9), uri(0)]


def test_the_context_names_the_rule_and_its_words_and_never_breaks_the_apps_separator() -> None:
    assert feed_context("include[0]", "hashtag", ("a", "b c")) == '"include[0] hashtag: a, b c"'
    assert feed_context("include[1]", "language", ()) == '"include[1] language"'
    assert "|" not in feed_context("include[0]", "regex", ("a|b",))
    assert len(feed_context("include[0]", "regex", ("é" * 3000,)).encode()) <= 2002


@given(at=st.integers(0, 2**63 - 1), tie=st.integers(0, 2**63 - 1), seen=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2))
def test_a_cursor_is_read_as_the_place_it_was_made_of(at: int, tie: int, seen: list[int]) -> None:
    assert place_of(cursor_at((at, tie), tuple(seen))) == Cursor((at, tie), tuple(seen))


@given(st.one_of(st.text(), *(st.text("ABCabc019_-=+/ ", min_size=size - 2, max_size=size + 2) for size in (22, 32, 43))))
def test_any_other_text_is_no_cursor_and_raises_nothing(text: str) -> None:
    place = place_of(text)

    assert place is None or cursor_at(*place) == text


async def test_posts_older_than_the_window_are_not_served_though_the_page_is_kept(database: Database) -> None:
    filled(database, [entry(1, 0), entry(2, 1_000_000)])
    pages = FeedPages(database, [garden(window="60s")], {"garden": 1})
    pages.committed([1], NOON + 60_000_000)
    assert (await pages.skeleton("garden", None, 5)).count(b"post/") == 2

    pages.committed([], NOON + 60_000_001)

    assert (await pages.skeleton("garden", None, 5)).count(b"post/") == 1


async def test_a_page_read_while_a_batch_is_committed_is_not_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database, [entry(1, 0)])
    pages = FeedPages(database, [garden()], {"garden": 1})
    unhurried = entries.items

    def overtaken(session: Session, *args: Any) -> Any:
        old = unhurried(session, *args)
        database.write_now(write, [entry(2, 1)])
        pages.committed([1], 0)
        return old

    monkeypatch.setattr(entries, "items", overtaken)
    assert (await pages.skeleton("garden", None, 5)).count(b"post/") == 1
    monkeypatch.setattr(entries, "items", unhurried)

    assert (await pages.skeleton("garden", None, 5)).count(b"post/") == 2


async def test_another_process_learns_of_new_entries_by_polling(database: Database) -> None:
    filled(database, [entry(1, 0)])
    pages = FeedPages(database, [garden(window="60s")], {"garden": 1})
    await pages.poll()
    assert (await pages.skeleton("garden", None, 5)).count(b"post/") == 1

    await database.write(write, [entry(2, 50_000_000)])
    await database.write(feeds.bump, [1])
    await database.write(cursors.save, "host", 7, NOON + 100_000_000)
    await pages.poll()

    assert (await pages.skeleton("garden", None, 5)).count(b"post/") == 1
    assert b"post/post2" in await pages.skeleton("garden", None, 5)


async def test_kept_pages_stay_within_their_bytes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database, [entry(number, number) for number in range(1, 200)])
    monkeypatch.setattr("feedgen.pages._KEPT_BYTES", 3_000)
    pages = FeedPages(database, [garden()], {"garden": 1})

    for number in range(1, 150):
        for _ in range(2):  # a place that is asked for once is not kept
            await pages.skeleton("garden", Cursor((NOON + number, 0)), 5)

    kept = pages._served["garden"].kept._pages
    assert 0 < sum(len(one.body) for one in kept.values()) <= 3_000
