"""Which posts are still there, and in which version, as an AppView says (lexicon app.bsky.feed.getPosts)."""

from collections.abc import Sequence

import msgspec

from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import fetch

AT_ONCE = 25
"""What the lexicon allows."""
ANSWER_BYTES = 4_000_000


class _Post(msgspec.Struct):
    uri: str
    cid: str


class _Posts(msgspec.Struct):
    """The output."""

    posts: list[_Post]


async def present(appview: str, uris: Sequence[str]) -> dict[str, str | None] | None:
    """The cid of each post, None for one that is not there or not shown to everybody; None when the AppView does not say."""
    found: dict[str, str | None] = dict.fromkeys(uris)
    try:
        for start in range(0, len(uris), AT_ONCE):
            asked = [("uris", uri) for uri in uris[start : start + AT_ONCE]]
            status, body = await fetch(appview, "/xrpc/app.bsky.feed.getPosts", asked, ANSWER_BYTES)
            if status != 200:
                return None
            found |= {post.uri: post.cid for post in msgspec.json.decode(body, type=_Posts).posts if post.uri in found}
    except (Disconnected, msgspec.MsgspecError, RecursionError):
        return None
    return found
