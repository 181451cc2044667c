"""A post as the rooms see it: parsed tolerantly, bounded, frozen; and the time it counts as written.

Promises: `parse` never raises on what upstream sends as a record; what is odd is left out, and a record that is no post at all is None.
JSON and DAG-CBOR forms of one record give the same Post. Every string can be stored, searched and sent: no NUL, no lone surrogate.
All is a pure function of what upstream said, so a log gives the same posts in the same order wherever it is read (invariant 4).
Source: lexicon app.bsky.feed.post, specs/data-model, specs/richtext.
"""

import re
from typing import Any, NamedTuple

import msgspec

from models.duration import Duration, duration
from models.events import Record
from models.protocol.syntax import is_did, parse_at_uri, parse_datetime, tid_time_us

# The lexicon's bounds, and generous ones where it names none: what clients write is never cut, and no record fills the database.
PROSE = 3000  # characters of a text, an alt text, a card's title or description (lexicon: a text has at most 3,000 bytes)
LINK = 2048  # characters of a URL; a longer one is cut, for its host and path are what is looked at
TAG = 640
LANG = 64
LABEL = 128
FACETS = 100  # and as many features in all
TAGS = 100
LANGS = 10
LABELS = 10
MEDIA = 20  # images of a gallery

POST = "app.bsky.feed.post"

SKEW = duration("2m")
"""How far a repo's clock may run ahead of its relay's (atproto's timestamp guide: a skew window of two minutes)."""


