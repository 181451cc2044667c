"""Posts with a hashtag, whether a client marked it as one, put it in the post's tags, or it only stands in the text.

Case, width and punctuation behind a tag make no difference; '#' may be written or left out. The whole tag must be the same.
`where` says where to look: "facet" (tags that the app shows as links), "tags" (the record's tags, which most apps do not show), "text"
(whatever stands in it with a '#'), and "alt" (the same in alt texts); all but "alt" when it is left out.
`accents = "fold"` leaves the accents out of account: "solidarite" finds #solidarité; it also makes one i of Turkish I, ı, İ and i.

    [[feeds.include]]
    kind = "hashtag"
    any = ["solidariteit", "solidarité", "#solidarity"]

    [[feeds.include]]
    kind = "hashtag"
    any = ["cafe"]
    where = ["facet", "text", "alt"]
    accents = "fold"
"""

from collections.abc import Callable, Collection
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from feedgen.rules import each, named, one_of
from feedgen.rules._places import ACCENTS, PLACES, Accents, accents_in_plain_words, folder, more_than_accents
from feedgen.rules._varied import Reader, Varied
from feedgen.text import hashtags, tag_of, unaccented
from models.post import Post

Marked: TypeAlias = Literal["facet", "tags", "text", "alt"]

_NAMES = {"facet": "as a link", "tags": "in the record's tags", "text": "in the text", "alt": "in an alt text"}
_EVERYWHERE: tuple[Marked, ...] = ("facet", "tags", "text")

_MARKED: dict[tuple[bool, bool], Callable[[Post], Collection[str]]] = {
    (True, True): lambda post: post.tags + post.extra_tags if post.extra_tags else post.tags,
    (True, False): lambda post: post.tags,
    (False, True): lambda post: post.extra_tags,
    (False, False): lambda post: (),
}


def _tag(written: str) -> str:
    return tag_of(written.strip().lstrip("#＃"))


def _one_word(_rule: object, _attribute: object, tag: str) -> None:
    if not _tag(tag) or " " in _tag(tag):
        raise ValueError("expected a hashtag, which is one word")


@frozen
class Hashtag(Varied):
    """`any`: hashtags, of which a post must have one. `where`: places to look in. `accents`: "keep" or "fold"."""

    any: tuple[str, ...] = field(validator=each(_one_word))
    where: tuple[Marked, ...] = field(default=_EVERYWHERE, validator=each(one_of(*_NAMES)))
    accents: Accents = field(default="keep", validator=(one_of(*ACCENTS), more_than_accents))

    @property
    def setting(self) -> tuple[frozenset[str], Accents]:
        """Places and accents."""
        return frozenset(self.where), self.accents

    @staticmethod
    def reader(setting: Any) -> Reader:
        """The post's hashtags, folded."""
        if setting == _USUAL:
            return _usual
        where, accents = setting
        marked, typed, plain = _MARKED["facet" in where, "tags" in where], _typed(where), folder(accents)

        def read(did: str, post: Post) -> Collection[str]:
            tags, written = marked(post), typed(post)
            if not tags and not written:
                return ()
            found = {tag_of(tag) for tag in {*tags, *written}}
            return found if plain is None else set(map(plain, found))

        return read

    def key(self, written: str) -> str:
        """Folded, without '#'."""
        return unaccented(_tag(written)) if self.accents == "fold" else _tag(written)

    def plain_words(self) -> str:
        """The hashtags, each with its '#', and what is unusual about where and how they are looked for."""
        usual = frozenset(self.where) == frozenset(_EVERYWHERE)
        places = "" if usual else " " + " or ".join(words for place, words in _NAMES.items() if place in self.where)
        tags = named("hashtag", ("#" + tag.strip().lstrip("#＃") for tag in self.any))
        return f"has {tags}{places}{accents_in_plain_words(self.accents)}"


_USUAL = (frozenset(_EVERYWHERE), "keep")


def _usual(did: str, post: Post) -> Collection[str]:
    # What nearly all rules ask, for nearly all posts with nothing to show: half the time of what asks for the places one by one.
    written = hashtags(post.text)
    return {tag_of(tag) for tag in (*post.tags, *post.extra_tags, *written)} if written or post.tags or post.extra_tags else ()


def _typed(where: frozenset[str]) -> Callable[[Post], list[str]]:
    """The hashtags that stand in the texts of some places."""
    reads = [PLACES[place] for place in ("text", "alt") if place in where]
    return lambda post: [tag for read in reads for tag in hashtags(read(post))]
