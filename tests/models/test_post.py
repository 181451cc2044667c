"""A post is read tolerantly and within bounds, the same from JSON as from DAG-CBOR; and no one writes himself to the top."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import libipld
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bounded import LINK, PROSE
from models.duration import duration
from models.post import FACETS, Post, indexed_at, is_import, parse, sort_at
from models.protocol.syntax import parse_datetime, tid_of
from tests.support.recorded import raw_frames

URI = "at://did:plc:7iza6de2dwap2sbkpav7c6c6/app.bsky.feed.post/3jzfcijpj2z2a"
CID = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
REF = {"uri": URI, "cid": CID}
BLOB = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 1000}


def read(text: Any = "x", **fields: Any) -> Post:
    post = parse({"text": text, "createdAt": "2026-08-20T10:00:00Z"} | fields)
    assert post is not None
    return post


def facet(kind: str, key: str, value: Any, start: Any = 0, end: Any = 1) -> dict[str, Any]:
    feature = {"$type": f"app.bsky.richtext.facet#{kind}", key: value}
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def tag(value: Any, start: Any = 0, end: Any = 1) -> dict[str, Any]:
    return facet("tag", "tag", value, start, end)


def test_a_full_post_is_read_whole() -> None:
    post = read(
        "Grüße an @bob, siehe example.org/lang… #Garten",
        **{"$type": "app.bsky.feed.post"},
        langs=["de", "en-GB"],
        tags=["natur"],
        facets=[
            facet("mention", "did", "did:plc:7iza6de2dwap2sbkpav7c6c6", 11, 15),
            facet("link", "uri", "https://example.org/langer/weg", 23, 41),
            tag("Garten", 42, 49),
        ],
        reply={"root": REF, "parent": {"uri": URI + "b", "cid": CID}},
        labels={"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "graphic-media"}]},
        embed={
            "$type": "app.bsky.embed.recordWithMedia",
            "record": {"$type": "app.bsky.embed.record", "record": REF},
            "media": {"$type": "app.bsky.embed.images", "images": [{"image": BLOB, "alt": "Ein Beet"}, {"image": BLOB, "alt": ""}]},
        },
    )

    assert post == Post(
        text="Grüße an @bob, siehe example.org/lang… #Garten",
        created_at=parse_datetime("2026-08-20T10:00:00Z"),
        langs=("de", "en-GB"),
        tags=("Garten",),
        extra_tags=("natur",),
        links=("https://example.org/langer/weg",),
        mentions=("did:plc:7iza6de2dwap2sbkpav7c6c6",),
        embeds=("image", "quote"),
        alts=("Ein Beet", ""),
        quote=URI,
        reply_root=URI,
        reply_parent=URI + "b",
        self_labels=("graphic-media",),
    )


@pytest.mark.parametrize(
    "record",
    [{}, {"text": None}, {"text": 5}, {"text": ["x"]}, {"text": "x", "$type": "app.bsky.feed.like"}, None, [], "text"],
    ids=repr,
)
def test_a_record_without_text_or_of_another_kind_is_no_post(record: Any) -> None:
    assert parse(record) is None


def test_a_record_may_leave_out_its_type() -> None:
    assert parse({"text": ""}) == Post()


EXTERNAL = {"uri": "https://news.example/a", "title": "News", "description": "Of today"}


@pytest.mark.parametrize(
    ("embed", "expected"),
    [
        ({"$type": "app.bsky.embed.images", "images": [{"alt": "a"}]}, Post(embeds=("image",), alts=("a",))),
        ({"$type": "app.bsky.embed.images", "images": [{}, {"alt": 5}]}, Post(embeds=("image",), alts=("", ""))),
        ({"$type": "app.bsky.embed.gallery", "items": [{"alt": "a"}, {"alt": "b"}]}, Post(embeds=("gallery",), alts=("a", "b"))),
        ({"$type": "app.bsky.embed.video", "video": BLOB, "alt": "a dance"}, Post(embeds=("video",), alts=("a dance",))),
        ({"$type": "app.bsky.embed.video", "presentation": "gif"}, Post(embeds=("gif",), alts=("",))),
        (
            {"$type": "app.bsky.embed.external", "external": EXTERNAL},
            Post(embeds=("link",), links=("https://news.example/a",), card=("News", "Of today")),
        ),
        (
            {"$type": "app.bsky.embed.external", "external": {"uri": "https://media.tenor.com/x/y.gif?hh=1", "title": "a cat"}},
            Post(embeds=("gif",), alts=("",), links=("https://media.tenor.com/x/y.gif?hh=1",), card=("a cat", "")),
        ),
        (
            {"$type": "app.bsky.embed.external", "external": {"uri": "https://media.tenor.com/x/y.gif", "description": "Alt: a cat"}},
            Post(embeds=("gif",), alts=("a cat",), links=("https://media.tenor.com/x/y.gif",), card=("", "Alt: a cat")),
        ),
        (
            {"$type": "app.bsky.embed.external", "external": {"uri": "https://media.tenor.com/x/y.gif", "description": "ALT: cat GIF"}},
            Post(embeds=("gif",), alts=("",), links=("https://media.tenor.com/x/y.gif",), card=("", "ALT: cat GIF")),
        ),
        (
            {"$type": "app.bsky.embed.external", "external": {"uri": "https://nottenor.com/"}},
            Post(embeds=("link",), links=("https://nottenor.com/",)),
        ),
        ({"$type": "app.bsky.embed.record", "record": REF}, Post(embeds=("quote",), quote=URI)),
        (
            {"$type": "app.bsky.embed.record", "record": {"uri": "at://alice.example/app.bsky.feed.generator/calm", "cid": CID}},
            Post(embeds=("record",)),
        ),
        (
            {
                "$type": "app.bsky.embed.recordWithMedia",
                "record": {"record": REF},
                "media": {"$type": "app.bsky.embed.external", "external": EXTERNAL},
            },
            Post(embeds=("link", "quote"), links=("https://news.example/a",), card=("News", "Of today"), quote=URI),
        ),
        ({"$type": "app.bsky.embed.recordWithMedia", "record": {"record": REF}}, Post(embeds=("unknown", "quote"), quote=URI)),
        ({"$type": "com.example.embed"}, Post(embeds=("unknown",))),
        ({"$type": ["list"]}, Post(embeds=("unknown",))),
        ({"$type": "app.bsky.embed.images", "images": 5}, Post(embeds=("unknown",))),
        ({"$type": "app.bsky.embed.record", "record": {"uri": "http://x"}}, Post(embeds=("unknown",))),
        (7, Post(embeds=("unknown",))),
    ],
    ids=lambda value: str(value.get("$type")) if isinstance(value, dict) else None,
)
def test_an_embed_says_its_kind_alts_card_and_quote(embed: Any, expected: Post) -> None:
    assert parse({"text": "", "embed": embed}) == expected


def test_facets_beyond_the_text_or_empty_or_senseless_are_left_out() -> None:
    size = len("é!".encode())
    facets = [tag("in"), tag("clamped", 1, 999), tag("splits", 1, 2), tag("overlaps", 0, size)]
    facets += [tag("beyond", size, size + 1), tag("empty", 1, 1), tag("backwards", 2, 1), tag("negative", -1, 1)]
    facets += [tag("float", 0.0, 1.0), tag("text", "0", "1"), {"index": None, "features": 5}, {"features": [None]}]

    assert read("é!", facets=[*facets, 5]).tags == ("in", "clamped", "splits", "overlaps")


def test_a_tag_loses_its_hash_and_comes_once() -> None:
    post = read("x", facets=[tag("#eins"), tag(" zwei "), tag("#"), tag(5), tag("eins")], tags=["eins", "ｄrei", "＃vier", "", "v" * 641])

    assert post.tags == ("eins", "zwei")
    assert post.extra_tags == ("eins", "ｄrei", "vier")


def test_a_link_named_in_text_and_card_comes_once() -> None:
    embed = {"$type": "app.bsky.embed.external", "external": EXTERNAL}

    assert read("x", facets=[facet("link", "uri", EXTERNAL["uri"])], embed=embed).links == (EXTERNAL["uri"],)


def test_a_mention_of_no_did_is_left_out() -> None:
    assert read("x", facets=[facet("mention", "did", "alice.example"), facet("mention", "did", "did:web:a.example")]).mentions == (
        "did:web:a.example",
    )


@pytest.mark.parametrize("value", [None, 5, "", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "9" * 5000])
def test_a_date_that_is_none_is_none(value: Any) -> None:
    assert read(createdAt=value).created_at is None


def test_a_date_without_a_zone_is_read_as_utc() -> None:
    assert read(createdAt="2026-08-20T10:00:00.5").created_at == parse_datetime("2026-08-20T10:00:00.500Z")


def test_lists_and_strings_are_bounded() -> None:
    post = read(
        "a" * 100_000,
        langs=["en"] * 1000,
        facets=[{"index": {"byteStart": 0, "byteEnd": 1}, "features": tag(f"t{i}")["features"] * 50} for i in range(1000)]
        + [facet("link", "uri", "x")] * 1000,
        embed={"$type": "app.bsky.embed.gallery", "items": [{"alt": "b" * 100_000}] * 1000},
        labels={"values": [{"val": "porn"}] * 1000 + [{"val": "v" * 129}]},
    )

    assert (len(post.text), len(post.langs), len(post.alts), len(post.self_labels)) == (PROSE, 10, 20, 10)
    assert len(post.tags) <= FACETS
    assert max(len(alt) for alt in post.alts) == PROSE
    assert read("x", facets=[facet("link", "uri", "https://a.example/" + "p" * 9000)]).links[0][:20] == "https://a.example/pp"
    assert len(read("x", facets=[facet("link", "uri", "https://a.example/" + "p" * 9000)]).links[0]) == LINK


def test_nul_and_lone_surrogates_become_the_replacement_character() -> None:
    post = read("a\0b\ud800c\udfff", langs=["e\0n"], tags=["\udc00"])

    assert post.text == "a�b�c�"
    assert (post.langs, post.extra_tags) == (("e�n",), ("�",))


def test_a_pair_of_surrogates_is_the_character_it_means() -> None:
    assert read("\ud83c\udf31").text == "🌱"


def _embeds(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    kinds = ["images", "gallery", "video", "external", "record", "recordWithMedia"]
    types = [f"app.bsky.embed.{kind}" for kind in kinds] + [f"app.bsky.richtext.facet#{kind}" for kind in ("tag", "link", "mention")]
    keys = ["images", "items", "alt", "external", "uri", "title", "record", "media", "index", "features", "tag", "did", "values", "val"]
    return st.fixed_dictionaries({"$type": st.sampled_from(types)}, optional=dict.fromkeys(keys, inner))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])) | st.binary() | st.just(REF),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4) | _embeds(inner),
    max_leaves=12,
)
records = st.fixed_dictionaries(
    {"text": st.text(st.characters(exclude_categories=[]))},
    optional=dict.fromkeys(["createdAt", "langs", "facets", "embed", "reply", "labels", "tags", "entities"], anything),
)


@given(records | anything)
def test_no_record_breaks_the_parser_and_every_post_can_be_stored(record: Any) -> None:
    post = parse(record)

    if post is not None:
        stored = msgspec.json.encode(post)
        assert msgspec.json.decode(stored, type=Post) == post
        assert b"\\u0000" not in stored  # PostgreSQL's text holds everything else


def _real_records() -> Iterator[dict[str, Any]]:
    for frame in raw_frames():
        _, payload = libipld.decode_dag_cbor_multi(frame)
        for op in payload.get("ops", []):
            if op["path"].startswith("app.bsky.feed.post/") and op["cid"]:
                yield libipld.decode_car(payload["blocks"])[1][op["cid"]]


def _as_json(value: Any) -> Any:
    """DAG-CBOR's values as the data model's JSON spells them."""
    if isinstance(value, bytes):
        return {"$link": "b" + base64.b32encode(value).decode().lower().rstrip("=")}
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list) else value


def test_every_recorded_post_is_read_alike_from_dag_cbor_and_json() -> None:
    posts = [(parse(record), parse(json.loads(json.dumps(_as_json(record))))) for record in _real_records()]

    assert len(posts) == 310
    assert [from_cbor for from_cbor, _ in posts] == [from_json for _, from_json in posts]
    assert posts.count((None, None)) == 2  # a text of 7, and no text at all
    assert {kind for post, _ in posts if post for kind in post.embeds} == {"image", "link", "quote", "unknown"}


DAY = 86_400_000_000
NOW = 1_787_220_672_345_678
REV = tid_of(NOW - 500, 7)


@pytest.mark.parametrize(
    ("created_at", "rev", "expected"),
    [
        pytest.param(NOW - DAY, REV, NOW - DAY, id="a date in the past counts"),
        pytest.param(NOW + DAY, REV, NOW - 500, id="a date in the future is cut to the commit's time"),
        pytest.param(None, REV, NOW - 500, id="no date: the commit's time"),
        pytest.param(None, tid_of(NOW + DAY, 7), NOW, id="a rev in the future is not believed"),
        pytest.param(NOW + DAY, tid_of(NOW + DAY, 7), NOW, id="nor with a date in the future beside it"),
        pytest.param(None, tid_of(NOW + 1_000_000, 7), NOW + 1_000_000, id="a clock a second ahead is"),
        pytest.param(None, "no tid", NOW, id="no TID: the event's time"),
    ],
)
def test_a_post_is_sorted_by_the_earlier_of_its_date_and_its_arrival(created_at: int | None, rev: str, expected: int) -> None:
    assert sort_at(created_at, indexed_at(rev, NOW)) == expected


@given(st.integers(-DAY, DAY), st.integers(-60_000_000, 60_000_000))
def test_servers_whose_clocks_differ_sort_a_post_alike(created_after: int, skew: int) -> None:
    assert indexed_at(REV, NOW) == indexed_at(REV, NOW + skew)


def test_a_post_dated_long_before_it_came_is_an_import() -> None:
    assert is_import(NOW - 8 * DAY, NOW, duration("7d"))
    assert not is_import(NOW - 6 * DAY, NOW, duration("7d"))
    assert not is_import(NOW + 8 * DAY, NOW, duration("7d"))
    assert not is_import(None, NOW, duration("7d"))
    assert is_import(-1, NOW, duration("99999w"))
