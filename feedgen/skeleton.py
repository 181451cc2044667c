"""A page of a feed as bytes: pure functions from stored entries to an answer of app.bsky.feed.getFeedSkeleton.

Promise: a page ends where the next one begins, at a place in the feed's order, so that pages never repeat or skip an entry however much
arrives or is deleted between two of them. The same entries give the same bytes.
Source: lexicon app.bsky.feed.getFeedSkeleton and app.bsky.feed.defs#skeletonFeedPost.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import NamedTuple

import msgspec

from models.entries import TOP, Items, Place, tie_of

_PLACE = struct.Struct(">qq")
_CONTEXT_BYTES = 2000
_ITEM = '{"post":"'


class Page(NamedTuple):
    """An encoded answer, good as long as `oldest`, the time (µs) of the oldest entry it rests on, lies within the window."""

    body: bytes
    oldest: int


def item(uri: str, context: str) -> str:
    """A post as it is served and kept, an app.bsky.feed.defs#skeletonFeedPost; `context` from `feed_context`.

    A uri holds nothing that JSON would write otherwise: a DID and a record key (atproto.com/specs/at-uri-scheme).
    """
    return f'{_ITEM}{uri}","feedContext":{context}}}'


@lru_cache(maxsize=4096)
def feed_context(rule: str, kind: str, words: tuple[str, ...]) -> str:
    """Why a post is here, as clients pass it back: the rule, then the words it found; at most 2000 bytes, as a JSON string.

    Never a "|": the Bluesky app joins what it sends back with it, and splits there again.
    """
    found = ", ".join(words)
    text = (f"{rule} {kind}: {found}" if found else f"{rule} {kind}").replace("|", "¦").encode()
    return msgspec.json.encode(text[:_CONTEXT_BYTES].decode(errors="ignore")).decode()


def page(found: Items, room: int, pinned: str | None) -> Page:
    """The page of up to `room` posts at the head of `found`, which holds one more if the feed goes on; `pinned` stands before all."""
    listed, cursor = found.joined, None
    if found.number > room:
        listed, cursor = _divided(found)
    head = f'{_ITEM}{pinned}","reason":{{"$type":"app.bsky.feed.defs#skeletonReasonPin"}}}}' if pinned else ""
    feed = f"{head},{listed}" if head and listed else head or listed
    tail = f',"cursor":"{cursor}"' if cursor else ""
    return Page(f'{{"feed":[{feed}]{tail}}}'.encode(), TOP[0] if found.oldest is None else found.oldest)


def _divided(found: Items) -> tuple[str, str]:
    """All items but the last, and the cursor at which that one is the next to come."""
    assert found.oldest is not None
    listed, _, last = found.joined.rpartition("," + _ITEM)  # within a JSON string its quotes would have backslashes
    uri = last.removeprefix(_ITEM).partition('"')[0]
    return listed, cursor_at((found.oldest, tie_of(uri)))


def cursor_at(place: Place) -> str:
    """An opaque word for "what comes from this place on"."""
    return urlsafe_b64encode(_PLACE.pack(*place)).decode().rstrip("=")


def place_of(cursor: str) -> Place | None:
    """The place a cursor stands for; None when it is none of ours."""
    try:
        sort_at, tie = _PLACE.unpack(urlsafe_b64decode(cursor + "=="))
    except (ValueError, struct.error):
        return None
    return (sort_at, tie) if cursor_at((sort_at, tie)) == cursor and sort_at >= 0 and tie >= 0 else None
