"""`plainsky verify FEED --recording DIR --config FILE [--at TIME]`: the bytes that the service served, rebuilt from a recording."""

import asyncio
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from models.protocol.syntax import parse_datetime
from plainsky.commands import whole
from plainsky.config.loading import load
from plainsky.trying.scratch import scratch
from plainsky.trying.verifying import MILLISECOND, rebuilt, walked


def add_arguments(parser: ArgumentParser) -> None:
    """The feed, what to rebuild it from, which pages."""
    parser.epilog = "Each page is one line, exactly as getFeedSkeleton answered. How to compare: docs/verifying.md."
    parser.add_argument("feed", metavar="FEED", help="the feed's rkey")
    parser.add_argument("--recording", metavar="DIR", type=Path, required=True, help="the recording, made by `plainsky record`")
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="the config that the service had")
    parser.add_argument("--at", metavar="TIME", type=_time, help="the log's time at which it was served (default: the recording's end)")
    parser.add_argument("--limit", type=whole(1, 100), default=50, metavar="N", help="posts a page (%(default)s)")
    parser.add_argument("--cursor", help="only the page that this cursor leads to; an empty one is the first page")
    parser.add_argument("--store", metavar="URL", help="an empty database to rebuild it in (default: a temporary SQLite file)")


def _time(text: str) -> int:
    time_us = parse_datetime(text)
    if time_us is None:
        raise ArgumentTypeError(f"{text!r}: expected a time like 2026-11-20T19:26:19.252Z")
    return time_us if re.search(r"[.][0-9]{4}", text) else time_us + MILLISECOND - 1  # logTime is cut to the millisecond


def run(arguments: Namespace) -> int:
    """Rebuild and print."""
    config = load(arguments.config, {})
    with scratch(arguments.store) as database:
        found = rebuilt(database, config, arguments.feed, arguments.recording, arguments.at)
        for note in found.notes:
            sys.stderr.write(f"Note: {note}\n")

        async def print_pages() -> None:
            async for body in walked(found, arguments.limit, arguments.cursor or None, arguments.cursor is not None):
                sys.stdout.buffer.write(body + b"\n")

        asyncio.run(print_pages())
    return 0
