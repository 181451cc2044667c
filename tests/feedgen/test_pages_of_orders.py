"""What a reader sees of a feed of each order: its pages, its end, its editions."""

import asyncio
import random
from collections.abc import Sequence

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.feed import Edition, Feed
from feedgen.orders import GRACE, needed_from, stretch, upwards
from feedgen.pages import FeedPages, UnknownCursor
from feedgen.service import FeedService
from feedgen.skeleton import Cursor, cursor_at, place_of
from models import entries, moves
from models.database import Database, Session
from models.duration import SECOND, duration
from tests.feedgen.test_entries import wipe
from tests.support.feeds import EVERY_ORDER, FEED_URI, IDENTITY, Sown, begin, every, garden, placed, rewrite, serving, settle, uri, write
from tests.support.garden import NOON
from tests.support.walking import read, shown_there, walked

HOUR, DAY = duration("1h"), duration("1d")
TEXTS = ("", "a rose", "a tulip", "rose and tulip", "a weed")
PIN, END = uri(98), uri(99)
SKELETON = "/xrpc/app.bsky.feed.getFeedSkeleton"


def pages_of(database: Database, feed: Feed, posts: Sequence[Sown], log_time: int) -> FeedPages:
    """The feed with these posts, served at this time of the log (µs since noon)."""
    database.write_now(begin)
    database.write_now(write, posts)
    pages = FeedPages(database, [feed], {"garden": 1})
    pages.committed([1], NOON + log_time)
    return pages


def walk(pages: FeedPages, limit: int) -> list[str]:
    async def nothing() -> None: ...

    return asyncio.run(walked(pages, limit, set, nothing)).seen


async def first(pages: FeedPages, limit: int = 50) -> bytes:
    return await pages.skeleton("garden", None, limit)


def uris(body: bytes) -> list[str]:
    return [item["post"] for item in read(body)["feed"]]


def cursor(body: bytes) -> Cursor:
    found = place_of(read(body)["cursor"])
    assert found
    return found


POSTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2), st.sampled_from(TEXTS)), max_size=20)


@pytest.mark.parametrize("order", EVERY_ORDER)
@settings(max_examples=20)
@given(said=POSTS, seed=st.integers(), limit=st.integers(1, 7))
def test_the_same_posts_give_the_same_pages_whichever_way_they_come(
    database: Database, order: str, said: list[tuple[int, int, str]], seed: int, limit: int
) -> None:
    feed, now = garden(window="1d", **EVERY_ORDER[order]), NOON + 21 * HOUR
    posts = [placed(feed, number, (came - late) * HOUR, came * HOUR, text) for number, (came, late, text) in enumerate(said, 1)]
    there = stretch(feed, now)
    expected = sorted((p for p in posts if there.floor <= p.sort_at <= there.top), key=lambda p: (p.sort_at, p.tie))
    shaken = posts + posts[::2]
    random.Random(seed).shuffle(shaken)

    database.write_now(wipe)
    for post in shaken:
        database.write_now(write, [post])
    pages = FeedPages(database, [feed], {"garden": 1})
    pages.committed([1], now)

    assert walk(pages, limit) == [post.uri for post in (expected if upwards(feed) else expected[::-1])]


