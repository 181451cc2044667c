"""Label signatures, against a published label and the protocol's own signature fixtures."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import libipld
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from labeler.keys import did_key, parse_public_key
from labeler.signing import sign, signing_bytes, verify, verify_bytes
from models.labels import Label
from models.protocol.ecdsa import K256_ORDER
from models.protocol.k256 import PrivateKey
from tests.support.labels import CIDS, KEY, SRC, uri

DATA = Path(__file__).parent.parent / "data"
VECTOR = json.loads((DATA / "label-vector.json").read_text())
LABEL = Label(**VECTOR["label"])


def unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


SIG = unpadded(VECTOR["sig_base64"])
PUBLIC_KEY = parse_public_key(VECTOR["key"]["publicKeyMultibase"])


def test_the_published_label_is_signed_over_exactly_the_published_bytes() -> None:
    assert signing_bytes(LABEL).hex() == VECTOR["cbor_hex"]
    assert hashlib.sha256(signing_bytes(LABEL)).hexdigest() == VECTOR["sha256_hex"]


def test_the_published_label_verifies() -> None:
    assert verify(LABEL, SIG, PUBLIC_KEY)


@pytest.mark.parametrize(
    "change",
    [
        {"ver": 2},
        {"src": "did:plc:other22222222222222222222"},
        {"uri": "did:plc:other22222222222222222222"},
        {"val": "replicant"},
        {"cts": "2024-10-23T17:51:19.129Z"},
        {"cid": CIDS[0]},
        {"neg": True},
        {"exp": "2024-10-24T17:51:19.128Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_label_with_any_field_changed_does_not_verify(change: dict[str, Any]) -> None:
    assert not verify(replace(LABEL, **change), SIG, PUBLIC_KEY)


@pytest.mark.parametrize("fields", [{**VECTOR["label"], "neg": False}, {k: v for k, v in VECTOR["label"].items() if k != "ver"}])
def test_neg_false_in_the_signed_bytes_or_ver_left_out_breaks_the_signature(fields: dict[str, Any]) -> None:
    assert not verify_bytes(libipld.encode_dag_cbor(fields), SIG, PUBLIC_KEY)


def test_a_high_s_signature_does_not_verify() -> None:
    high_s = (K256_ORDER - int.from_bytes(SIG[32:], "big")).to_bytes(32, "big")

    assert not verify(LABEL, SIG[:32] + high_s, PUBLIC_KEY)


def test_a_der_signature_does_not_verify() -> None:
    assert not verify(LABEL, encode_dss_signature(int.from_bytes(SIG[:32], "big"), int.from_bytes(SIG[32:], "big")), PUBLIC_KEY)


@pytest.mark.parametrize("sig", [b"", bytes(64), b"\xff" * 64, SIG[:63], SIG + b"\0"])
def test_bytes_that_are_no_signature_do_not_verify(sig: bytes) -> None:
    assert not verify(LABEL, sig, PUBLIC_KEY)


FIXTURES = json.loads((DATA / "interop" / "signature-fixtures.json").read_text())


@pytest.mark.parametrize("fixture", [f for f in FIXTURES if f["algorithm"] == "ES256K"], ids=lambda fixture: fixture["comment"])
def test_interop_signatures_are_judged_as_the_protocol_does(fixture: dict[str, Any]) -> None:
    valid = verify_bytes(
        unpadded(fixture["messageBase64"]), unpadded(fixture["signatureBase64"]), parse_public_key(fixture["publicKeyDid"])
    )

    assert valid is fixture["validSignature"]


@given(rkey=st.from_regex(r"[a-z0-9]{1,13}", fullmatch=True), cid=st.sampled_from([None, *CIDS]), neg=st.booleans())
def test_every_signature_is_64_bytes_low_s_and_verifies_with_the_sdk(rkey: str, cid: str | None, neg: bool) -> None:
    from atproto_crypto.verify import verify_signature

    label = Label(SRC, uri(rkey), "plainsky-test", "2026-01-01T12:00:00.000Z", cid, neg)

    sig = sign(label, KEY)

    assert len(sig) == 64
    assert int.from_bytes(sig[32:], "big") <= K256_ORDER // 2
    assert verify(label, sig, KEY.public_key)
    assert verify_signature(did_key(KEY.public_key), signing_bytes(label), sig)
    assert not verify(label, sig, PrivateKey().public_key)


def test_fields_that_are_absent_or_false_are_left_out() -> None:
    assert Label(SRC, SRC, "x", "2026-01-01T12:00:00.000Z").fields() == {
        "ver": 1,
        "src": SRC,
        "uri": SRC,
        "val": "x",
        "cts": "2026-01-01T12:00:00.000Z",
    }
