"""What to write instead, where a file is no TOML: tomllib says what it stumbled over, which is seldom what an operator did.

Promise: no value of the file is repeated, only names of tables and keys.
"""

import re
from collections.abc import Callable

_TABLE = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.-]{1,60})\s*=")
_AGAIN = ("Cannot overwrite a value", "Cannot declare", "Cannot mutate immutable namespace")
_MANY = ("feeds", "labels")


def advice(text: str, said: str) -> str:
    """What to write instead, by the text and by what tomllib said of it; empty where nothing is known."""
    lines = text.splitlines() or [""]
    found = re.search(r"at line (\d+)", said)
    number = min(int(found[1]), len(lines)) if found else len(lines)
    line = lines[number - 1]
    if said.startswith(_AGAIN):
        return _again(lines, number)
    return next((what for says, known, what in _ADVICE if said.startswith(says) and known(line)), "")


def _again(lines: list[str], number: int) -> str:
    """A table or a key stands where one of that name stands already."""
    table = _TABLE.match(lines[number - 1])
    if table is None:
        key = _KEY.match(lines[number - 1])
        return f"{key[1]} is written twice: keep one of them" if key else "something is written twice: keep one of them"
    name = table[2]
    if table[1] == "[" and name.startswith(_MANY):
        return f"write [[{name}]], with two brackets"
    for at, brackets, other in _tables(lines[: number - 1]):
        if brackets == "[" and other == name and name.startswith(_MANY):
            return f"line {at}: write [[{name}]], with two brackets"
        if other.startswith(f"{name}.") and table[1] == "[[":
            return f"line {at}: [[{other}]] stands above its [[{name}]]: write it below"
        if other == name and table[1] == "[":
            return f"[{name}] stands at line {at} already: write all its keys there"
    last = name.rpartition(".")[2]
    return f"write all rules either in {last} = [ ] or below [[{name}]]"


def _tables(lines: list[str]) -> list[tuple[int, str, str]]:
    """The headings with their line, brackets and name."""
    found = ((number, _TABLE.match(line)) for number, line in enumerate(lines, 1))
    return [(number, table[1], table[2]) for number, table in found if table]


def _open_table(line: str) -> bool:
    return "{" in line


def _curly(line: str) -> bool:
    return re.search("[“”„‟«»‘’‚]", line) is not None


def _no_value(line: str) -> bool:
    return line.partition("#")[0].rstrip().endswith("=")


def _capital(line: str) -> bool:
    return re.search(r"=\s*(?:True|False|TRUE|FALSE)\b", line) is not None


def _bare(line: str) -> bool:
    return re.search(r"[=\[,]\s*[^\W\d]", line) is not None


def _any(_: str) -> bool:
    return True


_QUOTES = 'text stands in straight double quotes, like "this"'
_ONE_LINE = "a table in { } must stand on one line, without a comma before the }"
_ENDS = "text ends on the line where it began, with the quote that it began with"

_ADVICE: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    ("", _curly, _QUOTES),
    ("Invalid initial character for a key part", _open_table, _ONE_LINE),
    ("Unclosed inline table", _any, _ONE_LINE),
    ("Expected '=' after a key", _any, "write key = value"),
    ("Expected ']", _any, "a table's name stands in [one] or in [[two brackets]], the same number on both sides"),
    ("Unescaped '\\'", _any, "write each \\ twice, or put the text in 'single quotes'"),
    ("Illegal character '\\n'", _any, _ENDS),
    ("Unterminated string", _any, _ENDS),
    ('Expected "\'"', _any, _ENDS),
    ("Invalid value", _no_value, "a value is missing after the ="),
    ("Invalid value", _capital, "true and false are written in small letters"),
    ("Invalid value", _bare, _QUOTES),
)