class Post(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The parts of an app.bsky.feed.post record that rules and signals may look at.

    `created_at` is in microseconds since the epoch, None when missing or no datetime.
    """

    text: str = ""
    created_at: int | None = None
    langs: tuple[str, ...] = ()
    """Declared languages, BCP-47, as declared (the client's claim)."""
    tags: tuple[str, ...] = ()
    """Hashtags of facets, which apps show as links, without '#', as written."""
    links: tuple[str, ...] = ()
    """URLs: of link facets (the text is often truncated, the facet is not) and of the external embed."""
    mentions: tuple[str, ...] = ()
    """DIDs of mention facets."""
    embeds: tuple[str, ...] = ()
    """Kinds of what is embedded: image, gallery, video, gif, link, quote, record (a feed, list, starter pack ...), unknown."""
    alts: tuple[str, ...] = ()
    """One alt text per embedded image, video or GIF, empty where the author gave none."""
    card: tuple[str, ...] = ()
    """Title and description of the external embed."""
    quote: str | None = None
    """at-uri of the quoted post."""
    reply_root: str | None = None
    reply_parent: str | None = None
    self_labels: tuple[str, ...] = ()
    extra_tags: tuple[str, ...] = ()
    """Hashtags of the tags field, which most apps do not show, without '#', as written."""
    labels: tuple[str, ...] = ()
    """What labelers say of the post or its author, each as `label_of`; no part of the record, and never stored with it."""


OURS = "ours"
"""Stands for the DID of this service's own labeler."""


def label_of(on: str, src: str, val: str) -> str:
    """A label as rules look for it. on: "post", or "account" for one on the author's account."""
    return f"{on} {src} {val}"


def parse(record: Record) -> Post | None:
    """The post in a record; None when it has no text field or says that it is a record of another kind."""
    if not isinstance(record, dict):
        return None
    get = record.get
    text = get("text")
    if not isinstance(text, str) or get("$type", POST) != POST:
        return None
    text = _prose(text)
    created_at = _created_at(get("createdAt"))
    langs = _langs(get("langs"))
    # Most posts are plain or replies; only what is there is looked at.
    root, parent = _reply(record["reply"]) if "reply" in record else _NO_REPLY
    if record.keys() <= _PLAIN:
        return Post(text, created_at, langs, reply_root=root, reply_parent=parent)
    tags, links, mentions = _facets(record["facets"], text) if "facets" in record else _NO_FACETS
    embed = _embed(record["embed"]) if "embed" in record else _NO_EMBED
    return Post(
        text,
        created_at,
        langs,
        _distinct(tags, ()),
        _distinct(links, embed.links),
        mentions,
        embed.kinds,
        embed.alts,
        embed.card,
        embed.quote,
        root,
        parent,
        _self_labels(record["labels"]) if "labels" in record else (),
        _distinct(_tags(record["tags"]), ()) if "tags" in record else (),
    )


_PLAIN = frozenset({"$type", "text", "createdAt", "langs", "reply"})


def indexed_at(rev: str, time_us: int) -> int:
    """Microseconds: when a version of a post was committed.

    That is the time of the commit's rev, which is the same on every wire, while the event's own time differs from server to server
    by milliseconds. A rev that claims more than `SKEW` beyond the event, or is no TID, is not believed: then the event's time counts.
    """
    claimed = tid_time_us(rev)
    return time_us if claimed is None or claimed > time_us + SKEW else claimed


def sort_at(created_at: int | None, indexed: int) -> int:
    """Microseconds: min(createdAt, `indexed_at`), so that nobody writes himself to the top of a feed by a date in the future.

    A post without a readable createdAt counts as written when it was committed.
    """
    return indexed if created_at is None or created_at > indexed else created_at


def is_import(created_at: int | None, time_us: int, limit: Duration) -> bool:
    """A post that was dated further back than `limit` when it arrived: an archive being brought in, no news.

    Dates before 1970 are always imports: the AppView leaves such posts out of its order as well (its timestamp guide).
    """
    return created_at is not None and (created_at < 0 or time_us - created_at > limit)


def _prose(value: Any, limit: int = PROSE) -> str:
    """Text that SQLite, PostgreSQL, JSON and every search take: what they do not take becomes U+FFFD."""
    if not isinstance(value, str):
        return ""
    text: str = value[:limit]
    if text.isascii() and "\0" not in text:  # most texts, at an eighth of the cost
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")


def _word(value: Any, limit: int) -> str:
    """A short string as it is, or empty when it is none or too long: a word that is cut is another word."""
    return _prose(value) if isinstance(value, str) and len(value) <= limit else ""


def _words(values: Any, count: int, limit: int) -> tuple[str, ...]:
    return tuple([word for value in _list(values, count) if (word := _word(value, limit))])


def _list(values: Any, limit: int) -> list[Any]:
    return values[:limit] if isinstance(values, list) else []


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _distinct(first: tuple[str, ...], then: tuple[str, ...]) -> tuple[str, ...]:
    both = first + then
    return both if len(both) < 2 else tuple(dict.fromkeys(both))


def _langs(values: Any) -> tuple[str, ...]:
    if type(values) is list and len(values) == 1 and type(values[0]) is str and values[0] in _COMMON_LANGS:
        return _COMMON_LANGS[values[0]]
    return _words(values, LANGS, LANG)


# What nine posts of ten declare: one tuple for all of them.
_COMMON_LANGS = {lang: (lang,) for lang in ("en", "ja", "de", "pt", "fr", "es", "nl", "ko", "it", "tr", "en-US", "pt-BR")}


def _created_at(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    strict = parse_datetime(value)
    # Old clients left the zone out; the reference reads that as UTC: @atproto/syntax, normalizeDatetime.
    return parse_datetime(value + "Z") if strict is None else strict


def _tags(values: Any) -> tuple[str, ...]:
    words = [word.strip().lstrip("#＃") for word in _words(values, TAGS, TAG)] if values else ()
    return tuple([word for word in words if word])


def _self_labels(value: Any) -> tuple[str, ...]:
    return _words([_get(label, "val") for label in _list(_get(value, "values"), LABELS)], LABELS, LABEL)


def _reply(value: Any) -> tuple[str | None, str | None]:
    try:
        root, parent = value["root"]["uri"], value["parent"]["uri"]
    except (KeyError, TypeError):
        root, parent = _get(_get(value, "root"), "uri"), _get(_get(value, "parent"), "uri")
    uri = _at_uri(root)
    return uri, uri if parent == root else _at_uri(parent)


_NO_REPLY = (None, None)
# What nearly every reference looks like; it is an at-uri, which the general check says in eight times the time.
_POST_URI = re.compile(r"at://did:plc:[a-z2-7]{24}/app\.bsky\.feed\.post/[a-z2-7]{13}")


def _at_uri(uri: Any) -> str | None:
    return uri if isinstance(uri, str) and (_POST_URI.fullmatch(uri) or parse_at_uri(uri)) else None


_Facets = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
_NO_FACETS: _Facets = ((), (), ())


def _facets(values: Any, text: str) -> _Facets:
    """Tags, links and mentions of the facets that cover at least one byte of the text, so that a reader may see them.

    Nothing is cut out of the text, so facets may overlap or split a character. A facet beyond the text is an invisible tag: left out.
    """
    size = len(text) if text.isascii() else len(text.encode())
    features = [
        feature
        for facet in _list(values, FACETS)
        if isinstance(facet, dict) and _covers(facet.get("index"), size)
        for feature in _list(facet.get("features"), FACETS)
    ][:FACETS]
    found: dict[str, list[str]] = {}
    for feature in features:
        kind = _get(feature, "$type")
        key = _FEATURES.get(kind) if isinstance(kind, str) else None
        if key and isinstance(feature.get(key), str):
            found.setdefault(key, []).append(feature[key])
    links = tuple([_prose(link, LINK) for link in found["uri"] if link]) if "uri" in found else ()
    mentions = tuple([did for did in found["did"] if is_did(did)]) if "did" in found else ()
    return _tags(found.get("tag")), _distinct(links, ()), _distinct(mentions, ())


_FEATURES = {f"app.bsky.richtext.facet#{kind}": key for kind, key in (("tag", "tag"), ("link", "uri"), ("mention", "did"))}


def _covers(index: Any, size: int) -> bool:
    start, end = _get(index, "byteStart"), _get(index, "byteEnd")
    return isinstance(start, int) and isinstance(end, int) and 0 <= start < end and start < size


class _Embed(NamedTuple):
    kinds: tuple[str, ...] = ()
    alts: tuple[str, ...] = ()
    card: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    quote: str | None = None


_NO_EMBED = _Embed()
_UNKNOWN = _Embed(("unknown",))
# A picked GIF travels as a link; the app plays it in place (social-app, embed-player.ts), so for a reader it is no link.
_GIF = re.compile(r"https?://(?:[a-z0-9-]+\.)*(?:tenor|giphy|klipy)\.com/", re.IGNORECASE)

_GIF_ALT = "Alt: "


def _embed(value: Any) -> _Embed:
    kind = _get(value, "$type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    return (reader(value) or _UNKNOWN) if reader else _UNKNOWN


def _images(value: Any) -> _Embed | None:
    return _pictures("image", _get(value, "images"))


def _gallery(value: Any) -> _Embed | None:
    return _pictures("gallery", _get(value, "items"))


def _pictures(kind: str, items: Any) -> _Embed | None:
    alts = tuple(_prose(item.get("alt")) for item in _list(items, MEDIA) if isinstance(item, dict))
    return _Embed((kind,), alts) if alts else None


def _video(value: Any) -> _Embed:
    return _Embed(("gif" if value.get("presentation") == "gif" else "video",), (_prose(value.get("alt")),))


def _external(value: Any) -> _Embed | None:
    external = _get(value, "external")
    link = _prose(_get(external, "uri"), LINK)
    if not link:
        return None
    title, description = _prose(external.get("title")), _prose(external.get("description"))
    card = (title, description) if title or description else ()
    if not _GIF.match(link):
        return _Embed(("link",), (), card, (link,))
    # The app keeps what the author wrote behind "Alt: "; "ALT: " comes from the GIF's service (social-app, gif-alt-text.ts).
    alt = description.removeprefix(_GIF_ALT) if description.startswith(_GIF_ALT) else ""
    return _Embed(("gif",), (alt,), card, (link,))


def _record(value: Any) -> _Embed | None:
    uri = _at_uri(_get(_get(value, "record"), "uri"))
    if not uri:
        return None
    return _Embed(("quote",), quote=uri) if f"/{POST}/" in uri else _Embed(("record",))


def _record_with_media(value: Any) -> _Embed:
    media, record = _media(value.get("media")), _record(value.get("record")) or _UNKNOWN
    return media._replace(kinds=_distinct(media.kinds, record.kinds), quote=record.quote)


def _media(value: Any) -> _Embed:
    # Not through `_embed`: media nested in media without end would recurse without end.
    kind = _get(value, "$type")
    return (_MEDIA[kind](value) or _UNKNOWN) if isinstance(kind, str) and kind in _MEDIA else _UNKNOWN


_MEDIA = {
    "app.bsky.embed.images": _images,
    "app.bsky.embed.gallery": _gallery,
    "app.bsky.embed.video": _video,
    "app.bsky.embed.external": _external,
}
_READERS = _MEDIA | {"app.bsky.embed.record": _record, "app.bsky.embed.recordWithMedia": _record_with_media}
