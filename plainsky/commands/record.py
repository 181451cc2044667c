"""`plainsky record FOLDER [FILE]`: writes what the configured source sends into a recording (docs/recording.md), to be replayed."""

import asyncio
import contextlib
import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.ingest.recording import Recorder
from plainsky.ingest.supervisor import Supervisor
from plainsky.logs import set_up_logging
from plainsky.reading import patience_of, source_of


def add_arguments(parser: ArgumentParser) -> None:
    """Where to, by which config, how long."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the recording's files go; nothing there is overwritten")
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("config.toml"), help="the config (default: config.toml)")
    parser.add_argument("--seconds", type=float, help="stop after so long (default: until Ctrl-C)")


def run(arguments: Namespace) -> int:
    """Record until told to stop."""
    config = load(arguments.file)
    if config.ingest.source == "replay":
        raise OperatorError('ingest.source: "replay": a recording cannot be recorded again: choose "jetstream" or "firehose"')
    set_up_logging(config.log)
    with Recorder(arguments.folder) as recorder:
        asyncio.run(_record(config, recorder, arguments.seconds))
    sys.stdout.write(f"{recorder.events} events in {arguments.folder}, {recorder.dropped} dropped\n")
    return 0


async def _record(config: Config, recorder: Recorder, seconds: float | None) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    supervisor = Supervisor(source_of(config.ingest), config.ingest.hosts, recorder, recorder.resume, patience=patience_of(config.ingest))
    work = [asyncio.create_task(supervisor.run()), asyncio.create_task(recorder.keep_flushing())]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.wait([*work, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        task.cancel()
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
