"""A post as the rooms see it: parsed tolerantly, bounded, frozen; and the time it counts as written.

Promises: `parse` never raises on what upstream sends as a record; what is odd is left out, and a record that is no post at all is None.
JSON and DAG-CBOR forms of one record give the same Post. Every string can be stored, searched and sent: no NUL, no lone surrogate.
All is a pure function of what upstream said, so a log gives the same posts in the same order wherever it is read (invariant 4).
Source: lexicon app.bsky.feed.post, specs/data-model, specs/richtext.
"""

from typing import Any

import msgspec

from models.bounded import LINK, at_uri, distinct, members, part, prose, words
from models.duration import Duration, duration
from models.embeds import NO_EMBED, embedded
from models.events import Record
from models.protocol.syntax import is_did, parse_datetime, tid_time_us

# The lexicon's bounds, and generous ones where it names none: what clients write is never cut, and no record fills the database.
TAG = 640
LANG = 64
LABEL = 128
FACETS = 100  # and as many features in all
TAGS = 100
LANGS = 10
LABELS = 10

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
    text = prose(text)
    created_at = _created_at(get("createdAt"))
    langs = _langs(get("langs"))
    # Most posts are plain or replies; only what is there is looked at.
    root, parent = _reply(record["reply"]) if "reply" in record else _NO_REPLY
    if record.keys() <= _PLAIN:
        return Post(text, created_at, langs, reply_root=root, reply_parent=parent)
    tags, links, mentions = _facets(record["facets"], text) if "facets" in record else _NO_FACETS
    embed = embedded(record["embed"]) if "embed" in record else NO_EMBED
    return Post(
        text,
        created_at,
        langs,
        distinct(tags, ()),
        distinct(links, embed.links),
        mentions,
        embed.kinds,
        embed.alts,
        embed.card,
        embed.quote,
        root,
        parent,
        _self_labels(record["labels"]) if "labels" in record else (),
        distinct(_tags(record["tags"]), ()) if "tags" in record else (),
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


def _langs(values: Any) -> tuple[str, ...]:
    if type(values) is list and len(values) == 1 and type(values[0]) is str and values[0] in _COMMON_LANGS:
        return _COMMON_LANGS[values[0]]
    return words(values, LANGS, LANG)


# What nine posts of ten declare: one tuple for all of them.
_COMMON_LANGS = {lang: (lang,) for lang in ("en", "ja", "de", "pt", "fr", "es", "nl", "ko", "it", "tr", "en-US", "pt-BR")}


def _created_at(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    strict = parse_datetime(value)
    # Old clients left the zone out; the reference reads that as UTC: @atproto/syntax, normalizeDatetime.
    return parse_datetime(value + "Z") if strict is None else strict


def _tags(values: Any) -> tuple[str, ...]:
    written = [tag.strip().lstrip("#＃") for tag in words(values, TAGS, TAG)] if values else ()
    return tuple([tag for tag in written if tag])


def _self_labels(value: Any) -> tuple[str, ...]:
    return words([part(label, "val") for label in members(part(value, "values"), LABELS)], LABELS, LABEL)


def _reply(value: Any) -> tuple[str | None, str | None]:
    try:
        root, parent = value["root"]["uri"], value["parent"]["uri"]
    except (KeyError, TypeError):
        root, parent = part(part(value, "root"), "uri"), part(part(value, "parent"), "uri")
    uri = at_uri(root)
    return uri, uri if parent == root else at_uri(parent)


_NO_REPLY = (None, None)
_Facets = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
_NO_FACETS: _Facets = ((), (), ())


def _facets(values: Any, text: str) -> _Facets:
    """Tags, links and mentions of the facets that cover at least one byte of the text, so that a reader may see them.

    Nothing is cut out of the text, so facets may overlap or split a character. A facet beyond the text is an invisible tag: left out.
    """
    size = len(text) if text.isascii() else len(text.encode())
    features = [
        feature
        for facet in members(values, FACETS)
        if isinstance(facet, dict) and _covers(facet.get("index"), size)
        for feature in members(facet.get("features"), FACETS)
    ][:FACETS]
    found: dict[str, list[str]] = {}
    for feature in features:
        kind = part(feature, "$type")
        key = _FEATURES.get(kind) if isinstance(kind, str) else None
        if key and isinstance(feature.get(key), str):
            found.setdefault(key, []).append(feature[key])
    links = tuple([prose(link, LINK) for link in found["uri"] if link]) if "uri" in found else ()
    mentions = tuple([did for did in found["did"] if is_did(did)]) if "did" in found else ()
    return _tags(found.get("tag")), distinct(links, ()), distinct(mentions, ())


_FEATURES = {f"app.bsky.richtext.facet#{kind}": key for kind, key in (("tag", "tag"), ("link", "uri"), ("mention", "did"))}


def _covers(index: Any, size: int) -> bool:
    start, end = part(index, "byteStart"), part(index, "byteEnd")
    return isinstance(start, int) and isinstance(end, int) and 0 <= start < end and start < size
