"""What a recording holds beside events: who was on a list, whose a handle was, and where it has holes (docs/recording.md).

Rules go by lists and handles, too, so whoever rebuilds a feed from a recording needs them. Replaying posts passes them over.
"""

from collections.abc import Callable
from typing import TypeAlias

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


Note: TypeAlias = ListNote | HandleNote | BeginNote | GapNote
_decode: Callable[[bytes], Note] = msgspec.json.Decoder(Note).decode
_STARTS = tuple(b'{"kind":"%b",' % kind for kind in (b"list", b"handle", b"begin", b"gap"))


def noted(line: bytes) -> Note | None:
    """The note in a line of a recording; None when it is none."""
    if not line.startswith(_STARTS):
        return None
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
