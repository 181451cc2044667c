"""Posts with a hashtag, whether a client marked it as one, put it in the post's tags, or it only stands in the text.

Case and width make no difference, accents do; '#' may be written or left out.

    [[feeds.include]]
    kind = "hashtag"
    any = ["solidariteit", "solidarité", "#solidarity"]
"""

from collections.abc import Iterable

from attrs import field, frozen

from feedgen.rules import Listed, each, named
from feedgen.text import fold, hashtags
from models.post import Post


def _tag(written: str) -> str:
    return fold(written.strip().lstrip("#＃"))


def _one_word(_rule: object, _attribute: object, tag: str) -> None:
    if not _tag(tag) or " " in _tag(tag):
        raise ValueError("expected a hashtag, which is one word")


@frozen
class Hashtag(Listed):
    """`any`: hashtags, of which a post must have one."""

    any: tuple[str, ...] = field(validator=each(_one_word))

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """The post's hashtags, folded."""
        written = hashtags(post.text)
        return {_tag(tag) for tag in {*post.tags, *written}} if written or post.tags else ()

    def key(self, written: str) -> str:
        """Folded, without '#'."""
        return _tag(written)

    def plain_words(self) -> str:
        """The hashtags, each with its '#'."""
        return "has " + named("hashtag", ("#" + tag.strip().lstrip("#＃") for tag in self.any))
