"""What a recording holds beside events: who was on a list, and whose a handle was, as read while it was made (docs/recording.md).

Rules go by these, too, so whoever rebuilds a feed from a recording needs them. Replaying posts passes them over.
"""

from collections.abc import Callable

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


_decode: Callable[[bytes], ListNote | HandleNote] = msgspec.json.Decoder(ListNote | HandleNote).decode


def noted(line: bytes) -> ListNote | HandleNote | None:
    """The note in a line of a recording; None when it is none."""
    if not line.startswith((b'{"kind":"list",', b'{"kind":"handle",')):
        return None
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
