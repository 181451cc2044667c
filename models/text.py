"""What counts as the same word, whatever its case, width or script, and where a word begins and ends.

Promise: a rule's words and a post's text go through the same `fold`, so that STRASSE finds "straße", and "ＮＡＴＯ" is NATO.
Accents are kept: "cote" is not "côté". Dotted and dotless i stay apart, but İ is i.
Sources: Unicode UAX #15 (NFKC), chapter 3.13 (caseless matching), UAX #29 (what separates words).
"""

import re
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import accumulate, islice
from unicodedata import category, normalize

from ahocorasick_rs import AhoCorasick

# One meaning, two spellings: İ folds to i with a dot above; phones type ’ where keyboards type '; an emoji may have a variation selector.
_SAME = (("i\u0307", "i"), ("’", "'"), ("\ufe0f", ""))
_UNSEEN = re.compile("[\u00ad\u2060\ufeff]")  # soft hyphen, word joiner: unprintable, so they cost texts without them nothing

# Scripts written without spaces between words. Korean has spaces, but its particles hang on the noun (한국은, 한국의).
UNSPACED = re.compile(
    "[\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u1aaf\u1b00-\u1b7f"  # Thai, Lao, Tibetan, Burmese, Jamo, Khmer, Balinese
    "\u2e80-\ua4cf\ua960-\ua9df\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"  # Chinese, Japanese, Yi, Hangul, Javanese
)
"""One character of a script in which a word may begin and end anywhere."""

# A page (the scheme left out, or cut short, as apps do), or an account. What is written without spaces may go on right behind it.
_REST = f"[^\\s{UNSPACED.pattern[1:-1]}]"
_ADDRESS = re.compile(
    rf"(?:https?://|(?<!\w)www\.){_REST}+"
    r"|@[a-z0-9-]++(?:\.[a-z0-9-]++)+"
    rf"|(?<![\w@.-])[a-z0-9-]++(?:\.[a-z0-9-]++)++(?<=[a-z][a-z])/{_REST}*"
)

_CACHED_CHARS = 5_000


class _WordChars(dict[str, bool]):
    """Whether a character belongs to a word of a spaced script. Remembers the commonest; the bound keeps odd posts from filling memory."""

    def __missing__(self, char: str) -> bool:
        # Marks are no letters for str.isalnum, yet Hindi vowels and accents without a composed form are marks.
        belongs = (char.isalnum() or char == "_" or category(char)[0] == "M") and not UNSPACED.match(char)
        if len(self) < _CACHED_CHARS:
            self[char] = belongs
        return belongs


IN_WORD = _WordChars()
"""`IN_WORD[char]`: no keyword of a spaced script ends beside such a character."""

_BETWEEN = frozenset(char for char in map(chr, range(128)) if not IN_WORD[char])


def fold(text: str) -> str:
    """The form in which words are compared: NFKC, case folded, every run of white space one space."""
    folded = text.lower() if text.isascii() else _fold_unicode(text)
    if folded.isprintable() and "  " not in folded:  # all white space but the space is unprintable
        return folded
    return " ".join(folded.split())


def _fold_unicode(text: str) -> str:
    if not text.isprintable():
        text = _UNSEEN.sub("", text)  # first, for they keep a letter and its accent apart
    folded = normalize("NFKC", text).casefold()
    for odd, plain in _SAME:
        if odd in folded:
            folded = folded.replace(odd, plain)
    return normalize("NFKC", folded)  # folding a capital may leave its accents apart


def without_addresses(folded: str) -> str:
    """A folded text with a space for each web address and each @handle in it: what stands in a name is no word that somebody wrote."""
    return _ADDRESS.sub(" ", folded) if "/" in folded or "@" in folded or "www." in folded else folded


def blanked(folded: str) -> str:
    """`without_addresses` that keeps every other character where it is."""
    return _ADDRESS.sub(lambda found: " " * len(found[0]), folded)


def bounded(word: str) -> tuple[bool, bool]:
    """Whether a folded word must stand free at its beginning, and at its end."""
    return IN_WORD[word[0]], IN_WORD[word[-1]]


def sought(word: str) -> tuple[str, bool, bool]:
    """A folded word as it is looked for: its letters, and whether it must stand free at its beginning, and at its end.

    A `*` beside a letter or digit leaves that end open: "solidar*" is in "solidarity". Any other `*` is what it is.
    """
    left, right = word[0] == "*" and _letter(word[1:2]), word[-1] == "*" and _letter(word[-2:-1])
    stem = word[left : len(word) - right]
    begins, ends = bounded(stem)
    return stem, begins and not left, ends and not right


def _letter(char: str) -> bool:
    return char.isalnum() or (char != "" and IN_WORD[char])


def contains(text: str, word: str) -> bool:
    """Whether the folded text contains the folded word: free where `sought` says so, anywhere in scripts without spaces."""
    stem, left, right = sought(word)
    start = text.find(stem)
    while start >= 0:
        end = start + len(stem)
        if not (left and start and IN_WORD[text[start - 1]]) and not (right and end < len(text) and IN_WORD[text[end]]):
            return True
        start = text.find(stem, start + 1)
    return False


_AT_ONCE = 32


def finder(numbers: Mapping[str, int]) -> Callable[[Iterable[str]], list[Collection[int]]]:
    """Finds all words at once: takes folded texts, and gives for each the numbers of those folded words that it `contains`, each once."""
    # All words go through one Aho-Corasick automaton: its cost is that of the text, not of the number of words. Whether a word stands free
    # is asked of what was found only. Looking up each word of the text in a dict costs no less, and finds no phrase.
    # In alphabetical order, since words that begin alike then lie together in memory: a tenth less.
    words = sorted((*sought(word), number) for word, number in numbers.items())
    hits, inside = AhoCorasick([stem for stem, *_ in words]).find_matches_as_indexes, IN_WORD
    # Arrays of plain numbers: with 50,000 words, objects would be spread over more memory than a processor's cache holds.
    meant = array("I", [number for *_, number in words])
    free = bytes(begins + 2 * ends for _, begins, ends, _ in words)

    def stands(free: int, before: str, behind: str) -> bool:
        return not (free & 1 and inside[before]) and not (free & 2 and inside[behind])

    def standing(texts: Sequence[str]) -> list[set[int]]:
        lines = "\n".join(("", *texts, ""))  # no folded word goes on in another line
        ends = accumulate([len(text) + 1 for text in texts])
        end_of_text, there = next(ends), set[int]()
        found = [there]
        for index, start, end in hits(lines, True):
            while start > end_of_text:
                end_of_text, there = next(ends), set()
                found.append(there)
            if (
                not free[index]
                or (lines[end] in _BETWEEN and lines[start - 1] in _BETWEEN)
                or stands(free[index], lines[start - 1], lines[end])
            ):
                there.add(meant[index])
        return found + [set()] * (len(texts) - len(found))

    def find(texts: Iterable[str]) -> list[Collection[int]]:
        # To enter the automaton and to leave it costs as much as half a text, so some go through it together. Not all, since what it
        # tells of them would push its many words out of a processor's cache; and what is kept is kept in lists, smaller than sets.
        left, found = iter(texts), list[Collection[int]]()
        while some := [*islice(left, _AT_ONCE)]:
            found += [[*there] for there in standing(some)]
        return found

    return find
