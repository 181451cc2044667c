"""Pages never repeat or skip an entry, however much arrives, goes or comes back between two of them (invariant 5)."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedgen.pages import FeedPages
from feedgen.skeleton import Page, cursor_at, feed_context, item, page, place_of
from models import cursors, entries, feeds
from models.database import Database, Session
from tests.feedgen.test_entries import wipe
from tests.support.feeds import entry, filled, garden, uri, write
from tests.support.garden import NOON

CHANGES = st.lists(
    st.lists(st.tuples(st.sampled_from(["add", "remove", "hide", "show"]), st.integers(0, 20), st.integers(1, 2)), max_size=4),
    max_size=40,
)


async def walked(pages: FeedPages, database: Database, limit: int, changes: list[list[tuple[str, int, int]]]) -> tuple[list[str], set[int]]:
    """All pages, with changes between them: the posts seen, and which numbers were ever touched."""
    seen: list[str] = []
    touched: set[int] = set()
    before, top, number = None, True, 1000
    while top or before:
        answer = msgspec.json.decode(await pages.skeleton("garden", before, limit))
        assert len(answer["feed"]) <= limit
        seen += [item["post"] for item in answer["feed"]]
        before, top = place_of(answer["cursor"]) if "cursor" in answer else None, False
        for what, value, author in changes.pop(0) if changes else ():
            number += 1
            if what == "add":
                await database.write(write, [entry(number, value, author)])
                touched.add(number)
            else:
                await database.write(getattr(entries, what), [value])
                touched.add(value)
            pages.committed([1], 0)
    return seen, touched


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.integers(0, 20), max_size=20),
    limit=st.integers(1, 5),
    changes=CHANGES,
    pinned=st.sampled_from([None, uri(3), uri(99)]),
)
def test_a_walk_meets_each_post_once_and_misses_none(
    database: Database, times: list[int], limit: int, changes: list[list[tuple[str, int, int]]], pinned: str | None
) -> None:
    database.write_now(wipe)
    start = [entry(number, at) for number, at in enumerate(times, 1)]
    database.write_now(write, start)
    pages = FeedPages(database, [garden(pinned=pinned)], {"garden": 1})

    seen, touched = asyncio.run(walked(pages, database, limit, changes))

    assert len(seen) == len(set(seen))
    staying = [e for e in start if e.post_id not in touched and e.uri != pinned]
    ordered = [e.uri for e in sorted(staying, key=lambda e: (e.sort_at, e.tie), reverse=True)]
    assert [post for post in seen if post in ordered] == ordered
    if pinned:
        assert seen[0] == pinned


def found(count: int) -> entries.Items:
    served = [item(uri(n), feed_context("include[0]", "hashtag", ('"', "garden"))) for n in range(count)]
    return entries.Items(",".join(served), count, 100 - count if count else None)


def read(answer: Page) -> dict[str, Any]:
    return msgspec.json.decode(answer.body)  # type: ignore[no-any-return]


def test_the_last_page_has_no_cursor_even_when_it_is_full() -> None:
    assert [post["post"] for post in read(page(found(4), 3, None))["feed"]] == [uri(0), uri(1), uri(2)]
    assert place_of(read(page(found(4), 3, None))["cursor"]) == (96, entries.tie_of(uri(3)))
    assert "cursor" not in read(page(found(3), 3, None))
    assert page(found(0), 3, None).body == b'{"feed":[]}'


def test_a_pinned_post_alone_fills_a_page_of_one_and_nothing_is_skipped_after_it() -> None:
    pin = {"post": uri(9), "reason": {"$type": "app.bsky.feed.defs#skeletonReasonPin"}}

    assert read(page(found(1), 0, uri(9))) == {"feed": [pin], "cursor": cursor_at((99, entries.tie_of(uri(0))))}
    assert read(page(found(0), 0, uri(9))) == {"feed": [pin]}
    assert [post["post"] for post in read(page(found(2), 1, uri(9)))["feed"]] == [uri(9), uri(0)]


def test_the_context_names_the_rule_and_its_words_and_never_breaks_the_apps_separator() -> None:
    assert feed_context("include[0]", "hashtag", ("a", "b c")) == '"include[0] hashtag: a, b c"'
    assert feed_context("include[1]", "language", ()) == '"include[1] language"'
    assert "|" not in feed_context("include[0]", "regex", ("a|b",))
    assert len(feed_context("include[0]", "regex", ("é" * 3000,)).encode()) <= 2002


@given(sort_at=st.integers(0, 2**63 - 1), tie=st.integers(0, 2**63 - 1))
def test_a_cursor_is_read_as_the_place_it_was_made_of(sort_at: int, tie: int) -> None:
    assert place_of(cursor_at((sort_at, tie))) == (sort_at, tie)


@given(st.one_of(st.text(), st.text("ABCabc019_-=+/ ", min_size=20, max_size=24)))
def test_any_other_text_is_no_cursor_and_raises_nothing(text: str) -> None:
    place = place_of(text)

    assert place is None or cursor_at(place) == text


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
            await pages.skeleton("garden", (NOON + number, 0), 5)

    kept = pages._kept[1]._pages
    assert 0 < sum(len(one.body) for one in kept.values()) <= 3_000
