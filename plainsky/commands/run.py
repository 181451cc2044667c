"""`plainsky run [FILE]`: the service, until SIGTERM or SIGINT."""

import asyncio
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from models.database import DisplacedError
from plainsky.changing.reloading import Reloader
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.ingest import Source
from plainsky.logs import set_up_logging
from plainsky.memory import settle, take_room
from plainsky.service import Service

DEFAULT = Path("config.toml")


def add_arguments(parser: ArgumentParser) -> None:
    """The file, and which part of the work this process does."""
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, default=DEFAULT, help="the config (default: config.toml)")
    parser.add_argument(
        "--role",
        choices=("all", "serve"),
        default="all",
        help="all (default): read the stream and answer requests; a second such process on one PostgreSQL stands by until the first is"
        " gone. serve: only answer requests, in as many processes as you like",
    )


def run(arguments: Namespace) -> int:
    """Serve until told to stop."""
    config = load(arguments.file)
    set_up_logging(config.log)
    asyncio.run(serve(config, writes=arguments.role != "serve", path=arguments.file))
    return 0


async def serve(config: Config, source: Source | None = None, writes: bool = True, path: Path | None = None) -> None:
    """The service from start to a clean stop; without `writes` it only answers requests. path: the file to reload the config from."""
    take_room()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    service = Service(config)
    reloader = Reloader(service, path) if path else None
    if reloader:
        loop.add_signal_handler(signal.SIGHUP, reloader.hang_up)
    work: list[asyncio.Task[object]] = [asyncio.create_task(stopping.wait())]
    try:
        starting = asyncio.create_task(service.start(writes))
        await asyncio.wait([starting, *work], return_when=asyncio.FIRST_COMPLETED)
        if not stopping.is_set():
            await starting
            settle()
            if reloader:
                service.beside(reloader.run())
            await _work(service.ingest(source) if writes else None, stopping)
        starting.cancel()
    except DisplacedError as error:
        raise OperatorError(f"{error}: this one ends. Started again, it stands by") from error
    finally:
        await service.stop()


async def _work(ingest: Coroutine[Any, Any, None] | None, stopping: asyncio.Event) -> None:
    """Until a stop is asked for; a source that ends for good leaves the service answering, one that fails ends it."""
    stop = asyncio.create_task(stopping.wait())
    reading = asyncio.create_task(ingest) if ingest else None
    if reading:
        await asyncio.wait([reading, stop], return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
        else:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    await stop
