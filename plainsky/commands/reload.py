"""`plainsky reload [FILE] [--reason "..."]`: the running service takes its config file into use, between two batches."""

import sys
import time
import uuid
from argparse import ArgumentParser, Namespace
from pathlib import Path

from models.database import Database
from plainsky.changing.reload_requests import Request, ask, asked, withdraw
from plainsky.config.loading import load
from plainsky.errors import OperatorError
from plainsky.opening import exists, opened

WAIT_SECONDS = 10.0
LOOK_SECONDS = 0.2

NOBODY = "no running service answers on the database of this config: is `plainsky run` running with it?"


def add_arguments(parser: ArgumentParser) -> None:
    """The file, and why."""
    parser.epilog = "The service reads the file that it was started with; FILE says where its database is. See docs/operating.md."
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("config.toml"), help="the config (default: config.toml)")
    parser.add_argument("--reason", default="", help="why, for the log of changes, which readers see")
    parser.add_argument("--wait", type=float, default=WAIT_SECONDS, help="seconds until the service must have answered (%(default)g)")


def run(arguments: Namespace) -> int:
    """Ask, and say what came of it. ConfigErrors when the file is wrong; OperatorError when nobody answers or the service refuses."""
    config = load(arguments.file)
    if not exists(config):
        raise OperatorError(NOBODY)
    with opened(config) as database:
        told = _answered(database, Request(uuid.uuid4().hex, arguments.reason), arguments.wait)
    if told.state == "refused":
        raise OperatorError(told.text)
    sys.stdout.write(f"{told.text}\n")
    return 0


def _answered(database: Database, request: Request, wait: float) -> Request:
    database.write_now(ask, request)
    end = time.monotonic() + wait
    try:
        while True:
            now = database.read_now(asked)
            if now is None or now.id != request.id:
                raise OperatorError("somebody else asked for a reload at the same time: ask again")
            if now.state in ("done", "refused"):
                return now
            if now.state == "asked" and time.monotonic() > end:
                raise OperatorError(NOBODY)
            time.sleep(LOOK_SECONDS)
    finally:
        last = database.read_now(asked)
        if last and last.state == "asked":
            database.write_now(withdraw, request.id)
