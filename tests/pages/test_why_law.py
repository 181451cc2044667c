"""What /why says equals what the feeds hold (issue 4, "It is done when" 2)."""

from collections.abc import Mapping, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from feedgen.feed import Edition, Feed, Quota
from feedgen.opt_out import OptOut
from feedgen.pages import FeedPages
from feedgen.skeleton import place_of
from models import cursors
from models.database import Database, Session
from models.duration import SECOND, duration
from models.events import Event, PostCreated
from plainsky.knowing.known import Known
from plainsky.pages.whys import Why, why_stored
from tests.feedgen.test_rule_laws import records
from tests.support.feeds import EVERY_ORDER
from tests.support.garden import account, created, deleted, did, uri
from tests.support.kept import Kept
from tests.support.ruling import RULES
from tests.support.walking import read

TABLES = ("entry", "entry_group", "decision", "label", "post", "opt_out", "account", "feed", "cursor", "setting")
HOUR = 3600
AUTHORS = 3
QUOTAS = st.none() | st.builds(
    Quota, st.integers(1, 2), st.sampled_from((duration("1h"), duration("1d"))), st.sampled_from(("held", "none"))
)
BY_HAND = st.sampled_from((None, None, uri(0, 0), uri(1, 1)))
ORDERS = st.sampled_from((*EVERY_ORDER.values(), {"order": "edition", "edition": Edition(("12:30",))}))


@st.composite
def configs(draw: st.DrawFn) -> tuple[Feed, ...]:
    """Up to four feeds of any rules, order and quotas."""
    some = st.lists(RULES, max_size=1).map(tuple)
    return tuple(
        Feed(
            f"feed{number}",
            "A feed",
            draw(st.lists(RULES, min_size=1, max_size=2).map(tuple)),
            require=draw(some),
            exclude=draw(some),
            window=draw(st.sampled_from((duration("3h"), duration("1d")))),
            per_author=draw(QUOTAS),
            per_thread=draw(QUOTAS),
            pinned=draw(BY_HAND),
            followed=draw(st.sampled_from((False, False, False, True))),
            **draw(ORDERS),
        )
        for number in range(draw(st.integers(1, 4)))
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to 30 posts of three accounts within some days, some of which go or hide."""
    events: list[Event] = []
    for number in range(draw(st.integers(25, 30))):
        second = number * HOUR
        post = created(draw(st.integers(0, AUTHORS - 1)), number, second)
        assert isinstance(post.record, dict)
        events.append(msgspec.structs.replace(post, record={**draw(records), "createdAt": post.record["createdAt"]}))
        author = draw(st.integers(0, AUTHORS - 1))
        match draw(st.sampled_from(("", "", "", "delete", "hide", "show"))):
            case "delete":
                events.append(deleted(author, draw(st.integers(0, number)), second + 1))
            case "hide":
                events.append(account(author, second + 1, False, "deactivated"))
            case "show":
                events.append(account(author, second + 1, True))
    return events


async def walked(pages: FeedPages, feed: Feed, author: str) -> list[str]:
    """All that a reader sees, page by page: of a followed feed, one who follows this author."""
    seen, cursor = list[str](), ""
    while True:
        start = place_of(cursor) if cursor else None
        body = await (pages.followed(feed.rkey, start, 7, [author]) if feed.followed else pages.skeleton(feed.rkey, start, 7))
        answer = read(body)
        seen += [item["post"] for item in answer["feed"]]
        cursor = answer.get("cursor", "")
        if not cursor:
            return seen


def wipe(session: Session) -> None:
    for table in TABLES:
        session.execute(f"DELETE FROM {table}")


def agree(why: Why, seen: Mapping[str, Sequence[str]]) -> None:
    """What is said of a post is what its readers see."""
    assert {each.feed.rkey for each in why.feeds if each.is_in} == {rkey for rkey, uris in seen.items() if why.uri in uris}
    for each in why.feeds:
        if each.position:
            assert seen[each.feed.rkey].index(why.uri) + 1 == each.position
        if each.explained and each.state.startswith(("shown", "held")):
            assert each.explained.enters
            assert each.by == each.explained.by
        assert (each.explained is None) == (why.post is None)


@given(feeds=configs(), history=histories(), later=st.sampled_from((0, HOUR, 20 * HOUR)))
async def test_what_is_said_of_a_post_is_what_its_readers_see(
    database: Database, feeds: tuple[Feed, ...], history: list[Event], later: int
) -> None:
    """Of 1,000 posts and more on each database."""
    database.write_now(wipe)
    kept = Kept(database, feeds, opt_out=OptOut(hashtags=("é",)), known=Known({"alice.example.org": did(0)}))
    kept.store(history)
    database.write_now(cursors.save, "wss://relay.example", 2, history[-1].time_us + later * SECOND)
    pages = FeedPages(database, feeds, dict(zip([feed.rkey for feed in feeds], kept.ids, strict=True)))
    await pages.poll()
    seen = {did(author): {feed.rkey: await walked(pages, feed, did(author)) for feed in feeds} for author in range(AUTHORS)}

    for event in history:
        if isinstance(event, PostCreated):
            why = await database.read(why_stored, kept.storer.rooms, event.did, event.rkey)
            assert why
            agree(why, seen[event.did])
