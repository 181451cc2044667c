"""Labels of other labelers, as their streams bring them: which of them are wanted, and whether they are what they say they are. Pure.

Promise: whatever stands in a frame, it is answered and none raises; of what nobody asked for no signature is checked.
Sources: atproto.com/specs/label ("Signatures", "Negation"), lexicon com.atproto.label.defs#label.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import libipld

from models.known_labels import KnownLabel
from models.protocol.ecdsa import is_low
from models.protocol.public_keys import PublicKey
from models.protocol.syntax import is_cid, is_did, parse_at_uri, parse_datetime

POST = "app.bsky.feed.post"
_UNSIGNED = frozenset({"sig", "$type"})


class Heard(NamedTuple):
    """A label that is wanted, and its fields as they were sent."""

    label: KnownLabel
    fields: Mapping[str, Any]


class Garbage(ValueError):
    """Not what a labeler may send; the message is a word for the metrics."""


def heard(seq: int, fields: Any, src: str, wanted: Collection[str]) -> Heard | None:
    """A label of `src` with one of the wanted values, on a post or an account; None for another. Garbage: no label of `src` at all."""
    if not isinstance(fields, dict):
        raise Garbage("bad_label")
    if fields.get("src") != src:
        raise Garbage("foreign_label")  # a stream speaks for its own labeler only
    if fields.get("val") not in wanted:
        return None
    label = _label(seq, fields, src)
    return Heard(label, fields) if _is_subject(label.uri) else None


def _label(seq: int, fields: Mapping[str, Any], src: str) -> KnownLabel:
    get = fields.get
    uri, cid, cts, exp = get("uri"), get("cid"), _time(get("cts")), _time(get("exp"))
    good = (
        get("ver") in (None, 1)
        and isinstance(uri, str)
        and (cid is None or (isinstance(cid, str) and is_cid(cid)))
        and get("neg") in (None, True, False)
        and (exp is not None or get("exp") is None)
        and isinstance(get("sig"), bytes)
    )
    if not good or cts is None:
        raise Garbage("bad_label")
    return KnownLabel(str(uri), src, get("val", ""), cid or "", bool(get("neg")), cts, seq, exp)


def _time(text: Any) -> int | None:
    return parse_datetime(text) if isinstance(text, str) else None


def _is_subject(uri: str) -> bool:
    """An account, or a post by its author's DID. A label on a profile says nothing of the posts."""
    parsed = parse_at_uri(uri)
    if parsed is None:
        return is_did(uri)
    return parsed.collection == POST and parsed.rkey is not None and is_did(parsed.authority)


def is_signed(one: Heard, key: PublicKey) -> bool:
    """Whether the labeler's key signed the label."""
    return are_signed(one.fields, key)


def are_signed(fields: Mapping[str, Any], key: PublicKey) -> bool:
    """Whether the key signed a label's fields; `sig` is one of them.

    What is signed is what is sent. Some labelers send what they left out when they signed: `neg: false`, or nulls.
    """
    sent = {name: value for name, value in fields.items() if name not in _UNSIGNED}
    least = {name: value for name, value in sent.items() if value is not None and not (name == "neg" and value is False)}
    return _signs(key, sent, fields["sig"]) or (least != sent and _signs(key, least, fields["sig"]))


def _signs(key: PublicKey, fields: Mapping[str, Any], sig: bytes) -> bool:
    try:
        return is_low(sig, key.alg) and key.verify(bytes(libipld.encode_dag_cbor(fields)), sig)
    except (ValueError, TypeError, OverflowError):
        return False  # a field that cannot be encoded again
