"""Keys of DID documents: the interop fixtures decide, but for high-S, which JWTs may have (models/protocol/public_keys.py)."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.protocol import public_keys
from tests.support.interop import FILES
from tests.support.tokens import KEY, OTHER, P256, Key

FIXTURES = json.loads((FILES / "signature-fixtures.json").read_text())
MESSAGE = b"hello"


def unpadded(text: str) -> bytes:
    return base64.b64decode(text + "==")


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture["comment"])
def test_signatures_are_judged_as_the_interop_fixtures_say_except_that_high_s_passes(fixture: dict[str, str]) -> None:
    key = public_keys.parse(fixture["publicKeyDid"])

    assert key.alg == fixture["algorithm"]
    expected = fixture["validSignature"] or "high-s" in fixture["tags"]
    assert key.verify(unpadded(fixture["messageBase64"]), unpadded(fixture["signatureBase64"])) == expected


@pytest.mark.parametrize("high", [False, True], ids=["low-S", "high-S"])
@pytest.mark.parametrize("pair", [KEY, P256], ids=["k256", "p256"])
def test_a_signature_is_good_for_its_message_and_its_key_alone(pair: Key, high: bool) -> None:
    key, signature = public_keys.parse(pair.multibase), pair.sign(MESSAGE, high)

    assert key.verify(MESSAGE, signature)
    assert not key.verify(b"hullo", signature)
    assert not key.verify(MESSAGE, signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not public_keys.parse(OTHER.multibase).verify(MESSAGE, signature)


@given(st.sampled_from([KEY, P256]), st.binary(max_size=80) | st.sampled_from([b"\0" * 64, b"\xff" * 64, b"\0" * 63 + b"\1"]))
def test_any_bytes_are_answered(pair: Key, signature: bytes) -> None:
    assert not public_keys.parse(pair.multibase).verify(MESSAGE, signature)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "did:key:",
        "zQ3sh",
        "\0",
        "é",
        "m" * 200,
        "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",  # ed25519
        "zxdM8dSstjrpZaRUwBmDvjGXweKuEMVN95A9oJBFjkWMh",  # no multicodec: the legacy form
        "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBmeX",  # one digit too many
    ],
)
def test_what_is_no_key_of_the_protocol_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        public_keys.parse(text)
