"""Whether an account has so many followers that two people must agree to label it. Asked when a person decides; nothing of it is kept."""

import msgspec

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
