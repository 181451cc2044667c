"""The newest labels of a labeler.

queryLabels tells the oldest first; its cursor is a number in every labeler that is known, and so the end is looked for by halves.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from plainsky.config.errors import shown
from plainsky.publishing.checks import OTHER_PROGRAM, Wrong, answered

QUERY = "/xrpc/com.atproto.label.queryLabels"
PAGE = 100
MOST = 2**48


async def last_labels(endpoint: str, port: int = 3000) -> list[Mapping[str, Any]]:
    """Up to PAGE of them, with `sig` as bytes. Wrong when there is no answer, or none of a labeler."""
    page = await _page(endpoint, 0, port)
    if len(page) < PAGE:
        return page
    low, high = 0, PAGE
    while high < MOST and (further := await _page(endpoint, high, port)):
        page, low, high = further, high, high * 2
    while len(page) == PAGE and high - low > 1:
        middle = (low + high) // 2
        if further := await _page(endpoint, middle, port):
            page, low = further, middle
        else:
            high = middle
    return page


async def _page(endpoint: str, cursor: int, port: int) -> list[Mapping[str, Any]]:
    parameters: list[tuple[str, str | int]] = [("uriPatterns", "*"), ("limit", PAGE), *([("cursor", cursor)] if cursor else [])]
    labels = (await answered(endpoint, QUERY, parameters, True, port)).get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, dict) for label in labels):
        raise Wrong(f"no list of labels: {shown(labels)}", OTHER_PROGRAM.format(port=port))
    return [{**label, "sig": _sig(label.get("sig"))} for label in labels]


def _sig(sig: Any) -> bytes | None:
    try:
        return base64.b64decode(sig["$bytes"] + "==", validate=False)
    except (TypeError, KeyError, binascii.Error, ValueError):
        return None
