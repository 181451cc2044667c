"""A config's database, opened: for the length of a command, or of the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from models.database import Database, DatabaseUrlError, connectable
from models.migrating import NewerDatabaseError
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.patience import AWAY

_UNUSABLE = (peewee.DatabaseError, peewee.InterfaceError, NewerDatabaseError, DatabaseUrlError)


def exists(config: Config) -> bool:
    """Whether there is an SQLite file to open; of PostgreSQL, `opened` says whether it is there."""
    dialect, connection = connectable(config.store.url)
    return dialect != "sqlite" or Path(str(connection.database)).exists()


@contextmanager
def opened(config: Config) -> Iterator[Database]:
    """Open, with its schema brought up to date; OperatorError when it cannot be used."""
    database = Database(config.store.url)
    try:
        with usable():
            database.open()
        with usable(AWAY):
            yield database
    finally:
        database.close()


@contextmanager
def usable(errors: tuple[type[Exception], ...] = _UNUSABLE, where: str = "[store] url") -> Iterator[None]:
    """Errors of a database while it is opened become the operator's: it is away, damaged, not ours to write, or no database."""
    try:
        yield
    except peewee.ImproperlyConfigured:
        install = "install it with pip install 'plainsky[postgres]', in a checkout with .venv/bin/pip install -e '.[postgres]'"
        raise OperatorError(f"{where}: the driver for PostgreSQL is missing: {install}") from None
    except errors as error:
        raise OperatorError(f"{where}: the database cannot be used: {str(error).strip()}") from error
