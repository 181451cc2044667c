"""Posts that mention certain accounts with a link to their profile, as apps make one of "@name.example.org" in the text.

Who is answered or quoted is not mentioned by that.

    [[feeds.include]]
    kind = "mention"
    any = ["redactie.example.org", "did:plc:z72i7hdynmk6r22z27h6tvur"]
"""

from collections.abc import Iterable

from attrs import frozen

from feedgen.rules import named
from feedgen.rules._accounts import Accounts
from models.post import Post


@frozen
class Mention(Accounts):
    """`any`: DIDs or handles, of which one must be mentioned."""

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """The DIDs mentioned."""
        return post.mentions

    def plain_words(self) -> str:
        """The accounts as written."""
        return "mentions " + named("account", self.any)