@pytest.mark.parametrize("order", EVERY_ORDER)
@pytest.mark.parametrize("count", range(4))
@pytest.mark.parametrize("limit", range(1, 6))
def test_pinned_and_ending_stand_once_at_both_ends_whatever_the_limit(database: Database, order: str, count: int, limit: int) -> None:
    feed = garden(window="1d", pinned=PIN, ending=END, **EVERY_ORDER[order])
    posts = [placed(feed, number, -number * HOUR, -number * HOUR) for number in (98, 99, *range(1, count + 1)) if number < 90]
    posts += [placed(feed, 98, -HOUR // 2, -HOUR // 2), placed(feed, 99, -2 * HOUR, -2 * HOUR)]
    pages = pages_of(database, feed, posts, GRACE)

    between = [post for post in shown_there(database, feed, NOON + GRACE) if post not in (PIN, END)]
    assert len(between) == count
    assert walk(pages, limit) == [PIN, *between, END]


@pytest.mark.parametrize("order", EVERY_ORDER)
async def test_the_last_page_ends_with_the_ending_and_without_a_cursor(database: Database, order: str) -> None:
    feed = garden(window="1d", ending=END, **EVERY_ORDER[order])
    pages = pages_of(database, feed, [placed(feed, number, -number * HOUR, -number * HOUR) for number in (1, 2)], GRACE)

    whole, full = read(await first(pages, 3)), read(await first(pages, 2))

    assert (len(whole["feed"]), "cursor" in whole) == (3, False)
    assert whole["feed"][-1] == {"post": END, "feedContext": "ending"}
    assert [item["post"] for item in full["feed"]] == [item["post"] for item in whole["feed"][:2]]
    assert read(await pages.skeleton("garden", place_of(full["cursor"]), 2)) == {"feed": [{"post": END, "feedContext": "ending"}]}


async def test_what_comes_behind_a_full_page_is_shown_before_the_ending(database: Database) -> None:
    feed = garden(ending=END)
    pages = pages_of(database, feed, [placed(feed, 1, 0, 0)], 0)
    full = await first(pages, 1)

    await database.write(write, [placed(feed, 2, -HOUR, 0)])
    pages.committed([1], NOON)

    assert uris(await pages.skeleton("garden", cursor(full), 5)) == [uri(2), END]


async def test_oldest_first_goes_up_from_the_window_and_new_posts_wait_at_its_end(database: Database) -> None:
    feed = garden(window="2h", order="oldest_first")
    pages = pages_of(database, feed, [placed(feed, number, number * HOUR, number * HOUR) for number in range(1, 5)], 4 * HOUR)
    head = await first(pages, 2)
    assert uris(head) == [uri(2), uri(3)]

    await database.write(write, [placed(feed, 5, 5 * HOUR, 5 * HOUR)])
    pages.committed([1], NOON + 5 * HOUR)

    assert uris(await pages.skeleton("garden", cursor(head), 5)) == [uri(4), uri(5)]
    assert uris(await first(pages)) == [uri(3), uri(4), uri(5)]


TWICE_A_DAY = {"order": "edition", "edition": Edition(("07:00", "18:00"), "Europe/Brussels")}
EVENING = 5 * HOUR  # NOON is at 12:00 UTC, in November: 18:00 in Brussels


async def test_between_two_editions_not_a_byte_changes_and_then_all_at_once(database: Database) -> None:
    feed = garden(window="1d", pinned=PIN, **TWICE_A_DAY)
    pages = pages_of(database, feed, [placed(feed, 1, -DAY, -2 * HOUR - 6 * HOUR), placed(feed, 2, HOUR, HOUR)], 2 * HOUR)
    morning = await first(pages)
    assert uris(morning) == [PIN, uri(1)]

    for number, came in enumerate((3 * HOUR, EVENING, EVENING + 1, EVENING + GRACE - 1), 3):
        await database.write(write, [placed(feed, number, came - (DAY if number == 3 else 0), came)])
        pages.committed([1], NOON + came)
        assert await first(pages) == morning

    pages.committed([], NOON + EVENING + GRACE)
    assert uris(await first(pages)) == [PIN, uri(4), uri(3), uri(2), uri(1)]


async def test_what_is_deleted_hidden_or_promoted_is_seen_at_once_in_an_edition_too(database: Database) -> None:
    feed = garden(window="1d", per_author=every("6h", 1), **TWICE_A_DAY)
    database.write_now(begin)
    database.write_now(write, [placed(feed, 1, 0, 0), placed(feed, 2, 1, 1), placed(feed, 3, 2, 2, author=2)], feed.per_author)
    pages = FeedPages(database, [feed], {"garden": 1})
    pages.committed([1], NOON + EVENING + GRACE)
    assert uris(await first(pages)) == [uri(3, 2), uri(1)]

    await database.write(lambda session: settle(session, entries.remove(session, [1]), feed.per_author))
    pages.committed([1], NOON + EVENING + GRACE)
    assert uris(await first(pages)) == [uri(3, 2), uri(2)]

    await database.write(entries.hide, [3])
    pages.committed([1], NOON + EVENING + GRACE)
    assert uris(await first(pages)) == [uri(2)]


async def test_who_reads_while_an_edition_comes_out_goes_on_in_the_one_before_but_not_in_older_ones(database: Database) -> None:
    feed = garden(window="1d", **TWICE_A_DAY)
    old = [placed(feed, number, -DAY + (6 + number) * HOUR, -DAY + (6 + number) * HOUR) for number in range(4)]
    pages = pages_of(database, feed, [*old, placed(feed, 9, HOUR, HOUR)], EVENING + GRACE - 1)
    morning = await first(pages, 2)
    assert uris(morning) == [uri(3), uri(2)]

    pages.committed([], NOON + EVENING + GRACE)
    assert uris(await first(pages, 2)) == [uri(9), uri(3)]
    await database.write(entries.prune, 1, needed_from(feed, NOON + EVENING + GRACE + 12 * HOUR, DAY))
    assert uris(await pages.skeleton("garden", cursor(morning), 5)) == [uri(1), uri(0)]

    pages.committed([], NOON + EVENING + 13 * HOUR + GRACE)
    with pytest.raises(UnknownCursor):
        await pages.skeleton("garden", cursor(morning), 5)


@pytest.mark.parametrize(
    "seen",
    [(), (NOON + EVENING + 1,), (NOON - DAY,), (2**63 - 1,), (-(2**63),), (NOON + EVENING + 13 * HOUR,)],
    ids=["no edition", "no edition's time", "an edition long gone", "the end of time", "its beginning", "an edition to come"],
)
@pytest.mark.parametrize("place", [(0, 0), (NOON, 7), entries.TOP], ids=["bottom", "noon", "top"])
async def test_a_cursor_of_no_edition_that_is_out_is_refused_in_words_for_readers(
    database: Database, seen: tuple[int, ...], place: entries.Place
) -> None:
    feed = garden(**TWICE_A_DAY)
    pages_of(database, feed, [placed(feed, 1, 0, 0), placed(feed, 2, EVENING + HOUR, EVENING + HOUR)], 0)
    service = FeedService(database, [feed], {"garden": 1}, IDENTITY)
    service.committed([], NOON + EVENING + GRACE)

    async with serving(service) as address, aiohttp.ClientSession(address) as session:
        query = {"feed": FEED_URI, "cursor": cursor_at(place, seen)}
        async with session.get(SKELETON, params=query) as answer:
            assert answer.status == 400
            body = await answer.json()

    assert body["error"] == "InvalidRequest"
    assert "load the feed again" in body["message"]


@pytest.mark.parametrize("order", EVERY_ORDER)
@settings(max_examples=25)
@given(place=st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)), moved=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=1))
def test_a_made_up_cursor_shows_nothing_that_the_feed_does_not(
    database: Database, order: str, place: entries.Place, moved: list[int]
) -> None:
    feed, now = garden(window="6h", **EVERY_ORDER[order]), NOON + GRACE
    database.write_now(wipe)
    database.write_now(write, [placed(feed, number, number * HOUR, number * HOUR, author=2) for number in range(-20, 20)])
    database.write_now(rewrite, placed(feed, 0, -HOUR, 0, "rose", author=2), now)
    pages = FeedPages(database, [feed], {"garden": 1})
    pages.committed([1], now)
    edition = stretch(feed, now).edition
    seen = ((edition,) if edition is not None else ()) + tuple(moved)

    found = uris(asyncio.run(pages.skeleton("garden", Cursor(place, seen), 100)))

    shown = shown_there(database, feed, now)
    assert set(found) <= set(shown)


