"""Who asks is verified against the keys in DID documents, over real sockets (plainsky/asking/tokens.py)."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from atproto_server.auth.jwt import verify_jwt

from models.protocol.service_auth import audiences
from models.protocol.xrpc import XrpcError
from plainsky.asking import did_documents, tokens
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.tokens import Verifier
from tests.support.garden import did
from tests.support.tokens import (
    KEY,
    LXM,
    NOW,
    OTHER,
    P256,
    SERVICE,
    VIEWER,
    Clock,
    Directory,
    Key,
    Raw,
    bearer,
    claims,
    document,
    encoded,
    mint,
    soon,
)

REPORT = "com.atproto.moderation.createReport"


@pytest.fixture
async def directory() -> AsyncIterator[Directory]:
    async with Directory() as server:
        server.documents[VIEWER] = document(VIEWER, KEY)
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(directory: Directory, clock: Clock) -> Verifier:
    return Verifier(DidDocuments(directory.url, clock), audiences(SERVICE, "bsky_fg"), clock)


async def refused(verifier: Verifier, authorization: str | None, lxm: str = LXM, once: bool = False) -> str:
    """The error's name; its message is one to show to readers."""
    with pytest.raises(XrpcError) as caught:
        await verifier.verify(authorization, lxm, once=once)
    error = caught.value
    assert error.status == {"NotEnoughResources": 503, "RateLimitExceeded": 429}.get(error.name, 401)
    assert error.message[0].isupper()
    assert error.message[-1] in ".?"
    assert VIEWER not in error.message
    return error.name


def token(key: Key = KEY, high: bool = False, header: dict[str, Any] | None = None, **changed: Any) -> str:
    return bearer(mint(claims(**changed), key, high, **(header or {})))


async def test_the_viewer_is_known_by_the_key_of_her_did_document(verifier: Verifier, directory: Directory) -> None:
    for _ in range(3):
        assert await verifier.verify(token(), LXM) == VIEWER
    assert await verifier.verify(token(high=True, aud=f"{SERVICE}#bsky_fg"), LXM) == VIEWER
    assert directory.asked == [f"/{VIEWER}"]


@pytest.mark.parametrize("key", [KEY, P256], ids=["k256", "p256"])
async def test_a_did_web_with_a_key_of_either_curve(verifier: Verifier, directory: Directory, key: Key) -> None:
    directory.documents[directory.web_did] = document(directory.web_did, key)

    assert await verifier.verify(token(key, iss=directory.web_did), LXM) == directory.web_did


@pytest.mark.parametrize("key", [KEY, P256], ids=["k256", "p256"])
def test_the_tokens_of_these_tests_are_good_for_the_python_sdk(key: Key) -> None:
    payload = verify_jwt(mint(soon(), key), lambda *_: f"did:key:{key.multibase}", SERVICE)

    assert (payload.iss, payload.aud) == (VIEWER, SERVICE)


