"""A post made ready to be asked what it does with a claim: its words, sentences, what is quoted, where it links to."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from labeler.claims.words import ADDRESS, LONGEST, guessed
from labeler.stance.letters import is_mocking, legible, upright
from models.masking import NEUTRAL, Mask, read_terms
from models.post import Post
from models.text import fold

_WORD = re.compile(r"[^\W_]+(?:'t(?!\w))?")
_SENTENCE = re.compile(r"[^.!?\n…]*[.!?…\n]*")
_QUOTED = re.compile(r"[\"“„«»]([^\"“”„«»]{3,300})[\"”“»«]|(?<![^\W_])'(?=[^\s']+ )((?:[^']|'(?=[^\W_])){3,300})'(?![^\W_])")
_QUOTED_LINE = re.compile(r"^[ \t]*>(.*)", re.MULTILINE)
MARKS = frozenset(":?")
_MARKED = re.compile(r"[^\W_]+(?:'t(?!\w))?|[:?]")
_QUOTES = re.compile("[\"'“„«»]")
_CHECK = re.compile(
    "fact-?_?check|fakten-?check|faktenfuchs|feiten-?check|reality[-_]?check|debunk|hoax-?alert|desintox|verificat|checkmate"
)
_HOST = re.compile(r"(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{2,}(?![\w.-])")
MOST_HOSTS = 20


class Sentence(NamedTuple):
    """The tokens of a sentence, with ":" and "?" where they stand, and which of them are words that may count."""

    words: tuple[str, ...]
    open: tuple[bool, ...]

    def counting(self, kept: Collection[str] = ()) -> tuple[str, ...]:
        """Without words for who people are, but for those to be kept."""
        return tuple([word for word, is_open in zip(*self, strict=True) if is_open or word in kept])


class Said(NamedTuple):
    """What a post says. `tokens` are its folded words, `open` says which of them are no words for who people are or how they speak.

    `spaced` are the tokens between spaces, `folded` is the text with its punctuation, `asked` are the words of sentences that end with a
    question mark, `quoted` those between quotation marks. `is_mocking`: in changing case, or struck
    through. `checks`: it links to a page whose address says that it is a fact-check.
    """

    lang: str
    tokens: tuple[str, ...]
    open: tuple[bool, ...]
    spaced: str
    folded: str
    asked: frozenset[str]
    quoted: frozenset[str]
    hosts: frozenset[str]
    is_quote: bool
    sentences: tuple[Sentence, ...] = ()
    is_mocking: bool = False
    checks: bool = False


@cache
def mask() -> Mask:
    """Words for who people are, and their ways of speaking."""
    return Mask(read_terms())


@cache
def _speaking() -> Mask:
    """Ways of speaking, and the standard words they stand for."""
    return Mask({group: by_lang for group, by_lang in read_terms().items() if group == "dialect"})


@cache
def _being() -> Mask:
    """Who people are, but not how they speak: what tells a language."""
    return Mask({group: by_lang for group, by_lang in read_terms().items() if group != "dialect"})


def _guessed(found: list[str], langs: Sequence[str]) -> str:
    """The language of what is no name of a group: the N of N-VA is no Dutch, and its VA no French."""
    return guessed([word for word in _being().phrases(found) if not _is_name(word)], langs)


@lru_cache(30_000)
def _is_name(word: str) -> bool:
    return _being().form(word) == NEUTRAL


@lru_cache(30_000)
def is_masked(word: str) -> bool:
    """Whether a folded word, or each part of one with an apostrophe, says who people are or how they speak."""
    form = mask().form
    return all(form(part) == NEUTRAL for part in word.split("'"))


def tokens(text: str) -> list[str]:
    """The folded words of a text: parts of a word with an apostrophe are words, but for "isn't" and the like."""
    return _WORD.findall(legible(fold(upright(text))))


def said(post: Post) -> Said:
    """What a post says in its text. Alt texts and the card of a link are others' words as often as not: only the text is read."""
    text = upright(post.text[:LONGEST])
    folded = fold(text)
    bare = legible(ADDRESS.sub(" ", folded))
    found = _WORD.findall(bare)
    counts = [not is_masked(word) for word in mask().phrases(found)]
    return Said(
        _guessed(found, post.langs),
        tuple(found),
        tuple(counts),
        f" {' '.join(found)} ",
        folded,
        _asked(bare),
        _quoted(text, bare),
        frozenset([*_linked(post.links), *_HOST.findall(folded)[:MOST_HOSTS]]) if post.links or "." in folded else frozenset(),
        post.quote is not None,
        tuple(_sentences(bare, counts)),
        is_mocking(post.text[:LONGEST]),
        _CHECK.search(" ".join([*ADDRESS.findall(folded), *post.links]).lower()) is not None,
    )


def _sentences(bare: str, counts: Iterable[bool]) -> Iterator[Sentence]:
    left = iter(counts)
    for sentence in _SENTENCE.findall(bare):
        if words := tuple(_MARKED.findall(sentence)):
            yield Sentence(words, tuple([word in MARKS or next(left) for word in words]))


def _quoted(text: str, bare: str) -> frozenset[str]:
    """Words between quotation marks, and those of lines that begin with ">"."""
    found = [inner for groups in _QUOTED.findall(bare) for inner in groups] if _QUOTES.search(bare) else []
    if ">" in text:
        found += [legible(fold(line)) for line in _QUOTED_LINE.findall(text)]
    return frozenset(_WORD.findall(" ".join(found))) if found else frozenset()


def _asked(bare: str) -> frozenset[str]:
    if "?" not in bare:
        return frozenset()
    return frozenset([word for sentence in _SENTENCE.findall(bare) if "?" in sentence for word in _WORD.findall(sentence)])


def _linked(links: Iterable[str]) -> list[str]:
    found = []
    for link in links:
        try:
            found.append((urlsplit(link).hostname or "").removeprefix("www."))
        except ValueError:  # brackets that are no address
            continue
    return found


def without_masked(text: str, kept: Sequence[str]) -> str:
    """A text without addresses and without masked words, but for those to be kept: what a claim has too is part of the matter.

    A way of speaking never is: "soixante-dix" goes as "septante" does, also beside a claim that has a "dix".
    """
    bare = ADDRESS.sub(" ", text[:LONGEST])
    found = list(_PIECE.finditer(bare))
    folded = [fold(piece[0]) for piece in found]
    masked, keep = mask().phrases(folded), frozenset(kept)
    ways = _speaking().phrases(folded) if keep else folded
    parts, at = [], 0
    for n, piece in enumerate(found):
        if is_masked(masked[n]) and (folded[n] not in keep or _speaking().form(ways[n]) == NEUTRAL):
            parts.append(bare[at : piece.start()])
            at = piece.end()
    return "".join([*parts, bare[at:]])


_PIECE = re.compile(r"[^\W_]+")
