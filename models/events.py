"""What a source tells the pipeline: frozen values, the same for every wire.

Times are integers, microseconds since the Unix epoch, as stated by upstream (the clock of this process is in none of them).
`rev` is the repo revision (a TID): all wires carry the same one, so it orders the events of one repo whichever way they came.
Sources: lexicon com.atproto.sync.subscribeRepos, lexicon network.bsky.jetstream.subscribeEvents, Jetstream v1 README.
"""

from typing import Any, TypeAlias

import msgspec

Record: TypeAlias = dict[str, Any]
"""A post record as it came over the wire (decoded JSON or DAG-CBOR), not yet parsed: see `models.post.parse`."""


class PostCreated(msgspec.Struct, frozen=True, tag_field="kind", tag="create"):
    """A record of app.bsky.feed.post was created; `cid` is the record's CID as a base32 string."""

    did: str
    rkey: str
    rev: str
    cid: str
    time_us: int
    record: Record


class PostUpdated(msgspec.Struct, frozen=True, tag_field="kind", tag="update"):
    """A post was edited: `record` and `cid` are the new ones."""

    did: str
    rkey: str
    rev: str
    cid: str
    time_us: int
    record: Record


class PostDeleted(msgspec.Struct, frozen=True, tag_field="kind", tag="delete"):
    """A post was deleted. It may never have been seen here."""

    did: str
    rkey: str
    rev: str
    time_us: int


class AccountChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="account"):
    """Visibility follows `active` alone; `status` is detail and an open set (lexicon: new values may appear).

    `time_us` is the upstream event's own time, which every wire passes on unchanged, so that a late repeat is known as such.
    """

    did: str
    active: bool
    time_us: int
    status: str | None = None

    @property
    def deletes(self) -> bool:
        """What the account said until now is gone for good."""
        return not self.active and self.status == "deleted"


class IdentityChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="identity"):
    """Handle or DID document may have changed; `handle` may be absent or `handle.invalid`."""

    did: str
    time_us: int
    handle: str | None = None


class RepoReset(msgspec.Struct, frozen=True, tag_field="kind", tag="sync"):
    """#sync: the repo stands at `rev` and its contents were not told; earlier records may be gone."""

    did: str
    rev: str
    time_us: int


Event: TypeAlias = PostCreated | PostUpdated | PostDeleted | AccountChanged | IdentityChanged | RepoReset
