"""Reads a file of claims, whatever its form: ClaimReview in JSON, JSON lines or a web page, or a CSV table.

Promises: garbage is dropped and counted with the reason, never raised; memory is bounded by the file's size, one review at a time.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from labeler.claims import claimreview, tables
from labeler.claims.claimreview import Draft
from models.claims import Claim, Wording, wording_key

SHORTEST_WORDS = 2
"""A claim of one word is none, and would be found in every post that has it."""
MOST = 1_000_000
"""Claims of one file."""

_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SCRIPT = re.compile(r"<script[^>]{0,300}application/ld\+json[^>]{0,300}>(.*?)</script", re.IGNORECASE | re.DOTALL)


class NotClaims(ValueError):
    """The bytes hold no claims in any form that is known; the message says what was expected."""


class _Feed(msgspec.Struct):
    """A feed as far as its pieces: each is decoded by itself, so that a feed of 200 MB needs little more than its bytes."""

    pieces: list[msgspec.Raw] = msgspec.field(name="dataFeedElement")


class _Answer(msgspec.Struct):
    pieces: list[msgspec.Raw] = msgspec.field(name="claims")


class Reading:
    """Iterate over it for the claims of a file; `dropped` says how many were not taken, and why (complete at the end).

    source: where the bytes come from; lang and publisher: what holds where a review does not say; now: microseconds.
    """

    def __init__(self, data: bytes, source: str, now: int, lang: str = "", publisher: str = "") -> None:
        self.dropped: Counter[str] = Counter()
        self.taken = 0
        self._source, self._now, self._lang, self._publisher = source, now, lang, publisher
        self._drafts = self._opened(data)

    def __iter__(self) -> Iterator[Claim]:
        for draft in self._drafts:
            if self.taken >= MOST:
                self.dropped["beyond the limit"] += 1
            elif reason := _unfit(draft):
                self.dropped[reason] += 1
            else:
                self.taken += 1
                yield self._claim(draft)

    def _claim(self, draft: Draft) -> Claim:
        lang = draft.lang or self._lang
        publisher = draft.publisher or self._publisher
        return Claim(
            id=claim_id(draft.wording, publisher, draft.url),
            wordings=(Wording(draft.wording, lang),),
            rating=draft.rating,
            publisher=publisher,
            url=draft.url,
            reviewed_on=draft.reviewed_on,
            lang=lang,
            title=draft.title,
            summary=draft.summary,
            source=self._source,
            imported_at=self._now,
        )

    def _opened(self, data: bytes) -> Iterator[Draft]:
        if packed := next((name for start, name in _PACKED.items() if data.startswith(start)), None):
            raise NotClaims(f"packed with {packed}: unpack it first")
        if data.startswith(_UTF16):
            data = data.decode("utf-16", "replace").encode("utf-8", "replace")
        text_start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if text_start in (b"{", b"["):
            return self._json(data.removeprefix(b"\xef\xbb\xbf").strip())
        text = _decoded(data)
        if text_start == b"<":
            return self._page(text)
        try:
            return tables.drafts(text)
        except tables.NotATable as error:
            raise NotClaims(f"neither JSON, nor a web page, nor a table of claims: {error}") from None

    def _json(self, data: bytes) -> Iterator[Draft]:
        pieces = _pieces(data)
        for piece in pieces if pieces is not None else data.splitlines():
            yield from self._piece(piece)

    def _page(self, text: str) -> Iterator[Draft]:
        scripts = _SCRIPT.findall(text)
        if not scripts:
            raise NotClaims('a web page without ClaimReview: expected a <script type="application/ld+json">')
        return (draft for script in scripts for draft in self._piece(script.strip().encode()))

    def _piece(self, piece: bytes | msgspec.Raw) -> Iterator[Draft]:
        document: Any = None
        if piece != b"":
            try:
                document = msgspec.json.decode(piece)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                self.dropped["not JSON"] += 1
        yield from claimreview.drafts(document)


def _decoded(data: bytes) -> str:
    """As UTF-8, or, where most letters beyond ASCII are none in it, as spreadsheets of Western Europe write."""
    text = data.decode("utf-8-sig", "replace")
    strange = text.count("\ufffd")
    beyond = len(text) - len(text.encode("ascii", "ignore")) - strange if strange else 0
    return data.decode("cp1252", "replace") if strange > beyond else text


def _pieces(data: bytes) -> list[msgspec.Raw] | None:
    """The parts of one JSON document; None when it is none (JSON lines, perhaps)."""
    for kind in (_Feed, _Answer, list[msgspec.Raw], msgspec.Raw):
        try:
            found: Any = msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, RecursionError):
            continue
        return getattr(found, "pieces", None) or (found if isinstance(found, list) else [msgspec.Raw(data)])
    return None


def _unfit(draft: Draft) -> str | None:
    """Why a review cannot be taken, or None."""
    if not draft.wording:
        return "no claim"
    if not draft.rating:
        return "no rating"
    return "claim too short" if len(re.findall(r"\w+", draft.wording)) < SHORTEST_WORDS else None


def claim_id(wording: str, publisher: str, url: str | None) -> str:
    """16 hexadecimal digits: the same for the same review wherever it is imported."""
    return wording_key(f"{wording} {publisher} {url or ''}")[:16]
