"""Sources of events: one file per kind (`firehose`, `jetstream`, `replay`), one contract for all.

A source knows one wire. It turns frames into `models.events` and hands them to a sink, in upstream's order, with the cursor that a
later connection would resume from. Hosts, failover, backoff and the watchdog are `supervisor`'s; transactions are the pipeline's.
"""

from typing import Protocol

import msgspec

from models.events import Event

POSTS = "app.bsky.feed.post"
"""The only collection that is read: what is never asked for cannot rank anything."""


class Position(msgspec.Struct, frozen=True):
    """How far a host's stream has been stored: `cursor` is in that host's own count, `time_us` is the upstream time of the last event."""

    host: str
    cursor: int
    time_us: int


class Sink(Protocol):
    """Where a source puts what it reads. All calls but `room` are plain and quick."""

    def connected(self, host: str) -> None:
        """The host has taken the connection: what it sends comes next."""

    def put(self, event: Event, cursor: int) -> None:
        """An event, and the host's cursor at it."""

    def passed(self, cursor: int, time_us: int) -> None:
        """A frame that held no event of interest, or whose time on the wire is not its event's own: only the cursor moves."""

    def drop(self, reason: str) -> None:
        """Upstream garbage was left out: counted under `reason` (a word of `[a-z_]+`, from a small fixed set)."""

    def gap(self, from_us: int, to_us: int, cause: str) -> None:
        """Events between the two times are known to be missing (OutdatedCursor, CursorTooOld, a silent clamp)."""

    async def room(self) -> None:
        """Returns at once while there is room; otherwise waits until the pipeline has stored some (backpressure)."""


class Disconnected(Exception):
    """The connection ended and may be tried again; the message says why, for the log. Carries a wait the server asked for, in seconds."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Refused(Disconnected):
    """This host will not serve us (501, a wrong path, FutureCursor): go to the next host rather than try again here."""


class Source(Protocol):
    """One kind of wire."""

    kind: str
    received: int
    """Frames read so far, on all connections. It only ever rises: the watchdog looks whether it does."""

    async def run(self, host: str, start: Position | None, sink: Sink) -> None:
        """Read `host` until it ends or breaks, from `start`, or from now when None.

        `start.host == host` resumes by the host's own cursor (inclusive: the last event may come again). Another host's position is
        only a time: re-read from `start.time_us` less the margin. Raises `Disconnected`; returns only when the stream is finished
        for good (a replayed recording). Waits for `sink.room()` every few frames, so a sink holds a few frames more than it has room for.
        """
