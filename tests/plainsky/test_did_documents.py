"""One reader of DID documents: cached, shared, bounded, and silent about whose they are (plainsky/asking/did_documents.py)."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from plainsky.asking import did_documents
from plainsky.asking.did_documents import DidDocument, DidDocuments, NoSuchDid, Service, Unresolved, read
from tests.support.garden import did
from tests.support.programs import free_port
from tests.support.tokens import KEY, OTHER, P256, Clock, Directory, Raw, document

ALICE, BOB = did(0), did(1)
HOUR = 3600


@pytest.fixture
async def directory() -> AsyncIterator[Directory]:
    async with Directory() as server:
        server.documents = {name: document(name, KEY) for name in (ALICE, BOB)}
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def documents(directory: Directory, clock: Clock) -> DidDocuments:
    return DidDocuments(directory.url + "/", clock)


async def refused(documents: DidDocuments, name: str, fresh: bool = False) -> type[Unresolved]:
    with pytest.raises(Unresolved) as caught:
        await documents.get(name, fresh)
    assert name not in str(caught.value)
    return caught.type


async def test_a_document_tells_keys_services_and_the_handle(documents: DidDocuments) -> None:
    alice = await documents.get(ALICE)

    assert (alice.did, alice.handle, list(alice.keys)) == (ALICE, "alice.example.com", ["#atproto"])
    assert alice.keys["#atproto"].verify(b"x", KEY.sign(b"x"))
    assert alice.endpoint("#atproto_pds", "AtprotoPersonalDataServer") == "https://pds.example.com"
    assert alice.endpoint("#atproto_pds", "AtprotoLabeler") is alice.endpoint("#other", "AtprotoLabeler") is None


async def test_a_did_web_is_asked_of_its_own_server(documents: DidDocuments, directory: Directory) -> None:
    directory.documents[directory.web_did] = document(directory.web_did, OTHER)

    assert (await documents.get(directory.web_did)).did == directory.web_did
    assert directory.asked == ["/.well-known/did.json"]


async def test_a_document_is_asked_for_once_an_hour(documents: DidDocuments, directory: Directory, clock: Clock) -> None:
    first = await documents.get(ALICE)
    clock.now += HOUR - 1
    assert await documents.get(ALICE) is first
    clock.now += 1
    assert await documents.get(ALICE) is not first
    assert directory.asked == [f"/{ALICE}"] * 2


async def test_while_it_cannot_be_had_anew_the_old_one_serves_for_a_day(
    documents: DidDocuments, directory: Directory, clock: Clock
) -> None:
    first = await documents.get(ALICE)
    directory.answer = (503, {})
    clock.now += 2 * HOUR
    assert await documents.get(ALICE) is first
    clock.now += did_documents.AWAY_SECONDS - 1
    assert await documents.get(ALICE) is first
    assert len(directory.asked) == 2

    clock.now += 23 * HOUR
    assert await refused(documents, ALICE) is Unresolved
    directory.answer = None
    clock.now += did_documents.AWAY_SECONDS
    assert await documents.get(ALICE) is not first


@pytest.mark.parametrize("status", [404, 410], ids=["unknown", "given up"])
async def test_of_a_did_that_is_gone_nothing_old_is_served_and_nobody_asks_again_soon(
    documents: DidDocuments, directory: Directory, clock: Clock, status: int
) -> None:
    await documents.get(ALICE)
    directory.answer = (status, {})
    clock.now += HOUR

    assert [await refused(documents, ALICE) for _ in range(5)] == [NoSuchDid] * 5
    assert len(directory.asked) == 2

    directory.answer = None
    clock.now += did_documents.UNKNOWN_SECONDS
    assert (await documents.get(ALICE)).did == ALICE


async def test_who_asks_at_once_shares_one_request(documents: DidDocuments, directory: Directory) -> None:
    directory.mute = True
    waiting = [asyncio.create_task(documents.get(ALICE)) for _ in range(50)]
    await directory.connected.wait()
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    directory.mute = False
    await directory.wake()

    found = await asyncio.gather(*waiting[1:])
    assert (len({id(one) for one in found}), directory.asked) == (1, [f"/{ALICE}"])
    assert documents._asking == {}


async def test_a_failure_is_shared_too(documents: DidDocuments, directory: Directory) -> None:
    found = await asyncio.gather(*(documents.get(did(5)) for _ in range(20)), return_exceptions=True)

    assert [type(one) for one in found] == [NoSuchDid] * 20
    assert len(directory.asked) == 1


async def test_a_fresh_document_can_be_had_once_a_minute(documents: DidDocuments, directory: Directory, clock: Clock) -> None:
    first = await documents.get(ALICE)
    assert await documents.get(ALICE, fresh=True) is first
    clock.now += did_documents.FRESH_SECONDS
    found = await asyncio.gather(*(documents.get(ALICE, fresh=True) for _ in range(20)))

    assert len(directory.asked) == 2
    assert all(one is found[0] is not first for one in found)
    assert await documents.get(ALICE, fresh=True) is found[0]


async def test_a_fresh_document_that_cannot_be_had_leaves_the_old_one(documents: DidDocuments, directory: Directory, clock: Clock) -> None:
    first = await documents.get(ALICE)
    directory.answer = (500, {})
    clock.now += did_documents.FRESH_SECONDS

    assert await documents.get(ALICE, fresh=True) is first
    assert await documents.get(ALICE, fresh=True) is first
    assert len(directory.asked) == 2
    clock.now += HOUR - did_documents.FRESH_SECONDS  # and its hour is not longer for that
    await documents.get(ALICE)
    assert len(directory.asked) == 3


async def test_of_all_dids_together_so_many_are_asked_for_ahead_of_their_time_a_minute(
    documents: DidDocuments, directory: Directory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(did_documents, "FRESH_A_MINUTE", 1)
    await documents.get(ALICE)
    await documents.get(BOB)
    clock.now += 100
    await documents.get(ALICE, fresh=True)
    await documents.get(BOB, fresh=True)
    assert len(directory.asked) == 3

    clock.now += 60
    await documents.get(BOB, fresh=True)
    assert len(directory.asked) == 4


async def test_what_was_used_last_is_kept_and_the_rest_let_go(
    documents: DidDocuments, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(did_documents, "KEPT", 2)
    directory.documents[did(2)] = document(did(2), KEY)
    for name in (ALICE, BOB, ALICE, did(2), ALICE, BOB):
        await documents.get(name)

    assert directory.asked == [f"/{name}" for name in (ALICE, BOB, did(2), BOB)]
    for number in range(3, 8):
        await refused(documents, did(number))
    assert (len(documents._held), len(documents._failed)) == (2, 2)


async def test_more_than_so_many_do_not_wait_and_hosts_that_hang_hold_up_no_directory(
    documents: DidDocuments, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(did_documents, "WAITING", 1)
    directory.mute = True
    hangs = asyncio.create_task(documents.get(directory.web_did))
    await directory.connected.wait()
    assert await refused(documents, "did:web:localhost%3A1") is Unresolved

    directory.mute = False
    assert (await documents.get(ALICE)).did == ALICE
    await directory.wake()
    with pytest.raises(NoSuchDid):
        await hangs
    assert await refused(documents, "did:web:localhost%3A1") is Unresolved  # not kept as a failure: it is asked now, and nobody is there
    assert documents._waiting.total() == 0


async def test_a_server_that_is_not_there_or_does_not_answer_in_time_is_asked_again_soon(
    documents: DidDocuments, directory: Directory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await refused(documents, f"did:web:localhost%3A{free_port()}") is Unresolved

    monkeypatch.setattr(did_documents, "ASK_SECONDS", 0.05)
    directory.mute = True
    assert [await refused(documents, ALICE) for _ in range(3)] == [Unresolved] * 3
    assert len(directory.asked) == 1

    directory.mute = False
    monkeypatch.undo()
    await directory.wake()
    clock.now += did_documents.AWAY_SECONDS
    assert (await documents.get(ALICE)).did == ALICE


def odd(**fields: Any) -> dict[str, Any]:
    return document(ALICE, KEY) | fields


USELESS: dict[str, Any] = {
    "not JSON": Raw(b"<html>"),
    "not UTF-8": Raw(b'{"id": "\xff"}'),
    "a list": [1],
    "no id": {"service": []},
    "another DID's": document(BOB, KEY),
    "an id that is a number": odd(id=7),
    "nested too deep": Raw(b'{"id": "a", "service": ' + b"[" * 60_000),
    "too long": Raw(b'{"id": "' + b" " * 100_000 + b'"}'),
    "a redirect": Raw(status=302, headers={"Location": f"/{BOB}"}),
    "an error of the server": Raw(status=500),
}


@pytest.mark.parametrize("answer", USELESS.values(), ids=USELESS)
async def test_what_is_no_document_of_the_did_is_none(documents: DidDocuments, directory: Directory, answer: Any) -> None:
    directory.documents[ALICE] = answer

    assert await refused(documents, ALICE) is Unresolved
    assert len(directory.asked) == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        "did",
        "did:plc",
        "did:plc:",
        "no did",
        "did:key:zQ3sh",
        "did:webvh:a.example.com",
        "did:plc:../a",
        "did:plc:" + "A" * 24,
        "did:plc:" + "a" * 23,
        f"{ALICE}%2Fx",
        f"{ALICE}#atproto",
        "did:web:",
        "did:web:a b",
        "did:web:" + "a." * 2000 + "com",
    ],
)
async def test_what_is_no_did_that_can_be_looked_up_is_refused_without_a_request(
    documents: DidDocuments, directory: Directory, name: str
) -> None:
    with pytest.raises(NoSuchDid):
        await documents.get(name)
    assert directory.asked == []


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "localhost%3A3000",
        "127.0.0.1",
        "a.example.com%2Fb",
        "a.example.com%3A8443",
        "a.example.com:path",
        "a.example.com:8443",
        "a.example.com%40b",
        "me%40a.example.com",
        "a.example.com%23",
        "%5B%3A%3A1%5D",
        "printer.local",
        "intranet",
    ],
)
async def test_a_did_web_is_a_public_name_and_nothing_else(name: str) -> None:
    assert await refused(DidDocuments("https://plc.directory"), f"did:web:{name}") is NoSuchDid


async def test_a_redirect_of_a_did_web_is_refused(documents: DidDocuments, directory: Directory) -> None:
    directory.documents[directory.web_did] = Raw(status=301, headers={"Location": f"/{ALICE}"})

    assert await refused(documents, directory.web_did) is Unresolved
    assert directory.asked == ["/.well-known/did.json"]


async def test_nobody_is_named_in_the_log(documents: DidDocuments, directory: Directory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in (*USELESS.values(), document(ALICE, KEY)):
        directory.documents[ALICE] = answer
        await asyncio.gather(documents.get(ALICE), documents.get(f"did:web:localhost%3A{free_port()}"), return_exceptions=True)
        documents._failed.clear()

    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # that of the test's own directory
    assert not [line for line in ours if "did:" in line or "localhost" in line]


def parsed(**fields: Any) -> DidDocument:
    return read(ALICE, json.dumps(odd(**fields)).encode())


def method(id: Any, key: Any = KEY.multibase, type: Any = "Multikey") -> dict[str, Any]:
    return {"id": id, "type": type, "publicKeyMultibase": key}


@pytest.mark.parametrize(
    ("methods", "keys"),
    [
        (None, []),
        ("x", []),
        ([7, None, "#atproto", [], {}], []),
        ([method("#atproto")], ["#atproto"]),
        ([method(f"{ALICE}#atproto"), method(f"{ALICE}#atproto_label", P256.multibase)], ["#atproto", "#atproto_label"]),
        ([method(f"{BOB}#atproto"), method("atproto"), method(ALICE), method(7), method("#" + "x" * 200)], []),
        ([method("#atproto", type="EcdsaSecp256k1VerificationKey2019")], []),
        ([method("#atproto", 7), method("#b", "zzz"), method("#c", "\0"), method("#d", "did:key:zQ3sh")], []),
        ([method("#atproto", "broken"), method("#atproto")], []),
        ([method(f"#{number}") for number in range(100)], [f"#{number}" for number in range(16)]),
    ],
    ids=["none", "no list", "no objects", "short", "long", "others'", "legacy", "no keys", "the first of an id counts", "too many"],
)
def test_keys_are_read_as_far_as_they_make_sense(methods: Any, keys: list[str]) -> None:
    assert list(parsed(verificationMethod=methods).keys) == keys


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (None, {}),
        ([{"id": f"{ALICE}#x", "type": "X", "serviceEndpoint": "https://x"}], {"#x": Service("X", "https://x")}),
        ([{"id": "#x", "type": ["X"], "serviceEndpoint": "https://x"}, {"id": "#y", "type": "Y", "serviceEndpoint": {"a": 1}}], {}),
        ([{"id": "#x", "type": "X", "serviceEndpoint": "https://" + "x" * 10_000}], {}),
    ],
    ids=["none", "good", "odd", "too long"],
)
def test_services_are_read_as_far_as_they_make_sense(services: Any, expected: dict[str, Service]) -> None:
    assert parsed(service=services).services == expected


@pytest.mark.parametrize(
    ("names", "handle"),
    [
        (None, None),
        (["https://a.example", "at://Bob.example.com", "at://c.example.com"], "bob.example.com"),
        (["at://no handle"], None),
        ([7, {}], None),
    ],
    ids=["none", "the first", "no handle", "no text"],
)
def test_the_handle_is_the_first_that_is_claimed(names: Any, handle: str | None) -> None:
    assert parsed(alsoKnownAs=names).handle == handle
