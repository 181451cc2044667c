"""One key, or one line, from whoever sits at a terminal."""

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from plainsky.errors import NO_UTF8, OperatorError, is_utf8


def need_terminal() -> None:
    """OperatorError where nobody can press a key."""
    if not sys.stdin.isatty():
        raise OperatorError("this needs a terminal: run it where you can press keys (with ssh, use ssh -t)")


def key(prompt: str, keys: Collection[str]) -> str:
    """The first of these keys that is pressed; "q" when there is nobody any more."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    with _unbuffered():
        while True:
            pressed = os.read(sys.stdin.fileno(), 1)
            if not pressed:
                return "q"
            if (letter := pressed.decode("ascii", "replace")) in keys:
                sys.stdout.write(f"{letter}\n")
                return letter


def line(prompt: str) -> str:
    """What is typed, without the white space around it; nothing, and why, where it could not be read."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    try:
        typed = sys.stdin.readline().strip()
    except UnicodeDecodeError:  # by the locale, Python raises or puts surrogates
        typed = "\ud800"
    if is_utf8(typed):
        return typed
    sys.stdout.write(f"\n{NO_UTF8[0].upper()}{NO_UTF8[1:]}\n")
    return ""


@contextmanager
def _unbuffered() -> Iterator[None]:
    """Keys come one by one, and are not echoed; Ctrl-C works as ever."""
    import termios  # only here: there is none on Windows
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
