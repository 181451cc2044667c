"""One process writes at a time: the second one waits its turn (PostgreSQL, as a standby) or is told off (SQLite).

The lock goes with the process that holds it, however that ends. On PostgreSQL it belongs to the very connection that writes: whoever loses
one has lost the other, so two processes never write at once, also when the server was away in between.
"""

import asyncio
import fcntl
import logging
from pathlib import Path
from typing import IO

from models.database import Database, connectable
from plainsky.errors import OperatorError
from plainsky.patience import patiently

log = logging.getLogger(__name__)

_NUMBER = 7527
RETRY_SECONDS = 1.0


class WriterLock:
    """Held from `take` until `release`, and until the database is closed."""

    def __init__(self, url: str, database: Database) -> None:
        self._url, self._database = url, database
        self._file: IO[str] | None = None

    async def take(self) -> None:
        """Become the writer; on PostgreSQL wait for as long as another process is. The database's own errors when it cannot be used."""
        if self._database.dialect == "sqlite":
            self._take_file()
        elif not await self._database.alone(_NUMBER):
            log.info("another plainsky writes to this database: standing by until it is gone")
            while not await patiently(self._database.alone, _NUMBER):  # noqa: ASYNC110 another process holds it: there is no event
                await asyncio.sleep(RETRY_SECONDS)

    def release(self) -> None:
        """Let another process write."""
        if self._file:
            self._file.close()

    def _take_file(self) -> None:
        name = Path(str(connectable(self._url)[1].database)).resolve()  # a file by another name is the same database
        path = name.with_name(name.name + ".lock")
        try:
            self._file = path.open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OperatorError(f"another plainsky already writes to {name}: stop it, or give this one its own [store] url") from error
        except OSError as error:
            raise OperatorError(f"[store] url: {name} cannot be written: {error.strerror} ({path})") from error
