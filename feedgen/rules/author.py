"""Posts of certain authors, named by DID, or by handle (looked up when the service starts; a DID stays right when a handle changes).

[[feeds.include]]
kind = "author"
any = ["did:plc:z72i7hdynmk6r22z27h6tvur", "redactie.example.org"]
"""

from collections.abc import Iterable

from attrs import evolve, field, frozen

from feedgen.rules import Listed, Resolve, each
from models.post import Post
from models.protocol.syntax import is_did, is_handle


def _author(written: str) -> str:
    name = written.strip().removeprefix("@")
    return name if name.startswith("did:") else name.lower()


def _did_or_handle(_rule: object, _attribute: object, written: str) -> None:
    if not is_did(_author(written)) and not is_handle(_author(written)):
        raise ValueError('expected a DID like "did:plc:..." or a handle like "name.example.org"')


@frozen
class Author(Listed):
    """`any`: DIDs or handles, of which one must be the author's."""

    any: tuple[str, ...] = field(validator=each(_did_or_handle))

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """The author's DID."""
        return (did,)

    def key(self, written: str) -> str:
        """The DID; a handle that was not resolved is nobody's DID."""
        return _author(written)

    def resolved(self, resolve: Resolve) -> "Author":
        """With DIDs for handles; a handle that cannot be resolved stays, and matches nobody."""
        return evolve(self, any=tuple(_resolved(_author(written), resolve) for written in self.any))

    def plain_words(self) -> str:
        """The authors as written."""
        return "is by " + (self.any[0] if len(self.any) == 1 else f"one of {', '.join(self.any)}")


def _resolved(name: str, resolve: Resolve) -> str:
    return name if name.startswith("did:") else resolve(name) or name
