"""Finds where in a relay's stream a time lies, when all that is known is another relay's seq (worthless here) and a time.

The live seq is asked for, and then cursors ever further behind it, one frame a probe (4,096 back, 8,192, ...), until a frame is old
enough: some fifteen probes reach days back, and about twice as much is read again as is needed, which changes nothing.
A host too quiet to tell its live seq is read from its beginning.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

FIRST_STEP = 4_096
OLDEST = 0


class Probe(NamedTuple):
    """The first frame that came from a cursor."""

    seq: int
    time_us: int


Probing: TypeAlias = Callable[[int | None], Awaitable[Probe | None]]
"""Connects at a cursor (None: live) and tells the first frame; None when the cursor is older than what the host keeps."""


async def seek(probe: Probing, wanted_us: int, quiet_seconds: float) -> int:
    """A cursor from which everything since `wanted_us` comes, as far as the host has it."""
    try:
        async with asyncio.timeout(quiet_seconds):
            live = await probe(None)
    except TimeoutError:
        return OLDEST
    return OLDEST if live is None else await _back_from(probe, live, wanted_us)


async def _back_from(probe: Probing, live: Probe, wanted_us: int) -> int:
    found, step = live, FIRST_STEP
    while found.time_us > wanted_us:
        if step >= live.seq:
            return OLDEST
        older = await probe(live.seq - step)
        if older is None:
            return live.seq - step  # the host will say OutdatedCursor again, and the gap is reported then
        found, step = older, step * 2
    return found.seq
