"""Posts with a word or a phrase. Case, width and the spaces between a phrase's words make no difference.

A word stands free: "art" is not found in "party". In scripts without spaces (Chinese, Japanese, Thai ...) and in Korean
it is found anywhere. A `*` at an end of a word leaves that end open: "solidar*" finds solidarity and Solidarität, "*crisis" klimaatcrisis.
Web addresses and @handles in a text are not looked into; for these there are the kinds `link_domain` and `mention`.
`where` says where to look: "text", "alt" (of pictures and videos), "link" (title and description of the link card).
`accents = "fold"` leaves the accents out of account: "cote" finds côté, and "coeur" finds cœur.

    [[feeds.include]]
    kind = "keyword"
    any = ["straße", "general strike", "solidar*", "気候"]
    where = ["text", "alt"]

    [[feeds.include]]
    kind = "keyword"
    any = ["benevole*"]
    accents = "fold"
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from attrs import field, frozen

from feedgen.rules import Finder, Rule, Words, each, merged, named, one_of
from feedgen.rules._places import ACCENTS, PLACES, Accents, Place, accents_in_plain_words, folder, in_plain_words, more_than_accents
from models.post import Post
from models.text import contains, finder, fold, without_addresses


def _no_address(_rule: object, _attribute: object, written: str) -> None:
    if not fold(written).strip(" *"):
        raise ValueError("expected a word; for every post take two includes, as docs/rules.md shows under reply")
    if without_addresses(fold(written)) != fold(written):
        raise ValueError('expected words, which are not looked for in addresses: take kind = "link_domain", or "mention" for an @handle')


@frozen
class Keyword(Rule):
    """`any`: words or phrases, of which one must stand in one of the places of `where`. `accents`: "keep" or "fold"."""

    breadth = 0
    any: tuple[str, ...] = field(validator=each(_no_address))
    where: tuple[Place, ...] = field(default=("text",), validator=each(one_of(*PLACES)))
    accents: Accents = field(default="keep", validator=(one_of(*ACCENTS), more_than_accents))

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each word in each place."""
        plain, found = folder(self.accents) or str, dict[Hashable, str | None]()
        settings = [(place, self.accents) for place in self.where]
        for written in self.any:
            word = plain(fold(written).strip())
            for setting in settings:
                found.setdefault((setting, word), written)
        return found

    def match(self, did: str, post: Post) -> Words | None:
        """The words found, in the order of the rule."""
        texts = {place: _read((place, self.accents))(post) for place in self.where}
        keys: Mapping[Any, str | None] = self.keys()
        return tuple(dict.fromkeys(w for ((place, _), word), w in keys.items() if w and contains(texts[place], word))) or None

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """One pass over each place, for all words of all feeds together; another where accents are folded."""
        settings: dict[tuple[Place, Accents], dict[str, int]] = {}
        for (setting, word), number in ids.items():
            settings.setdefault(setting, {})[word] = number
        return merged([_search(setting, numbers) for setting, numbers in sorted(settings.items())])

    def plain_words(self) -> str:
        """The words as written, in quotes."""
        words = named("word", (f"“{word}”" for word in self.any))
        return f"says {words}{in_plain_words(self.where)}{accents_in_plain_words(self.accents)}"


def _read(setting: tuple[Place, Accents]) -> Callable[[Post], str]:
    """The text of a place as words are looked for in it."""
    place, accents = setting
    read, plain = PLACES[place], folder(accents)
    if plain is None:
        return lambda post: without_addresses(fold(read(post)))
    return lambda post: plain(without_addresses(fold(read(post))))


def _search(setting: tuple[Place, Accents], numbers: Mapping[str, int]) -> Finder:
    find, read = finder(numbers), _read(setting)
    if setting == ("text", "keep"):  # as nearly all rules say: two calls less
        return lambda asked: find(without_addresses(fold(post.text)) for _, post in asked)
    return lambda asked: find(read(post) for _, post in asked)
