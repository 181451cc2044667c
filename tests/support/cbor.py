"""DAG-CBOR as the JSON of the data model, decoded by hand: a second opinion beside libipld, which tells links from bytes exactly."""

import base64
import struct
from typing import Any


def to_json(data: bytes) -> Any:
    """The one object in `data`: links as {"$link": ...}, byte strings as {"$bytes": ...}."""
    value, end = _value(data, 0)
    assert end == len(data)
    return value


def cid_text(cid: bytes) -> str:
    """A CID in base32."""
    return "b" + base64.b32encode(cid).decode().lower().rstrip("=")


def car_blocks(car: bytes) -> dict[bytes, bytes]:
    """The undecoded blocks of a CAR by their CIDs, all of the 36 bytes that the protocol uses."""
    blocks = {}
    length, at = _varint(car, 0)
    at += length
    while at < len(car):
        length, at = _varint(car, at)
        blocks[car[at : at + 36]] = car[at + 36 : at + length]
        at += length
    return blocks


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at


def _value(data: bytes, at: int) -> tuple[Any, int]:
    major, low = data[at] >> 5, data[at] & 31
    number, at = _number(data, at + 1, low)
    if major in (2, 3):
        part = data[at : at + number]
        return (part.decode() if major == 3 else _bytes(part)), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _value(data, at)
            items.append(item)
        return items, at
    if major == 5:
        pairs = {}
        for _ in range(number):
            key, at = _value(data, at)
            pairs[key], at = _value(data, at)
        return pairs, at
    if major == 6:
        assert number == 42
        cid, at = _value(data, at)
        return {"$link": cid_text(_unpadded(cid["$bytes"])[1:])}, at
    if major == 7:
        simple = {20: False, 21: True, 22: None}
        return (simple[low] if low in simple else struct.unpack(">d", number.to_bytes(8, "big"))[0]), at
    return (number if major == 0 else -1 - number), at


def _number(data: bytes, at: int, low: int) -> tuple[int, int]:
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(low, 0)
    return (int.from_bytes(data[at : at + width], "big") if width else low), at + width


def _bytes(part: bytes) -> dict[str, str]:
    return {"$bytes": base64.b64encode(part).decode().rstrip("=")}


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
