"""What a recording holds beside events: who was on a list, whose a handle was, labels, and where it has holes (docs/recording.md).

Rules go by lists, handles and labels, too, so whoever rebuilds a feed from a recording needs them. Replaying posts passes them over.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from models.lists import Copy


class ListNote(msgspec.Struct, frozen=True, tag_field="kind", tag="list"):
    """A list or starter pack as it was read at `time_us`: its name and the DIDs on it."""

    uri: str
    name: str
    members: tuple[str, ...]
    time_us: int

    @property
    def copy(self) -> Copy:
        """As feeds know it."""
        return Copy(self.uri, self.name, self.time_us, frozenset(self.members))


class HandleNote(msgspec.Struct, frozen=True, tag_field="kind", tag="handle"):
    """A handle of the config, and the DID that it stood for at `time_us`."""

    handle: str
    did: str
    time_us: int


class BeginNote(msgspec.Struct, frozen=True, tag_field="kind", tag="begin"):
    """Somebody began to record at `time_us` (of his clock): what came between the line before and the next event is not here."""

    time_us: int


class GapNote(msgspec.Struct, frozen=True, tag_field="kind", tag="gap"):
    """Events between two upstream times (µs) did not come: the source said so."""

    from_us: int
    to_us: int
    cause: str


class LabelerNote(msgspec.Struct, frozen=True, tag_field="kind", tag="labeler"):
    """From `time_us` (of the recorder's clock) on, a labeler's stream was read; `values` are those that were asked for."""

    did: str
    values: tuple[str, ...]
    time_us: int


class LabelNote(msgspec.Struct, frozen=True, tag_field="kind", tag="label"):
    """A label as the labeler sent it, in the data model's JSON: whoever has its key can check `sig`."""

    seq: int
    label: dict[str, Any]

    @classmethod
    def of(cls, seq: int, fields: Mapping[str, Any]) -> "LabelNote":
        """Of a label as it was sent; what is no text, number or truth value and not the signature is left out."""
        plain = {key: value for key, value in fields.items() if isinstance(value, str | int | None)}
        return cls(seq, plain | {"sig": {"$bytes": b64encode(fields["sig"]).decode().rstrip("=")}})

    @property
    def fields(self) -> dict[str, Any]:
        """As it was sent; ValueError, TypeError or KeyError when it is no label."""
        sig = str(self.label["sig"]["$bytes"])
        return self.label | {"sig": b64decode(sig + "=" * (-len(sig) % 4))}


Note: TypeAlias = ListNote | HandleNote | BeginNote | GapNote | LabelerNote | LabelNote
_decode: Callable[[bytes], Note] = msgspec.json.Decoder(Note).decode
_STARTS = tuple(b'{"kind":"%b",' % kind for kind in (b"list", b"handle", b"begin", b"gap", b"labeler", b"label"))


def noted(line: bytes) -> Note | None:
    """The note in a line of a recording; None when it is none."""
    if not line.startswith(_STARTS):
        return None
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
