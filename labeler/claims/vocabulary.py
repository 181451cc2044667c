"""The words of a bank of claims as numbers: what belongs to one stem is one term, and how much it tells when two texts share it.

A term's weight is the smaller of two logarithms: how rare it is among the claims, and how rare among everyday posts (`background.json`):
"vaccine" stands in few claims of a general bank, and in every post of those who talk about vaccines.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from unicodedata import category, normalize

import msgspec
import Stemmer

from labeler.claims.stopwords import STOP_WORDS
from labeler.claims.words import Words

STEMMERS = {"en": "english", "nl": "dutch", "fr": "french", "de": "german"}
MOST_REMEMBERED = 50_000
SHORTEST_PART = 4
"""Letters of a part of a compound ("coronavaccin") or of a hashtag in small letters ("#climatehoax")."""


class Background(msgspec.Struct, frozen=True):
    """How many of `posts` everyday posts have a word, for the commoner words of a language."""

    posts: int
    words: dict[str, dict[str, int]]
    """By language, by word."""


@cache
def background() -> Background:
    """The table that ships with the project."""
    return msgspec.json.decode((files(__package__) / "background.json").read_bytes(), type=Background)


@cache
def _stemmer(lang: str) -> "Stemmer.Stemmer":
    return Stemmer.Stemmer(STEMMERS[lang], 0)  # without a cache of its own: we keep numbers, not stems


def stem(word: str, lang: str) -> str:
    """A word's stem without accents: people leave those out."""
    return _bare(_stemmer(lang).stemWord(word) if lang in STEMMERS and word.isalpha() else word)


def _bare(word: str) -> str:
    return word if word.isascii() else "".join([char for char in normalize("NFD", word) if category(char) != "Mn"])


class Vocabulary:
    """Grows while claims are `learned`; after `settle` it only answers."""

    def __init__(self, terms: Iterable[str] = (), of_word: Mapping[str, dict[str, int]] | None = None) -> None:
        self.terms = list(terms)
        self.of_word = {lang: (of_word or {}).get(lang, {}) for lang in STEMMERS}
        """By language, the term of every word of the claims as it is written there."""
        self._numbers = {term: number for number, term in enumerate(self.terms)}
        self._found: dict[str, dict[str, tuple[int, ...]]] = {lang: {} for lang in STEMMERS}
        self.weights: list[float] = []
        self.rarity: list[float] = []
        self.unknown = 0.0

    def learned(self, word: str, lang: str) -> int:
        """The number of a claim's word, a new one where it is new."""
        known = self.of_word.get(lang)
        if known is None:
            return self._term(_bare(word))
        number = known.get(word)
        if number is None:
            number = known[word] = self._term(stem(word, lang))
        return number

    def _term(self, term: str) -> int:
        number = self._numbers.setdefault(term, len(self.terms))
        if number == len(self.terms):
            self.terms.append(term)
        return number

    def settle(self, frequencies: Sequence[int], documents: int, posts: Background) -> None:
        """Weigh every term: it stands in `frequencies[term]` of the documents."""
        common = _common_stems(posts)
        least = math.log((posts.posts + 1) / 1.5)
        unlisted = _by_length(posts)
        listed = {number for lang in posts.words for number in self.of_word[lang].values()}
        self.rarity = [math.log(1 + (documents - count + 0.5) / (count + 0.5)) for count in frequencies]
        self.unknown = least
        everyday = [
            math.log((posts.posts + 1) / (common[term] + 0.5))
            if term in common
            else least
            if number in listed
            else unlisted[min(len(term), len(unlisted) - 1)]
            for number, term in enumerate(self.terms)
        ]
        self.weights = [round(min(pair), 3) for pair in zip(self.rarity, everyday, strict=True)]

    def numbered(self, text: Words) -> list[tuple[int, ...]]:
        """For each word of a post, the terms it stands for: mostly one, none when no claim has it, several for a compound."""
        lang = text.lang if text.lang in STEMMERS else "en"
        found = self._found[lang]
        numbers = []
        for word in text.words:
            known = found.get(word)
            if known is None:
                known = self._looked_up(word, lang)
                if len(found) < MOST_REMEMBERED:
                    found[word] = known
            numbers.append(known)
        return numbers

    def _looked_up(self, word: str, lang: str) -> tuple[int, ...]:
        # A Dutch post may hold an English headline: its own language first, then the others.
        for tried in (lang, *(other for other in STEMMERS if other != lang)):
            number = self.of_word[tried].get(word)
            if number is None and (len(word) > 3 or tried == lang):
                number = self._numbers.get(stem(word, tried))
            if number is not None and (tried == lang or word not in STOP_WORDS[tried]):
                return (number,)
        return self._parts(word, lang)

    def _parts(self, word: str, lang: str) -> tuple[int, ...]:
        known = self.of_word[lang]
        for at in range(len(word) - SHORTEST_PART, SHORTEST_PART - 1, -1):
            left, right = known.get(word[:at]), known.get(word[at:])
            if left is not None and right is not None:
                return (left, right)
        return ()


def _common_stems(posts: Background) -> Mapping[str, int]:
    stems: Counter[str] = Counter()
    for lang, words in posts.words.items():
        for word, count in words.items():
            stems[stem(word, lang)] = max(stems[stem(word, lang)], count)
    return stems


def _by_length(posts: Background) -> list[float]:
    """What a word of so many letters weighs on average: for languages without a table of their own."""
    weights: list[list[float]] = [[] for _ in range(13)]
    for words in posts.words.values():
        for word, count in words.items():
            weights[min(len(word), 12)].append(math.log((posts.posts + 1) / (count + 0.5)))
    return [sum(some) / len(some) if some else 0.0 for some in weights]


def is_number(term: str) -> bool:
    """Whether a term is a number, a year, an amount (also 5g and covid-19's 19)."""
    return re.match(r"\d", term) is not None
