"""Moves a recording in time: the times of its events, the TIDs of its records and of what they refer to, and createdAt, by one length.

What stays: everything a person wrote, all order and all distances. CIDs stay those of the records as recorded, so a shifted recording
is for looking at, not for checking hashes.
"""

import re
from typing import Any, TypeVar

import msgspec

from models.events import AccountChanged, Event, IdentityChanged, PostDeleted, RepoReset
from models.protocol.syntax import format_datetime, parse_datetime, tid_of, tid_time_us

_URI = re.compile(r"(at://[^/]+/[^/]+/)([2-7a-z]{13})")
T = TypeVar("T", bound=Event)


class Shift:
    """A move by `by_us` microseconds."""

    def __init__(self, by_us: int) -> None:
        self._by_us = by_us

    def event(self, event: Event) -> Event:
        """The event as it would have been then."""
        time_us = event.time_us + self._by_us
        if isinstance(event, AccountChanged | IdentityChanged):
            return msgspec.structs.replace(event, time_us=time_us)
        rev = self.tid(event.rev)
        if isinstance(event, RepoReset):
            return msgspec.structs.replace(event, time_us=time_us, rev=rev)
        rkey = self.tid(event.rkey)
        if isinstance(event, PostDeleted):
            return msgspec.structs.replace(event, time_us=time_us, rev=rev, rkey=rkey)
        return msgspec.structs.replace(event, time_us=time_us, rev=rev, rkey=rkey, record=self._record(event.record))

    def tid(self, text: str) -> str:
        """A TID of the shifted time and the same clock (its last two letters); what is no TID stays."""
        time_us = tid_time_us(text)
        if time_us is None or not 0 <= time_us + self._by_us < 1 << 53:
            return text
        return tid_of(time_us + self._by_us, 0)[:11] + text[11:]

    def _record(self, record: dict[str, Any]) -> dict[str, Any]:
        shifted: dict[str, Any] = self._value(record)
        created_at = record.get("createdAt")
        time_us = parse_datetime(created_at) if isinstance(created_at, str) else None
        if time_us is not None:
            shifted["createdAt"] = format_datetime(time_us + self._by_us)
        return shifted

    def _value(self, value: Any) -> Any:
        """at-uris are shifted wherever they stand: replies and quotes must still find their posts."""
        if isinstance(value, str):
            found = _URI.fullmatch(value) if value.startswith("at://") else None
            return found[1] + self.tid(found[2]) if found else value
        if isinstance(value, dict):
            return {key: self._value(item) for key, item in value.items()}
        return [self._value(item) for item in value] if isinstance(value, list) else value
