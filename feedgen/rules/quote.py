"""Posts that quote another post: anybody's, certain accounts', the author's own, or only other people's.

[[feeds.exclude]]
kind = "quote"
whose = "others"

[[feeds.include]]
kind = "quote"
any = ["redactie.example.org"]
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Literal

from attrs import evolve, field, frozen
from attrs.validators import optional

from feedgen.rules import Keyed, Resolve, each, named, one_of
from feedgen.rules._accounts import account, did_or_handle, resolved
from models.post import Post
from models.protocol.syntax import did_of

_PLAIN = {"anyone": "quotes a post", "self": "quotes a post of its own author", "others": "quotes a post of somebody else"}


def _alone(rule: "Quote", _attribute: object, any: tuple[str, ...] | None) -> None:
    if any is not None and rule.whose != "anyone":
        raise ValueError(f'expected either any or whose = "{rule.whose}", not both')


@frozen
class Quote(Keyed):
    """`any`: DIDs or handles, of one of whom the quoted post must be; left out, all are meant. `whose`: "anyone", "self" or "others"."""

    breadth = 1
    any: tuple[str, ...] | None = field(default=None, validator=(optional(each(did_or_handle)), _alone))
    whose: Literal["anyone", "self", "others"] = field(default="anyone", validator=one_of("anyone", "self", "others"))

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """Whose post is quoted: by DID, and in the words of `whose`."""
        if not post.quote:
            return ()
        quoted = did_of(post.quote)
        return ("anyone", "self" if quoted == did else "others", quoted)

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each account, or what `whose` says."""
        if self.any is None:
            return {self.whose: "quote"}
        return {account(written): written for written in reversed(self.any)}

    def resolved(self, resolve: Resolve) -> "Quote":
        """With DIDs for handles."""
        return self if self.any is None else evolve(self, any=resolved(self.any, resolve))

    def plain_words(self) -> str:
        """Whose posts are quoted."""
        return _PLAIN[self.whose] if self.any is None else "quotes " + named("account", self.any)
