"""Authors who want to be in no feed of this service, and how they say so.

The operator writes them down, keeps them on a list, or names hashtags and self-labels that authors put on any post of theirs: while that
post stands, nothing of theirs is in a feed.
"""

from collections.abc import Collection
from functools import cached_property
from typing import Any

from attrs import field, fields, frozen
from attrs.validators import deep_iterable

from feedgen.rules import Resolve, Rule
from feedgen.rules._accounts import resolved
from feedgen.rules._lists import LIST, at_uri
from feedgen.rules.author import Author
from feedgen.rules.hashtag import Hashtag
from feedgen.rules.label import Label
from feedgen.rules.list import List
from models.post import Post


def _as_in(kind: type[Rule]) -> Any:
    """A field that lists what the rules of a kind list, or nothing."""
    return field(default=(), validator=deep_iterable(fields(kind).any.validator.member_validator))


@frozen
class OptOut:
    """`[opt_out]`: DIDs and handles of `authors`; links or at-uris of `lists`; `hashtags` and `self_labels` that a post asks with."""

    authors: tuple[str, ...] = _as_in(Author)
    lists: tuple[str, ...] = _as_in(List)
    hashtags: tuple[str, ...] = _as_in(Hashtag)
    self_labels: tuple[str, ...] = _as_in(Label)

    @cached_property
    def _hashtag(self) -> Hashtag | None:
        return Hashtag(any=self.hashtags) if self.hashtags else None

    @cached_property
    def marks(self) -> frozenset[str]:
        """What posts can ask with, as `asks` names it."""
        tags = map(self._hashtag.key, self.hashtags) if self._hashtag else ()
        return frozenset(f"#{tag}" for tag in tags) | frozenset(f"label {value.strip()}" for value in self.self_labels)

    @property
    def handles(self) -> tuple[str, ...]:
        """Every handle that `authors` and `lists` name."""
        asked: dict[str, None] = {}
        self.dids(asked.setdefault)
        self.list_uris(asked.setdefault)
        return tuple(asked)

    def asks(self, did: str, post: Post) -> Collection[str]:
        """With which marks this post by `did` asks that its author be in no feed; mostly none."""
        if not post.self_labels and "#" not in post.text and "＃" not in post.text and not post.tags and not post.extra_tags:
            return ()  # nearly all posts
        tags = self._hashtag.match(did, post) if self._hashtag else None
        found = {f"#{self._hashtag.key(tag)}" for tag in tags} if self._hashtag and tags else set()
        return found | (self.marks & {f"label {value}" for value in post.self_labels})

    def dids(self, resolve: Resolve) -> frozenset[str]:
        """The DIDs of `authors`, as far as handles can be resolved."""
        return frozenset(name for name in resolved(self.authors, resolve) if name.startswith("did:"))

    def list_uris(self, resolve: Resolve) -> frozenset[str]:
        """The at-uris of `lists`, as far as handles can be resolved."""
        return frozenset(uri for written in self.lists if (uri := at_uri(written, LIST, resolve)))
