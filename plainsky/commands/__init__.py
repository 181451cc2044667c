"""The subcommands of the command line, one module each; `plainsky.cli` says what a module offers."""

from argparse import ArgumentTypeError
from collections.abc import Callable


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of an option that is a whole number within bounds."""
    bounds = f"from {least}" + (f" to {most}" if most else "")

    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        if number < least or (most is not None and number > most):
            raise ArgumentTypeError(f"expected a whole number {bounds}, not {text!r}")
        return number

    return read
