"""What an operator did that cannot work. The command line shows the message, without a traceback, and ends with exit code 2."""

from argparse import ArgumentTypeError

MOST = 2**63 - 1
"""A database holds no greater number."""


class OperatorError(Exception):
    """Bad input from the operator; the message says what, where, and what to do."""


def count(text: str) -> int:
    """A number from 1 on, as the type of an argument of the command line."""
    if not text.isdecimal() or not 1 <= int(text[:20]) <= MOST:
        raise ArgumentTypeError(f"{text[:40]!r}: expected a whole number from 1 on")
    return int(text)
