"""Posts whose text fits a regular expression, for what words cannot say. Searched by RE2: no pattern and no post can make it slow.

RE2 knows neither look-around nor back-references, and its \\b and \\w are ASCII: write [\\pL\\pN] for letters and digits of every script.
The text is searched as it was written. Prefer `keyword`, which knows more spellings of a word.

    [[feeds.include]]
    kind = "regex"
    pattern = '[0-9]+ ?(°C|degrees)'
    ignore_case = true
    where = ["text", "alt"]
"""

import re
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import re2
from attrs import field, frozen

from feedgen.rules import Finder, Rule, Words, each, one_by_one, one_of
from feedgen.rules._places import PLACES, Place, in_plain_words
from models.post import Post

_Pattern: TypeAlias = tuple[str, bool]

# Bounds the program: even where RE2 must fall back to its slowest engine, the worst pattern found needs 35 ms for 3,000 bytes.
_MAX_MEMORY = 1 << 20
_MAX_PATTERN = 1_000

_LOOK = 'there is no looking around: put two rules into kind = "all", or the one that must not hold into kind = "none"'
_BACK = "there are no back-references: write out what repeats"
_EAGER = "there is nothing to go back to, so leave out the sign for not going back"
# What other engines know and RE2 does not, as RE2's reasons spell it: a pattern each, and what to do.
_INSTEAD = tuple(
    (re.compile(part), f"; {words}")
    for part, words in (
        (r"\(\?<?[=!]", _LOOK),
        (r"\\[1-9]|\(\?P$|\\[gk]", _BACK),
        (r"\(\?>|.*\+$", _EAGER),
        (r"\(\?#|\(\?[a-z]*x", "comments and spaces for the reader must be left out"),
        (r"\\[uU]", r"write \x{1F600} for a character by its number"),
        (r"\\[Zz]", r"write \z for the end of the text"),
        (r"\\[hHR]", r"write [ \t] for a blank, \n for the end of a line"),
        (r"\\[pP]", r"known are categories and scripts, like \pL, \p{Lu}, \p{Greek}"),
        (r"\\", r"there is no such sign; write \\ for a backslash itself"),
        (r"\{", "at most 1000 times"),
        ("pattern too large", "ask for fewer repetitions"),
    )
)


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
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"expected a regular expression that RE2 accepts: {_explained(reason, pattern)}") from None


def _explained(reason: str, pattern: str) -> str:
    """RE2's reason, with where it is and what to write instead."""
    part = reason.partition(": ")[2]
    where = f" (at character {pattern.index(part) + 1})" if part and part in pattern and part != pattern else ""
    instead = next((words for begin, words in _INSTEAD if re.match(begin, part or reason)), "")
    return f"{reason}{where}{instead}"


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
        return one_by_one(lambda did, post: [number for read, search in searches for number in search(read(post))])

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
