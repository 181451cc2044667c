"""Brings a database's schema to this release, one numbered file of `models/migrations` after the other."""

import contextlib
from pathlib import Path

import peewee


class NewerDatabaseError(Exception):
    """The schema is of a later release, which this one does not understand."""


def migrate(database: "peewee.Database", directory: Path) -> list[str]:
    """Apply what is pending, in order; return the names applied. Cheap when nothing is.

    Two processes that start at once wait for each other. NewerDatabaseError when a later release has been here.
    """
    if is_current(database, directory):
        return []
    from playhouse.migrations import Runner

    on_postgresql = isinstance(database, peewee.PostgresqlDatabase)
    try:
        with database.atomic(*(() if on_postgresql else ("IMMEDIATE",))):
            if on_postgresql:
                database.execute_sql("SELECT pg_advisory_xact_lock(7526)")
            return list(Runner(database, str(directory)).up())
    except peewee.OperationalError as error:
        if "cannot rollback" not in str(error):
            raise
        # Of a full disk SQLite takes all back by itself; peewee, which wants to, finds nothing to take back and says only that.
        raise peewee.OperationalError(str(_first(error))) from error


def _first(error: BaseException) -> BaseException:
    """What was wrong before all else."""
    while error.__context__:
        error = error.__context__
    return error


def is_current(database: "peewee.Database", directory: Path) -> bool:
    """Whether nothing is pending. NewerDatabaseError when a later release has been here."""
    applied, known = _applied(database), {path.stem for path in directory.glob("[0-9]*.py")}
    if newer := applied - known:
        raise NewerDatabaseError(f"a newer plainsky has used it (schema {max(newer)}): update this one, or go back to an older copy of it")
    return applied == known


def _applied(database: "peewee.Database") -> set[str]:
    with contextlib.suppress(peewee.OperationalError, peewee.ProgrammingError):
        return {row[0] for row in database.execute_sql("SELECT name FROM schema_migration").fetchall()}
    return set()
