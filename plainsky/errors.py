"""What an operator did that cannot work. The command line shows the message, without a traceback, and ends with exit code 2."""

from argparse import ArgumentTypeError

MOST = 2**63 - 1
"""A database holds no greater number."""
NO_UTF8 = "these are no letters of UTF-8; is the terminal set to another encoding?"


class OperatorError(Exception):
    """Bad input from the operator; the message says what, where, and what to do."""


def count(text: str) -> int:
    """A number from 1 on, as the type of an argument of the command line."""
    if not text.isdecimal() or not 1 <= int(text[:20]) <= MOST:
        raise ArgumentTypeError(f"{text[:40]!r}: expected a whole number from 1 on")
    return int(text)


def is_utf8(typed: str) -> bool:
    """Whether it could be read; Python puts surrogates in the place of other bytes."""
    return typed.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in typed)
