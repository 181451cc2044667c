"""A process that ingests a recording and may be killed at any moment; a nursery, forked from, makes the next one start in milliseconds.

`python -m tests.support.crashing DATABASE-URL RECORDING`: for each line on standard input forks a child that goes on ingesting and prints
its pid; prints "ended" when a child came to the recording's end.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from models.database import Database
from models.duration import duration
from plainsky.config.schema import Ingest
from plainsky.metrics import Metrics
from plainsky.reading import Reading
from tests.support.kept import Kept

BATCH = 40


def ingest(url: str, recording: str) -> None:
    """Go on from the stored cursor to the recording's end."""
    database = Database(url)
    database.open()
    config = Ingest(source="replay", path=Path(recording), batch_size=BATCH, batch_age=duration("10ms"))
    reading = Reading(config, database, Kept(database).storer, Metrics(), lambda _: None)
    asyncio.run(reading.run())
    database.close()


class Nursery:
    """Starts ingesting processes, one at a time."""

    def __init__(self, url: str, recording: Path) -> None:
        command = [sys.executable, "-m", "tests.support.crashing", url, str(recording)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def child(self) -> int:
        """Start one; its pid."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        return int(self._line())

    def ended(self) -> bool:
        """Wait for the child's end: True when it came to the recording's end, False when it was killed."""
        return self._line() == "0"

    def close(self) -> None:
        """No more children."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


def main(url: str, recording: str) -> None:
    """The nursery."""
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                ingest(url, recording)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
