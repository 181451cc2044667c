"""The protocol's identifiers, datetimes and TIDs: which strings are well-formed, and what they say.

Pure and total: any string is answered, none raises. The interop files of the AT Protocol (tests/data/interop) decide every doubt.
Sources: atproto.com/specs/{did,handle,nsid,record-key,tid,at-uri-scheme,lexicon}.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]")
_HANDLE = re.compile(rf"(?:{_LABEL}\.)+[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?")
_NSID = re.compile(rf"[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?(?:\.{_LABEL})+\.[a-zA-Z][a-zA-Z0-9]{{0,62}}")
_RECORD_KEY = re.compile(r"[a-zA-Z0-9_~.:-]{1,512}")
_CID = re.compile(r"(?!Qmb)[a-zA-Z0-9+=]{8,256}")
_AT_URI = re.compile(r"at://([^/]+)(?:/([^/]+)(?:/([^/]+))?)?")


def is_did(text: str) -> bool:
    """A DID of any method, without path, query or fragment."""
    return len(text) <= 2048 and _DID.fullmatch(text) is not None


def is_handle(text: str) -> bool:
    """A handle: a domain name of at least two labels. Says nothing of whether it resolves."""
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def is_nsid(text: str) -> bool:
    """A namespaced identifier, such as a collection's name."""
    return len(text) <= 317 and _NSID.fullmatch(text) is not None


def is_record_key(text: str) -> bool:
    """The last part of a record's path."""
    return _RECORD_KEY.fullmatch(text) is not None and text not in (".", "..")


def is_cid(text: str) -> bool:
    """Looks like a CID in some multibase; CIDv0 is not used in the protocol. The hash is not decoded."""
    return _CID.fullmatch(text) is not None


class AtUri(NamedTuple):
    """`at://authority/collection/rkey`; the authority is a DID or a handle."""

    authority: str
    collection: str | None = None
    rkey: str | None = None


def did_of(subject: str) -> str:
    """Whose a label's or a report's subject is: the DID that it is itself, or the one whose record its at-uri names."""
    return subject.removeprefix("at://").partition("/")[0]


def parse_at_uri(text: str) -> AtUri | None:
    """The parts of an at-uri in the strict form that lexicons mean; None when it is none."""
    found = _AT_URI.fullmatch(text) if len(text) <= 8192 else None
    if not found:
        return None
    authority, collection, rkey = found.groups()
    good = (
        (is_did(authority) or is_handle(authority))
        and (collection is None or is_nsid(collection))
        and (rkey is None or is_record_key(rkey))
    )
    return AtUri(authority, collection, rkey) if good else None


_GRANDFATHERED = (
    "en-GB-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)|sgn-(?:BE-FR|BE-NL|CH-DE)"
    "|art-lojban|cel-gaulish|no-bok|no-nyn|zh-(?:guoyu|hakka|min|min-nan|xiang)"
)
_LANGUAGE = re.compile(
    rf"(?:{_GRANDFATHERED})"
    r"|[a-z]{2,3}(?:-[A-Za-z]{3}){0,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*)"
    r"(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?"
    r"|[xX](?:-[A-Za-z0-9]{1,8})+"
)


def is_language(text: str) -> bool:
    """A valid BCP-47 tag whose first subtag is lower case; no variant or extension may be named twice (RFC 5646 section 2.2.9)."""
    found = _LANGUAGE.fullmatch(text) if len(text) <= 128 else None
    if not found:
        return False
    variants = (found["variants"] or "").lower().split("-")[1:]
    extensions = [subtag for subtag in (found["extensions"] or "").lower().split("-") if len(subtag) == 1]
    return len(set(variants)) == len(variants) and len(set(extensions)) == len(extensions)


_DATETIME = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:Z|(?!-00:00)[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_FRACTION = re.compile(r"(?:\.([0-9]{1,6})[0-9]*)?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE = timedelta(days=146_097)  # 400 years of the Gregorian calendar, after which it repeats
_YEAR_ZERO = -62_167_219_200_000_000


def parse_datetime(text: str) -> int | None:
    """Microseconds since the epoch (negative before 1970); None when it is no datetime of the protocol.

    Digits beyond the microsecond are cut. A leap second (":60") is refused, as the reference implementation does.
    Streams bring many times of the same second, so seconds and milliseconds are remembered: 0.2 us instead of 0.8.
    """
    second = _SECONDS[text[:19]]
    if len(text) == 27 and text[19] == "." and text[26] == "Z" and (micros := text[20:26]).isdigit() and micros.isascii():
        fraction: int | None = int(micros)  # of so many nothing is gained by remembering
    else:
        fraction = _FRACTIONS[text[19:]]
    return _parse_datetime(text) if second is None or fraction is None else second + fraction


class _Remembered(dict[str, int | None]):
    """What `read` says of texts, up to `limit` of them. Of long ones nothing is remembered."""

    def __init__(self, read: Callable[[str], int | None], limit: int) -> None:
        super().__init__()
        self._read, self._limit = read, limit

    def __missing__(self, text: str) -> int | None:
        said = self._read(text)
        if len(text) <= 32:
            if len(self) >= self._limit:
                self.clear()
            self[text] = said
        return said


def _fraction(text: str) -> int | None:
    found = _FRACTION.fullmatch(text) if len(text) <= 45 else None
    return int((found[1] or "").ljust(6, "0")) if found else None


def _parse_datetime(text: str) -> int | None:
    if len(text) > 64 or not _DATETIME.fullmatch(text):
        return None
    try:
        if text.startswith("0000"):  # a year the protocol allows and `datetime` does not
            since = datetime.fromisoformat("0400" + text[4:]) - _EPOCH - _CYCLE
        else:
            since = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return None  # the 31st of a shorter month
    time_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return time_us if time_us >= _YEAR_ZERO else None


def format_datetime(time_us: int) -> str:
    """The protocol's preferred spelling, to the millisecond (cut, not rounded): "2026-08-20T10:00:00.123Z"."""
    seconds, fraction = divmod(time_us, 1_000_000)
    return f"{_to_the_second(seconds)}.{fraction // 1_000:03d}Z"


@lru_cache(256)
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


_SECONDS = _Remembered(lambda text: _parse_datetime(text + "Z"), 1024)
_FRACTIONS = _Remembered(_fraction, 2048)

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_BASE32 = "0123456789abcdefghijklmnopqrstuv"
# By byte; what is no digit of a TID becomes "!", which `int` refuses.
_TO_BASE32 = "".join(_BASE32[_DIGITS.index(chr(byte))] if chr(byte) in _DIGITS else "!" for byte in range(256)).encode()


# 64 bits, of which the first digit has four.
_TID = re.compile("[2-7a-j][2-7a-z]{12}")


def is_tid(text: str) -> bool:
    """A TID, as revisions and most record keys are."""
    return _TID.fullmatch(text) is not None


def tid_time_us(tid: str) -> int | None:
    """The microseconds since the epoch that a TID claims; None when it is no TID."""
    if len(tid) != 13:
        return None
    try:
        number = int(tid.encode().translate(_TO_BASE32), 32)
    except ValueError:  # of which UnicodeEncodeError is a kind
        return None
    return number >> 10 if number < 1 << 64 else None


def tid_of(time_us: int, clock_id: int) -> str:
    """The TID of a time (0 to 2^53 - 1 microseconds) and a clock (0 to 1023)."""
    number = time_us << 10 | clock_id
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))
