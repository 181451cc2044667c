"""A command in a terminal of its own (a pty), with somebody at the keys."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Self

from tests.support.programs import ROOT

# The pty becomes the program's own, so that Ctrl-C is a signal.
_BEGIN = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'plainsky', *sys.argv[1:]])"
)


class Terminal:
    """`plainsky WORDS` as one who sits there sees it. Ended with the block."""

    def __init__(self, *words: str, env: Mapping[str, str] | None = None) -> None:
        self._fd, inside = pty.openpty()
        command = [sys.executable, "-c", _BEGIN, *words]
        everything = {**os.environ, **(env or {})}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=everything, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
        )
        os.close(inside)
        self.screen = ""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._fd)

    def until(self, words: str, seconds: float = 30) -> str:
        """Wait until these words (a regular expression) are on the screen; all that came since the last time."""
        end = time.monotonic() + seconds
        while not (found := re.search(words, self.screen[self._read :])):
            going_on = self._more(1) and time.monotonic() < end
            assert going_on, f"{words!r} is not on the screen:\n{self.screen}"
        shown = self.screen[self._read : self._read + found.end()]
        self._read += found.end()
        return shown

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def ended(self, seconds: float = 30) -> int:
        """The exit code."""
        end = time.monotonic() + seconds
        while self._more(0.2):
            assert time.monotonic() < end, f"it goes on:\n{self.screen}"
        return self._process.wait(seconds)

    def _more(self, seconds: float) -> bool:
        """Read what there is; False when the program has ended."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._fd, 65_536)
        except OSError:  # Linux says so when the last program has closed its side
            return False
        self.screen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)
