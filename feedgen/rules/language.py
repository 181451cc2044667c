"""Posts in a language, as their authors' apps declare it; and, when asked to, as their words say.

"en" means every English; "en-GB" means that one only.
What an app declares is its user's setting: it is often left out, and now and then wrong.
With `detect = true`, the text decides where nothing or nonsense is declared, and where the text is in another script than what is declared
("en", and all of it in Hangul). Text that is too short or unsure is in no language. This needs `pip install "plainsky[detect]"`.

    [[feeds.require]]
    kind = "language"
    any = ["nl", "fr"]

    [[feeds.require]]
    kind = "language"
    any = ["en"]
    detect = true
"""

from typing import Any

from attrs import field, frozen

from feedgen.languages import can_recognise, declared, is_tag, recognised, spelt
from feedgen.rules import each, named
from feedgen.rules._varied import Reader, Varied


def _language_tag(_rule: object, _attribute: object, tag: str) -> None:
    if not is_tag(spelt(tag)):
        raise ValueError('expected a language tag like "nl" or "pt-BR"')


def _installed(_rule: object, _attribute: object, detect: bool) -> None:
    if detect and not can_recognise():
        raise ValueError('expected false, or the library that recognises languages: pip install "plainsky[detect]"')


@frozen
class Language(Varied):
    """`any`: BCP-47 tags, of which a post must be in one. `detect`: whether the text is asked when its author's app says nothing."""

    breadth = 1
    any: tuple[str, ...] = field(validator=each(_language_tag))
    # False when left out: what is declared is the author's word, and the library is 10 MB that only some feeds need.
    detect: bool = field(default=False, validator=_installed)

    @property
    def setting(self) -> bool:
        """Whether the text is asked, too."""
        return self.detect

    @staticmethod
    def reader(setting: Any) -> Reader:
        """The languages of a post, each with those that it is a variant of."""
        read = recognised if setting else declared
        return lambda did, post: read(post)

    def key(self, written: str) -> str:
        """Lower case."""
        return spelt(written)

    def plain_words(self) -> str:
        """The tags as written."""
        asked = named("language", self.any)
        return f"declares {asked}" + (", or declares none and is recognised as such" if self.detect else "")