SEGMENT = encoded(json.dumps(claims()).encode())
NEGATIVES: dict[str, tuple[str | None, str]] = {
    # the header
    "no Authorization at all": (None, "AuthMissing"),
    "an empty Authorization": ("", "AuthMissing"),
    "another scheme": ("Basic dXNlcjpwYXNz", "AuthMissing"),
    "a DPoP proof": ("DPoP " + mint(claims()), "AuthMissing"),
    "a token without its scheme": (mint(claims()), "AuthMissing"),
    "no token": ("Bearer ", "BadJwt"),
    "two parts": ("Bearer " + mint(claims()).rpartition(".")[0], "BadJwt"),
    "four parts": (token() + ".x", "BadJwt"),
    "no signature": (bearer(mint(claims()).rpartition(".")[0] + "."), "BadJwt"),
    "a signature of 63 bytes": (token()[:-2], "BadJwt"),
    "a signature of 65 bytes": (token() + "A", "BadJwt"),
    "padding": (token() + "==", "BadJwt"),
    "a line break inside": (token()[:40] + "\n" + token()[40:], "BadJwt"),
    "too long": (token(x="x" * 5000), "BadJwt"),
    # what kind of token
    "typ at+jwt": (token(header={"typ": "at+jwt"}), "BadJwtType"),
    "typ AT+JWT": (token(header={"typ": "AT+JWT"}), "BadJwtType"),
    "typ application/at+jwt": (token(header={"typ": "application/at+jwt"}), "BadJwtType"),
    "typ refresh+jwt": (token(header={"typ": "refresh+jwt"}), "BadJwtType"),
    "typ dpop+jwt": (token(header={"typ": "dpop+jwt"}), "BadJwtType"),
    "typ a number": (token(header={"typ": 7}), "BadJwt"),
    "alg none": (token(header={"alg": "none"}), "BadJwtSignature"),
    "alg HS256": (token(header={"alg": "HS256"}), "BadJwtSignature"),
    "alg of the other curve": (token(header={"alg": "ES256"}), "BadJwtSignature"),
    "no alg": (token(header={"alg": None}), "BadJwt"),
    "kid #atproto_label": (token(header={"kid": "#atproto_label"}), "BadJwt"),
    "kid of another DID": (token(header={"kid": f"{did(2)}#atproto"}), "BadJwt"),
    "crit": (token(header={"crit": ["b64"], "b64": False}), "BadJwt"),
    "a header that is a list": (bearer(f"{encoded(b'[]')}.{SEGMENT}.{'A' * 86}"), "BadJwt"),
    "a header that is no JSON": (bearer(f"{encoded(b'alg')}.{SEGMENT}.{'A' * 86}"), "BadJwt"),
    # when
    "no exp": (token(exp=None), "BadJwt"),
    "exp now": (token(exp=NOW), "JwtExpired"),
    "exp in the past": (token(iat=NOW - 120, exp=NOW - 60), "JwtExpired"),
    "exp below zero": (token(exp=-1), "JwtExpired"),
    "exp in two hours": (token(exp=NOW + 7200), "BadJwt"),
    "exp in ten years": (token(exp=NOW + 315_360_000), "BadJwt"),
    "exp in milliseconds": (token(exp=NOW * 1000), "BadJwt"),
    "exp as text": (token(exp=str(NOW + 60)), "BadJwt"),
    "exp true": (token(exp=True), "BadJwt"),
    "exp too big": (token(exp=10**400), "BadJwt"),
    "iat in five minutes": (token(iat=NOW + 300, exp=NOW + 360), "BadJwt"),
    "nbf in five minutes": (token(nbf=NOW + 300), "BadJwt"),
    # for whom
    "no aud": (token(aud=None), "BadJwt"),
    "aud of another service": (token(aud="did:web:api.bsky.app"), "BadJwtAudience"),
    "aud of another service of the same DID": (token(aud=f"{SERVICE}#atproto_labeler"), "BadJwtAudience"),
    "aud with an empty fragment": (token(aud=f"{SERVICE}#"), "BadJwtAudience"),
    "aud as a list": (token(aud=[SERVICE]), "BadJwt"),
    # for what
    "no lxm": (token(lxm=None), "BadJwtLexiconMethod"),
    "lxm of another method": (token(lxm=REPORT), "BadJwtLexiconMethod"),
    "lxm *": (token(lxm="*"), "BadJwtLexiconMethod"),
    "lxm in capitals": (token(lxm=LXM.upper()), "BadJwtLexiconMethod"),
    "lxm with a fragment": (token(lxm=LXM + "#main"), "BadJwtLexiconMethod"),
    # by whom
    "no iss": (token(iss=None), "BadJwt"),
    "iss a handle": (token(iss="alice.example.com"), "BadJwtIss"),
    "iss no DID": (token(iss="did:plc:"), "BadJwtIss"),
    "iss with the labeler's fragment": (token(iss=f"{VIEWER}#atproto_labeler"), "BadJwtIss"),
    "iss with a fragment": (token(iss=f"{VIEWER}#atproto"), "BadJwtIss"),
    "iss of a method that is not resolved": (token(iss=f"did:key:{KEY.multibase}"), "BadJwtIss"),
    "iss nobody knows": (token(iss=did(5)), "BadJwtIss"),
    "iss somebody else": (token(iss=did(2)), "BadJwtSignature"),
    "iss without a signing key": (token(iss=did(3)), "BadJwtSignature"),
    "iss a labeler, signed with the key for labels": (token(iss=did(4)), "BadJwtSignature"),
    # which
    "no jti": (token(jti=None), "BadJwt"),
    "an empty jti": (token(jti=""), "BadJwt"),
    "jti a number": (token(jti=7), "BadJwt"),
    "an endless jti": (token(jti="x" * 300), "BadJwt"),
    # the signature
    "signed with another key": (token(OTHER), "BadJwtSignature"),
    "signed with a key of the other curve": (token(P256), "BadJwtSignature"),
    "a signature of zeros": (bearer(mint(claims()).rpartition(".")[0] + "." + "A" * 86), "BadJwtSignature"),
    "the signature of another token": (
        bearer(mint(claims(jti="another")).rpartition(".")[0] + "." + mint(claims()).rpartition(".")[2]),
        "BadJwtSignature",
    ),
}


