"""Posts whose text fits a regular expression, for what words cannot say. Searched by RE2: no pattern and no post can make it slow.

RE2 knows neither look-around nor back-references, and its \\b and \\w are ASCII: write [\\pL\\pN] for letters and digits of every script.
The text is searched as it was written. Prefer `keyword`, which knows more spellings of a word.

    [[feeds.include]]
    kind = "regex"
    pattern = '[0-9]+ ?(°C|degrees)'
    ignore_case = true
    where = ["text", "alt"]
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import re2
from attrs import field, frozen

from feedgen.rules import Finder, Rule, Words, each, one_of
from feedgen.rules._places import PLACES, Place, in_plain_words
from models.post import Post

_Pattern: TypeAlias = tuple[str, bool]

# Bounds the program: even where RE2 must fall back to its slowest engine, the worst pattern found needs 35 ms for 3,000 bytes.
_MAX_MEMORY = 1 << 20
_MAX_PATTERN = 1_000


def _options(ignore_case: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.max_mem = _MAX_MEMORY
    options.never_capture = True
    options.log_errors = False
    return options


def _compiles(rule: "Regex", _attribute: object, pattern: str) -> None:
    if not pattern:
        raise ValueError("expected a regular expression")
    if len(pattern) > _MAX_PATTERN:
        raise ValueError(f"expected at most {_MAX_PATTERN} characters, found {len(pattern)}")
    try:
        re2.compile(pattern, _options(rule.ignore_case))
    except (re2.error, UnicodeError) as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error
        raise ValueError(f"expected a regular expression that RE2 accepts: {reason}") from None


@frozen
class Regex(Rule):
    """`pattern`: RE2 syntax, found anywhere in one of the places of `where`; `ignore_case`: as if written (?i)."""

    pattern: str = field(validator=_compiles)
    ignore_case: bool = False
    where: tuple[Place, ...] = field(default=("text",), validator=each(one_of(*PLACES)))

    def keys(self) -> Mapping[Hashable, str | None]:
        """The pattern in each place; its words are known only when it is found."""
        return {(place, (self.pattern, self.ignore_case)): None for place in self.where}

    def match(self, did: str, post: Post) -> Words | None:
        """The first stretch of text that fits, in each place where one does."""
        pattern = re2.compile(self.pattern, _options(self.ignore_case))
        found = [match.group() for place in self.where if (match := pattern.search(PLACES[place](post)))]
        return tuple(word for word in found if word.strip()) if found else None

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """One pass for the letters that patterns cannot do without; only patterns whose letters are there are searched."""
        places = [(place, [row for row in ids.items() if row[0][0] == place]) for place in PLACES]
        searches = [(PLACES[place], search) for place, rows in places if rows for search in _searches(rows)]
        return lambda did, post: [number for read, search in searches for number in search(read(post))]

    def plain_words(self) -> str:
        """The pattern as written."""
        return f"fits the regular expression {self.pattern}{in_plain_words(self.where)}"


def _searches(rows: Sequence[tuple[tuple[str, _Pattern], int]]) -> Iterator[Callable[[str], Collection[int]]]:
    """Searches that give the ids of the rows found, as few as RE2's memory for one filter allows (some thousand patterns)."""
    together = re2.Filter()
    for (_, (pattern, ignore_case)), _ in rows:
        together.Add(pattern, _options(ignore_case))
    numbers = [number for _, number in rows]
    try:
        together.Compile()
    except re2.error:
        yield from _searches_apart(rows)
    else:
        yield lambda text: [numbers[index] for index in together.Match(text) or ()]


def _searches_apart(rows: Sequence[tuple[tuple[str, _Pattern], int]]) -> Iterator[Callable[[str], Collection[int]]]:
    if len(rows) > 1:
        yield from _searches(rows[: len(rows) // 2])
        yield from _searches(rows[len(rows) // 2 :])
        return
    ((_, (text, ignore_case)), number) = rows[0]
    pattern = re2.compile(text, _options(ignore_case))
    yield lambda text: (number,) if pattern.search(text) else ()
