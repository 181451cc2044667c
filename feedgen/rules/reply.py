"""Replies, or posts that start a thread.

[[feeds.exclude]]
kind = "reply"

[[feeds.require]]
kind = "reply"
which = "roots"
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Literal

from attrs import field, frozen

from feedgen.rules import Keyed, one_of
from models.post import Post


@frozen
class Reply(Keyed):
    """`which`: "replies" are posts that answer another, "roots" are all others."""

    breadth = 1
    which: Literal["replies", "roots"] = field(default="replies", validator=one_of("replies", "roots"))

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """A post is a reply when it names a parent."""
        return ("replies",) if post.reply_parent else ("roots",)

    def keys(self) -> Mapping[Hashable, str | None]:
        """The one or the other."""
        return {self.which: self.which}

    def plain_words(self) -> str:
        """One or the other."""
        return "is a reply" if self.which == "replies" else "starts a thread (is no reply)"
