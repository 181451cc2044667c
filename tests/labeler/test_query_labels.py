"""com.atproto.label.queryLabels over HTTP, on both databases."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.issuer import Issuer, Judged
from labeler.service import LabelService
from labeler.signing import verify
from models import label_uris, labels
from models.database import Database, Session
from models.label_uris import Pattern
from models.labels import Label, SignedLabel
from tests.support import labels as world
from tests.support.labels import CIDS, KEY, NOON, SRC, apply, deleted, issuer, judge, judged, label_many, serving, uri
from tests.support.lexicons import assert_valid_output

OTHER = "did:plc:other22222222222222222222"


@pytest.fixture
async def ask(database: Database) -> AsyncIterator[Any]:
    """GET with query parameters; the answer's JSON, its status checked."""
    async with serving(LabelService(database, issuer())) as host, aiohttp.ClientSession() as client:

        async def get(*parameters: tuple[str, str], status: int = 200) -> Any:
            async with client.get(f"http://{host}/xrpc/com.atproto.label.queryLabels", params=parameters) as answer:
                assert (answer.status, answer.content_type) == (status, "application/json"), await answer.text()
                body = await answer.json()
                if status == 200:
                    assert_valid_output("com.atproto.label.queryLabels", body)
                return body

        yield get


def uris(answer: dict[str, Any]) -> list[str]:
    return [label["uri"].rpartition("/")[2] for label in answer["labels"]]


def pattern(text: str) -> tuple[str, str]:
    return "uriPatterns", text


async def test_a_label_is_told_as_it_was_signed(database: Database, ask: Any) -> None:
    apply(database, judged("post", CIDS[0]))

    (label,) = (await ask(pattern(uri("post"))))["labels"]

    sig = label.pop("sig")["$bytes"]
    assert label == {
        "ver": 1,
        "src": SRC,
        "uri": uri("post"),
        "val": "plainsky-test",
        "cid": CIDS[0],
        "cts": "2026-01-01T12:00:00.000Z",
        "exp": "2026-01-31T12:00:00.000Z",
    }
    assert "=" not in sig
    assert verify(Label(**label), base64.b64decode(sig + "=="), KEY.public_key)


async def test_a_negated_label_is_told_as_its_negation_and_what_it_superseded_is_not(database: Database, ask: Any) -> None:
    apply(database, judged("post", CIDS[0]), judged("post", CIDS[1]), deleted("post"), judged("post", CIDS[0]))

    told = [(label["cid"], label.get("neg")) for label in (await ask(pattern("*")))["labels"]]

    assert told == [(CIDS[1], True), (CIDS[0], None)]


async def test_a_label_on_an_account_and_an_expired_one_are_told(database: Database, ask: Any) -> None:
    apply(database, judged("post", CIDS[0]))
    label = Label(SRC, OTHER, "old", "2020-01-01T00:00:00.000Z", exp="2020-02-01T00:00:00.000Z")

    def append(session: Session) -> None:
        labels.append(session, [SignedLabel(2, label, b"s" * 64, 1, 0, issuer().key_id)])

    database.write_now(append)

    (told,) = (await ask(pattern(OTHER)))["labels"]
    assert told == {**label.fields(), "sig": {"$bytes": base64.b64encode(b"s" * 64).decode().rstrip("=")}}


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        ([uri("post")], ["post"]),
        ([uri("pos")], []),
        ([uri("pos*")], ["post", "post%"]),
        ([uri("POST")], ["POST"]),
        ([uri("post*")], ["post", "post%"]),
        ([uri("post%")], ["post%"]),
        ([uri("%")], []),
        ([uri("p_st")], ["p_st"]),
        ([uri("p_*")], ["p_st"]),
        ([uri("*")], ["post", "POST", "p_st", "post%"]),
        (["at://*"], ["post", "POST", "p_st", "post%"]),
        (["*"], ["post", "POST", "p_st", "post%"]),
        (["zzz*"], []),
        ([uri("POST"), uri("p_*"), uri("p_st")], ["POST", "p_st"]),
        (["at://did:plc:", "did:plc:*"], []),
    ],
)
async def test_patterns_are_uris_or_beginnings_of_uris_byte_by_byte(
    database: Database, ask: Any, patterns: list[str], found: list[str]
) -> None:
    apply(database, *[judged(rkey, CIDS[0]) for rkey in ("post", "POST", "p_st", "post%")])

    assert uris(await ask(*map(pattern, patterns))) == found


