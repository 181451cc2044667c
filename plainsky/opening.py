"""A config's database for the length of a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.database import Database, connectable
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.patience import AWAY


def exists(config: Config) -> bool:
    """Whether there is an SQLite file to open; of PostgreSQL, `opened` says whether it is there."""
    dialect, connection = connectable(config.store.url)
    return dialect != "sqlite" or Path(str(connection.database)).exists()


@contextmanager
def opened(config: Config) -> Iterator[Database]:
    """Open, with its schema brought up to date; OperatorError when it cannot be used."""
    database = Database(config.store.url)
    try:
        database.open()
        yield database
    except AWAY as error:
        raise OperatorError(f"[store] url: the database cannot be used: {error}") from error
    finally:
        database.close()
