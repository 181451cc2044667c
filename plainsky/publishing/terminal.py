"""What the commands that publish say and ask on the terminal."""

import sys

from plainsky.commands.init import is_yes
from plainsky.errors import OperatorError
from plainsky.publishing.xrpc import Unable


def say(*lines: str) -> None:
    """Lines on standard output, at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def agreed(question: str = "Publish this?") -> bool:
    """Whether somebody says yes. OperatorError when nobody can."""
    if not sys.stdin.isatty():
        raise OperatorError("Nobody is at the keyboard to agree, so nothing was published: see that it is right, and add --yes.")
    try:
        return is_yes(input(f"\n{question} [no] "))
    except EOFError:
        return False


def code_from_mail(what: str, otherwise: str) -> str:
    """A code that was mailed to the account's address. Unable, with `otherwise`, when nobody can type it."""
    if not sys.stdin.isatty():
        raise Unable(f"{what} {otherwise}")
    try:
        code = input(f"{what} Code: ").strip()
    except EOFError:
        code = ""
    if not code:
        raise Unable("No code, so nothing was changed.")
    return code
