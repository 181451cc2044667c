"""Marks in a post's text what rules found there.

Rules look at folded texts, people at what was written: each folded character knows from where it came. What a rule found elsewhere (in a
hashtag that no text shows, in the author's name) is marked nowhere.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias
from unicodedata import category

from feedgen.rules import Rule, Words
from feedgen.text import fold, hashtags, unaccented
from feedgen.text import tag_of as folded_tag
from models.text import IN_WORD, blanked, sought

Span: TypeAlias = tuple[int, int]
_TAG = re.compile("(?<![\\w&/#＃])[#＃][^\\s#＃]+")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u00ad\u2060")


class Piece(NamedTuple):
    """A stretch of a text, and whether it was found."""

    text: str
    found: bool


class Found(NamedTuple):
    """What a rule found in a post."""

    rule: Rule
    words: Words


def pieces(text: str, place: str, found: Iterable[Found]) -> list[Piece]:
    """A text of one place ("text", "alt", "link") of a post, cut where something was found in it."""
    spans = sorted(span for one in found for span in _spans(text, place, one))
    at, cut = 0, list[Piece]()
    for start, end in _joined(spans):
        cut += [Piece(text[at:start], False), Piece(text[start:end], True)]
        at = end
    return [piece for piece in [*cut, Piece(text[at:], False)] if piece.text]


def _spans(text: str, place: str, found: Found) -> Iterator[Span]:
    finder = _FINDERS.get(found.rule.kind)
    if finder:
        yield from finder(text, place, found)


def _of_keyword(text: str, place: str, found: Found) -> Iterator[Span]:
    rule: Any = found.rule
    if place in rule.where:
        yield from _standing_free(text, found.words, unaccented if rule.accents == "fold" else str)


def _of_topic(text: str, place: str, found: Found) -> Iterator[Span]:
    yield from _standing_free(text, found.words, str)


def _of_hashtag(text: str, place: str, found: Found) -> Iterator[Span]:
    rule: Any = found.rule
    wanted, plain = {rule.key(word) for word in found.words}, unaccented if rule.accents == "fold" else str
    for match in _TAG.finditer(text if place in ("text", "alt") else ""):
        meant = [tag for tag in hashtags(match[0]) if plain(folded_tag(tag)) in wanted]
        if meant:
            tag = min(meant, key=len)  # without the punctuation behind it
            yield match.start(), match.start() + 1 + len(tag) if match[0].startswith(tag, 1) else match.end()


def _of_regex(text: str, place: str, found: Found) -> Iterator[Span]:
    rule: Any = found.rule
    for word in found.words if place in rule.where else ():
        start = text.find(word)
        if start >= 0:
            yield start, start + len(word)


def _of_link_domain(text: str, place: str, found: Found) -> Iterator[Span]:
    for word in found.words if place == "text" else ():
        for match in re.finditer(re.escape(word), text, re.IGNORECASE):
            yield match.span()


_Finder: TypeAlias = Callable[[str, str, Found], Iterator[Span]]
_FINDERS: dict[str, _Finder] = {
    "hashtag": _of_hashtag,
    "keyword": _of_keyword,
    "link_domain": _of_link_domain,
    "regex": _of_regex,
    "topic": _of_topic,
}


def _standing_free(text: str, words: Iterable[str], plain: Callable[[str], str]) -> Iterator[Span]:
    """Where words stand as `models.text.contains` finds them."""
    folded, sources = _folded(text, plain)
    looked_at = blanked(folded)
    for word in words:
        stem, left, right = sought(plain(fold(word)).strip())
        start = looked_at.find(stem)
        while start >= 0:
            end = start + len(stem)
            free_left = not (left and start and IN_WORD[looked_at[start - 1]])
            if free_left and not (right and end < len(looked_at) and IN_WORD[looked_at[end]]):
                yield sources[start][0], sources[end - 1][1]
            start = looked_at.find(stem, start + 1)


def _folded(text: str, plain: Callable[[str], str]) -> tuple[str, Sequence[Span]]:
    """A text folded letter by letter, and for each folded character the span of the letter that it came from."""
    folded, sources = list[str](), list[Span]()
    for start, end in _letters(text):
        letter = text[start:end]
        form = plain(fold(letter)).strip() or (" " if letter.isspace() and folded[-1:] != [" "] else "")
        folded += form
        sources += [(start, end)] * len(form)
    return "".join(folded), sources


def _letters(text: str) -> Iterator[Span]:
    """Each character with the marks that belong to it."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not (text[at] in _JOINERS or category(text[at])[0] == "M"):
            yield start, at
            start = at


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans from left to right, those that touch or overlap as one."""
    last: Span | None = None
    for start, end in spans:
        if last and start <= last[1]:
            last = (last[0], max(last[1], end))
        else:
            if last:
                yield last
            last = (start, end)
    if last:
        yield last
