"""A feed for readers of news: Atom (RFC 4287) and JSON Feed 1.1 (jsonfeed.org/version/1.1), from a feed's facts."""

from typing import NamedTuple
from xml.etree import ElementTree

import msgspec

from plainsky.pages.facts import Entry, FeedFacts

ATOM = "application/atom+xml"
JSON_FEED = "application/feed+json"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_TITLE = 80
_NEVER = "1970-01-01T00:00:00Z"
# XML 1.0, section 2.2: what may stand in a document, escaped or not. JSON has no such limit.
_NO_XML = {number: "\ufffd" for number in (*range(0x20), 0xFFFE, 0xFFFF) if number not in (0x9, 0xA, 0xD)}


class Addresses(NamedTuple):
    """Where the feed's page is, and its forms."""

    page: str
    atom: str
    json_feed: str


def atom(facts: FeedFacts, addresses: Addresses) -> bytes:
    """The newest entries as an Atom feed."""
    feed = ElementTree.Element("feed", {"xmlns": _NAMESPACE, _XML_LANG: facts.language})
    _add(feed, "id", addresses.page)
    _add(feed, "title", facts.name)
    if facts.description:
        _add(feed, "subtitle", facts.description)
    _add(feed, "updated", max((entry.written_at for entry in facts.newest), default=facts.log_time or _NEVER))
    _add(feed, "link", rel="self", type=ATOM, href=addresses.atom)
    _add(feed, "link", rel="alternate", type="text/html", href=addresses.page)
    for entry in facts.newest:
        _add_entry(feed, entry)
    return bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True))


def _add_entry(feed: ElementTree.Element, entry: Entry) -> None:
    element = _add(feed, "entry")
    if entry.langs:
        element.set(_XML_LANG, entry.langs[0])
    _add(element, "id", entry.url)
    _add(element, "title", title(entry.text))
    _add(element, "updated", entry.written_at)
    _add(element, "published", entry.written_at)
    _add(_add(element, "author"), "name", entry.author)
    _add(element, "link", rel="alternate", href=entry.url)
    _add(element, "content", entry.text, type="text")
    _add(element, "summary", entry.because)


def json_feed(facts: FeedFacts, addresses: Addresses) -> bytes:
    """The newest entries as a JSON Feed; the reason stands under `_plainsky`, as the format asks of extensions."""
    return msgspec.json.encode(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": facts.name,
            "home_page_url": addresses.page,
            "feed_url": addresses.json_feed,
            "language": facts.language,
            **({"description": facts.description} if facts.description else {}),
            "items": [_item(entry) for entry in facts.newest],
        }
    )


def _item(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.uri,
        "url": entry.url,
        "content_text": entry.text,
        "date_published": entry.written_at,
        "authors": [{"name": entry.author}],
        **({"language": entry.langs[0]} if entry.langs else {}),
        "_plainsky": {"why": entry.why, "because": entry.because},
    }


def title(text: str) -> str:
    """The beginning of a text, cut between words, in one line."""
    line = " ".join(text.split())
    if len(line) <= _TITLE:
        return line or "…"
    start = line[:_TITLE]
    return f"{start.rpartition(' ')[0] or start} …"


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name, attributes)
    element.text = text.translate(_NO_XML) or None
    return element
