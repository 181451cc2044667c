"""Cuts a text into the words by which posts and claims are compared: hashtags split, numbers kept, names noted, the language guessed.

Promises: pure, never raises, linear in the text's length; addresses and stop words say nothing and are left out.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple
from unicodedata import normalize

from labeler.claims.stopwords import STOP_WORDS

LONGEST = 3_000
"""Characters of a text that are looked at."""
LONGEST_WORD = 40

ADDRESS = re.compile(r"https?:\S*|pic\.twitter\.com/\S*|www\.\S+|[\w.-]+\.[a-z]{2,}/\S*|bit\.ly\S*")
# 9/11, 24/7 and the "3/12" of a thread are one word each; of a whole date, the year is one.
_WORD = re.compile(r"(?<![\w/])\d{1,2}/\d{1,2}(?![\w/])|[#@＃]?\d+(?:[.,]\d+)+|[#@＃]?\w+")
_PARTS = re.compile(r"[A-ZÀ-Þ]+(?![a-zß-ÿ])|[A-ZÀ-Þ]?[a-zß-ÿ]+|\d+|[^\W\d_A-Za-zÀ-ÿ]+")
# One name, whose parts would count as two rare words shared wherever people talk of it.
_COVID = re.compile(r"(?<![A-Za-z])(?:covid|sars-cov)[-‐‑_ ]?(?:19|2)(?!\d)", re.IGNORECASE)
_HUMPED = re.compile(r"[a-zß-ÿ\d][A-ZÀ-Þ]|_")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?!\d))")
_DIGITS = frozenset("0123456789")


class Words(NamedTuple):
    """A text as its words, folded, in their order, without stop words.

    `names` are those written with a capital, `numbers` those with digits; `text` is all words, stop words too, between single spaces.
    """

    lang: str
    text: str
    words: tuple[str, ...]
    names: frozenset[str]
    numbers: frozenset[str]


def words(text: str, langs: Sequence[str] = (), lang: str | None = None) -> Words:
    """The words of a text in one of the languages with stop words; `lang` when that is known, else `langs`, as declared, decide ties."""
    found = _split(text[:LONGEST])
    folded = [_folded(word) for word in found]
    lang = guessed(folded, langs) if lang is None else lang
    stop = STOP_WORDS.get(lang, _every_stop_word())
    kept = [(word, written) for word, written in zip(folded, found, strict=True) if word not in stop and _tells(word)]
    return Words(
        lang,
        " ".join(folded),
        tuple([word for word, _ in kept]),
        frozenset([word for word, written in kept if written[0].isupper()]),
        frozenset([word for word, _ in kept if word[0] in _DIGITS]),
    )


def guessed(folded: Sequence[str], langs: Sequence[str] = ()) -> str:
    """The language whose stop words the text has most of; the declared one where none has more, English at last."""
    hits = Counter(lang for word in folded for lang in _languages().get(word, ()))
    most = max(hits.values(), default=0)
    best = [lang for lang in STOP_WORDS if hits[lang] == most]
    declared = [tag[:2].lower() for tag in langs]
    return next((lang for lang in declared if lang in best), best[0])


def _split(text: str) -> list[str]:
    if "/" in text or "www." in text:
        text = ADDRESS.sub(" ", text)
    if not text.isascii():
        text = normalize("NFKC", text)
    if "ov" in text or "OV" in text:
        text = _COVID.sub("Covid", text)
    found = []
    for word in _WORD.findall(text):
        marked = word[0] in "#@＃"
        bare = word[1:] if marked else word
        # #SaveTheChildren, @RepDanDonovan, and what is glued together in plain text.
        if len(bare) > 3 and _HUMPED.search(bare):
            found += _PARTS.findall(bare)
        elif bare:
            found.append(bare)
    return found


def _folded(word: str) -> str:
    if word[0] in _DIGITS:
        return _THOUSANDS.sub("", word).casefold()
    return word.lower() if word.isascii() else word.casefold()


def _tells(word: str) -> bool:
    return (len(word) > 1 and len(word) <= LONGEST_WORD) or word[0] in _DIGITS


@cache
def _languages() -> dict[str, tuple[str, ...]]:
    everything = {word for stop in STOP_WORDS.values() for word in stop}
    return {word: tuple(lang for lang, stop in STOP_WORDS.items() if word in stop) for word in everything}


@cache
def _every_stop_word() -> frozenset[str]:
    return frozenset(_languages())
