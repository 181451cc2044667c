"""Links, mentions and hashtags in a text of ours, as lexicon app.bsky.richtext.facet marks them: by bytes of its UTF-8.

Pure. What is found is what the app finds in what people type there, but a link must be written with http:// or https://: whether
"and.so" is a link depends on a list of all top-level domains. A word that cannot be marked stays plain text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from unicodedata import category

from models.graphemes import graphemes
from models.protocol.syntax import is_handle

# A letter of Latin script that no address holds: "https://böcher.example" is not "https://b". Japanese may follow without a space.
_NOT_LATIN = r"(?![\u00c0-\u024f])"
_LINK = re.compile(
    r"(?<![\w#@/])https?://(?>(?:[a-z0-9-]+\.)+[a-z]{2,})" + _NOT_LATIN + r"(?::[0-9]{1,5})?"
    r"(?:[/?#][^\s<>\"«»“”„‘、。，「」『』（）]*)?",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<![^\s(（])@([a-zA-Z0-9][a-zA-Z0-9.-]*[a-zA-Z0-9])(?![@_])" + _NOT_LATIN)
_UNSEEN = "\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2"
_TAG = re.compile(rf"(?<!\S)[#＃](?!\ufe0f)([^\s{_UNSEEN}]+)")

_BEHIND = ".,;:!?'’…*"
"""What ends a sentence, not an address."""


class Span(NamedTuple):
    """A part of a text, in characters; `kind` is "link", "mention" or "tag"; `value` a URI, a handle, or a hashtag without '#'."""

    start: int
    end: int
    kind: str
    value: str


def spans(text: str) -> list[Span]:
    """What can be marked, from left to right; none overlaps another."""
    kept: list[Span] = []
    for span in sorted([*_links(text), *_mentions(text), *_tags(text)]):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def handles(text: str) -> set[str]:
    """The handles that are mentioned, in small letters."""
    return {span.value for span in spans(text) if span.kind == "mention"}


def facets(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """app.bsky.richtext.facet of the text; `dids`: handle to DID. A mention whose DID is not known stays plain text."""
    known = [span for span in spans(text) if span.kind != "mention" or span.value in dids]
    return [
        {
            "index": {"byteStart": len(text[: span.start].encode()), "byteEnd": len(text[: span.end].encode())},
            "features": [_feature(span, dids)],
        }
        for span in known
    ]


def _feature(span: Span, dids: Mapping[str, str]) -> dict[str, str]:
    key, value = {"link": ("uri", span.value), "mention": ("did", dids.get(span.value, "")), "tag": ("tag", span.value)}[span.kind]
    return {"$type": f"app.bsky.richtext.facet#{span.kind}", key: value}


def _links(text: str) -> Iterator[Span]:
    for found in _LINK.finditer(text):
        uri = found[0].rstrip(_BEHIND)
        while uri.endswith(")") and uri.count("(") < uri.count(")"):  # (see https://example.org/a_(b))
            uri = uri[:-1].rstrip(_BEHIND)
        yield Span(found.start(), found.start() + len(uri), "link", uri)


def _mentions(text: str) -> Iterator[Span]:
    for found in _MENTION.finditer(text):
        if is_handle(found[1]):
            yield Span(found.start(), found.end(), "mention", found[1].lower())


def _tags(text: str) -> Iterator[Span]:
    for found in _TAG.finditer(text):
        tag = found[1]
        while tag and category(tag[-1])[0] == "P":  # it belongs to the sentence
            tag = tag[:-1]
        worded = any(not char.isdigit() and category(char)[0] != "P" for char in tag)
        if worded and graphemes(tag) <= 64 and len(tag.encode()) <= 640:
            yield Span(found.start(), found.start(1) + len(tag), "tag", tag)
