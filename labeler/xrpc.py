"""com.atproto.label.queryLabels: the labels that stand on given records and accounts, by exact uri or by prefix.

Answered as Ozone does: of one (src, uri, cid, val) the newest row only, also when it is a negation or has expired. A label that an earlier
key of ours signed is signed anew for the answer; its cts stays.
Source: lexicon com.atproto.label.queryLabels; packages/ozone/tests/query-labels.test.ts.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec

from models.database import Database
from models.label_uris import Pattern, query
from models.labels import Found, Label
from models.protocol.syntax import is_did
from models.protocol.xrpc import Query, integer, invalid, one

Sign: TypeAlias = Callable[[Found], bytes]
"""The signature by which a label is verified today."""


async def query_labels(database: Database, parameters: Query, sign: Sign, known: Callable[[], Awaitable[frozenset[str]]]) -> bytes:
    """The answer's JSON. The cursor is there while there is more; it is the last seq, but opaque to clients.

    `known` tells who has said anything here, so that nobody is looked for in vain along the whole log.
    """
    patterns = [_pattern(text) for text in parameters.getall("uriPatterns", [])]
    if not patterns:
        raise invalid("parameter 'uriPatterns' is required")
    sources = {_source(text) for text in parameters.getall("sources", [])}
    limit = integer(parameters, "limit", 50, 1, 250)
    cursor = _cursor(parameters)
    if sources:
        ours = await known()
        if sources.isdisjoint(ours):
            return b'{"labels":[]}'
        sources = set() if sources >= ours else sources & ours
    few = len(patterns) == 1 and not patterns[0].prefix  # what is said of one subject is a short range of an index
    found = await (database.glance if few else database.read)(query, patterns, sorted(sources), cursor, limit + 1)
    answer: dict[str, Any] = {"cursor": str(found[limit - 1].seq)} if len(found) > limit else {}
    answer["labels"] = [_json(row.label, sign(row)) for row in found[:limit]]
    return msgspec.json.encode(answer)


def _pattern(text: str) -> Pattern:
    stem = text.removesuffix("*")
    if not text or "*" in stem:
        raise invalid("'uriPatterns' must be uris, or beginnings of uris with one '*' at the end")
    if not text.isprintable():
        raise invalid("'uriPatterns' must hold no control characters")  # PostgreSQL has no NUL in texts
    return Pattern(stem, prefix=stem != text)


def _source(text: str) -> str:
    if not is_did(text):
        raise invalid(f"'sources' must be DIDs, not {text[:40]!r}")
    return text


def _cursor(parameters: Query) -> int:
    text = one(parameters, "cursor")
    if text is None:
        return 0
    if not re.fullmatch("[0-9]{1,18}", text):
        raise invalid("'cursor' must be one that this service gave")
    return int(text)


def _json(label: Label, sig: bytes) -> dict[str, Any]:
    return {**label.fields(), "sig": {"$bytes": base64.b64encode(sig).decode().rstrip("=")}}
