"""`plainsky verify-log [FILE|URL]`: whether the log of changes is what it was when each entry was written."""

import json
import sys
import urllib.error
import urllib.request
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from models import changes
from plainsky.config.loading import load
from plainsky.errors import OperatorError
from plainsky.opening import opened

_LARGEST = 200_000_000
_SECONDS = 30


def add_arguments(parser: ArgumentParser) -> None:
    """Where the log is."""
    parser.epilog = "A log that holds may still have lost its end: compare its last hash with one that you noted earlier (--holds)."
    parser.add_argument(
        "log", metavar="FILE|URL", nargs="?", help="a service's /changes.json, or a copy of it (default: the config's database)"
    )
    parser.add_argument("--config", metavar="FILE", type=Path, default=Path("config.toml"), help="default: %(default)s")
    parser.add_argument("--holds", metavar="HASH", help="the hash of an entry that must be in the log")


def run(arguments: Namespace) -> int:
    """0 when the chain holds, 1 when it is broken."""
    entries = _read(arguments.log) if arguments.log else _stored(arguments.config)
    if broken := changes.broken(entries):
        sys.stdout.write(f"The log is broken: {broken}.\n")
        return 1
    if arguments.holds and arguments.holds not in [entry["hash"] for entry in entries]:
        sys.stdout.write(f"The chain holds, but no entry has the hash {arguments.holds}: the log was cut, or written anew.\n")
        return 1
    last = entries[-1]["hash"] if entries else changes.FIRST
    sys.stdout.write(f"{len(entries)} entries, and the chain holds. The last hash is {last}\n")
    return 0


def _stored(config: Path) -> list[dict[str, Any]]:
    with opened(load(config)) as database:
        return database.read_now(changes.all_of)


def _read(where: str) -> list[dict[str, Any]]:
    try:
        if where.startswith(("https://", "http://")):
            with urllib.request.urlopen(where, timeout=_SECONDS) as answer:  # noqa: S310 the scheme was looked at
                text = answer.read(_LARGEST)
        else:
            text = Path(where).read_bytes()
        entries = json.loads(text)["changes"]
    except (OSError, urllib.error.URLError) as error:
        raise OperatorError(f"{where}: cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise OperatorError(f'{where}: this is no log of changes: expected {{"changes": [...]}}, as /changes.json has it')
    return entries
