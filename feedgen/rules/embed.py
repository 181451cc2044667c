"""Posts by what is embedded in them, and by whether it is described for those who cannot see it.

"gallery" is a series of pictures, "record" a feed, a list, a starter pack and the like, "none" a post with nothing embedded.
A picked GIF is "gif", not "link", though it travels as one. A quote with pictures is both "quote" and "image".
`alt = true` asks for an alt text on every picture, video and GIF, `alt = false` for a missing one.

    [[feeds.include]]
    kind = "embed"
    any = ["image", "gallery", "video"]
    alt = true

    [[feeds.exclude]]
    kind = "embed"
    any = ["link", "quote"]
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Literal, TypeAlias

from attrs import field, frozen

from feedgen.rules import Keyed, each, one_of
from models.post import Post

Embedded: TypeAlias = Literal["image", "gallery", "video", "gif", "link", "quote", "record", "none"]
_KINDS = ("image", "gallery", "video", "gif", "link", "quote", "record", "none")
_NEVER_DESCRIBED = {"link", "none"}
_ALT = {None: "", True: " described", False: " undescribed"}


def _of_pictures(rule: "Embed", _attribute: object, alt: bool | None) -> None:
    if alt is not None and _NEVER_DESCRIBED.issuperset(rule.any):
        raise ValueError('expected "image", "gallery", "video" or "gif" in any: nothing else has an alt text')


@frozen
class Embed(Keyed):
    """`any`: kinds of embeds, of which a post must have one. `alt`: true when all pictures and videos have an alt text, false when not."""

    breadth = 1
    any: tuple[Embedded, ...] = field(validator=each(one_of(*_KINDS)))
    alt: bool | None = field(default=None, validator=_of_pictures)

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """Each kind, alone and with whether all is described."""
        found = dict.fromkeys(post.embeds or ("none",))
        if not post.alts:
            return found
        told = _ALT[all(alt.strip() for alt in post.alts)]
        return (*found, *(kind + told for kind in found))

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each kind, with what is asked of its alt texts."""
        return {kind + _ALT[self.alt]: kind for kind in self.any}

    def plain_words(self) -> str:
        """The kinds, and what is asked of their alt texts."""
        listed = " or ".join("nothing" if kind == "none" else f"a {kind}" if kind != "image" else "an image" for kind in self.any)
        told = {None: "", True: ", with an alt text on every picture and video", False: ", with an alt text missing"}
        return f"embeds {listed}{told[self.alt]}"
