"""A feed's record, app.bsky.feed.generator, as the config has it. Pure; the lexicon's limits are kept before any server looks."""

from collections.abc import Mapping
from typing import Any

from feedgen.feed import Feed
from feedgen.service import COLLECTION
from models.protocol.syntax import format_datetime, parse_datetime
from plainsky.publishing.facets import facets
from plainsky.publishing.images import Image

Record = dict[str, Any]

OURS = ("did", "displayName", "description", "descriptionFacets", "avatar", "acceptsInteractions", "labels", "contentMode")
"""The keys that the config decides on, in the order in which people are told. Others that a record has are left as they are."""

_MODES = {"unspecified": "app.bsky.feed.defs#contentModeUnspecified", "video": "app.bsky.feed.defs#contentModeVideo"}


def decided(feed: Feed, did: str, avatar: Image | None, dids: Mapping[str, str]) -> Record:
    """What the config decides of the feed's record; `did` is the generator's, `dids` those of mentioned handles. Absent keys are absent."""
    record = {
        "did": did,
        "displayName": feed.name,
        "description": feed.description,
        "descriptionFacets": facets(feed.description, dids),
        "avatar": avatar and avatar.blob,
        "acceptsInteractions": False,
        "labels": _self_labels(feed.self_labels),
        "contentMode": feed.content_mode and _MODES[feed.content_mode],
    }
    return {key: value for key, value in record.items() if value not in (None, "", [])}


def merged(standing: Mapping[str, Any] | None, decided: Record, now_us: int) -> Record:
    """The record to write: what is decided, the rest of the standing one, and its createdAt. Equal to `standing` when nothing changes."""
    standing = standing or {}
    rest = {key: value for key, value in standing.items() if key not in OURS}
    created = standing.get("createdAt")
    if not (isinstance(created, str) and parse_datetime(created) is not None):
        created = format_datetime(now_us)
    return {**rest, "$type": COLLECTION, **decided, **_kept_avatar(standing, decided), "createdAt": created}


def avatar_cid(record: Mapping[str, Any]) -> str | None:
    """The CID of a record's avatar; None when there is none that can be read."""
    avatar = record.get("avatar")
    ref = avatar.get("ref") if isinstance(avatar, dict) else None
    cid = ref.get("$link") if isinstance(ref, dict) else None
    return cid if isinstance(cid, str) else None


def known_dids(standing: Mapping[str, Any]) -> dict[str, str]:
    """The mentions that a standing record's description holds: handle to DID, for a resolver that is away."""
    text, marked = standing.get("description"), standing.get("descriptionFacets")
    if not isinstance(text, str) or not isinstance(marked, list):
        return {}
    said = text.encode()
    return dict(pair for facet in marked if (pair := _mentioned(facet, said)))


def _mentioned(facet: Any, text: bytes) -> tuple[str, str] | None:
    try:
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        (feature,) = facet["features"]
        return text[start:end].decode().removeprefix("@").lower(), str(feature["did"])
    except (TypeError, KeyError, ValueError):
        return None


def _kept_avatar(standing: Mapping[str, Any], decided: Record) -> Record:
    """The same picture as before stays as its server describes it."""
    same = avatar_cid(standing) is not None and avatar_cid(standing) == avatar_cid(decided)
    return {"avatar": standing["avatar"]} if same else {}


def _self_labels(values: tuple[str, ...]) -> Record | None:
    return {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": value} for value in values]} if values else None
