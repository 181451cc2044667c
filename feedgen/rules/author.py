"""Posts of certain authors, named by DID, or by handle (looked up when the service starts; a DID stays right when a handle changes).

[[feeds.include]]
kind = "author"
any = ["did:plc:z72i7hdynmk6r22z27h6tvur", "redactie.example.org"]
"""

from collections.abc import Iterable

from attrs import frozen

from feedgen.rules._accounts import Accounts
from models.post import Post


@frozen
class Author(Accounts):
    """`any`: DIDs or handles, of which one must be the author's."""

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """The author's DID."""
        return (did,)

    def plain_words(self) -> str:
        """The authors as written."""
        return "is by " + (self.any[0] if len(self.any) == 1 else f"one of {', '.join(self.any)}")
