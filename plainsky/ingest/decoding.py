"""What every wire's decoder needs: times, and post events made of checked parts. Pure; the hot path of ingest."""

import logging
import re
from collections.abc import Callable
from time import time_ns
from typing import Any, TypeGuard

from libipld import encode_cid

from models.events import AccountChanged, Event, IdentityChanged, PostCreated, PostDeleted, PostUpdated, RepoReset
from models.protocol.syntax import is_cid, is_did, is_record_key, is_tid, parse_datetime

log = logging.getLogger(__name__)

SKEW_US = 2 * 60 * 1_000_000
"""How far ahead of ours a clock upstream may be (docs.bsky.app, advanced guides, timestamps)."""

LARGEST_SEQ = 2**53
"""No stream counts so far (atproto.com/specs/event-stream), and no database column either."""


class Clock:
    """Bounds the times that a host tells: one that lies ahead of us becomes now.

    It would make every later event of its account look late, and end the windows of all feeds for ever.
    """

    def __init__(self, now_us: Callable[[], int] = lambda: time_ns() // 1000) -> None:
        self._now_us = now_us
        self._told = False
        self.latest_us = 0
        """Up to here a time is believed unseen; `bounded` moves it on. Readers look here first, for they must be quick."""

    def bounded(self, time: int) -> int:
        """For a time beyond `latest_us`: so the clock is only read every two minutes of a stream."""
        now = self._now_us()
        self.latest_us = now + SKEW_US
        if time <= self.latest_us:
            return time
        if not self._told:
            self._told = True
            log.warning("upstream tells a time that is %d s ahead of this machine's: is its clock right?", (time - now) // 1_000_000)
        return now


def time_us(text: Any) -> int | None:
    """Microseconds since the epoch of a datetime; None when it is none, or no text at all."""
    return parse_datetime(text) if isinstance(text, str) else None


def good_did(did: Any) -> TypeGuard[str]:
    """A DID: what else is sent as one would break every at-uri made of it, and a longer one the database's index of uris.

    A did:plc has 32 characters, a did:web at most 8 and a hostname.
    """
    return isinstance(did, str) and len(did) <= 261 and is_did(did)


# What nearly every post has: (did, rkey, rev, cid) at one look, where the checks one by one take four times as long.
_USUAL = re.compile("did:plc:[a-z2-7]{24} [a-z2-7]{13} [a-j2-7][a-z2-7]{12} bafyrei[a-z2-7]{52}")


def post_event(operation: Any, did: Any, rkey: Any, rev: str, time: int, cid: Any = None, record: Any = None) -> Event | None:
    """The event of one operation on a post, its parts as the wire gave them; None when they make no post event."""
    if not (type(did) is str and _USUAL.fullmatch(f"{did} {rkey} {rev} {cid}")) and not _good(did, rkey, rev, cid, operation):
        return None
    if operation == "delete":
        return PostDeleted(did, rkey, rev, time)
    if type(record) is not dict:
        return None
    if operation == "create":
        return PostCreated(did, rkey, rev, cid, time, record)
    return PostUpdated(did, rkey, rev, cid, time, record) if operation == "update" else None


def _good(did: Any, rkey: Any, rev: str, cid: Any, operation: Any) -> bool:
    named = good_did(did) and isinstance(rkey, str) and is_record_key(rkey) and is_tid(rev)
    return named and (operation == "delete" or (isinstance(cid, str) and is_cid(cid)))


def well_formed(event: Event) -> bool:
    """Whether an event that comes from elsewhere than from these functions could have come from them."""
    if not 0 <= event.time_us < LARGEST_SEQ:
        return False
    if isinstance(event, PostCreated | PostUpdated):
        did, rkey, rev, cid = event.did, event.rkey, event.rev, event.cid
        return bool(_USUAL.fullmatch(f"{did} {rkey} {rev} {cid}")) or _good(did, rkey, rev, cid, None)
    if isinstance(event, PostDeleted):
        return _good(event.did, event.rkey, event.rev, None, "delete")
    return good_did(event.did) and (not isinstance(event, RepoReset) or is_tid(event.rev))


def account_event(body: dict[str, Any], time: int) -> AccountChanged | None:
    """The event of an #account payload; None when it lacks what visibility hangs on."""
    did, active, status = body.get("did"), body.get("active"), body.get("status")
    if not good_did(did) or not isinstance(active, bool):
        return None
    return AccountChanged(did, active, time, status if isinstance(status, str) else None)


def identity_event(body: dict[str, Any], time: int) -> IdentityChanged | None:
    """The event of an #identity payload."""
    did, handle = body.get("did"), body.get("handle")
    return IdentityChanged(did, time, handle if isinstance(handle, str) else None) if good_did(did) else None


_CID_HEADS = (b"\x01\x71\x12\x20", b"\x01\x55\x12\x20")  # CIDv1 of DAG-CBOR and of raw bytes, SHA-256: the two of the data model


def made_plain(record: Any) -> Any:
    """Decoded DAG-CBOR, changed in place to what the JSON of the data model has, so that a record is the same whichever wire brought it.

    libipld gives links and byte strings both as bytes; what looks like a CID is taken for a link (a post has no other bytes).
    Source: atproto.com/specs/data-model.
    """
    nodes = [record] if type(record) is dict else []
    for node in nodes:  # grows while it is walked
        for item in node.values() if type(node) is dict else node:
            kind = type(item)
            if kind is str:
                continue
            if kind is dict or kind is list:
                nodes.append(item)
            elif kind is bytes:
                _make_plain(node)
    return record


def _make_plain(node: Any) -> None:
    for key, item in list(node.items() if type(node) is dict else enumerate(node)):
        if type(item) is bytes:
            node[key] = _plain_bytes(item)


def _plain_bytes(value: bytes) -> dict[str, str]:
    if len(value) == 36 and value.startswith(_CID_HEADS):
        return {"$link": encode_cid(value)}
    from base64 import b64encode  # never met in a post

    return {"$bytes": b64encode(value).decode().rstrip("=")}
