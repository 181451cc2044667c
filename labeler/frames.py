"""The binary frames of com.atproto.label.subscribeLabels: a header and a body, each DAG-CBOR.

Source: atproto.com/specs/event-stream; lexicon com.atproto.label.subscribeLabels.
"""

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

import libipld

from models.labels import Label

# libipld encodes bytes that look like a CID as a link, and one signature in a thousand does: strict clients then refuse the frame. So a
# signature takes the place of bytes that are no CID, and that no text can hold.
_NO_SIG = b"\xff" * 64


def labels(seq: int, signed: Sequence[tuple[Label, bytes]]) -> bytes:
    """#labels with these labels, oldest first; `seq` is the last one's: who has read the frame has read up to there.

    Signatures (64 bytes) go as bytes, and absent fields are left out, as they were when it was signed.
    """
    unsigned = [{**label.fields(), "sig": _NO_SIG} for label, _ in signed]
    between = _frame({"op": 1, "t": "#labels"}, {"seq": seq, "labels": unsigned}).split(_NO_SIG)
    return b"".join(chain.from_iterable(zip_longest(between, (sig for _, sig in signed), fillvalue=b"")))


def info(name: str, message: str) -> bytes:
    """#info: the stream goes on."""
    return _frame({"op": 1, "t": "#info"}, {"name": name, "message": message})


def error(name: str, message: str) -> bytes:
    """An error: the last frame of a stream."""
    return _frame({"op": -1}, {"error": name, "message": message})


def _frame(header: dict[str, Any], body: dict[str, Any]) -> bytes:
    return bytes(libipld.encode_dag_cbor(header) + libipld.encode_dag_cbor(body))
