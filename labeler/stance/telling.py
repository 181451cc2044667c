"""A finding of the signal claim_match in words: the claim, its fact-check, and the sum as one would write it down to check it."""

from collections.abc import Iterator, Mapping
from typing import Any


def told(details: Mapping[str, Any]) -> Iterator[str]:
    """Lines for a terminal; what is 0 is left out of the sum."""
    claim, decided = details["claim"], details["scorecard"]
    checked = " ".join(filter(None, (claim["publisher"], claim["reviewed_on"], claim["url"]))) or "no fact-check is linked"
    yield f'claim {claim["id"]}: "{claim["wording"]}"'
    yield f'rated "{claim["rating"]}": {checked}'
    yield f"words in common: {', '.join(details['shared']) or '(gone)'}"
    yield from summed(decided)
    yield from (f"{name}: SHA-256 {hash}" for name, hash in details["hashes"].items())


def summed(decided: Mapping[str, Any]) -> Iterator[str]:
    """Feature x weight, line by line, and their sum beside the threshold."""
    yield f"{decided['intercept']:+12.6f}  intercept"
    rows = sorted(decided["features"], key=lambda row: (-abs(row["product"]), row["feature"]))
    yield from (f"{row['product']:+12.6f}  {row['feature']} {row['value']:g} x {row['weight']:g}" for row in rows if row["product"])
    yield f"{decided['sum']:+12.6f}  sum; the threshold is {decided['threshold']:g}"
    yield from (f"{'':12}  says nothing because of {name}" for name in decided["abstentions"])
