"""One process writes at a time: the second one waits its turn (PostgreSQL, as a standby) or is told off (SQLite).

The lock goes with the process that holds it, however that ends.
"""

import asyncio
import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import peewee

from models.database import connectable
from plainsky.errors import OperatorError

_NUMBER = 7527
RETRY_SECONDS = 1.0


class WriterLock:
    """Held from `take` until `release`."""

    def __init__(self, url: str) -> None:
        self._dialect, self._connection = connectable(url)
        self._file: IO[str] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer-lock")  # the lock belongs to one connection, that to one thread

    async def take(self) -> None:
        """Become the writer; on PostgreSQL wait for as long as another process is."""
        if self._dialect == "sqlite":
            self._take_file(Path(str(self._connection.database) + ".lock"))
            return
        while not await asyncio.wrap_future(self._thread.submit(self._try)):  # noqa: ASYNC110 another process holds it: there is no event
            await asyncio.sleep(RETRY_SECONDS)

    def release(self) -> None:
        """Let another process write."""
        if self._file:
            self._file.close()
        self._thread.submit(self._connection.close)
        self._thread.shutdown()

    def _take_file(self, path: Path) -> None:
        self._file = path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            name = path.with_suffix("")
            raise OperatorError(f"another plainsky already writes to {name}: stop it, or give this one its own [store] url") from error

    def _try(self) -> bool:
        try:
            return bool(self._connection.execute_sql("SELECT pg_try_advisory_lock(%s)", (_NUMBER,)).fetchone()[0])
        except peewee.OperationalError:
            self._connection.close()
            return False
