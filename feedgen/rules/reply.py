"""Replies, posts that start a thread, or posts in which an author goes on with a thread of his own.

[[feeds.exclude]]
kind = "reply"

[[feeds.require]]
kind = "any"
rules = [{ kind = "reply", which = "roots" }, { kind = "reply", which = "self-threads" }]
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Literal

from attrs import field, frozen

from feedgen.rules import Keyed, one_of
from models.post import Post

_PLAIN = {
    "replies": "is a reply",
    "roots": "starts a thread (is no reply)",
    "self-threads": "goes on with a thread of its own author (answers him in a thread that he began)",
}


@frozen
class Reply(Keyed):
    """`which`: "replies" are posts that answer another, "self-threads" those of them that answer their own author, "roots" all others."""

    breadth = 1
    which: Literal["replies", "roots", "self-threads"] = field(default="replies", validator=one_of(*_PLAIN))

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """A post is a reply when it names a parent; in a self-thread, the parent and the post that began it are the author's."""
        if not post.reply_parent:
            return ("roots",)
        own = f"at://{did}/"
        alone = post.reply_parent.startswith(own) and (post.reply_root or "").startswith(own)
        return ("replies", "self-threads") if alone else ("replies",)

    def keys(self) -> Mapping[Hashable, str | None]:
        """The one or the other."""
        return {self.which: self.which}

    def plain_words(self) -> str:
        """One or the other."""
        return _PLAIN[self.which]
