"""The recorded frames of tests/data/frames, and what a Jetstream instance would make of them (records decoded by `tests.support.cbor`)."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from libipld import decode_dag_cbor_multi, encode_dag_cbor

from tests.support import cbor

FRAMES = Path(__file__).parents[1] / "data" / "frames"


def raw_frames(name: str = "frames.b64") -> list[bytes]:
    """Frames as they came over the wire."""
    return list(_raw_frames(name))


@cache
def _raw_frames(name: str) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(line) for line in (FRAMES / name).read_text().splitlines())


def frame(name: str, body: dict[str, Any], op: int = 1) -> bytes:
    """A frame of our own making; bytes stay byte strings (no links)."""
    header = {"op": op, "t": name} if op == 1 else {"op": op}
    return encode_dag_cbor(header) + encode_dag_cbor(body)


def seq_of(raw: bytes) -> int | None:
    """A frame's seq."""
    return decode_dag_cbor_multi(raw)[1].get("seq")


def microseconds(text: str) -> int:
    """Since the epoch."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


@dataclass
class Entry:
    """One event of a Jetstream instance's log; `seq` is the instance's, not upstream's."""

    seq: int
    witnessed_us: int
    kind: str
    did: str
    commit: dict[str, Any] = field(default_factory=dict)
    upstream: dict[str, Any] = field(default_factory=dict)


def entries(frames: list[bytes], first_seq: int = 1, late_us: int = 0) -> list[Entry]:
    """A Jetstream log of these frames; the instance saw each `late_us` after its own time."""
    log: list[Entry] = []
    for raw in frames:
        header, body = decode_dag_cbor_multi(raw)
        kind = header["t"].removeprefix("#")
        parts = _operations(body) if kind == "commit" else [{}]
        for part in parts:
            entry = Entry(first_seq + len(log), microseconds(body["time"]) + late_us, kind, body.get("repo") or body["did"], part)
            if kind != "commit":
                entry.upstream = {key: _json(value) for key, value in body.items()}
            log.append(entry)
    return log


def _operations(body: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = cbor.car_blocks(body["blocks"])
    made = []
    for op in body["ops"]:
        collection, rkey = op["path"].split("/")
        part = {"rev": body["rev"], "operation": op["action"], "collection": collection, "rkey": rkey}
        if op["cid"] is not None:
            part |= {"record": cbor.to_json(blocks[op["cid"]]), "cid": cbor.cid_text(op["cid"])}
        made.append(part)
    return made


def _json(value: Any) -> Any:
    return {"$bytes": base64.b64encode(value).decode().rstrip("=")} if isinstance(value, bytes) else value
