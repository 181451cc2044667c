"""The AT Protocol's own interop files (CC0), as they are: one case a line, `#` begins a comment."""

from pathlib import Path

FILES = Path(__file__).parents[1] / "data" / "interop"


def cases(name: str) -> list[str]:
    """The cases of a file, such as "did_syntax_valid"; leading and trailing blanks belong to a case."""
    lines = (FILES / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("#")]
