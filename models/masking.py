"""One neutral mark in the place of words for who people are, so that a model cannot weigh them (invariant 12).

Promise: features neither hold the mark nor reach across it, so sentences that differ only in masked words, or in how many stand there,
have the same features.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from models.cleaning import MAX_WORD, NUMBER, runs, words

NEUTRAL = "_"
"""Stands for a masked word, and for a run too long to be a word; cleaning leaves no such word in a text."""

TERMS = Path(__file__).with_name("identity_terms.toml")

Terms: TypeAlias = Mapping[str, Mapping[str, str]]
"""group -> language -> terms between spaces: "word", "stem*", "*stem*", and "a-phrase"."""


def read_terms(path: Path = TERMS) -> dict[str, dict[str, str]]:
    """The terms that a model is trained with."""
    with path.open("rb") as file:
        return {group: {lang: " ".join(text.split()) for lang, text in by_lang.items()} for group, by_lang in tomllib.load(file).items()}


class Mask:
    """Puts `NEUTRAL` in the place of the terms. ValueError when a term is none."""

    def __init__(self, terms: Terms) -> None:
        written = sorted({term for by_lang in terms.values() for text in by_lang.values() for term in text.split()})
        if wrong := [term for term in written if not words(term) or ("-" in term and "*" in term)]:
            raise ValueError(f"{wrong[0]!r}: expected a word, word*, *word*, or a-phrase")
        single = [term for term in written if "-" not in term]
        self._exact = frozenset(_bare(term) for term in single if "*" not in term)
        self._stems = frozenset(_bare(term) for term in single if term.endswith("*") and not term.startswith("*"))
        self._inside = tuple(_bare(term) for term in single if term.startswith("*"))
        self._lengths = sorted({len(stem) for stem in self._stems})
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        for phrase in (tuple(words(term)) for term in written if "-" in term):
            if not all(map(self._masks, phrase)):
                self._phrases.setdefault(phrase[0], []).append(phrase)
        self._firsts = frozenset(self._phrases)

    def words(self, text: str) -> list[str]:
        """What a model sees of a text: the form of each word."""
        return [self.form(word) for word in self.phrases(runs(text))]

    def form(self, word: str) -> str:
        """What a folded word counts as: itself, `NUMBER`, or `NEUTRAL` when it is masked or too long to be a word."""
        if word.isdecimal():
            return NUMBER
        return NEUTRAL if len(word) > MAX_WORD or self._masks(word) else word

    def phrases(self, found: list[str]) -> list[str]:
        """Folded words with `NEUTRAL` in the place of each word of a masked phrase."""
        return found if self._firsts.isdisjoint(found) else self._without_phrases(found)

    def _masks(self, word: str) -> bool:
        if word in self._exact or any(stem in word for stem in self._inside):
            return True
        return not self._stems.isdisjoint([word[:length] for length in self._lengths])

    def _without_phrases(self, found: list[str]) -> list[str]:
        masked = list(found)
        for start, word in enumerate(found):
            for phrase in self._phrases.get(word, ()):
                end = start + len(phrase)
                if tuple(found[start:end]) == phrase:
                    masked[start:end] = [NEUTRAL] * len(phrase)
        return masked


def _bare(term: str) -> str:
    return "".join(words(term))
