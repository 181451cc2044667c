"""Makes plain values of what fact-checkers' sites publish: texts without markup, dates, languages, addresses. Never raises."""

import html
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

LONGEST = 1_000
"""Characters of a wording, title or summary; a longer one is cut."""
LONGEST_LINK = 2_048
OLDEST = date(1990, 1, 1)

_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,500}>")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")


def text(value: Any, limit: int = LONGEST) -> str:
    """One line of text out of a string, a JSON-LD value ({"@value": ...}), an object with a name, or a list of these; "" out of others."""
    for part in _parts(value):
        line = plain(part[: 4 * limit])
        if line:
            return line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0]
    return ""


def plain(value: str) -> str:
    """Without entities (some sites escape twice), tags, controls and runs of white space."""
    if "&" in value:
        value = html.unescape(html.unescape(value))
    if "<" in value:
        value = _TAG.sub(" ", value)
    return " ".join(_UNSEEN.sub(" ", value).split())


def _parts(value: Any, depth: int = 3) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth:
        for part in value[:20]:
            yield from _parts(part, depth - 1)
    elif isinstance(value, dict) and depth:
        for key in ("@value", "name", "text", "alternateName"):
            yield from _parts(value.get(key), depth - 1)


def link(value: Any) -> str | None:
    """The first web address, without fragment; None when there is none."""
    for part in (*_parts(value), *_parts(_named(value))):
        address = part.strip()
        try:
            parts = urlsplit(address)
            if (
                parts.scheme in ("http", "https")
                and parts.hostname
                and len(address) <= LONGEST_LINK
                and not re.search(r"[\s<>\"]", address)
            ):
                return parts._replace(fragment="").geturl().encode("utf-8", "replace").decode()
        except ValueError:  # brackets that are no address
            continue
    return None


def _named(value: Any) -> Any:
    """What an object is found by."""
    return [value.get("@id"), value.get("url")] if isinstance(value, dict) else None


def host(address: str | None) -> str:
    """The host of an address without "www.", "" without one."""
    return (urlsplit(address).hostname or "").removeprefix("www.") if address else ""


def language(value: Any, otherwise: str = "") -> str:
    """The primary subtag of a language tag ("nl-BE" is "nl")."""
    parts = value.get("alternateName") or value.get("name") if isinstance(value, dict) else value
    tag = text(parts, 60)
    found = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]{1,40})?", tag)
    return found[1].lower() if found else _LANGUAGES.get(tag.casefold(), otherwise)


_LANGUAGES = {
    name: tag
    for tag, names in {
        "en": ("english",),
        "nl": ("dutch", "nederlands", "vlaams"),
        "fr": ("french", "français"),
        "de": ("german", "deutsch"),
        "es": ("spanish", "español"),
    }.items()
    for name in names
}


def day(value: Any) -> str | None:
    """A date in any usual form as "2026-11-20"; None when it cannot be told (03/04/2021), or is no date."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | list | dict):
        return None
    found = _instant(value) if isinstance(value, int | float) else _spelled(text(value, 80))
    return found.isoformat() if found and found >= OLDEST else None


def _instant(seconds: float) -> date | None:
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january januari janvier januar",
            "feb february februari février februar",
            "mar march maart mars märz",
            "apr april avril",
            "may mei mai",
            "jun june juni juin",
            "jul july juli juillet",
            "aug august augustus août",
            "sep sept september septembre",
            "oct october oktober octobre okt",
            "nov november novembre",
            "dec december décembre dezember dez",
        ),
        1,
    )
    for name in names.split()
}


def _spelled(words: str) -> date | None:
    try:
        if found := re.match(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?!\d)", words):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:\D.*)?", words):
            return _numbers(int(found[1]), int(found[3]), int(found[4]), found[2])
        if found := re.search(r"(?:(\d{1,2})\.? )?([^\W\d]{3,9})\.?(?: (\d{1,2}))?,? (\d{4})\b", words):
            month = _MONTHS.get(found[2].casefold())
            return date(int(found[4]), month, int(found[1] or found[3] or 1)) if month else None
        return parsedate_to_datetime(words).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _numbers(first: int, second: int, year: int, between: str) -> date | None:
    """20/11/2026 and 11/20/2026; 03/04/2021 is April in Europe and March in America. With points it is Europe's."""
    if between == "." or first > 12 or first == second:
        return date(year, second, first)
    return date(year, first, second) if second > 12 else None
