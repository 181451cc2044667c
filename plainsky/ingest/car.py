"""Finds one block in the CAR of a #commit without decoding the others: 1.3 us where `libipld.decode_car` takes 14.

Source: ipld.io/specs/transport/car/carv1.
"""

from hashlib import sha256

_SHA256 = b"\x12\x20"


def block(car: bytes, cid: bytes) -> bytes | None:
    """The data of the block named `cid`; None when the CAR has none, or ends early.

    A record mostly stands last, so its CID is looked for from the end; that what follows is its block, and not a link in some other
    block, its hash proves. Otherwise the blocks are gone through one by one, and then no hash is checked: the relay has done so.
    """
    at = car.rfind(cid)
    if at > 1 and cid[2:4] == _SHA256:
        start = at + len(cid)
        # Two bytes of length, as nearly all blocks have, or one.
        length = car[at - 2] & 127 | car[at - 1] << 7 if car[at - 2] > 127 else car[at - 1]
        data = car[start : at + length]
        if sha256(data).digest() == cid[4:]:
            return data
    return _searched(car, cid)


def _searched(car: bytes, cid: bytes) -> bytes | None:
    try:
        end, at = len(car), _after_header(car)
        while at < end:
            length = car[at]
            if length < 128:
                at += 1
            elif car[at + 1] < 128:  # nearly all blocks have 128 to 16,383 bytes
                length, at = length & 127 | car[at + 1] << 7, at + 2
            else:
                length, at = _varint(car, at)
            if car.startswith(cid, at):
                return car[at + len(cid) : at + length] if at + length <= end else None
            at += length
    except IndexError:
        pass
    return None


def _after_header(car: bytes) -> int:
    length, at = _varint(car, 0)
    return at + length


def _varint(car: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number and where it ends; IndexError when it does not."""
    number = 0
    for shift in range(0, 63, 7):
        byte = car[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number, at
    raise IndexError("a length without end")
