"""Passes by frames of which the first bytes say that they hold nothing of interest: of a whole network's stream, seven of eight.

Of several in a row only the last is read, since where it ends is where they all end, and only when the loop has come to rest. So the
cursor may stand a moment behind, and what is wrong with a frame that holds nothing may go unnoticed.
"""

import asyncio
import contextlib
from collections.abc import Callable

from plainsky.ingest import Disconnected
from plainsky.ingest.gaps import Gap


class Passing:
    """Stands before the `read` of a connection. What `nothing` finds must be certain.

    The first frame is read in any case, for it tells from when on there is anything; and so is one that ends a gap.
    """

    def __init__(self, nothing: Callable[[bytes], object], gap: Gap, read: Callable[[bytes], None]) -> None:
        self._nothing: Callable[[bytes], object] = lambda raw: False
        self._later, self._gap, self._read = nothing, gap, read
        self._soon = asyncio.get_running_loop().call_soon
        self._last: bytes | None = None
        self._due = False

    def read(self, raw: bytes) -> None:
        """Read the frame, or pass it by."""
        if self._nothing(raw) and not self._gap.awaited:
            self._last = raw
            if not self._due:
                self._due = True
                self._soon(self._tell)
        else:
            self._nothing = self._later
            self._last = None  # what is read now ends later
            self._read(raw)

    def _tell(self) -> None:
        last, self._last, self._due = self._last, None, False
        if last is not None:
            with contextlib.suppress(Disconnected):  # a broken order shows in the next frame that is read, too
                self._read(last)
