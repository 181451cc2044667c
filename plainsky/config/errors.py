"""What is wrong with a config, told so that it can be put right: the TOML path, the value, what was expected, the nearest known word."""

import difflib
import json
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from attrs import frozen

from plainsky.errors import OperatorError

Path: TypeAlias = tuple[str | int, ...]
"""Where in the file: ("feeds", 0, "window") is feeds[0].window."""

LONGEST_SHOWN = 60


@frozen
class Problem:
    """One thing that is wrong, and where."""

    path: Path
    what: str

    def __str__(self) -> str:
        return f"{spelled(self.path)}: {self.what}" if self.path else self.what


class ConfigErrors(OperatorError):
    """Every problem of one config; `name` is the file's, as the operator gave it."""

    def __init__(self, problems: Iterable[Problem], name: str = "config") -> None:
        self.problems = tuple(problems)
        self.name = name
        count = f"{len(self.problems)} errors" if len(self.problems) > 1 else "an error"
        super().__init__("\n".join([f"{name} has {count}:", *(f"  {problem}" for problem in self.problems)]))


def spelled(path: Path) -> str:
    """A path as TOML and people write it: feeds[0].include[1].any."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path]
    return "".join(parts).removeprefix(".")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) else shown(name)


def shown(value: Any, longest: int = LONGEST_SHOWN) -> str:
    """A value of the file, in one short line without control characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if any is near."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def unknown_key(path: Path, known: Iterable[str]) -> Problem:
    """A key that no table of this kind has."""
    guess = nearest(str(path[-1]), known)
    return Problem(path, f"unknown key, did you mean '{guess}'?" if guess else f"unknown key (known: {', '.join(sorted(known))})")


def unknown_word(noun: str, word: str, known: Iterable[str]) -> str:
    """A value that is none of a fixed set of words."""
    guess = nearest(word, known)
    hint = f", did you mean {shown(guess)}?" if guess else ""
    return f"no such {noun}{hint} (known: {', '.join(sorted(known))})"