async def test_a_cursor_from_before_an_edit_shows_the_post_where_it_stood(database: Database) -> None:
    feed = garden(**EVERY_ORDER["topic"])
    posts = [placed(feed, number, number * SECOND, number * SECOND, text) for number, text in enumerate(("", "tulip", "tulip", "rose"))]
    pages = pages_of(database, feed, posts, HOUR)
    head = await first(pages, 2)
    assert uris(head) == [uri(3), uri(2)]

    await database.write(rewrite, placed(feed, 3, 0, 0, "weed"), NOON + HOUR)  # down, behind the reader's place
    await database.write(rewrite, placed(feed, 0, 0, 0, "rose"), NOON + HOUR)  # up, before it
    pages.committed([1], NOON + HOUR)

    assert uris(await pages.skeleton("garden", cursor(head), 5)) == [uri(1), uri(0)]
    again = await first(pages, 2)
    assert uris(again) == [uri(0), uri(2)]
    assert uris(await pages.skeleton("garden", cursor(again), 5)) == [uri(1), uri(3)]


@pytest.mark.parametrize("order", EVERY_ORDER)
@settings(max_examples=15)
@given(
    steps=st.lists(st.tuples(st.integers(0, 8 * HOUR), st.sampled_from(["nothing", "comes", "goes"])), max_size=12), limit=st.integers(1, 4)
)
def test_a_page_that_is_kept_is_the_page_that_would_be_read(
    database: Database, order: str, steps: list[tuple[int, str]], limit: int
) -> None:
    feed, now = garden(window="12h", ending=END, **EVERY_ORDER[order]), 0
    database.write_now(wipe)
    kept = FeedPages(database, [feed], {"garden": 1})
    for number, (later, what) in enumerate(steps, 1):
        now += later
        if what == "comes":
            database.write_now(write, [placed(feed, number, now, now, TEXTS[number % len(TEXTS)])])
        elif what == "goes":
            database.write_now(entries.remove, [number // 2])
        kept.committed([] if what == "nothing" else [1], NOON + now)
        fresh = FeedPages(database, [feed], {"garden": 1})
        fresh.committed([1], NOON + now)

        assert asyncio.run(first(kept, limit)) == asyncio.run(first(fresh, limit))
        assert walk(kept, limit) == walk(fresh, limit)


def moved_rows(session: Session) -> int:
    return int(session.execute("SELECT count(*) FROM entry_group WHERE kind = ?", (entries.MOVED,))[0][0])


async def test_an_edit_that_moves_nothing_is_not_remembered_and_a_move_is_forgotten_in_time(database: Database) -> None:
    feed = garden(**EVERY_ORDER["topic"])
    pages = pages_of(database, feed, [placed(feed, 1, 0, 0, "rose"), placed(feed, 2, 0, 0, "rose")], 0)
    before = await first(pages, 1)

    await database.write(rewrite, placed(feed, 1, 0, 0, "red rose"), NOON)
    assert await database.read(moved_rows) == 0
    await database.write(rewrite, placed(feed, 1, 0, 0, "tulip"), NOON)
    assert await database.read(moved_rows) == 1
    pages.committed([1], NOON)
    assert read(await first(pages, 1))["cursor"] != read(before)["cursor"]

    await database.write(moves.forget, 1, NOON)
    assert await database.read(moved_rows) == 1
    await database.write(moves.forget, 1, NOON + 1)
    assert await database.read(moved_rows) == 0


async def test_an_emptied_feed_remembers_no_moves(database: Database) -> None:
    feed = garden(**EVERY_ORDER["topic"])
    pages_of(database, feed, [placed(feed, 1, 0, 0, "rose")], 0)
    await database.write(rewrite, placed(feed, 1, 0, 0, "tulip"), NOON)
    await database.write(entries.remove, [1])
    assert await database.read(moved_rows) == 1

    while await database.write(entries.prune, 1):
        pass

    assert await database.read(moved_rows) == 0


async def test_a_post_that_leaves_and_comes_back_stands_where_a_reader_met_it(database: Database) -> None:
    feed = garden(**EVERY_ORDER["topic"])
    rose, other = placed(feed, 1, 0, 0, "rose"), placed(feed, 2, SECOND, 0, "tulip")
    pages = pages_of(database, feed, [rose, other], 0)
    head = await first(pages, 1)
    assert uris(head) == [uri(1)]

    await database.write(rewrite, placed(feed, 1, 0, 0), NOON)
    await database.write(entries.remove, [1])
    await database.write(entries.add_new, [placed(feed, 1, 0, 0).row])
    pages.committed([1], NOON)

    assert uris(await pages.skeleton("garden", cursor(head), 5)) == [uri(2)]


async def test_a_post_that_moves_twice_stands_for_each_reader_where_he_met_it_first(database: Database) -> None:
    feed = garden(**EVERY_ORDER["topic"])
    pages = pages_of(database, feed, [placed(feed, 1, 0, 0, "rose"), placed(feed, 2, SECOND, 0, "tulip"), placed(feed, 3, 0, 0)], 0)
    early = await first(pages, 1)
    assert uris(early) == [uri(1)]

    await database.write(rewrite, placed(feed, 1, 0, 0), NOON)
    pages.committed([1], NOON)
    between = await first(pages, 1)
    assert uris(between) == [uri(2)]

    await database.write(rewrite, placed(feed, 1, 0, 0, "rose and tulip"), NOON)
    pages.committed([1], NOON)
    assert uris(await pages.skeleton("garden", cursor(early), 5)) == [uri(2), uri(3)]
    assert sorted(uris(await pages.skeleton("garden", cursor(between), 5))) == [uri(1), uri(3)]
    assert uris(await first(pages)) == [uri(1), uri(2), uri(3)]
