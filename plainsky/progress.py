"""Says what a long command is doing, with the seconds since it began: on standard error, so that the result can be piped."""

import time
from typing import Self, TextIO


class Progress:
    """Call it with one short line at each step."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._began = out, time.monotonic()

    def __call__(self, line: str) -> None:
        """Print the line."""
        self._out.write(f"{time.monotonic() - self._began:6.1f} s  {line}\n")
        self._out.flush()


class Bar:
    """A bar that fills, on a terminal; anywhere else nothing is shown. Call it with how much is done, from 0 to 1."""

    WIDTH = 40

    def __init__(self, out: TextIO) -> None:
        self._out, self._shown = out, -1
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown >= 0:
            self._out.write("\r\033[K")  # leave the line as it was
            self._out.flush()

    def __call__(self, done: float) -> None:
        """Draw it, if it looks different."""
        percent = int(100 * min(max(done, 0.0), 1.0))
        if percent != self._shown and self._out.isatty():
            self._shown = percent
            filled = self.WIDTH * percent // 100
            seconds = time.monotonic() - self._began
            self._out.write(f"\r[{'#' * filled}{' ' * (self.WIDTH - filled)}] {percent:3} %  {seconds:.0f} s ")
            self._out.flush()
