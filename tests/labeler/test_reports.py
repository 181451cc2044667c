"""com.atproto.moderation.createReport: which reports and appeals are taken, from whom, how often, and what is answered."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import libipld
import pytest
from aiohttp import web
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from labeler.declaration import Reports
from labeler.evidence import of_uri
from labeler.reporting import ReportService, forget_reporters
from labeler.reports import APPEALS, OLD_OF, REASON_TYPES, Subject, reported, takes
from models import matters
from models.database import Database
from models.duration import duration
from models.protocol.service_auth import refusal
from models.protocol.xrpc import XrpcError
from tests.support.labels import AUTHOR, CIDS, NOON, SRC, apply, deleted, judged, uri, xrpc_errors
from tests.support.lexicons import OFFICIAL, assert_valid_output

NSID = "com.atproto.moderation.createReport"
OLD, NEW = "com.atproto.moderation.defs#reason", "tools.ozone.report.defs#reason"
ANN, BOB = "did:plc:ann222222222222222222222", "did:plc:bob222222222222222222222"
POST = {"$type": "com.atproto.repo.strongRef", "uri": uri("post"), "cid": CIDS[0]}
ACCOUNT = {"$type": "com.atproto.admin.defs#repoRef", "did": AUTHOR}
KNOWN = set(json.loads((OFFICIAL / "com.atproto.moderation.defs.json").read_text())["defs"]["reasonType"]["knownValues"])


class World:
    """The service on a socket. A token is the DID of its account and a number; `gone` and `hidden` are subjects."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOON
        self.reports = Reports(per_reporter=5, per_subject=4)
        self.gone, self.hidden = {uri("gone")}, {uri("hidden")}
        self.used: set[str] = set()
        self._number = 0

    async def authenticate(self, authorization: str | None, lxm: str, *, once: bool = False) -> str:
        assert lxm == NSID
        if authorization is None or authorization in self.used:
            raise refusal("AuthMissing", "no, or again")
        self.used |= {authorization} if once else set()
        return authorization.split()[0]

    async def exists(self, subject: Subject) -> bool | None:
        return None if subject.uri in self.hidden else subject.uri not in self.gone

    async def ask(self, who: str, subject: Any = POST, why: str = f"{OLD}Misleading", status: int = 200, **more: Any) -> Any:
        """A report; the answer's JSON."""
        self._number += 1
        body = {"reasonType": why, "subject": subject, **more}
        return await self.send(json.dumps(body).encode(), f"{who} {self._number}", status)

    async def send(self, body: bytes, token: str | None, status: int) -> Any:
        headers = {"Authorization": token} if token else {}
        async with aiohttp.ClientSession() as client, client.post(self.url, data=body, headers=headers) as answer:
            told = await answer.json()
            assert (answer.status, answer.content_type) == (status, "application/json"), told
            if status == 200:
                assert_valid_output(NSID, told)
            return told


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    world = World(database)
    service = ReportService(database, SRC, world.reports, world.authenticate, world.exists, lambda: world.now)
    app = web.Application(middlewares=[xrpc_errors])
    app.add_routes(service.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.url = f"http://127.0.0.1:{runner.addresses[0][1]}/xrpc/{NSID}"
    yield world
    await runner.cleanup()


def test_every_reason_type_of_the_lexicon_is_known_and_each_new_one_is_part_of_an_old_one() -> None:
    assert len(KNOWN) == 47
    assert REASON_TYPES == KNOWN
    assert set(OLD_OF) == {name for name in KNOWN if name.startswith(NEW)}
    assert OLD_OF[f"{NEW}MisleadingSpam"] == f"{OLD}Spam"


@pytest.mark.parametrize(
    ("reason", "declared", "taken"),
    [
        pytest.param("MisleadingElections", [f"{OLD}Misleading"], True, id="a new one by the old one that it is part of"),
        pytest.param("MisleadingSpam", [f"{OLD}Misleading"], False, id="not by its name"),
        pytest.param("Appeal", [f"{OLD}Appeal"], True, id="appeals in the other spelling"),
        pytest.param("ViolenceThreats", [f"{NEW}ViolenceThreats"], True, id="itself"),
        pytest.param("ViolenceOther", [f"{NEW}ViolenceThreats"], False, id="not another part of the same"),
        pytest.param("Appeal", [], False, id="none where none is declared"),
    ],
)
def test_a_reason_type_is_taken_by_what_is_declared(reason: str, declared: list[str], taken: bool) -> None:
    assert takes(f"{NEW}{reason}", declared) is taken


def test_an_old_reason_type_is_taken_where_a_part_of_it_is_declared() -> None:
    assert takes(f"{OLD}Misleading", [f"{NEW}MisleadingElections"])
    assert takes(f"{OLD}Appeal", [f"{NEW}Appeal"])
    assert not takes(f"{OLD}Rude", [f"{NEW}MisleadingElections"])


@given(
    st.binary()
    | st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_no_body_raises_anything_but_an_xrpc_error(body: bytes) -> None:
    with pytest.raises(XrpcError) as caught:
        reported(body, Reports())
    assert (caught.value.status, caught.value.name) == (400, "InvalidRequest")


async def test_a_report_is_taken_and_answered_by_the_lexicon(world: World) -> None:
    answer = await world.ask(ANN, why=f"{NEW}MisleadingElections", reason="the date is wrong", modTool={"name": "app", "meta": {}})

    assert answer == {
        "id": 1,
        "reasonType": f"{NEW}MisleadingElections",
        "reason": "the date is wrong",
        "subject": POST,
        "reportedBy": ANN,
        "createdAt": "2026-01-01T12:00:00.000Z",
    }
    (matter,) = world.database.read_now(matters.waiting, 9)
    assert (matter.kind, matter.uri, matter.cid, matter.reports, matter.checked) == ("report", uri("post"), CIDS[0], 1, True)


async def test_an_account_is_reported_by_its_did(world: World) -> None:
    answer = await world.ask(ANN, ACCOUNT)

    assert answer["subject"] == ACCOUNT
    assert "reason" not in answer


async def test_the_same_report_twice_is_one_and_others_of_the_subject_are_added(world: World) -> None:
    first, again = await world.ask(ANN), await world.ask(ANN)
    other = await world.ask(BOB)
    another = await world.ask(ANN, why=f"{NEW}MisleadingOther")

    assert [one["id"] for one in (first, again, other, another)] == [1, 1, 2, 3]
    assert [one.reports for one in world.database.read_now(matters.waiting, 9)] == [3]


async def test_words_that_are_added_to_a_report_are_not_lost(world: World) -> None:
    first, again = await world.ask(ANN), await world.ask(ANN, reason="the picture is from 2016")
    same, nothing = await world.ask(ANN, reason="the picture is from 2016"), await world.ask(ANN)

    assert [one["id"] for one in (first, again, same, nothing)] == [1, 2, 2, 1]
    assert [one.said for one in world.database.read_now(matters.reports, 1)] == ["the picture is from 2016", None]


@pytest.mark.parametrize(
    ("subject", "reason", "words"),
    [
        pytest.param(
            {"$type": "chat.bsky.convo.defs#messageRef", "did": AUTHOR, "messageId": "1"}, "", "Private messages", id="chat message"
        ),
        pytest.param({"$type": "chat.bsky.convo.defs#convoRef", "did": AUTHOR, "convoId": "1"}, "", "Private messages", id="chat"),
        pytest.param({"did": AUTHOR}, "", "must be an account", id="no $type"),
        pytest.param({**POST, "uri": "at://alice.example.org/app.bsky.feed.post/3l6oveex3ii2l"}, "", "must be an account", id="a handle"),
        pytest.param({**POST, "cid": "x"}, "", "must be an account", id="no cid"),
        pytest.param({**POST, "uri": f"at://{AUTHOR}/app.bsky.graph.list/x"}, "", "only of app.bsky.feed.post", id="a list"),
        pytest.param({**POST, "uri": uri("gone")}, "", "cannot be found", id="gone"),
        pytest.param({**ACCOUNT, "did": SRC}, "", "cannot judge itself", id="the labeler"),
        pytest.param(POST, f"{OLD}Rude", "for that reason", id="not declared"),
        pytest.param(POST, "com.example.defs#reasonOther", "for that reason", id="unknown"),
    ],
)
async def test_what_cannot_be_judged_here_is_refused_in_words(world: World, subject: Any, reason: str, words: str) -> None:
    told = await world.ask(ANN, subject, reason or f"{OLD}Misleading", 400)

    assert told["error"] == "InvalidRequest"
    assert words in told["message"]
    assert world.database.read_now(matters.waiting, 9) == []


async def test_an_explanation_is_as_long_as_the_lexicon_allows(world: World) -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert (await world.ask(ANN, reason=family * 1_100))["reason"] == family * 1_100
    assert "too long" in (await world.ask(BOB, status=400, reason="x" * 2_001))["message"]
    assert "too long" in (await world.ask(BOB, status=400, reason=family * 1_200))["message"]


async def test_a_subject_that_nobody_can_look_up_is_taken_and_marked(world: World) -> None:
    await world.ask(ANN, {**POST, "uri": uri("hidden")})

    assert [one.checked for one in world.database.read_now(matters.waiting, 9)] == [False]


async def test_without_a_token_or_with_a_used_one_nothing_is_read(world: World) -> None:
    assert (await world.send(b"no json", None, 401))["error"] == "AuthMissing"
    await world.ask(ANN)
    assert (await world.send(b"{}", f"{ANN} 1", 401))["error"] == "AuthMissing"
    assert (await world.send(b" " * 70_000, f"{ANN} x", 413))["error"] == "PayloadTooLarge"


async def test_an_account_may_report_so_often_a_day(world: World) -> None:
    for number in range(5):
        await world.ask(ANN, {**POST, "uri": uri(f"post{number}")})
    assert (await world.ask(ANN, status=429))["error"] == "RateLimitExceeded"
    await world.ask(BOB)

    world.now += duration("1d") + 1
    await world.ask(ANN)


async def test_a_subject_is_reported_so_often_a_day(world: World) -> None:
    for letter in "abcd":
        await world.ask(f"did:plc:{letter * 24}")
    assert (await world.ask(ANN, status=429))["error"] == "RateLimitExceeded"
    await world.ask(ANN, {**POST, "uri": uri("another")})


@pytest.mark.parametrize("spelling", sorted(APPEALS))
async def test_an_author_appeals_against_our_labels_in_both_spellings_once(world: World, spelling: str) -> None:
    apply(world.database, judged("post", CIDS[0]))

    answer = await world.ask(AUTHOR, why=spelling, reason="this was satire")
    assert (answer["reasonType"], answer["reportedBy"]) == (spelling, AUTHOR)
    (matter,) = world.database.read_now(matters.waiting, 9)
    assert (matter.kind, matter.about) == ("appeal", (1,))
    for again in sorted(APPEALS):
        assert (await world.ask(AUTHOR, why=again, status=403))["error"] == "AlreadyAppealed"


async def test_who_has_many_labels_may_appeal_against_each_of_them(world: World) -> None:
    apply(world.database, *[judged(f"post{number}", CIDS[0]) for number in range(7)])

    for number in range(7):
        await world.ask(AUTHOR, {**POST, "uri": uri(f"post{number}")}, f"{OLD}Appeal")
    await world.ask(AUTHOR)


async def test_the_label_of_the_last_of_very_many_versions_can_be_appealed_and_is_explained(world: World) -> None:
    versions = [libipld.encode_cid(b"\x01\x71\x12\x20" + number.to_bytes(32, "big")) for number in range(300)]
    for version in versions:
        apply(world.database, judged("post", version))

    await world.ask(AUTHOR, {**POST, "cid": versions[-1]}, f"{OLD}Appeal")
    told = world.database.read_now(of_uri, SRC, [f"{OLD}Appeal"], uri("post"), NOON)
    assert [(one.cid, one.state) for one in told if one.state != "negated"] == [(versions[-1], "in_force")]


async def test_nobody_else_can_appeal_and_not_where_no_label_stands(world: World) -> None:
    apply(world.database, judged("post", CIDS[0]))
    assert (await world.ask(ANN, why=f"{OLD}Appeal", status=403))["error"] == "Forbidden"

    apply(world.database, deleted("post"))
    assert "no label of ours" in (await world.ask(AUTHOR, why=f"{NEW}Appeal", status=400))["message"]


async def test_who_was_refused_is_told_why_and_may_appeal_against_a_new_label(world: World) -> None:
    apply(world.database, judged("post", CIDS[0]))
    await world.ask(AUTHOR, why=f"{OLD}Appeal")
    world.database.write_now(matters.close, 1, "rejected", "appeal", "ben", "it repeats the claim", (), NOON)

    told = await world.ask(AUTHOR, why=f"{OLD}Appeal", status=403)
    assert (told["error"], told["message"]) == ("AlreadyAppealed", "Your appeal was rejected: it repeats the claim")

    apply(world.database, judged("post", CIDS[1]))
    await world.ask(AUTHOR, why=f"{OLD}Appeal")


async def test_who_reported_is_forgotten_in_time_and_the_rest_stays(world: World) -> None:
    await world.ask(ANN, reason="I know him")
    world.now += duration("1d")
    await world.ask(BOB)

    limits = evolve(world.reports, keep_reporters=duration("30d"))
    assert await forget_reporters(world.database, limits, NOON + duration("30d") + 1) == 1
    newer, older = world.database.read_now(matters.reports, 1)
    assert (older.reporter, older.said, older.reason_type) == (None, None, f"{OLD}Misleading")
    assert newer.reporter == BOB


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"per_reporter": 0}, "from 1 to"), ({"per_subject": True}, "from 1 to"), ({"keep_reporters": duration("1h")}, "between 1d and 52w")],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Reports(**wrong)
