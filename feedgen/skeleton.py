"""A page of a feed as bytes: pure functions from stored entries to an answer of app.bsky.feed.getFeedSkeleton.

Promise: a page ends where the next one begins, at a place in the feed's order, so that pages never repeat or skip an entry however much
arrives or is deleted between two of them. The same entries give the same bytes.
Source: lexicon app.bsky.feed.getFeedSkeleton and app.bsky.feed.defs#skeletonFeedPost.
"""

import struct
from functools import lru_cache
from typing import NamedTuple

import msgspec

from models.entries import TOP, Items, Place, tie_of

_CONTEXT_BYTES = 2000
_ITEM = '{"post":"'
_MAX = TOP[0]


class Cursor(NamedTuple):
    """Where a page begins, and what its reader's first page rested on: `seen` means what `feedgen.pages` makes of it."""

    place: Place
    seen: tuple[int, ...] = ()


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What a page is made of besides its entries.

    `start`: the place from which entries were looked for. `pinned` stands before all, `ending` after the last of all; both are at-uris.
    `seen` goes into the cursor. Entries go down from the top of the feed, or `upwards`.
    """

    start: Place = TOP
    pinned: str | None = None
    ending: str | None = None
    seen: tuple[int, ...] = ()
    upwards: bool = False


_PLAIN = Frame()


class Page(msgspec.Struct, frozen=True, gc=False):
    """An encoded answer, good as long as `oldest`, the place (µs) of the lowest entry it rests on, lies within the feed's stretch."""

    body: bytes
    oldest: int


def item(uri: str, context: str) -> str:
    """A post as it is served and kept, an app.bsky.feed.defs#skeletonFeedPost; `context` from `feed_context`.

    A uri holds nothing that JSON would write otherwise: a DID and a record key (atproto.com/specs/at-uri-scheme).
    """
    return f'{_ITEM}{uri}","feedContext":{context}}}'


@lru_cache(maxsize=4096)
def feed_context(rule: str, kind: str, words: tuple[str, ...], placed: str = "") -> str:
    """Why a post is here, as clients pass it back: the rule, then the words it found, then what gave it its place; at most 2000 bytes,
    as a JSON string.

    Never a "|": the Bluesky app joins what it sends back with it, and splits there again.
    """
    found = ", ".join(words)
    why = f"{rule} {kind}: {found}" if found else f"{rule} {kind}"
    text = (f"{why}; {placed}" if placed else why).replace("|", "¦").encode()
    return msgspec.json.encode(text[:_CONTEXT_BYTES].decode(errors="ignore")).decode()


def page(found: Items, room: int, frame: Frame = _PLAIN) -> Page:
    """The page of up to `room` entries of `found`, which holds one more if the feed goes on; a pinned post comes on top of them."""
    listed, cursor = found.joined, ""
    if found.number > room:
        listed, cursor = _divided(found, frame)
    elif frame.ending and found.number == room:
        cursor = cursor_at(_behind(found, frame), frame.seen)
    elif frame.ending:
        end = f'{_ITEM}{frame.ending}","feedContext":"ending"}}'
        listed = f"{listed},{end}" if listed else end
    if frame.pinned:
        head = f'{_ITEM}{frame.pinned}","reason":{{"$type":"app.bsky.feed.defs#skeletonReasonPin"}}}}'
        listed = f"{head},{listed}" if listed else head
    tail = f',"cursor":"{cursor}"' if cursor else ""
    return Page(f'{{"feed":[{listed}]{tail}}}'.encode(), _MAX if found.oldest is None else found.oldest)


def _divided(found: Items, frame: Frame) -> tuple[str, str]:
    """All items but the last, and the cursor at which that one is the next to come."""
    listed, _, last = found.joined.rpartition("," + _ITEM)  # within a JSON string its quotes would have backslashes
    assert found.last is not None
    return listed, cursor_at((found.last, tie_of(_uri(last))), frame.seen)


def _behind(found: Items, frame: Frame) -> Place:
    """The place right behind all that was found: where the feed's end stands, and what still comes there."""
    if found.last is None:
        return frame.start
    at, tie = found.last, tie_of(_uri(found.joined.rpartition("," + _ITEM)[2]))
    if frame.upwards:
        return (at, tie + 1) if tie < _MAX else (at + 1, 0)
    return (at, tie - 1) if tie else (at - 1, _MAX)


def _uri(served: str) -> str:
    return served.removeprefix(_ITEM).partition('"')[0]


def cursor_at(place: Place, seen: tuple[int, ...] = ()) -> str:
    """An opaque word for "what comes from this place on". Hexadecimal costs a fifth of base64."""
    return _FORMS[len(seen)].pack(*place, *seen).hex()


def place_of(cursor: str) -> Cursor | None:
    """The place a cursor stands for; None when it is none of ours."""
    form = _BY_LENGTH.get(len(cursor))
    if form is None:
        return None
    try:
        packed = bytes.fromhex(cursor)
        at, tie, *seen = form.unpack(packed)
    except (ValueError, struct.error):
        return None
    return Cursor((at, tie), tuple(seen)) if at >= 0 and tie >= 0 and packed.hex() == cursor else None


_FORMS = tuple(struct.Struct(f">{2 + seen}q") for seen in range(3))
_BY_LENGTH = {2 * form.size: form for form in _FORMS}
