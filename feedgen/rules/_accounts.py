"""Kinds that name accounts: by DID, or by handle, which is looked up when the service starts."""

from attrs import evolve, field, frozen

from feedgen.rules import Listed, Resolve, each
from models.protocol.syntax import is_did, is_handle


def account(written: str) -> str:
    """A DID or a handle in the spelling in which it is compared."""
    name = written.strip().removeprefix("@")
    return name if name.startswith("did:") else name.lower()


def did_or_handle(_rule: object, _attribute: object, written: str) -> None:
    """Validator of one word."""
    if not is_did(account(written)) and not is_handle(account(written)):
        raise ValueError('expected a DID like "did:plc:..." or a handle like "name.example.org"')


def resolved(written: tuple[str, ...], resolve: Resolve) -> tuple[str, ...]:
    """DIDs for handles; a handle that cannot be resolved stays, and is nobody's DID."""
    names = map(account, written)
    return tuple(name if name.startswith("did:") else resolve(name) or name for name in names)


@frozen
class Accounts(Listed):
    """A kind that lists accounts, of which a post must have one."""

    any: tuple[str, ...] = field(validator=each(did_or_handle))

    def key(self, written: str) -> str:
        """The DID; a handle that was not resolved is nobody's DID."""
        return account(written)

    def resolved(self, resolve: Resolve) -> "Accounts":
        """With DIDs for handles."""
        return evolve(self, any=resolved(self.any, resolve))
