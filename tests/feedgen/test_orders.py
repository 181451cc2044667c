"""Where posts stand and what a feed shows, order by order (feedgen/orders.py)."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from feedgen.feed import Edition, Feed, Quota, TopicOrder
from feedgen.orders import GRACE, Placed, edition_before, last_instant, needed_from, placers, stretch
from models.duration import SECOND, duration
from models.entries import TOP
from models.post import SKEW, Post
from plainsky.config.hashing import rules_hash
from tests.support.feeds import EVERY_ORDER, every, garden
from tests.support.garden import NOON

HOUR, DAY = duration("1h"), duration("1d")
SIX_HOURS = 6 * HOUR
ROSES = EVERY_ORDER["topic"]["topic"]


def us(text: str) -> int:
    """The µs of a time with its zone."""
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


def place(feed: Feed, sort_at: int, indexed_at: int, text: str = "") -> Placed | None:
    placer = placers([feed]).get(0)
    return placer and placer.place(sort_at, indexed_at, Post(text))


def test_newest_and_oldest_first_are_by_the_time_of_writing() -> None:
    assert not placers([garden(), garden(order="oldest_first")])


def test_an_edition_is_by_the_time_of_coming_so_that_a_backdated_post_changes_none_that_is_out() -> None:
    assert place(garden(**EVERY_ORDER["edition"]), NOON - DAY, NOON) == Placed(NOON)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a Rose, a tulip", "topic 0.80: rose 3, tulip 1"),
        ("one rose, a weed", "topic 0.67: rose 3, weed -1"),
        ("grass", "topic 0.00"),
    ],
)
def test_a_topics_words_say_what_the_score_is_made_of(text: str, words: str) -> None:
    placed = place(garden(**EVERY_ORDER["topic"]), NOON, NOON, text)

    assert placed is not None
    assert placed.words == words


def test_within_a_bucket_the_most_relevant_come_first_then_the_latest() -> None:
    feed = garden(**EVERY_ORDER["topic"])
    ranked = [
        (NOON + SIX_HOURS, "grass"),  # a later bucket, whatever it is about
        (NOON + SIX_HOURS - 1000, "rose and tulip"),
        (NOON, "rose and tulip"),
        (NOON + SIX_HOURS - 1000, "rose"),
        (NOON + 5000, "tulip"),
        (NOON + 4000, "tulip"),
        (NOON + SIX_HOURS - 1000, "grass"),
        (NOON - 1000, "rose"),
    ]
    places = [placed.at for sort_at, text in ranked if (placed := place(feed, sort_at, 0, text))]

    assert places == sorted(set(places), reverse=True)
    assert len(places) == len(ranked)


@given(
    sort_at=st.integers(-(10**15), 4 * 10**15),
    text=st.sampled_from(["", "rose", "tulip", "rose tulip", "weed"]),
    bucket=st.sampled_from(["1ms", "90s", "1h", "6h", "2w"]),
    heavy=st.sampled_from([1.0, 1000.0]),
)
def test_a_place_lies_in_its_posts_bucket(sort_at: int, text: str, bucket: str, heavy: float) -> None:
    length = duration(bucket)
    feed = garden(order="topic", topic=TopicOrder(length, {"rose": heavy, "tulip": 1.0}))
    placed = place(feed, sort_at, 0, text)

    assert placed is not None
    assert placed.at // length == sort_at // length


DST = [  # the clocks' times, and when that is
    pytest.param("Europe/Brussels", "02:30", "2026-03-28T23:00Z", "2026-03-28T01:30Z", id="Brussels, the night before spring"),
    pytest.param(
        "Europe/Brussels", "02:30", "2026-03-29T12:00Z", "2026-03-29T01:00Z", id="Brussels in spring: 02:30 does not exist, 03:00 does"
    ),
    pytest.param("Europe/Brussels", "02:30", "2026-03-29T00:59Z", "2026-03-28T01:30Z", id="Brussels in spring: and not before"),
    pytest.param("Europe/Brussels", "07:00", "2026-03-29T12:00Z", "2026-03-29T05:00Z", id="Brussels in spring: 07:00 is an hour earlier"),
    pytest.param(
        "Europe/Brussels", "02:30", "2026-10-25T00:30Z", "2026-10-25T00:30Z", id="Brussels in autumn: 02:30 comes twice, the first counts"
    ),
    pytest.param("Europe/Brussels", "02:30", "2026-10-25T01:30Z", "2026-10-25T00:30Z", id="Brussels in autumn: and the second does not"),
    pytest.param("Europe/Brussels", "02:30", "2026-10-26T12:00Z", "2026-10-26T01:30Z", id="Brussels, the night after autumn"),
    pytest.param(
        "Australia/Lord_Howe", "02:15", "2026-10-04T00:00Z", "2026-10-03T15:30Z", id="Lord Howe in spring: half an hour is left out"
    ),
    pytest.param(
        "Australia/Lord_Howe", "01:45", "2026-04-05T00:00Z", "2026-04-04T14:45Z", id="Lord Howe in autumn: half an hour comes twice"
    ),
    pytest.param("Pacific/Apia", "12:00", "2011-12-30T23:00Z", "2011-12-30T22:00Z", id="Samoa, after the day it left out"),
    pytest.param(
        "Pacific/Apia", "12:00", "2011-12-30T12:00Z", "2011-12-30T10:00Z", id="Samoa: what was due on that day comes with the next"
    ),
    pytest.param("UTC", "07:00", "2026-03-29T06:59Z", "2026-03-28T07:00Z", id="UTC, a minute before"),
    pytest.param("UTC", "07:00", "2026-03-29T07:00Z", "2026-03-29T07:00Z", id="UTC, at the very moment"),
    pytest.param("UTC", "07:00", "1970-01-01T00:00Z", "1969-12-31T07:00Z", id="before the first event"),
]


@pytest.mark.parametrize(("zone", "at", "now", "last"), DST)
def test_an_edition_comes_out_by_the_clocks_of_its_place(zone: str, at: str, now: str, last: str) -> None:
    assert last_instant(Edition((at,), zone), us(now)) == us(last)


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    at=st.lists(st.from_regex(r"([01][0-9]|2[0-3]):[0-5][0-9]", fullmatch=True), min_size=1, max_size=4, unique=True),
    now=st.integers(us("2015-01-01T00:00Z"), us("2035-01-01T00:00Z")),
)
@example("Europe/Brussels", ["02:30", "02:15", "03:00"], us("2026-03-29T01:00Z"))
def test_editions_follow_each_other_at_most_a_day_and_an_hour_apart_and_each_at_its_time(zone: str, at: list[str], now: int) -> None:
    edition = Edition(tuple(at), zone)
    last = last_instant(edition, now)

    assert last <= now < last + DAY + HOUR
    assert last_instant(edition, last) == last
    assert last_instant(edition, last - 1) < last
    there = datetime.fromtimestamp(last // SECOND, ZoneInfo(zone))
    before = datetime.fromtimestamp(last // SECOND - 60, ZoneInfo(zone))
    assume(there.utcoffset() == before.utcoffset())  # not the moment at which clocks were put forward
    assert f"{there:%H:%M}" in at


def test_an_edition_waits_for_what_comes_late() -> None:
    feed = garden(window="1d", **EVERY_ORDER["edition"])

    assert GRACE > SKEW
    assert stretch(feed, NOON + GRACE - 1).edition == NOON - SIX_HOURS
    assert stretch(feed, NOON + GRACE) == (NOON - DAY + 1, NOON, NOON)
    assert edition_before(feed, stretch(feed, NOON + GRACE)) == stretch(feed, NOON + GRACE - 1)


def test_other_feeds_end_at_their_window_and_a_topic_with_a_whole_bucket() -> None:
    for order in ("newest", "oldest_first"):
        assert stretch(garden(window="1d", **EVERY_ORDER[order]), NOON + 1) == (NOON + 1 - DAY, TOP[0], None)
    for now in (NOON, NOON + 1, NOON + SIX_HOURS - 1):
        assert stretch(garden(window="1d", **EVERY_ORDER["topic"]), now) == (NOON - DAY, TOP[0], None)


@pytest.mark.parametrize("order", EVERY_ORDER)
@pytest.mark.parametrize("quota", [None, every("6h", 1), every("90m", 1)], ids=["no quota", "6h", "90m"])
def test_all_that_a_page_or_a_quota_needs_is_kept(order: str, quota: Quota | None) -> None:
    feed = garden(window="1d", per_author=quota, **EVERY_ORDER[order])
    for now in range(NOON, NOON + DAY, HOUR // 2):
        shown = stretch(feed, now)
        floor = edition_before(feed, shown).floor if feed.edition else shown.floor
        needed = needed_from(feed, now, DAY)
        assert needed <= floor - (quota.every if quota else 0)
        assert needed % SIX_HOURS == 0 or order != "topic"
        assert needed_from(feed, now + HOUR, DAY) >= needed
        if quota and order == "edition":  # the author's posts of a stretch, one of them shown, came up to a day after it
            written = floor - DAY
            assert needed <= written // quota.every * quota.every


def test_the_finer_quota_of_two_decides_nothing_less() -> None:
    both = garden(window="1d", per_author=every("1h", 1), per_thread=every("6h", 1))

    assert needed_from(both, NOON, DAY) == NOON - DAY - SIX_HOURS


def test_entries_are_written_anew_only_when_their_places_change() -> None:
    hashes = {order: rules_hash(garden(**fields)) for order, fields in EVERY_ORDER.items()}
    other_times = garden(order="edition", edition=Edition(("07:00",), "Europe/Brussels"))
    other_terms = garden(order="topic", topic=TopicOrder(ROSES.bucket, {"rose": 2.0}))
    other_bucket = garden(order="topic", topic=TopicOrder(duration("1h"), ROSES.terms))

    assert hashes["newest"] == hashes["oldest_first"] == rules_hash(garden(ending="at://did:plc:a/app.bsky.feed.post/end"))
    assert len({*hashes.values(), rules_hash(other_terms), rules_hash(other_bucket)}) == 5
    assert rules_hash(other_times) == hashes["edition"]
