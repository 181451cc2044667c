"""Frames as every client can read them, whatever the signature's bytes."""

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler import frames
from models.labels import Label

LABEL = Label(
    "did:plc:" + "a" * 24, "at://did:plc:" + "b" * 24 + "/app.bsky.feed.post/3kaaaaaaaaa2a", "test", "2026-11-20T12:00:00.000Z", ""
)
CID = b"\x01\x71\x12\x20"


def sig_in(frame: bytes) -> bytes:
    """The 64 bytes behind the key `sig`: a byte string (0x58 0x40), not a link (0xd8 0x2a)."""
    key = frame.index(b"\x63sig") + 4
    assert frame[key : key + 2] == b"\x58\x40"
    return frame[key + 2 : key + 66]


@given(st.one_of(st.binary(min_size=64, max_size=64), st.binary(min_size=60, max_size=60).map(lambda tail: CID + tail)))
def test_a_signature_is_a_byte_string_whatever_it_looks_like(sig: bytes) -> None:
    assert sig_in(frames.labels(1, [(LABEL, sig)])) == sig


def test_the_encoder_takes_bytes_that_look_like_a_cid_for_a_link() -> None:
    """When this fails, libipld has been mended and `frames` may be simple again."""
    assert libipld.encode_dag_cbor(b"\x01\x00" + bytes(62))[:2] == b"\xd8\x2a"


@pytest.mark.parametrize("seq", [1, 23, 24, 255, 256, 2**32, 2**53 - 1])
def test_a_frame_decodes_to_what_went_in(seq: int) -> None:
    header, body = libipld.decode_dag_cbor_multi(frames.labels(seq, [(LABEL, bytes(range(64)))]))

    assert header == {"op": 1, "t": "#labels"}
    assert body == {"seq": seq, "labels": [{**LABEL.fields(), "sig": bytes(range(64))}]}
