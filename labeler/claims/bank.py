"""The claims in force: what signals ask, and what the process puts anew in its place when the bank of the database has changed.

Promise: who asks sees one state, before or after, never half of each. What is in force has a hash, which evidence names.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from labeler.claims.matching import Matcher
from models.claims import Claim


class InForce(NamedTuple):
    """A matcher over the claims that count, and the SHA-256 (hexadecimal) of what they say."""

    matcher: Matcher
    hash: str
    claims: int


def in_force(claims: Sequence[Claim], file: Path | None = None) -> InForce:
    """Index these claims: seconds for a large bank. `file` keeps the index for the next start."""
    hashed = hashlib.sha256()
    for claim in sorted(claims, key=lambda claim: claim.id):
        hashed.update(msgspec.json.encode((claim.id, claim.rating, claim.url, claim.wordings, claim.title, claim.summary)))
    return InForce(Matcher(claims, file=file), hashed.hexdigest(), len(claims))


class Bank:
    """Holds the state in force. An empty one finds nothing."""

    def __init__(self, state: InForce | None = None) -> None:
        self.state = state
