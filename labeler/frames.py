"""The binary frames of com.atproto.label.subscribeLabels: a header and a body, each DAG-CBOR.

Source: atproto.com/specs/event-stream; lexicon com.atproto.label.subscribeLabels.
"""

from typing import Any

import libipld

from models.labels import Label

# libipld encodes bytes that look like a CID as a link, and one signature in a thousand does: strict clients then refuse the frame. So a
# signature takes the place of bytes that are no CID, and that no text can hold.
_NO_SIG = b"\xff" * 64


def labels(seq: int, label: Label, sig: bytes) -> bytes:
    """#labels with one label: `sig` (64 bytes) goes as bytes, and absent fields are left out, as they were when it was signed."""
    frame = _frame({"op": 1, "t": "#labels"}, {"seq": seq, "labels": [{**label.fields(), "sig": _NO_SIG}]})
    return frame.replace(_NO_SIG, sig, 1)


def info(name: str, message: str) -> bytes:
    """#info: the stream goes on."""
    return _frame({"op": 1, "t": "#info"}, {"name": name, "message": message})


def error(name: str, message: str) -> bytes:
    """An error: the last frame of a stream."""
    return _frame({"op": -1}, {"error": name, "message": message})


def _frame(header: dict[str, Any], body: dict[str, Any]) -> bytes:
    return bytes(libipld.encode_dag_cbor(header) + libipld.encode_dag_cbor(body))
