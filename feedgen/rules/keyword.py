"""Posts with a word or a phrase. Case, width and the spaces between a phrase's words make no difference, accents do.

A word stands free: "art" is not found in "party". In scripts without spaces (Chinese, Japanese, Thai ...) and in Korean
it is found anywhere.
`where` says where to look: "text", "alt" (of pictures and videos), "link" (title and description of the link card).

    [[feeds.include]]
    kind = "keyword"
    any = ["straße", "general strike", "気候"]
    where = ["text", "alt"]
"""

from array import array
from collections.abc import Collection, Hashable, Mapping
from typing import Any

from ahocorasick_rs import AhoCorasick
from attrs import field, frozen

from feedgen.rules import Finder, Rule, Words, each, named, one_of
from feedgen.rules._places import PLACES, Place, in_plain_words
from feedgen.text import IN_WORD, bounded, contains, fold
from models.post import Post


@frozen
class Keyword(Rule):
    """`any`: words or phrases, of which one must stand in one of the places of `where`."""

    breadth = 0
    any: tuple[str, ...] = field(validator=each())
    where: tuple[Place, ...] = field(default=("text",), validator=each(one_of(*PLACES)))

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each word in each place."""
        found: dict[Hashable, str | None] = {}
        for written in self.any:
            for place in self.where:
                found.setdefault((place, fold(written).strip()), written)
        return found

    def match(self, did: str, post: Post) -> Words | None:
        """The words found, in the order of the rule."""
        texts = {place: fold(PLACES[place](post)) for place in self.where}
        keys: Mapping[Any, str | None] = self.keys()
        return tuple(dict.fromkeys(w for (place, word), w in keys.items() if w and contains(texts[place], word))) or None

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """One pass over each place, for all words of all feeds together."""
        places = {place for place, _ in ids}
        finders = [_search(place, {word: number for (at, word), number in ids.items() if at == place}) for place in sorted(places)]
        if len(finders) == 1:
            return finders[0]
        return lambda did, post: [number for find in finders for number in find(did, post)]

    def plain_words(self) -> str:
        """The words as written, in quotes."""
        return f"says {named('word', (f'“{word}”' for word in self.any))}{in_plain_words(self.where)}"


def _search(place: str, ids: Mapping[str, int]) -> Finder:
    # All words go through one Aho-Corasick automaton: its cost is that of the text, not of the number of words. Whether a word stands free
    # is asked of what was found only. Looking up each word of the text in a dict costs no less, and finds no phrase.
    # In alphabetical order, since words that begin alike then lie together in memory: a tenth less.
    words = sorted(ids)
    hits, read, inside = AhoCorasick(words).find_matches_as_indexes, PLACES[place], IN_WORD
    # Arrays of plain numbers: with 50,000 words, objects would be spread over more memory than a processor's cache holds.
    numbers = array("I", [ids[word] for word in words])
    left, right = (bytes(side) for side in zip(*map(bounded, words), strict=True))

    def find(did: str, post: Post) -> Collection[int]:
        text = f" {fold(read(post))} "
        return {
            numbers[index]
            for index, start, end in hits(text, True)
            if not (inside[text[end]] and right[index]) and not (inside[text[start - 1]] and left[index])
        }

    return find
