"""A text without what says where it comes from: addresses, handles, mark-up, numbers' values, letter case, punctuation, white space.

Promises: pure, never raises, linear in the text's length whatever stands in it.
A URL stands in two thirds of one data set's true posts and a third of its false ones: a model that sees URLs learns the data set.
"""

import re
from html import unescape
from unicodedata import category

from models.text import IN_WORD, fold, without_addresses

MAX_TEXT = 3000
"""Characters of a text that are read: a Bluesky post is never longer."""
MAX_WORD = 40
"""Characters of a word; longer runs are keys or laughter, and are left out."""
NUMBER = "0"
"""What every whole number becomes: counts and years are those of the data set."""

_TAG = re.compile(r"<[a-z/!][^<>]*>")
_CACHED_CHARS = 5_000


class _Characters(dict[int, int | None]):
    """What becomes of a character: kept, dropped (None) or a space. Remembers so many that odd posts cannot fill memory."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        # Format characters are invisible: a word that holds one is still that word. Scripts without spaces have no words to count.
        becomes = None if category(char) == "Cf" else code if IN_WORD[char] and char != "_" else 0x20
        if len(self) < _CACHED_CHARS:
            self[code] = becomes
        return becomes


_CHARACTERS = _Characters()


def words(text: str) -> list[str]:
    """The words of a text, folded: no addresses, mentions, mark-up or punctuation; every whole number is `NUMBER`."""
    return [NUMBER if word.isdecimal() else word for word in runs(text) if len(word) <= MAX_WORD]


def runs(text: str) -> list[str]:
    """The same with numbers as written and words of any length, for who looks each word up anyway."""
    text = text[:MAX_TEXT]
    text = fold(unescape(text) if "&" in text else text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    return without_addresses(text).translate(_CHARACTERS).split()