@pytest.mark.parametrize(("authorization", "name"), NEGATIVES.values(), ids=NEGATIVES)
async def test_refused(verifier: Verifier, directory: Directory, authorization: str | None, name: str) -> None:
    directory.documents[did(2)] = document(did(2), OTHER)
    directory.documents[did(3)] = document(did(3))
    label_key = {"id": f"{did(4)}#atproto_label", "type": "Multikey", "controller": did(4), "publicKeyMultibase": KEY.multibase}
    directory.documents[did(4)] = document(did(4), OTHER) | {"verificationMethod": [label_key]}

    assert await refused(verifier, authorization) == name


async def test_what_is_refused_by_what_it_says_asks_for_no_document(verifier: Verifier, directory: Directory) -> None:
    for authorization, name in NEGATIVES.values():
        if name not in ("BadJwtIss", "BadJwtSignature"):
            await refused(verifier, authorization)

    assert directory.asked == []


async def test_each_message_says_what_is_wrong(verifier: Verifier) -> None:
    for authorization, part in {
        None: "Please log in",
        token(exp=NOW): "has expired. Please load again",
        token(lxm=None): f"names no method: its lxm must be {LXM}",
        token(exp=None): "missing required field `exp`",
        token(iat=NOW + 300): "is the clock of the server that signed it right?",
    }.items():
        with pytest.raises(XrpcError) as caught:
            await verifier.verify(authorization, LXM)
        assert part in caught.value.message


async def test_a_changed_key_is_found_with_one_look_at_the_document(verifier: Verifier, directory: Directory, clock: Clock) -> None:
    await verifier.verify(token(), LXM)
    directory.documents[VIEWER] = document(VIEWER, OTHER)
    clock.now += 60
    new, old = (token(key, exp=NOW + 600) for key in (OTHER, KEY))

    assert await asyncio.gather(*(verifier.verify(new, LXM) for _ in range(20))) == [VIEWER] * 20
    assert len(directory.asked) == 2
    for _ in range(20):
        assert await refused(verifier, old) == "BadJwtSignature"
    assert len(directory.asked) == 2


async def test_wrong_signatures_make_us_ask_once_a_minute_at_most(verifier: Verifier, directory: Directory, clock: Clock) -> None:
    for second in range(300):
        clock.now = NOW + second
        assert await refused(verifier, token(OTHER, exp=NOW + 600)) == "BadJwtSignature"

    assert len(directory.asked) == 5


