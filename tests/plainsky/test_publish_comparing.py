"""What changes in a repo so that it becomes what the config says: laws (plainsky/publishing/{comparing,records,images}.py)."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedgen.feed import Feed
from feedgen.rules import load
from plainsky.publishing.comparing import Change, Plan, plan, told
from plainsky.publishing.images import cid_of
from plainsky.publishing.records import OURS, decided, known_dids, merged
from plainsky.publishing.repo import Standing
from tests.support.lexicons import assert_valid_record

DID = "did:web:feeds.example.org"
NOW = 1_795_000_000_000_000

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(["ref", "$link", "features"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([*OURS, "$type", "createdAt", "skyfeedBuilder"])
RECORDS = st.dictionaries(KEYS, JSON, max_size=6) | st.dictionaries(KEYS, JSON, max_size=6).map(lambda record: {**record, "did": DID})
RKEYS = st.sampled_from(["a", "b", "c", "d"])
REPOS = st.dictionaries(RKEYS, RECORDS.map(lambda value: Standing("bafycid", value)), max_size=4)
FEEDS = st.builds(
    Feed,
    rkey=RKEYS,
    name=st.text("abc é🌷", min_size=1, max_size=8).filter(str.strip),
    include=st.just((load("hashtag")(any=("x",)),)),
    description=st.text(max_size=40) | st.just("by @alice.example.org #tag https://a.example"),
    content_mode=st.sampled_from([None, "video", "unspecified"]),
    self_labels=st.sampled_from([(), ("sexual",)]),
)
CONFIGS = st.lists(FEEDS, max_size=4, unique_by=lambda feed: feed.rkey)


def wanted(feeds: list[Feed]) -> dict[str, dict[str, Any]]:
    return {feed.rkey: decided(feed, DID, None, {"alice.example.org": "did:plc:alice"}) for feed in feeds}


def done(repo: dict[str, Standing], made: Plan) -> dict[str, Standing]:
    """The repo when the plan is carried out."""
    after = {rkey: there for rkey, there in repo.items() if rkey not in {c.rkey for c in made.changes if c.kind == "delete"}}
    return after | {change.rkey: Standing("bafynew", change.record) for change in made.to_do if change.record}


@given(CONFIGS, REPOS)
def test_carried_out_once_there_is_nothing_left_to_do(feeds: list[Feed], repo: dict[str, Standing]) -> None:
    made = plan(wanted(feeds), repo, DID, NOW)
    after = done(repo, made)

    assert plan(wanted(feeds), after, DID, NOW + 1).to_do == []
    assert {feed.rkey for feed in feeds} <= after.keys()
    assert [line for line in told(made) if not line.isprintable()] == []


@given(CONFIGS, REPOS)
def test_no_record_of_another_service_is_deleted_and_no_key_that_is_not_ours_is_lost(feeds: list[Feed], repo: dict[str, Standing]) -> None:
    after = done(repo, plan(wanted(feeds), repo, DID, NOW))

    for rkey, there in repo.items():
        assert rkey in after or there.value.get("did") == DID
        if rkey in after and "skyfeedBuilder" in there.value:
            assert after[rkey].value["skyfeedBuilder"] == there.value["skyfeedBuilder"]


@given(FEEDS, RECORDS)
def test_what_is_written_is_what_the_lexicon_allows(feed: Feed, standing: dict[str, Any]) -> None:
    record = merged(standing, decided(feed, DID, None, {"alice.example.org": "did:plc:alice"}), NOW)

    assert_valid_record({key: value for key, value in record.items() if key != "skyfeedBuilder"})


@given(RECORDS)
@example({"descriptionFacets": [{"features": [{}]}], "avatar": {"mimeType": 1, "size": "x", "ref": {"$link": []}}})
@example({"description": "x", "descriptionFacets": [{"index": {"byteStart": 0, "byteEnd": []}, "features": [1]}], "contentMode": 1})
def test_whatever_stands_in_a_repo_can_be_told(value: dict[str, Any]) -> None:
    there = Standing("bafycid", value)

    assert told(Plan((Change("update", "a", {"did": DID, "displayName": "A"}, there), Change("delete", "b", None, there)), ()))
    assert all(isinstance(part, str) for pair in known_dids(value).items() for part in pair)


@pytest.mark.parametrize(
    ("content", "cid"),
    [
        (b"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        (b"hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
    ],
    ids=["empty", "hello world"],
)
def test_a_pictures_cid_is_that_of_every_repo(content: bytes, cid: str) -> None:
    assert cid_of(content) == cid
