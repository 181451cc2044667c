"""Whether an account has so many followers that two people must agree to label it. Asked when a person decides; nothing of it is kept."""

import asyncio
from collections.abc import Callable

import msgspec

from models.protocol.syntax import did_of
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import fetch

PROFILE_BYTES = 100_000


class _Profile(msgspec.Struct):
    followers: int = msgspec.field(name="followersCount", default=0)


async def is_wide(appview: str, did: str, above: int) -> bool | None:
    """More than `above` people follow it; None when the AppView does not say (lexicon app.bsky.actor.getProfile)."""
    try:
        status, body = await fetch(appview, "/xrpc/app.bsky.actor.getProfile", [("actor", did)], PROFILE_BYTES)
        return msgspec.json.decode(body, type=_Profile).followers > above if status == 200 else None
    except (Disconnected, msgspec.MsgspecError):
        return None


def takes_two(appview: str, uri: str, above: int, say: Callable[[str], object]) -> bool:
    """Whether the reach of the account that a subject belongs to asks for two people; where nobody can tell it does, and that is said."""
    wide = asyncio.run(is_wide(appview, did_of(uri), above))
    if wide is None:
        say(f"Nobody could say how many follow {did_of(uri)}: a second person must agree.")
    return wide is not False
