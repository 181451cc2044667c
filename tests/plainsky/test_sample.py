"""The bundled sample is a stream as upstream would send it: well-formed records, rising times, nobody speaks while away."""

from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from models.duration import duration
from models.events import AccountChanged, Event, IdentityChanged, PostCreated, PostDeleted, PostUpdated
from models.post import Post, indexed_at, is_import, parse, sort_at
from models.protocol.syntax import is_cid, is_did, is_handle, tid_time_us
from plainsky.sample import sample_events
from tests.support.lexicons import assert_valid_record

NOW = 1_787_220_672_345_678
HOUR = 3_600_000_000
GTUBE = "PLAINSKY-GTUBE-TEST-1b7c8e2a"


@pytest.fixture(scope="module", name="events")
def _events() -> list[Event]:
    return list(sample_events(NOW))


@pytest.fixture(scope="module", name="posts")
def _posts(events: list[Event]) -> list[Post]:
    parsed = [parse(event.record) for event in events if isinstance(event, PostCreated | PostUpdated)]
    assert None not in parsed
    return [post for post in parsed if post]


def test_the_same_now_gives_the_same_events(events: list[Event]) -> None:
    assert list(sample_events(NOW)) == events


def test_every_event_survives_a_recording(events: list[Event]) -> None:
    assert [msgspec.json.decode(msgspec.json.encode(event), type=Event) for event in events] == events


def test_times_rise_over_about_two_days_and_end_now(events: list[Event]) -> None:
    times = [event.time_us for event in events]

    assert all(before < after for before, after in pairwise(times))
    assert times[-1] == NOW
    assert 40 * HOUR < NOW - times[0] < 56 * HOUR
    assert sum(time > NOW - 3 * HOUR for time in times) >= 10  # a feed looks alive at its top


def test_every_kind_of_event_is_there(events: list[Event]) -> None:
    kinds = Counter(type(event) for event in events)

    assert 300 <= len(events) <= 400
    assert kinds[PostCreated] > 250
    assert kinds[PostUpdated] >= 3
    assert kinds[PostDeleted] >= 3
    assert kinds[IdentityChanged] > 20
    assert [(event.active, event.status) for event in events if isinstance(event, AccountChanged)] == [
        (False, "takendown"),
        (False, "deactivated"),
        (True, None),
        (False, "deleted"),
    ]


def test_every_record_is_what_the_lexicon_says(events: list[Event]) -> None:
    for event in events:
        if isinstance(event, PostCreated | PostUpdated):
            assert_valid_record(event.record)


def test_identifiers_are_well_formed_and_fictional(events: list[Event]) -> None:
    for event in events:
        assert is_did(event.did)
        assert len(event.did) == len("did:plc:") + 24
        if isinstance(event, IdentityChanged):
            assert event.handle
            assert is_handle(event.handle)
            assert event.handle.endswith(".example")
        elif not isinstance(event, AccountChanged):
            assert tid_time_us(event.rev) == event.time_us - 200_000
        if isinstance(event, PostCreated | PostUpdated):
            assert is_cid(event.cid)


def test_links_lead_nowhere_real(posts: list[Post]) -> None:
    assert [link for post in posts for link in post.links if ".example/" not in link] == []


def test_facets_cover_the_bytes_that_they_mean(events: list[Event]) -> None:
    marked: Counter[str] = Counter()
    for event in events:
        if isinstance(event, PostCreated | PostUpdated):
            for facet in event.record.get("facets", []):
                shown = event.record["text"].encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
                feature = facet["features"][0]
                marked[shown[0]] += 1
                assert shown in ("#" + feature.get("tag", ""), feature.get("uri")) or shown.startswith("@") or shown.endswith("…")

    assert set(marked) >= {"#", "@", "h"}


def test_all_that_a_rule_can_look_at_is_there(posts: list[Post]) -> None:
    embeds = {kind for post in posts for kind in post.embeds}
    langs = {lang for post in posts for lang in post.langs}

    assert embeds == {"image", "gallery", "video", "gif", "link", "quote", "unknown"}
    assert langs >= {"en", "nl", "fr", "de", "es", "pt", "it", "ja", "ko", "ar", "uk", "zh-Hant"}
    assert any(post.alts and not all(post.alts) for post in posts)
    assert any(post.self_labels for post in posts)
    assert any(post.mentions for post in posts)
    assert sum(post.reply_parent is not None for post in posts) > 100
    assert len({tag for post in posts for tag in post.tags}) > 50
    assert {"solidarity", "solidarité", "solidariteit"} <= {tag for post in posts for tag in post.tags}
    assert "eenzaamheid" in {tag for post in posts for tag in post.extra_tags}


def test_replies_and_quotes_answer_posts_that_were_there(events: list[Event]) -> None:
    standing: dict[str, str] = {}
    for event in events:
        if isinstance(event, PostCreated | PostUpdated):
            post = parse(event.record)
            assert post
            refs = {post.reply_root, post.reply_parent, post.quote} - {None}
            assert refs <= set(standing)
            standing[f"at://{event.did}/app.bsky.feed.post/{event.rkey}"] = event.cid


def test_one_post_keeps_the_test_string_and_one_loses_it(events: list[Event]) -> None:
    texts: dict[tuple[str, str], list[bool]] = {}
    for event in events:
        if isinstance(event, PostCreated | PostUpdated):
            texts.setdefault((event.did, event.rkey), []).append(GTUBE in event.record["text"])

    assert sorted(with_string for with_string in texts.values() if any(with_string)) == [[True], [True, False]]


def test_nobody_posts_while_away(events: list[Event]) -> None:
    away: set[str] = set()
    for event in events:
        if isinstance(event, AccountChanged):
            (away.discard if event.active else away.add)(event.did)
        else:
            assert event.did not in away


def test_two_posts_are_imports_and_one_comes_from_the_future(events: list[Event]) -> None:
    created = [(event, post) for event in events if isinstance(event, PostCreated) and (post := parse(event.record))]

    assert sum(is_import(post.created_at, event.time_us, duration("30d")) for event, post in created) == 2
    ahead = [(event, post) for event, post in created if (post.created_at or 0) > event.time_us]
    assert [sort_at(post.created_at, indexed_at(event.rev, event.time_us)) for event, post in ahead] == [ahead[0][0].time_us - 200_000]
