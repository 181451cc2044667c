"""Remembers that a host could not give us all we asked for, until an event tells from when on it could."""

from plainsky.ingest import Position, Sink


class Gap:
    """At most one gap a connection: from where we had stored to the first event that came."""

    def __init__(self, sink: Sink, start: Position | None) -> None:
        self._sink = sink
        self._from_us = start.time_us if start else None
        self._cause: str | None = None
        self.awaited = False
        """Whether the next event closes a gap; readers look here first, for they must be quick."""

    def suspect(self, cause: str) -> None:
        """Upstream said that something is missing. Of no matter when we resume from nothing."""
        if self._from_us is not None and not self.awaited:
            self._cause, self.awaited = cause, True

    def event(self, time_us: int) -> None:
        """The first event after the gap has come."""
        if self._cause is not None and self._from_us is not None and time_us > self._from_us:  # else nothing is missing after all
            self._sink.gap(self._from_us, time_us, self._cause)
        self._cause, self.awaited = None, False
