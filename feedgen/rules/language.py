"""Posts that declare a language. What an app declares is its user's setting, so it is now and then wrong.

"en" means every English; "en-GB" means that one only.

    [[feeds.require]]
    kind = "language"
    any = ["nl", "fr"]
"""

import re
from collections.abc import Iterable

from attrs import field, frozen

from feedgen.rules import Listed, each, named
from models.post import Post

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,6}")


def _spelt(tag: str) -> str:
    return tag.strip().lower().replace("_", "-")


def _language_tag(_rule: object, _attribute: object, tag: str) -> None:
    if not _TAG.fullmatch(_spelt(tag)):
        raise ValueError('expected a language tag like "nl" or "pt-BR"')


@frozen
class Language(Listed):
    """`any`: BCP-47 tags, of which a post must declare one."""

    breadth = 1
    any: tuple[str, ...] = field(validator=each(_language_tag))

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """Each declared tag and what it specialises: "zh-Hant-TW" is "zh-hant" and "zh" too."""
        found = set()
        for declared in post.langs:
            tag = _spelt(declared)
            while tag:
                found.add(tag)
                tag = tag.rpartition("-")[0]
        return found

    def key(self, written: str) -> str:
        """Lower case."""
        return _spelt(written)

    def plain_words(self) -> str:
        """The tags as written."""
        return "declares " + named("language", self.any)
