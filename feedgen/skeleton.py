"""A page of a feed as bytes: pure functions from stored entries to an answer of app.bsky.feed.getFeedSkeleton.

Promise: a page ends where the next one begins, at a place in the feed's order, so that pages never repeat or skip an entry however much
arrives or is deleted between two of them. The same entries give the same bytes.
Source: lexicon app.bsky.feed.getFeedSkeleton and app.bsky.feed.defs#skeletonFeedPost.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from models.entries import BEFORE_ALL, Place, split

_PLACE = struct.Struct(">qq")
_CONTEXT_BYTES = 2000


class Reason(msgspec.Struct, frozen=True, tag_field="$type", tag="app.bsky.feed.defs#skeletonReasonPin"):
    """The post is pinned to the feed's top."""


class SkeletonPost(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, rename="camel"):
    """app.bsky.feed.defs#skeletonFeedPost."""

    post: str
    reason: Reason | None = None
    feed_context: str | None = None


class Skeleton(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer; `cursor` is left out (never null) when the feed ends here."""

    feed: Sequence[SkeletonPost]
    cursor: str | None = None


class Page(NamedTuple):
    """An encoded answer, good as long as `oldest`, the time (µs) of the oldest entry it rests on, lies within the window."""

    body: bytes
    oldest: int


_encode = msgspec.json.Encoder().encode


def page(rows: Sequence[tuple[int, int, str, str, str]], limit: int, pinned: str | None, top: bool) -> Page:
    """The page of up to `limit` posts at the head of `rows`; `top`: it is the feed's first, where a pinned post stands before all.

    rows: (sort_at, tie, uri, rule, words) of what follows the page's cursor, newest first: `needed(limit, pinned)`, or all there are.
    """
    head = [SkeletonPost(pinned, Reason())] if pinned and top else []
    others = [row for row in rows if row[2] != pinned] if pinned else rows
    listed = others[: limit - len(head)]
    posts = [SkeletonPost(uri, None, feed_context(rule, words)) for _, _, uri, rule, words in listed]
    cursor = None
    if len(others) > len(listed):
        cursor = cursor_at(listed[-1][:2] if listed else BEFORE_ALL)
    return Page(_encode(Skeleton(head + posts, cursor)), oldest=rows[-1][0] if rows else BEFORE_ALL[0])


def needed(limit: int, pinned: str | None) -> int:
    """How many entries tell what a page holds and whether another follows: the pinned one may be among them and does not count."""
    return limit + (2 if pinned else 1)


@lru_cache(maxsize=4096)
def feed_context(rule: str, words: str) -> str:
    """Why the post is here, as clients pass it back: the rule, then the words it found; at most 2000 bytes.

    Never a "|": the Bluesky app joins what it sends back with it, and splits there again.
    """
    found = ", ".join(split(words))
    text = (f"{rule}: {found}" if found else rule).replace("|", "¦").encode()
    return text[:_CONTEXT_BYTES].decode(errors="ignore")


def cursor_at(place: Place) -> str:
    """An opaque word for "what comes after this place"."""
    return urlsafe_b64encode(_PLACE.pack(*place)).decode().rstrip("=")


def place_of(cursor: str) -> Place | None:
    """The place a cursor stands for; None when it is none of ours."""
    try:
        sort_at, tie = _PLACE.unpack(urlsafe_b64decode(cursor + "=="))
    except (ValueError, struct.error):
        return None
    return (sort_at, tie) if cursor_at((sort_at, tie)) == cursor and sort_at >= 0 and tie >= 0 else None
