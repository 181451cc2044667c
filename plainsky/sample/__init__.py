"""A recording of a small fictional neighbourhood, for demos without a network: its accounts, its posts, and what becomes of them.

Promise: the same `now` gives the same events. Nobody in it exists; every word was written for this project (`stories.txt`).

The source is made to be read: a line with # begins a story, and every other line is one JSON object, one thing that happens, in order.
Stories begin one after the other over two days and run side by side.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from models.duration import SECOND, duration
from models.events import AccountChanged, Event, IdentityChanged, PostCreated, PostDeleted, PostUpdated
from models.protocol.syntax import tid_of
from plainsky.sample.records import Line, Written, cid_of, did_of, record_of, reply_to

SPAN = 44 * 3600 * SECOND
"""Between the beginnings of the first story and of the last, in microseconds."""


def sample_events(now_us: int) -> Iterator[Event]:
    """Two days of events that end at `now_us`, in upstream's order, with rising times."""
    stories = _stories()
    timed = sorted(_timed(stories))
    shift = now_us - timed[-1].offset_us
    cast = sorted({line.by for story in stories for line in story if line.by})
    begin = shift + timed[0].offset_us - len(cast) * SECOND
    for index, name in enumerate(cast):
        yield IdentityChanged(did_of(name), begin + index * SECOND, f"{name}.example")
    town = _Town(cast)
    for when in timed:
        yield town.happens(when.line, shift + when.offset_us)


class _Timed(NamedTuple):
    offset_us: int
    story: int
    number: int
    line: Line


def _stories() -> list[list[Line]]:
    stories: list[list[Line]] = []
    for text in (Path(__file__).parent / "stories.txt").read_text(encoding="utf-8").splitlines():
        if text.startswith("#"):
            stories.append([])
        elif text:
            stories[-1].append(msgspec.json.decode(text, type=Line))
    return stories


def _timed(stories: list[list[Line]]) -> Iterator[_Timed]:
    for story, lines in enumerate(stories):
        offset = SPAN * story // len(stories)
        for number, line in enumerate(lines):
            # As if by chance, yet the same each time; never two at the same microsecond (a test looks).
            chance = zlib.crc32(f"{story}/{number}/{line.text}".encode())
            offset += duration(line.wait) + chance % SECOND if line.wait else 2 * 60 * SECOND + chance % (18 * 60 * SECOND)
            yield _Timed(offset, story, number, line)


class _Town:
    """Who is called what, and which posts stand, while the events go by."""

    def __init__(self, cast: list[str]) -> None:
        self.handles = {name: f"{name}.example" for name in cast}
        self.written: dict[str, Written] = {}

    def happens(self, line: Line, time_us: int) -> Event:
        """The event that tells of a line."""
        if line.do == "post":
            return self._post(line, time_us)
        if line.do == "edit":
            return self._edit(line, time_us)
        if line.do == "delete":
            gone = self.written.pop(line.of)
            return PostDeleted(gone.did, gone.rkey, _rev(gone.name, time_us), time_us)
        if line.do == "handle":
            self.handles[line.of] = line.text
            return IdentityChanged(did_of(line.of), time_us, line.text)
        active = line.status == "active"
        return AccountChanged(did_of(line.of), active, time_us, None if active else line.status)

    def _post(self, line: Line, time_us: int) -> Event:
        created_us = time_us - SECOND + _off(line.dated)
        record = record_of(line, created_us, self.handles, self.written)
        reply = reply_to(self.written[line.reply]) if line.reply else None
        record = record | {"reply": reply} if reply else record
        did, rev = did_of(line.by), _rev(line.by, time_us)
        post = Written(line.by, did, rev, cid_of(record), created_us, reply)
        if line.id:
            self.written[line.id] = post
        return PostCreated(did, post.rkey, rev, post.cid, time_us, record)

    def _edit(self, line: Line, time_us: int) -> Event:
        before = self.written[line.of]
        record = record_of(line, before.created_us, self.handles, self.written)
        record = record | {"reply": before.reply} if before.reply else record
        after = msgspec.structs.replace(before, cid=cid_of(record))
        self.written[line.of] = after
        return PostUpdated(after.did, after.rkey, _rev(after.name, time_us), after.cid, time_us, record)


def _rev(name: str, time_us: int) -> str:
    """The TID that the author's server made, a moment before its relay told of it."""
    return tid_of(time_us - SECOND // 5, zlib.crc32(name.encode()) % 1024)


def _off(dated: str) -> int:
    return -duration(dated[1:]) if dated.startswith("-") else duration(dated) if dated else 0
