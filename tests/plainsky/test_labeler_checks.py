"""`plainsky publish labeler --check`: what is looked at from outside, what each failure says, and that a good labeler passes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.declaration import Reports, service_record
from labeler.keys import did_key, public_key_multibase
from labeler.policy import LabelPolicy
from models.protocol.k256 import PrivateKey
from plainsky.cli import main
from plainsky.errors import OperatorError
from plainsky.publishing.anywhere import Network, check_anywhere, did_of
from plainsky.publishing.checks import Check
from plainsky.publishing.labeler import flat
from plainsky.publishing.labeler_checks import Expected, check_document, judge_labels
from plainsky.publishing.last_labels import last_labels
from plainsky.publishing.record_checks import judge_record
from tests.support.labeler_pds import LabelerPds, frame, signed
from tests.support.labels import KEY
from tests.support.pds import PUBLISHER, cid_of, error
from tests.support.programs import free_port

RECORD = {**service_record([LabelPolicy("claim", ("gtube",))], Reports(reason_types=())), "createdAt": "2026-11-21T00:00:00.000Z"}


@pytest.fixture
async def labeler(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LabelerPds]:
    """A labeler with which all is well: three labels, a record, service and key in its document."""
    monkeypatch.setattr("plainsky.publishing.labeler_checks.QUIET_SECONDS", 0.05)
    async with LabelerPds() as server:
        change(server)
        server.repo["self"] = (cid_of(RECORD), RECORD)
        for number in range(3):
            server.say("claim", number)
        yield server


def change(server: LabelerPds, key: str = "", **service: str) -> None:
    """Put service and key into the document."""
    last = {name: value for name, value in server.log[-1].items() if name != "sig"}
    last["services"] = {**last["services"], "atproto_labeler": {"type": "AtprotoLabeler", "endpoint": server.endpoint, **service}}
    last["verificationMethods"] = {**last["verificationMethods"], "atproto_label": key or did_key(server.key.public_key)}
    server.log[-1] = signed(last, server.rotation)


def network(server: LabelerPds) -> Network:
    return Network(server.url, server.url, server.url)


async def failed(server: LabelerPds) -> list[str]:
    """What failed: the end of what was asked, and what came back."""
    return [f"{short(check)}: {check.answer}" for check in await check_anywhere(PUBLISHER, network(server)) if check.mend]


def short(check: Check) -> str:
    return check.asked.rpartition("/")[2].rpartition(".")[2]


async def test_a_labeler_with_which_all_is_well_passes_every_check(labeler: LabelerPds) -> None:
    checks = await check_anywhere(PUBLISHER, network(labeler))

    assert [check.answer for check in checks if check.mend is None] == [
        f"{PUBLISHER}, whose labeler is {labeler.endpoint}, with the key {public_key_multibase(labeler.key.public_key)}",
        "it declares claim, and takes no reports",
        "the last 3 labels",
        "its clock and this machine's agree",
        "a WebSocket, and 3 frames with 3 labels, in order",
        "the error FutureCursor, as it should be",
        "every signature is the key's",
        "values: claim",
        "the last label is 60 seconds old",
        "the AppView knows the labeler",
    ]
    assert len(checks) == 10


async def test_a_labeler_that_has_said_nothing_yet_passes(labeler: LabelerPds) -> None:
    labeler.labels.clear()

    assert await failed(labeler) == []


@pytest.mark.parametrize("target", [PUBLISHER, "news.example.org", "@news.example.org", "localhost:{port}", "http://localhost:{port}/"])
async def test_a_labeler_is_found_by_did_handle_and_host(labeler: LabelerPds, target: str) -> None:
    labeler.handles["news.example.org"] = PUBLISHER

    assert await did_of(target.format(port=labeler.port), network(labeler)) == PUBLISHER


async def test_a_labeler_of_did_web_is_found_by_its_host(labeler: LabelerPds) -> None:
    did = f"did:web:localhost%3A{labeler.port}"
    method = {"id": "#atproto_label", "type": "Multikey", "publicKeyMultibase": public_key_multibase(labeler.key.public_key)}
    service = {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": labeler.endpoint}
    labeler.web_document = {"id": did, "verificationMethod": [method], "service": [service]}

    assert await did_of(f"localhost:{labeler.port}", network(labeler)) == did


async def test_a_did_web_that_somebody_else_serves_must_name_this_service_and_this_key(labeler: LabelerPds) -> None:
    did, key = f"did:web:localhost%3A{labeler.port}", public_key_multibase(labeler.key.public_key)
    method = {"id": "#atproto_label", "type": "Multikey", "publicKeyMultibase": key}
    service = {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": labeler.endpoint}
    labeler.web_document = {"id": did, "verificationMethod": [method], "service": [service]}

    for endpoint, wanted, told in (
        (labeler.endpoint, key, f"{did}, whose labeler is {labeler.endpoint}"),
        ("https://labels.example.org", key, f'its labeler is at "{labeler.endpoint}"'),
        (labeler.endpoint, public_key_multibase(labeler.own.public_key), "it names another key for labels than the one that signs here"),
    ):
        check = await check_document(Expected(did, endpoint, wanted), labeler.url)
        assert (check.answer, check.mend is None) == (told, told.startswith(did))


@pytest.mark.parametrize("target", ["nobody.example.org", "", "two words", "did:plc", "localhost:@PORT@"])
async def test_what_is_no_labeler_is_told(labeler: LabelerPds, target: str) -> None:
    target = target.replace("@PORT@", str(free_port()))
    labeler.labels.clear()
    with pytest.raises(OperatorError, match="--check"):
        await did_of(target, network(labeler))


async def test_a_document_without_key_or_service_or_of_another_kind_is_told(labeler: LabelerPds) -> None:
    document: dict[str, Any] = {"id": PUBLISHER, "service": [{"id": "#atproto_pds", "type": "x", "serviceEndpoint": labeler.url}]}
    service = {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": labeler.endpoint}
    atproto = {"id": "#atproto", "type": "Multikey", "publicKeyMultibase": public_key_multibase(labeler.key.public_key)}
    p256 = "zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo"
    for change_of, told in (
        ({}, "the document names no #atproto_labeler"),
        ({"service": [{**service, "type": "Labeler"}]}, 'its #atproto_labeler is a "Labeler" at'),
        ({"service": [{**service, "serviceEndpoint": f"{labeler.endpoint}/xrpc"}]}, "its #atproto_labeler is a"),
        ({"service": [service], "verificationMethod": [atproto]}, "the document names no #atproto_label"),
        ({"service": [service], "verificationMethod": [{**atproto, "id": "#atproto_label", "type": "Old"}]}, "cannot be used"),
        (
            {"service": [service], "verificationMethod": [{**atproto, "id": "#atproto_label", "publicKeyMultibase": p256[:9]}]},
            "cannot be used",
        ),
        ({"id": "did:plc:other222222222222222222"}, "it is the document of"),
    ):
        labeler.document = {**document, **change_of}
        (check,) = await check_anywhere(PUBLISHER, network(labeler))
        assert told in check.answer
        assert check.mend


async def test_a_signature_by_another_key_is_told(labeler: LabelerPds) -> None:
    labeler.say("claim", key=PrivateKey())

    (told,) = await failed(labeler)
    assert "1 signatures that the key for labels did not make, the first on" in told


async def test_a_value_that_is_not_declared_is_told_unless_it_is_negated(labeler: LabelerPds) -> None:
    labeler.say("older", neg=True)
    assert await failed(labeler) == []
    labeler.say("newer")

    assert await failed(labeler) == ['queryLabels: values that are not declared: "newer"']


async def test_values_that_no_app_shows_are_told(labeler: LabelerPds) -> None:
    labeler.say("Claim2")
    labeler.say("!hide")

    assert await failed(labeler) == ['queryLabels: values that no labeler may use: "!hide, Claim2"']


async def test_a_label_of_another_labeler_is_told(labeler: LabelerPds) -> None:
    labeler.say("claim", src="did:plc:other222222222222222222")

    assert any("a label of" in told for told in await failed(labeler))


async def test_a_label_from_the_future_is_told(labeler: LabelerPds) -> None:
    labeler.say("claim", cts="2999-01-01T00:00:00.000Z")

    assert any("the last label was made" in told for told in await failed(labeler))


async def test_a_proxy_that_passes_no_websockets_on_is_told(labeler: LabelerPds) -> None:
    labeler.upgrades = False

    told = [check for check in await check_anywhere(PUBLISHER, network(labeler)) if check.mend]
    assert len(told) == 2
    assert all("nginx needs" in str(check.mend) for check in told)


async def test_a_stream_that_tells_nothing_of_what_is_there_is_told(labeler: LabelerPds) -> None:
    labeler.frames = []

    assert (await failed(labeler))[0].endswith("a WebSocket, and nothing in 0 seconds")


async def test_frames_out_of_order_and_frames_of_nonsense_are_told(labeler: LabelerPds) -> None:
    for frames, told in (
        ([frame(2, []), frame(2, [])], "after seq 2 comes seq 2"),
        ([b"\xff"], "invalid framing"),
        ([frame(1, [])[:-3]], "invalid framing"),
    ):
        labeler.frames = frames
        assert any(told in line for line in await failed(labeler))


async def test_a_reader_ahead_of_the_log_must_be_told(labeler: LabelerPds) -> None:
    labeler.future = False

    assert await failed(labeler) == ["subscribeLabels?cursor=9007199254740991: 0 frames, and no error FutureCursor"]


async def test_reports_that_are_declared_and_not_taken_are_told(labeler: LabelerPds) -> None:
    labeler.repo["self"] = ("x", {**RECORD, "reasonTypes": ["com.atproto.moderation.defs#reasonAppeal"]})
    assert await failed(labeler) == ["createReport: HTTP 404 to a report without a token"]

    labeler.faults["createReport"] = [error(401, "AuthMissing", "x")]
    assert await failed(labeler) == []


async def test_a_record_that_is_not_there_and_an_appview_that_knows_nothing_are_told(labeler: LabelerPds) -> None:
    labeler.repo.clear()
    labeler.views = []

    assert [line.partition(": ")[2] for line in await failed(labeler)] == [
        "there is no such record",
        "the AppView knows no labeler of this DID",
    ]


async def test_a_service_that_is_away_is_told_once(labeler: LabelerPds) -> None:
    change(labeler, endpoint=f"http://localhost:{free_port()}")

    (told,) = [check for check in await check_anywhere(PUBLISHER, network(labeler)) if check.mend]
    assert told.mend == "The service is not running on this machine. Start it: `plainsky run`."


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 257, 1000, 1234])
async def test_the_last_labels_are_found_however_long_the_log_is(labeler: LabelerPds, count: int) -> None:
    labeler.labels.clear()
    for number in range(count):
        labeler.say("claim", number)
    asked = len(labeler.asked)

    found = await last_labels(labeler.endpoint)

    assert found[-1:] == labeler.labels[-1:]
    assert all(label in labeler.labels for label in found)
    assert len(labeler.asked) - asked <= 20


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"policies": None}, "it has no policies.labelValues"),
        ({"policies": {"labelValues": ["Claim"]}}, '"Claim" is no value that apps take'),
        ({"policies": {"labelValues": ["claim"]}}, "claim has no definition, so apps ignore it"),
        (
            {"policies": {"labelValues": ["claim"], "labelValueDefinitions": [{"identifier": "claim", "severity": "loud"}]}},
            'severity is "loud"',
        ),
        ({"policies": {"labelValues": ["claim"], "labelValueDefinitions": [{"identifier": "claim"}]}}, "it has no texts (locales)"),
        ({"reasonTypes": "all"}, "reasonTypes is no list"),
    ],
    ids=["no policies", "capitals", "undefined", "unknown severity", "no texts", "no list"],
)
def test_a_record_that_apps_cannot_show_is_told(wrong: dict[str, Any], told: str) -> None:
    answer, mend = judge_record({**RECORD, **wrong})

    assert told in answer
    assert mend


NAMES = ["policies", "labelValues", "labelValueDefinitions", "identifier", "severity", "locales", "reasonTypes", "src", "sig", "cts"]


def objects(part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(NAMES), part, max_size=5)


LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = st.recursive(LEAF, lambda part: st.lists(part, max_size=3) | objects(part))


@given(objects(JSON))
def test_whatever_stands_in_a_repo_is_judged_and_told(record: dict[str, Any]) -> None:
    answer, _ = judge_record(record)

    assert answer
    assert all(isinstance(name, str) for name, _ in flat(record))


@given(st.lists(objects(JSON), min_size=1, max_size=3))
def test_whatever_a_labeler_calls_labels_is_judged(labels: list[dict[str, Any]]) -> None:
    expected = Expected(PUBLISHER, "http://localhost:1", public_key_multibase(KEY.public_key), frozenset({"claim"}))

    checks = judge_labels(expected, labels, "queryLabels")

    assert len(checks) == 3
    assert any(check.mend for check in checks)


def test_well_known_values_need_no_definition() -> None:
    assert judge_record({**RECORD, "policies": {"labelValues": ["porn", "!hide"]}})[1] is None


async def test_the_command_ends_with_1_when_a_check_fails_and_needs_no_config_of_ours(
    labeler: LabelerPds, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'[service]\nhostname = "x.example.org"\n[identity]\nplc = "{labeler.url}"\nresolver = "{labeler.url}"\n'
    text += f'[appview]\nurl = "{labeler.url}"\n[labeler]\ndid = "{PUBLISHER}"\n'
    (tmp_path / "config.toml").write_text(text)
    monkeypatch.chdir(tmp_path)

    assert await asyncio.to_thread(main, ["publish", "labeler", "--check"]) == 0
    assert capsys.readouterr().out.endswith("All 10 checks are passed.\n")
    labeler.views = []
    assert await asyncio.to_thread(main, ["publish", "labeler", "--check", PUBLISHER]) == 1
    assert capsys.readouterr().out.endswith("1 of 10 checks FAILED.\n")
