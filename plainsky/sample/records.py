"""From a line of `stories.txt` to an app.bsky.feed.post record, as a client would have written it."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from models.events import Record
from models.post import POST
from models.protocol.syntax import format_datetime


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that happens. `by` or `of` says to whom or to what; the keys below `lang` make up a post."""

    do: Literal["post", "edit", "delete", "account", "handle"] = "post"
    by: str = ""
    """Who posts: a name of the sample's own, from which handle and DID follow."""
    of: str = ""
    """The `id` of the post that is edited or deleted, or the name whose account or handle changes."""
    id: str = ""
    wait: str = ""
    """How long after the line before, such as "3h"; a few minutes when left out."""
    status: str = ""
    text: str = ""
    """A post's text, where #tags, @names and URLs become facets, also [shown](url); or the new handle."""
    lang: str = ""
    reply: str = ""
    quote: str = ""
    dated: str = ""
    """How far the author's clock is off: "-900d", "2d"."""
    alts: tuple[str, ...] = ()
    gallery: tuple[str, ...] = ()
    video: str = ""
    gif: str = ""
    card: dict[str, str] | None = None
    embed: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Written(msgspec.Struct, frozen=True):
    """A post that stands in a repo."""

    name: str
    did: str
    rkey: str
    cid: str
    created_us: int
    reply: Record | None

    def ref(self) -> Record:
        """Its strongRef."""
        return {"uri": f"at://{self.did}/{POST}/{self.rkey}", "cid": self.cid}


def did_of(name: str) -> str:
    """A did:plc as the directory would make it, out of a hash; no such account exists."""
    return "did:plc:" + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:24]


def cid_of(value: Any) -> str:
    """A well-formed CID (version 1, dag-cbor, sha-256), though of the value's JSON: nothing here is stored in a repo."""
    digest = hashlib.sha256(msgspec.json.encode(value, order="deterministic")).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().lower().rstrip("=")


def record_of(line: Line, created_us: int, handles: Mapping[str, str], written: Mapping[str, Written]) -> Record:
    """The record, without its reply. `handles` by name, `written` by the id that quotes use."""
    text, facets = _rich_text(line.text, handles)
    quoted = written[line.quote].ref() if line.quote else None
    record: Record = {"$type": POST, "text": text, "createdAt": format_datetime(created_us), "langs": line.lang.split()}
    optional: Record = {
        "facets": facets,
        "embed": _embed(_media(line), quoted),
        "tags": list(line.tags),
        "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": val} for val in line.labels]} if line.labels else None,
    }
    return record | {key: value for key, value in optional.items() if value}


def reply_to(parent: Written) -> Record:
    """The reply field of an answer to `parent`."""
    return {"root": parent.reply["root"] if parent.reply else parent.ref(), "parent": parent.ref()}


_MARKED = re.compile(r"\[(?P<shown>[^]]+)\]\((?P<target>[^)]+)\)|(?P<url>https?://\S+)|#(?P<tag>\w+)|@(?P<name>[a-z.]+[a-z])")


def _rich_text(source: str, handles: Mapping[str, str]) -> tuple[str, list[Record]]:
    """The text as readers see it, and a facet for all that is marked, counted in UTF-8 bytes."""
    text, facets, done = "", [], 0
    for found in _MARKED.finditer(source):
        shown, feature = _feature(found, handles)
        text += source[done : found.start()]
        start = len(text.encode())
        text += shown
        index = {"byteStart": start, "byteEnd": len(text.encode())}
        facets.append({"index": index, "features": [feature]})
        done = found.end()
    return text + source[done:], facets


def _feature(found: re.Match[str], handles: Mapping[str, str]) -> tuple[str, Record]:
    kind = "app.bsky.richtext.facet#"
    if found["tag"]:
        return found[0], {"$type": kind + "tag", "tag": found["tag"]}
    if found["name"]:
        return "@" + handles[found["name"]], {"$type": kind + "mention", "did": did_of(found["name"])}
    return found["shown"] or found["url"], {"$type": kind + "link", "uri": found["target"] or found["url"]}


def _embed(media: Record | None, quoted: Record | None) -> Record | None:
    quote = {"$type": "app.bsky.embed.record", "record": quoted} if quoted else None
    return {"$type": "app.bsky.embed.recordWithMedia", "record": quote, "media": media} if media and quote else media or quote


def _media(line: Line) -> Record | None:
    kind = "app.bsky.embed."
    if line.alts:
        return {"$type": kind + "images", "images": [{"image": _blob(alt, "image/jpeg"), "alt": alt} for alt in line.alts]}
    if line.gallery:
        return {"$type": kind + "gallery", "items": [_gallery_image(alt) for alt in line.gallery]}
    if line.video or line.gif:
        alt = line.video or line.gif
        presentation = {"presentation": "gif"} if line.gif else {}
        return {"$type": kind + "video", "video": _blob(alt, "video/mp4"), "alt": alt} | presentation
    return {"$type": kind + "external", "external": line.card} if line.card else line.embed


def _gallery_image(alt: str) -> Record:
    size = {"width": 4, "height": 3}
    return {"$type": "app.bsky.embed.gallery#image", "image": _blob(alt, "image/jpeg"), "alt": alt, "aspectRatio": size}


def _blob(alt: str, mime: str) -> Record:
    return {"$type": "blob", "ref": {"$link": cid_of([alt, mime])}, "mimeType": mime, "size": 100_000 + len(alt)}
