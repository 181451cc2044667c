"""What counts as the same word, whatever its case, width or script, and where a word begins and ends.

Promise: a rule's words and a post's text go through the same `fold`, so that STRASSE finds "straße", and "ＮＡＴＯ" is NATO.
Accents are kept: "cote" is not "côté". Dotted and dotless i stay apart, but İ is i.
Sources: Unicode UAX #15 (NFKC), chapter 3.13 (caseless matching), UAX #29 (what separates words).
"""

import re
from collections.abc import Iterable
from itertools import islice
from unicodedata import category, normalize

# One meaning, two spellings: İ folds to i with a dot above; phones type ’ where keyboards type '; an emoji may have a variation selector.
_SAME = (("i\u0307", "i"), ("’", "'"), ("\ufe0f", ""))
_UNSEEN = re.compile("[\u00ad\u2060\ufeff]")  # soft hyphen, word joiner: unprintable, so they cost texts without them nothing

# Scripts written without spaces between words. Korean has spaces, but its particles hang on the noun (한국은, 한국의).
_UNSPACED = re.compile(
    "[\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u1aaf\u1b00-\u1b7f"  # Thai, Lao, Tibetan, Burmese, Jamo, Khmer, Balinese
    "\u2e80-\ua4cf\ua960-\ua9df\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"  # Chinese, Japanese, Yi, Hangul, Javanese
)

# A hashtag is a run without white space and without punctuation other than - and _; "page#part" and "&#39;" are none.
_HASHTAG = re.compile("(?<![\\w&/])[#＃]([^\\s\x00-,./:-@\\[-^`{-\x7f«»¿¡…\u2010-\u2027\u2030-\u205e\u3001-\u3020\uff01-\uff0f]+)")

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no word contains and no reason shows: controls, line and paragraph separators, marks that turn the writing direction, surrogates."""

MAX_WORD = 100
_MAX_WORDS = 8
_CACHED_CHARS = 5_000


class _WordChars(dict[str, bool]):
    """Whether a character belongs to a word of a spaced script. Remembers the commonest; the bound keeps odd posts from filling memory."""

    def __missing__(self, char: str) -> bool:
        # Marks are no letters for str.isalnum, yet Hindi vowels and accents without a composed form are marks.
        belongs = (char.isalnum() or char == "_" or category(char)[0] == "M") and not _UNSPACED.match(char)
        if len(self) < _CACHED_CHARS:
            self[char] = belongs
        return belongs


IN_WORD = _WordChars()
"""`IN_WORD[char]`: no keyword of a spaced script ends beside such a character."""


def fold(text: str) -> str:
    """The form in which words are compared: NFKC, case folded, every run of white space one space."""
    folded = text.lower() if text.isascii() else _fold_unicode(text)
    if folded.isprintable() and "  " not in folded:  # all white space but the space is unprintable
        return folded
    return " ".join(_UNSEEN.sub("", folded).split())


def _fold_unicode(text: str) -> str:
    folded = normalize("NFKC", text).casefold()
    for odd, plain in _SAME:
        if odd in folded:
            folded = folded.replace(odd, plain)
    return normalize("NFKC", folded)  # folding a capital may leave its accents apart


def bounded(word: str) -> tuple[bool, bool]:
    """Whether a folded word must stand free at its beginning, and at its end."""
    return IN_WORD[word[0]], IN_WORD[word[-1]]


def contains(text: str, word: str) -> bool:
    """Whether the folded text contains the folded word: free where `bounded` says so, anywhere in scripts without spaces."""
    left, right = bounded(word)
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (left and start and IN_WORD[text[start - 1]]) and not (right and end < len(text) and IN_WORD[text[end]]):
            return True
        start = text.find(word, start + 1)
    return False


def hashtags(text: str) -> list[str]:
    """The '#words' in a text as written, without '#', for clients that set no facets."""
    first = text.find("#") if text.isascii() or "＃" not in text else 0
    return [found.strip("-") for found in _HASHTAG.findall(text, first)] if first >= 0 else []


def shown(words: Iterable[str]) -> tuple[str, ...]:
    """Words as they may stand in a reason: at most 8 of 100 characters, no control characters.

    No '|' either: the app joins item, event, feedContext and reqId with it and splits again (social-app, feed-feedback.tsx).
    """
    return tuple([_shown(word) for word in islice(dict.fromkeys(words), _MAX_WORDS)])


def _shown(word: str) -> str:
    if len(word) <= MAX_WORD and word.isprintable() and "|" not in word:
        return word
    return CONTROL.sub(" ", word[:MAX_WORD]).replace("|", "¦")