async def test_while_a_directory_is_away_readers_it_told_of_are_known_and_others_asked_to_wait(
    verifier: Verifier, directory: Directory, clock: Clock
) -> None:
    await verifier.verify(token(), LXM)
    directory.answer = (503, {})
    clock.now += 7200

    assert await verifier.verify(token(exp=NOW + 7260), LXM) == VIEWER
    assert await refused(verifier, token(iss=did(2), exp=NOW + 7260)) == "NotEnoughResources"
    assert await refused(verifier, token(OTHER, exp=NOW + 7260)) == "BadJwtSignature"


async def test_a_token_may_be_shown_for_several_pages(verifier: Verifier) -> None:
    """The reference AppView hands on the PDS's token, and a client that asks again within its minute may send the same."""
    for _ in range(3):
        assert await verifier.verify(token(), LXM) == VIEWER


async def test_a_token_for_one_use_is_good_once_whichever_way_it_is_signed(verifier: Verifier) -> None:
    said = {"lxm": REPORT}
    assert await verifier.verify(token(**said), REPORT, once=True) == VIEWER

    assert await refused(verifier, token(**said), REPORT, once=True) == "BadJwt"
    assert await refused(verifier, token(high=True, **said), REPORT, once=True) == "BadJwt"
    assert await refused(verifier, token(high=True, **said, exp=NOW + 90), REPORT, once=True) == "BadJwt"
    assert await verifier.verify(token(**said, jti="another"), REPORT, once=True) == VIEWER


async def test_of_many_at_once_one_passes(verifier: Verifier) -> None:
    asked = (verifier.verify(token(lxm=REPORT), REPORT, once=True) for _ in range(20))
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert [answer for answer in answers if not isinstance(answer, XrpcError)] == [VIEWER]


async def test_a_token_with_a_wrong_signature_uses_nothing_up(verifier: Verifier) -> None:
    assert await refused(verifier, token(OTHER), once=True) == "BadJwtSignature"

    assert await verifier.verify(token(), LXM, once=True) == VIEWER


async def test_the_same_jti_of_another_account_is_another_token(verifier: Verifier, directory: Directory) -> None:
    directory.documents[did(2)] = document(did(2), KEY)

    assert await verifier.verify(token(), LXM, once=True) == VIEWER
    assert await verifier.verify(token(iss=did(2)), LXM, once=True) == did(2)


async def test_used_tokens_are_forgotten_when_they_expire_and_never_before(
    verifier: Verifier, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 2)
    await verifier.verify(token(jti="1", exp=NOW + 60), LXM, once=True)
    await verifier.verify(token(jti="2", exp=NOW + 10), LXM, once=True)

    assert await refused(verifier, token(jti="3"), once=True) == "RateLimitExceeded"
    assert await verifier.verify(token(jti="3"), LXM) == VIEWER
    clock.now += 10
    assert await verifier.verify(token(jti="3"), LXM, once=True) == VIEWER
    assert await refused(verifier, token(jti="1"), once=True) == "BadJwt"


async def test_no_reader_is_named_in_the_log(verifier: Verifier, directory: Directory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await verifier.verify(token(), LXM, once=True)
    directory.documents[did(2)] = Raw(b"<html>")
    for iss in (VIEWER, did(2), did(5), "did:web:localhost%3A1"):
        await refused(verifier, token(OTHER, iss=iss))

    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # that of the test's own directory
    assert not [line for line in ours if "did:" in line or "localhost" in line]


async def test_a_reader_whose_document_hangs_holds_up_no_other(
    verifier: Verifier, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(did_documents, "ASK_SECONDS", 0.05)
    await verifier.verify(token(), LXM)
    directory.mute = True
    waiting = asyncio.create_task(refused(verifier, token(iss=did(2))))
    assert await verifier.verify(token(), LXM) == VIEWER

    assert await waiting == "NotEnoughResources"
    directory.mute = False
    await directory.wake()
