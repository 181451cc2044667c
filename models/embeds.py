"""What a post embeds: pictures, a video, a link card, a quoted post, another record; tolerantly and bounded, as all of a record.

Source: lexicons app.bsky.embed.*.
"""

import re
from typing import Any, NamedTuple

from models.bounded import LINK, at_uri, distinct, members, part, prose

MEDIA = 20  # images of a gallery


class Embed(NamedTuple):
    """What is embedded, as `models.post.Post` tells it."""

    kinds: tuple[str, ...] = ()
    alts: tuple[str, ...] = ()
    card: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    quote: str | None = None


NO_EMBED = Embed()
_UNKNOWN = Embed(("unknown",))
# A picked GIF travels as a link; the app plays it in place (social-app, embed-player.ts), so for a reader it is no link.
_GIF = re.compile(r"https?://(?:[a-z0-9-]+\.)*(?:tenor|giphy|klipy)\.com/", re.IGNORECASE)

_GIF_ALT = "Alt: "
_POSTS = "/app.bsky.feed.post/"


def embedded(value: Any) -> Embed:
    """What a record has under `embed`; of an unknown kind when it is odd."""
    kind = part(value, "$type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    return (reader(value) or _UNKNOWN) if reader else _UNKNOWN


def _images(value: Any) -> Embed | None:
    return _pictures("image", part(value, "images"))


def _gallery(value: Any) -> Embed | None:
    return _pictures("gallery", part(value, "items"))


def _pictures(kind: str, items: Any) -> Embed | None:
    alts = tuple(prose(item.get("alt")) for item in members(items, MEDIA) if isinstance(item, dict))
    return Embed((kind,), alts) if alts else None


def _video(value: Any) -> Embed:
    return Embed(("gif" if value.get("presentation") == "gif" else "video",), (prose(value.get("alt")),))


def _external(value: Any) -> Embed | None:
    external = part(value, "external")
    link = prose(part(external, "uri"), LINK)
    if not link:
        return None
    title, description = prose(external.get("title")), prose(external.get("description"))
    card = (title, description) if title or description else ()
    if not _GIF.match(link):
        return Embed(("link",), (), card, (link,))
    # The app keeps what the author wrote behind "Alt: "; "ALT: " comes from the GIF's service (social-app, gif-alt-text.ts).
    alt = description.removeprefix(_GIF_ALT) if description.startswith(_GIF_ALT) else ""
    return Embed(("gif",), (alt,), card, (link,))


def _record(value: Any) -> Embed | None:
    uri = at_uri(part(part(value, "record"), "uri"))
    if not uri:
        return None
    return Embed(("quote",), quote=uri) if _POSTS in uri else Embed(("record",))


def _record_with_media(value: Any) -> Embed:
    media, record = _media(value.get("media")), _record(value.get("record")) or _UNKNOWN
    return media._replace(kinds=distinct(media.kinds, record.kinds), quote=record.quote)


def _media(value: Any) -> Embed:
    # Not through `embedded`: media nested in media without end would recurse without end.
    kind = part(value, "$type")
    return (_MEDIA[kind](value) or _UNKNOWN) if isinstance(kind, str) and kind in _MEDIA else _UNKNOWN


_MEDIA = {
    "app.bsky.embed.images": _images,
    "app.bsky.embed.gallery": _gallery,
    "app.bsky.embed.video": _video,
    "app.bsky.embed.external": _external,
}
_READERS = _MEDIA | {"app.bsky.embed.record": _record, "app.bsky.embed.recordWithMedia": _record_with_media}