async def test_sources_limit_who_spoke(database: Database, ask: Any) -> None:
    apply(database, judged("post", CIDS[0]))

    assert uris(await ask(pattern("*"), ("sources", SRC))) == ["post"]
    assert uris(await ask(pattern("*"), ("sources", OTHER), ("sources", SRC))) == ["post"]
    assert uris(await ask(pattern("*"), ("sources", OTHER))) == []


async def test_labels_of_the_account_that_the_labeler_was_before_are_found_by_their_source(database: Database, ask: Any) -> None:
    apply(database, judged("before", CIDS[0]), by=Issuer(OTHER, KEY, lambda: NOON))
    apply(database, judged("post", CIDS[0]))

    assert uris(await ask(pattern("*"), ("sources", OTHER))) == ["before"]
    assert uris(await ask(pattern("*"), ("sources", SRC))) == ["post"]
    assert uris(await ask(pattern("*"), ("sources", OTHER), ("sources", SRC))) == ["before", "post"]
    assert uris(await ask(pattern("*"), ("sources", "did:web:nobody.example"))) == []


@pytest.mark.parametrize("shape", ["*", "at://did:plc:author*"])
async def test_pages_follow_each_other_without_gap_or_repeat_while_labels_arrive(database: Database, ask: Any, shape: str) -> None:
    label_many(database, 120)
    seen: list[str] = []
    cursor: tuple[tuple[str, str], ...] = ()
    while True:
        page = await ask(pattern(shape), *cursor)
        seen += uris(page)
        if "cursor" not in page:
            break
        assert len(page["labels"]) == 50
        cursor = (("cursor", page["cursor"]),)
        if len(seen) == 50:
            label_many(database, 10, start=120)

    assert seen == [f"post{number:06}" for number in range(130)]


@pytest.mark.parametrize(("limit", "count"), [("1", 1), ("250", 250)])
async def test_limit_is_obeyed(database: Database, ask: Any, limit: str, count: int) -> None:
    label_many(database, 251)

    assert len((await ask(pattern("*"), ("limit", limit)))["labels"]) == count


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [("uriPatterns", "")],
        [("uriPatterns", "at://*/x")],
        [("uriPatterns", "**")],
        [("uriPatterns", "*"), ("uriPatterns", "a*b")],
        [("uriPatterns", "at://\0")],
        [("uriPatterns", "*"), ("sources", "alice.test")],
        [("uriPatterns", "*"), ("sources", "")],
        [("uriPatterns", "*"), ("limit", "0")],
        [("uriPatterns", "*"), ("limit", "251")],
        [("uriPatterns", "*"), ("limit", "ten")],
        [("uriPatterns", "*"), ("cursor", "")],
        [("uriPatterns", "*"), ("cursor", "-1")],
        [("uriPatterns", "*"), ("cursor", "abc")],
        [("uriPatterns", "*"), ("cursor", "1"), ("cursor", "2")],
        [("uriPatterns", "*"), ("cursor", "9" * 30)],
    ],
    ids=str,
)
async def test_what_the_lexicon_does_not_allow_is_a_400_in_xrpc_shape(ask: Any, parameters: list[tuple[str, str]]) -> None:
    answer = await ask(*parameters, status=400)

    assert answer["error"] == "InvalidRequest"
    assert answer["message"]


ANY_URI = st.text(st.sampled_from("aA%_/~é中\U0010fffd\U0010ffff\ud7ff\ue000"), min_size=1, max_size=4)


