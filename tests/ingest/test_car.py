"""One block out of a CAR: the right one, wherever it stands and whatever the other blocks hold."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainsky.ingest.car import block

HEADER = b"the header is passed over, whatever it says"
DATA = st.binary(max_size=40) | st.binary(min_size=100, max_size=300)


def cid_of(data: bytes) -> bytes:
    return b"\x01\x71\x12\x20" + sha256(data).digest()


def section(content: bytes) -> bytes:
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return length + bytes([size]) + content


def car(*blocks: bytes) -> bytes:
    return section(HEADER) + b"".join(section(cid_of(data) + data) for data in blocks)


@given(st.lists(DATA, min_size=1, max_size=6), st.data())
def test_every_block_is_found_though_others_link_to_it(blocks: list[bytes], draw: st.DataObject) -> None:
    wanted = draw.draw(st.sampled_from(blocks))
    linking = [b"\xd8\x2a\x58\x25\x00" + cid_of(wanted) + rest for rest in draw.draw(st.lists(DATA, max_size=3))]
    order = draw.draw(st.permutations([*blocks, *linking]))

    assert block(car(*order), cid_of(wanted)) == wanted


@given(DATA, DATA)
def test_a_block_that_holds_what_looks_like_another_block_is_not_believed(true: bytes, false: bytes) -> None:
    forged = section(cid_of(true) + false)

    assert block(car(true, forged), cid_of(true)) == true
    assert block(car(forged, true), cid_of(true)) == true


@given(st.lists(DATA, max_size=3), st.integers(1, 400))
def test_what_is_not_there_or_cut_off_is_not_found(blocks: list[bytes], cut: int) -> None:
    wanted = b"\xa1 the wanted block"

    assert block(car(*blocks), cid_of(wanted)) is None
    whole = car(*blocks, wanted)
    assert block(whole[: max(0, len(whole) - cut)], cid_of(wanted)) is None


@pytest.mark.parametrize("size", [16_348, 16_349, 200_000])
def test_a_block_of_any_size_is_found(size: int) -> None:
    data = b"x" * size

    assert block(car(b"before", data), cid_of(data)) == data
