"""What feeds hold back: of one author, of one thread, of those who are not quiet; through the whole pipeline, on both databases."""

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.feed import Feed, Quota
from feedgen.rules import load
from models.database import Database
from models.duration import duration
from models.events import Event, PostCreated
from tests.support.garden import NOON, SECOND, account, created, deleted, uri
from tests.support.kept import Kept

ON_BOTH = settings(max_examples=12)
STRETCH = 60  # seconds


def feed(per_author: Quota | None, per_thread: Quota | None) -> Feed:
    rule = load("hashtag")(any=("garden",))
    return Feed("garden", "Garden", (rule,), window=duration("2w"), per_author=per_author, per_thread=per_thread)


def quota(number: int, more: str = "held") -> Quota:
    return Quota(number, duration(f"{STRETCH}s"), more)  # type: ignore[arg-type]


def answering(event: PostCreated, root: str) -> PostCreated:
    event.record["reply"] = {"root": {"uri": root, "cid": "x"}, "parent": {"uri": root, "cid": "x"}}
    return event


def wiped(database: Database) -> Database:
    for table in ("entry", "entry_group", "post", "account", "feed", "cursor", "label", "decision"):
        database.write_now(lambda session, name: session.execute(f"DELETE FROM {name}"), table)
    return database


def allowed(ranked: list[tuple[int, str]], each: Quota) -> set[str]:
    """The uris that a quota lets be shown, of (second, uri)."""
    buckets = defaultdict(list)
    for second, at in ranked:
        buckets[(NOON + second * SECOND) // each.every].append((second, at))
    kept = [bucket for bucket in buckets.values() if each.more == "held" or len(bucket) <= each.posts]
    return {at for bucket in kept for _, at in sorted(bucket)[: each.posts]}


Written = tuple[int, int, int]  # author, second, which thread (0: none but its own)

POSTS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3 * STRETCH), st.integers(0, 2)), max_size=25, unique_by=lambda post: post[1])


def lawful(posts: Sequence[Written], per_author: Quota | None, per_thread: Quota | None) -> set[str]:
    """By brute force: first the author's quota, then of what it leaves the thread's. No two posts are of one second."""
    shown = {uri(author, second): (author, second, thread) for author, second, thread in posts}
    for each, key in ((per_author, 0), (per_thread, 2)):
        if each:
            groups = defaultdict(list)
            for at, post in shown.items():
                groups[post[key] or (at if key == 2 else 0)].append((post[1], at))
            kept = set[str]().union(*[allowed(group, each) for group in groups.values()])
            shown = {at: post for at, post in shown.items() if at in kept}
    return set(shown)


def event_of(post: Written) -> Event:
    author, second, thread = post
    event = created(author, second, second)
    return answering(event, uri(4, 500 + thread)) if thread else event


@ON_BOTH
@given(
    posts=POSTS,
    gone=st.sets(st.integers(0, 24)),
    seed=st.integers(),
    per_author=st.sampled_from([None, quota(1), quota(2), quota(2, "none")]),
    per_thread=st.sampled_from([None, quota(1), quota(2), quota(1, "none")]),
)
def test_what_is_held_back_follows_from_the_posts_whatever_the_order_in_which_they_came(
    database: Database, posts: list[Written], gone: set[int], seed: int, per_author: Quota | None, per_thread: Quota | None
) -> None:
    chance = random.Random(seed)
    kept = Kept(wiped(database), (feed(per_author, per_thread),))
    removed = [post for number, post in enumerate(posts) if number in gone]
    events = [event_of(post) for post in posts]
    chance.shuffle(events)
    events += [deleted(author, second, 900) for author, second, _ in removed]

    while events:
        size = chance.randint(1, 6)
        kept.store(events[:size])
        events = events[size:]

    assert set(kept.shown()) == lawful([post for post in posts if post not in removed], per_author, per_thread)


def test_a_thread_gives_way_to_its_next_post_when_one_is_deleted(database: Database) -> None:
    kept = Kept(database, (feed(None, quota(1)),))
    kept.store([created(1, 1, 1), answering(created(2, 2, 2), uri(1, 1)), answering(created(3, 3, 3), uri(1, 1))])
    assert kept.shown() == [uri(1, 1)]

    kept.store([deleted(1, 1, 10)])

    assert kept.shown() == [uri(2, 2)]


def test_a_post_that_the_author_may_not_show_takes_no_room_in_its_thread(database: Database) -> None:
    kept = Kept(database, (feed(quota(1), quota(1)),))

    kept.store([created(1, 1, 1), answering(created(1, 2, 2), uri(4, 9)), answering(created(2, 3, 3), uri(4, 9))])

    assert kept.shown() == [uri(2, 3), uri(1, 1)]


def test_an_author_who_comes_back_takes_the_room_that_was_his(database: Database) -> None:
    kept = Kept(database, (feed(None, quota(1)),))
    kept.store([created(1, 1, 1), answering(created(2, 2, 2), uri(1, 1))])

    kept.store([account(1, 5, active=False)])
    assert kept.shown() == [uri(2, 2)]

    kept.store([account(1, 6, active=True)])
    assert kept.shown() == [uri(1, 1)]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_who_writes_more_than_a_quiet_voice_is_not_heard_in_that_stretch(database: Database, number: int) -> None:
    kept = Kept(database, (feed(quota(2, "none"), None),))

    kept.store([created(1, second, second) for second in range(1, number + 1)] + [created(1, 70, 70)])

    quiet = [uri(1, second) for second in range(number, 0, -1)] if number <= 2 else []
    assert kept.shown() == [uri(1, 70), *quiet]
