"""A reader who goes through a feed page by page, while the feed changes between two pages."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from feedgen.feed import Feed
from feedgen.orders import stretch, upwards
from feedgen.pages import FeedPages, UnknownCursor
from feedgen.skeleton import place_of
from models import entries
from models.database import Database, Session
from models.entries import TOP
from tests.support.lexicons import assert_valid_output


class Walked(NamedTuple):
    """What a reader saw, post by post; `staying`: what was there whenever he asked; `finished`: nobody told him to begin again."""

    seen: list[str]
    staying: set[str]
    finished: bool


async def walked(pages: FeedPages, limit: int, there: Callable[[], set[str]], between: Callable[[], Awaitable[None]]) -> Walked:
    """All pages of the feed `garden`; `there` says what is in it."""
    seen: list[str] = []
    cursor, staying = "", there()
    while True:
        try:
            answer = read(await pages.skeleton("garden", place_of(cursor) if cursor else None, limit))
        except UnknownCursor:
            return Walked(seen, staying, False)
        staying &= there()
        assert len(answer["feed"]) <= limit
        assert answer["feed"] or "cursor" not in answer
        seen += [item["post"] for item in answer["feed"]]
        if "cursor" not in answer:
            break
        cursor = answer["cursor"]
        await between()
    return Walked(seen, staying, True)


def read(body: bytes) -> Any:
    """A page, which is as the lexicon says."""
    answer = msgspec.json.decode(body)
    assert_valid_output("app.bsky.feed.getFeedSkeleton", answer)
    return answer


def shown_there(database: Database, feed: Feed, log_time: int, began: int | None = None) -> list[str]:
    """The uris of what the feed shows (its number is 1), in its order: of the edition that was out at `began`, where there are editions."""
    now = stretch(feed, began if began and feed.edition else log_time)
    found = database.read_now(_shown, now.floor, now.top)
    return found[::-1] if upwards(feed) else found


def _shown(session: Session, floor: int, top: int) -> list[str]:
    return [one.uri for one in entries.page(session, 1, floor, (top, TOP[1]), 100_000)]
