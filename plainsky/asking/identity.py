"""Handles of the config to DIDs, through the resolver that the operator named (lexicon com.atproto.identity.resolveHandle)."""

import asyncio
import logging
from collections.abc import Iterable

import aiohttp

from models.protocol.syntax import is_did

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0


async def resolve_handles(resolver: str, handles: Iterable[str]) -> dict[str, str]:
    """Handle to DID, for those that could be resolved; each that could not is logged and left out."""
    wanted = sorted(set(handles))
    if not wanted:
        return {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as client:
        found = await asyncio.gather(*(_resolve(client, resolver, handle) for handle in wanted))
    return {handle: did for handle, did in zip(wanted, found, strict=True) if did}


async def _resolve(client: aiohttp.ClientSession, resolver: str, handle: str) -> str | None:
    url = resolver.rstrip("/") + "/xrpc/com.atproto.identity.resolveHandle"
    try:
        async with client.get(url, params={"handle": handle}) as response:
            did = (await response.json()).get("did")
    except (aiohttp.ClientError, TimeoutError, ValueError, AttributeError, RecursionError) as error:
        log.warning("the handle %s could not be resolved (%s): its author matches nothing for now", handle, type(error).__name__)
        return None
    if isinstance(did, str) and is_did(did):
        return did
    log.warning("the handle %s is not known to %s: its author matches nothing", handle, resolver)
    return None
