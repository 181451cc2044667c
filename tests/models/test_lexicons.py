"""The judge of our answers is itself judged: by the interop files for lexicons, and by answers with one thing wrong."""

import json
from typing import Any

import pytest

from tests.support.interop import FILES, cases
from tests.support.lexicons import Invalid, Judge, assert_valid_message, assert_valid_output, assert_valid_record, is_uri

LABEL = {
    "ver": 1,
    "src": "did:plc:7iza6de2dwap2sbkpav7c6c6",
    "uri": "at://did:plc:7iza6de2dwap2sbkpav7c6c6/app.bsky.feed.post/3jzfcijpj2z2a",
    "cid": "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq",
    "val": "spam",
    "cts": "2026-08-20T10:00:00.000Z",
    "sig": {"$bytes": "AAEC"},
}
URI = LABEL["uri"]


def _records(name: str) -> list[Any]:
    found = json.loads((FILES / "lexicon" / f"record-data-{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case["data"], id=case["name"]) for case in found]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    folder = tmp_path_factory.mktemp("lexicons")
    (folder / "example.lexicon.record.json").write_bytes((FILES / "lexicon" / "record.json").read_bytes())
    return Judge(folder, closed=False)  # the interop data holds a key that its lexicon does not name


@pytest.mark.parametrize("data", _records("valid"))
def test_data_that_the_interop_files_call_valid_passes(judge: Judge, data: Any) -> None:
    judge.record(data)


@pytest.mark.parametrize("data", _records("invalid"))
def test_data_that_the_interop_files_call_invalid_fails(judge: Judge, data: Any) -> None:
    with pytest.raises(Invalid):
        judge.record(data)


def test_uris_are_decided_as_the_interop_files_say() -> None:
    assert [text for text in cases("uri_syntax_valid") if not is_uri(text)] == []
    assert [text for text in cases("uri_syntax_invalid") if is_uri(text)] == []


@pytest.mark.parametrize(
    "answer",
    [{"feed": []}, {"feed": [{"post": URI, "feedContext": "hashtag"}], "cursor": "abc", "reqId": "1"}],
    ids=["empty", "a page"],
)
def test_a_skeleton_of_the_lexicon_passes(answer: Any) -> None:
    assert_valid_output("app.bsky.feed.getFeedSkeleton", answer)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="no feed"),
        pytest.param({"feed": [], "cursor": None}, id="a null cursor"),
        pytest.param({"feed": [], "cursr": "abc"}, id="a key no lexicon knows"),
        pytest.param({"feed": [{"post": URI, "reason": None}]}, id="a null reason"),
        pytest.param({"feed": [{"post": "https://bsky.app/"}]}, id="a post that is no at-uri"),
        pytest.param({"feed": [{"post": URI, "feedContext": "x" * 2001}]}, id="a feedContext that is too long"),
        pytest.param({"feed": [{"post": URI, "reason": {"$type": "app.bsky.feed.defs#skeletonReasonRepost"}}]}, id="half a reason"),
    ],
)
def test_a_skeleton_with_one_thing_wrong_fails(answer: Any) -> None:
    with pytest.raises(Invalid):
        assert_valid_output("app.bsky.feed.getFeedSkeleton", answer)


def test_label_frames_pass_with_the_bytes_of_either_wire() -> None:
    assert_valid_message("com.atproto.label.subscribeLabels", "#labels", {"seq": 1, "labels": [LABEL, LABEL | {"sig": b"\0\1"}]})
    assert_valid_message("com.atproto.label.subscribeLabels", "#info", {"name": "OutdatedCursor"})
    assert_valid_output("com.atproto.label.queryLabels", {"cursor": "1", "labels": [LABEL]})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("#label", {"seq": 1, "labels": []}),
        ("#labels", {"seq": 1.0, "labels": []}),
        ("#labels", {"seq": 1, "labels": [LABEL | {"neg": None}]}),
        ("#labels", {"seq": 1, "labels": [LABEL | {"sig": "AAEC"}]}),
        ("#labels", {"seq": 1, "labels": [LABEL | {"cts": "2026-08-20T10:00:00"}]}),
    ],
    ids=["unknown kind", "float seq", "null neg", "sig as text", "cts without zone"],
)
def test_a_label_frame_with_one_thing_wrong_fails(kind: str, body: Any) -> None:
    with pytest.raises(Invalid):
        assert_valid_message("com.atproto.label.subscribeLabels", kind, body)


def test_a_complaint_names_the_place() -> None:
    with pytest.raises(Invalid, match=r"^\.facets\[0\]\.index\.byteEnd is required$"):
        assert_valid_record(
            {
                "$type": "app.bsky.feed.post",
                "text": "",
                "createdAt": "2026-08-20T10:00:00Z",
                "facets": [{"index": {"byteStart": 0}, "features": []}],
            }
        )