@settings(max_examples=30)
@given(stored=st.sets(ANY_URI, max_size=6), prefix=ANY_URI)
def test_a_prefix_finds_exactly_what_begins_with_it(database: Database, stored: set[str], prefix: str) -> None:
    verdicts = judge().judge(world.AUTHOR, world.FLAGGED)
    apply(database, *[Judged(text, CIDS[0], verdicts) for text in sorted(stored)])
    known = {row[1] for row in world.log_rows(database)}

    found = {row.label.uri for row in database.read_now(label_uris.query, [Pattern(prefix, prefix=True)], (), 0, 10_000)}

    assert found == {text for text in known if text.startswith(prefix)}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_narrow_question_goes_by_uri_and_a_broad_one_along_the_log(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = Session.execute

    def plan(*patterns: Pattern) -> str:
        said: list[str] = []

        def explaining(session: Session, sql: str, values: Any = ()) -> list[Any]:
            said.extend(str(row[3]) for row in execute(session, f"EXPLAIN QUERY PLAN {sql}", values))
            return execute(session, sql, values)

        with monkeypatch.context() as patch:
            patch.setattr(Session, "execute", explaining)
            database.read_now(label_uris.query, patterns, (), 0, 50)
        return "; ".join(said)

    one, some, web = Pattern(uri("a")), Pattern(uri("a"), prefix=True), Pattern("at://did:web:x", prefix=True)
    by_end, in_stretches = "INDEX label_by_tail (<expr>=?)", "SEARCH label_uri USING PRIMARY KEY (stretch=? AND uri>? AND uri<?)"
    along = "SEARCH label USING INTEGER PRIMARY KEY (rowid>?)"
    for narrow in ([one], [some], [one, one], [one, Pattern(SRC, prefix=True)], [Pattern("at://did:plc:ewvi", prefix=True), web]):
        said = plan(*narrow)
        assert "SCAN label" not in said
        assert "SEARCH later USING INDEX label_by_tail (<expr>=? AND uri=? AND rowid>?)" in said
        assert (by_end in said) == any(not pattern.prefix for pattern in narrow)
        assert (in_stretches in said) == (along in said) == any(pattern.prefix for pattern in narrow)
    many = [Pattern(f"at://did:plc:{letter}", prefix=True) for letter in "abcdefghijklmnopqrstuvwxyz234567"]
    for broad in ([Pattern("", prefix=True)], many[:1], many):
        said = plan(*broad)
        assert along in said
        assert "label_uri" not in said


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_any_web_page_may_ask_also_with_head(database: Database) -> None:
    apply(database, judged("post", CIDS[0]))
    async with serving(LabelService(database, issuer())) as host, aiohttp.ClientSession() as client:
        address = f"http://{host}/xrpc/com.atproto.label.queryLabels?uriPatterns=*"
        async with client.get(address) as full, client.head(address) as head, client.post(address) as post:
            assert full.headers["Access-Control-Allow-Origin"] == head.headers["Access-Control-Allow-Origin"] == "*"
            assert (head.status, head.content_length) == (200, len(await full.read()))
            assert (post.status, post.headers["Allow"]) == (405, "GET,HEAD")


async def test_a_label_of_an_earlier_key_is_signed_anew_for_the_answer_and_keeps_its_cts(database: Database) -> None:
    apply(database, judged("post", CIDS[0]))
    new = KEY.__class__(b"\x09" * 32)
    async with (
        serving(LabelService(database, Issuer(SRC, new, lambda: 0))) as host,
        aiohttp.ClientSession() as client,
        client.get(f"http://{host}/xrpc/com.atproto.label.queryLabels?uriPatterns=*") as answer,
    ):
        (label,) = (await answer.json())["labels"]

    sig = base64.b64decode(label.pop("sig")["$bytes"] + "==")
    assert label["cts"] == "2026-01-01T12:00:00.000Z"
    assert verify(Label(**label), sig, new.public_key)
    assert not verify(Label(**label), sig, KEY.public_key)
