"""What stands in a record, read tolerantly and bounded: whatever is odd becomes empty, and nothing that upstream sends raises.

Promise: every string can be stored, searched and sent: no NUL, no lone surrogate.
"""

import re
from typing import Any

from models.protocol.syntax import parse_at_uri

PROSE = 3000  # characters of a text, an alt text, a card's title or description (lexicon: a text has at most 3,000 bytes)
LINK = 2048  # characters of a URL; a longer one is cut, for its host and path are what is looked at

# What nearly every reference looks like; it is an at-uri, which the general check says in eight times the time.
_POST_URI = re.compile(r"at://did:plc:[a-z2-7]{24}/app\.bsky\.feed\.post/[a-z2-7]{13}")


def prose(value: Any, limit: int = PROSE) -> str:
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


def word(value: Any, limit: int) -> str:
    """A short string as it is, or empty when it is none or too long: a word that is cut is another word."""
    return prose(value) if isinstance(value, str) and len(value) <= limit else ""


def words(values: Any, count: int, limit: int) -> tuple[str, ...]:
    """The first `count` short strings of a list."""
    return tuple([one for value in members(values, count) if (one := word(value, limit))])


def members(values: Any, limit: int) -> list[Any]:
    """The first ones of a list; none of anything else."""
    return values[:limit] if isinstance(values, list) else []


def part(value: Any, key: str) -> Any:
    """What an object has under a key; None of anything else."""
    return value.get(key) if isinstance(value, dict) else None


def distinct(first: tuple[str, ...], then: tuple[str, ...]) -> tuple[str, ...]:
    """Both, each string once."""
    both = first + then
    return both if len(both) < 2 else tuple(dict.fromkeys(both))


def at_uri(uri: Any) -> str | None:
    """An at-uri as it is."""
    return uri if isinstance(uri, str) and (_POST_URI.fullmatch(uri) or parse_at_uri(uri)) else None
