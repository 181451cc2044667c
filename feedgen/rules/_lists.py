"""Kinds that name lists of accounts: by at-uri, or by the link that the app gives, whose handle is looked up when the service starts.

However many lists there are, and however long they are, a post costs one look-up, by its author's DID.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar

from attrs import evolve, field, frozen

from feedgen.rules import Finder, Members, Resolve, Rule, Words, each, one_by_one
from feedgen.rules._accounts import account
from models.post import Post
from models.protocol.syntax import AtUri, is_did, is_handle, is_record_key, parse_at_uri

LIST = "app.bsky.graph.list"
STARTER_PACK = "app.bsky.graph.starterpack"
_LINKS = {
    LIST: re.compile(r"https://bsky\.app/profile/([^/?#]+)/lists/([^/?#]+)/?"),
    STARTER_PACK: re.compile(r"https://bsky\.app/(?:starter-pack|start)/([^/?#]+)/([^/?#]+)/?"),
}
_EXPECTED = {
    LIST: 'expected a list, like "https://bsky.app/profile/name.example.org/lists/3k..." or "at://did:plc:.../app.bsky.graph.list/3k..."',
    STARTER_PACK: (
        'expected a starter pack, like "https://bsky.app/starter-pack/name.example.org/3k..."'
        ' or "at://did:plc:.../app.bsky.graph.starterpack/3k..."'
    ),
}


def record_of(written: str, collection: str) -> AtUri | None:
    """What a link or an at-uri names, if it is a record of this collection; its authority may be a handle."""
    text = written.strip()
    found = _LINKS[collection].fullmatch(text)
    uri = AtUri(found[1], collection, found[2]) if found else parse_at_uri(text)
    if uri is None or uri.collection != collection or uri.rkey is None or not is_record_key(uri.rkey):
        return None
    owner = account(uri.authority)
    return uri._replace(authority=owner) if is_did(owner) or is_handle(owner) else None


def at_uri(written: str, collection: str, resolve: Resolve) -> str | None:
    """The at-uri, its owner by DID; None when the handle cannot be resolved."""
    uri = record_of(written, collection)
    assert uri
    did = uri.authority if is_did(uri.authority) else resolve(uri.authority)
    return f"at://{did}/{collection}/{uri.rkey}" if did else None


def one_in(collection: str) -> Callable[[Any, Any, str], None]:
    """Validator of one word: it names a record of this collection."""

    def check(_rule: object, _attribute: object, written: str) -> None:
        if record_of(written, collection) is None:
            raise ValueError(_EXPECTED[collection])

    return check


@frozen
class Lists(Rule):
    """A kind that names lists, on one of which the author must be."""

    breadth = 0
    collection: ClassVar[str]
    any: tuple[str, ...]

    def match(self, did: str, post: Post) -> Words | None:
        """Nobody is on a list that was not looked up."""
        return None

    def resolved(self, resolve: Resolve) -> Rule:
        """The same with the lists' at-uris; one whose handle cannot be resolved has nobody on it."""
        found: dict[str, str] = {}
        for written in self.any:
            if uri := at_uri(written, self.collection, resolve):
                found.setdefault(uri, written)
        return Membership(self, tuple(found.items()))

    def plain_words(self) -> str:
        """Whose posts these are."""
        raise NotImplementedError


@frozen
class Membership(Rule):
    """Lists that were looked up: (at-uri, as written) of each, and who is on it."""

    breadth = 0
    rule: Lists
    lists: tuple[tuple[str, str], ...]
    members: tuple[frozenset[str], ...] = ()

    @property
    def kind(self) -> str:
        """As in the config."""
        return self.rule.kind

    def informed(self, members: Members) -> "Membership":
        """With the DIDs on each list."""
        return evolve(self, members=tuple(frozenset(members(uri)) for uri, _ in self.lists))

    def match(self, did: str, post: Post) -> Words | None:
        """The lists that the author is on, as written."""
        found = zip(self.lists, self.members, strict=False)
        return tuple(written for (_, written), members in found if did in members) or None

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each list with who is on it."""
        return {(uri, members): written for (uri, written), members in zip(self.lists, self.members, strict=False)}

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """All lists turned round: one look-up finds those that the author is on."""
        lists_of: dict[str, list[int]] = {}
        for (_, members), number in ids.items():
            for did in members:
                lists_of.setdefault(did, []).append(number)
        get = lists_of.get
        return one_by_one(lambda did, post: get(did, ()))

    def plain_words(self) -> str:
        """As the rule says."""
        return self.rule.plain_words()


def any_of(collection: str) -> Any:
    """The field `any` of a kind."""
    return field(validator=each(one_in(collection)))
