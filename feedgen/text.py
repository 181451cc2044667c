"""What a rule finds in a text beside words, and what a reason may show.

Folding, addresses and the boundaries of words are `models.text`'s, since topics look for words too.
"""

import re
from collections.abc import Iterable
from itertools import islice
from unicodedata import category, is_normalized, normalize

from models.text import bounded, fold, without_addresses

__all__ = ["CONTROL", "MAX_WORD", "MAX_WORDS", "bounded", "fold", "hashtags", "shown", "tag_of", "unaccented"]

# A hashtag as the official client finds it, which goes on until white space or something invisible (@atproto/api, rich-text/util.ts:
# TAG_REGEX), but for two freedoms: it may begin behind a bracket or a quotation mark, and ends where the next '#' begins.
_HASHTAG = re.compile("(?<![\\w&/#＃])[#＃]([^\\s#＃\x00\xad\u200a-\u200d\u2060\u20e2\u20e3]+)")
# And what readers see of it where a clause goes on without a space: "#climate,weather", "#Trump's", "#気候、天気".
_FIRST_WORD = re.compile("[^,./:-@\\[-^`{-\x7f!-%'-*«»¿¡…\u2010-\u2027\u2030-\u205e\u3001-\u3020\uff01-\uff0f]+")
_COLOURS = "\ufe0e\ufe0f\u20e3"  # behind an emoji; marks by their category
_NO_NUMBER = re.compile(r"[^\W\d_]|[^\x00-\x7f]")

# Marks that stand above, below or within a letter of Latin, Greek, Cyrillic, Hebrew and Arabic: in other scripts they are letters.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no word contains and no reason shows: controls, line and paragraph separators, marks that turn the writing direction, surrogates."""

MAX_WORD = 100
MAX_WORDS = 8


def unaccented(folded: str) -> str:
    """A folded text as people write it who leave the accents out: "solidarite", "coeur", and one i for I, ı, İ and i."""
    if folded.isascii():
        return folded
    return normalize("NFC", _ACCENTS.sub("", normalize("NFD", folded)).translate(_PLAIN))


def tag_of(written: str) -> str:
    """A hashtag without its '#' as it is compared: folded, without the punctuation behind it. May be empty."""
    tag = fold(written)
    if tag[-1:].isalnum():
        return tag
    end = len(tag)
    while end and category(tag[end - 1])[0] == "P":
        end -= 1
    return tag[:end]


def hashtags(text: str) -> list[str]:
    """The '#words' that stand in a text as written, without '#', whether or not a client marked them."""
    first = text.find("#") if text.isascii() or "＃" not in text else 0
    if first < 0:
        return []
    if "/" in text or "@" in text or not (text.isascii() or _is_plain(text)):
        text, first = without_addresses(fold(text)), 0
    if text.isascii():
        found = _HASHTAG.findall(text, first)
    else:
        found = [tag[1] for tag in _HASHTAG.finditer(text, first) if not _is_mark(text[tag.start() - 1 : tag.start()])]
    return found if all(map(str.isalpha, found)) else [tag for run in found for tag in _tags(run)]


def _is_mark(char: str) -> bool:
    """Whether a character, if there is one, is part of a letter, as a Hindi vowel or the dot of a small İ is; a heart's colour is none."""
    return char != "" and char not in _COLOURS and category(char)[0] == "M"


def _is_plain(text: str) -> bool:
    """Whether `fold` would change nothing that makes a difference to where a hashtag ends."""
    return "\xad" not in text and "\u2060" not in text and "\ufeff" not in text and is_normalized("NFKC", text)


def _tags(run: str) -> Iterable[str]:
    first = _FIRST_WORD.match(run)
    words = {run, first.group().strip("-") if first else run}
    return [word for word in words if _NO_NUMBER.search(word)]  # "#1" is none


def shown(words: Iterable[str]) -> tuple[str, ...]:
    """Words as they may stand in a reason: at most 8 of 100 characters, no control characters.

    No '|' either: the app joins item, event, feedContext and reqId with it and splits again (social-app, feed-feedback.tsx).
    """
    return tuple(islice(dict.fromkeys(map(_shown, words)), MAX_WORDS))


def _shown(word: str) -> str:
    if len(word) <= MAX_WORD and word.isprintable() and "|" not in word:
        return word
    return CONTROL.sub(" ", word[:MAX_WORD]).replace("|", "¦")
