"""The binary frames of com.atproto.label.subscribeLabels: a header and a body, each DAG-CBOR.

Source: atproto.com/specs/event-stream; lexicon com.atproto.label.subscribeLabels.
"""

from typing import Any

import libipld

from models.labels import Label


def labels(seq: int, label: Label, sig: bytes) -> bytes:
    """#labels with one label: `sig` goes as bytes, and absent fields are left out, as they were when it was signed."""
    return _frame({"op": 1, "t": "#labels"}, {"seq": seq, "labels": [{**label.fields(), "sig": sig}]})


def info(name: str, message: str) -> bytes:
    """#info: the stream goes on."""
    return _frame({"op": 1, "t": "#info"}, {"name": name, "message": message})


def error(name: str, message: str) -> bytes:
    """An error: the last frame of a stream."""
    return _frame({"op": -1}, {"error": name, "message": message})


def _frame(header: dict[str, Any], body: dict[str, Any]) -> bytes:
    return bytes(libipld.encode_dag_cbor(header) + libipld.encode_dag_cbor(body))
