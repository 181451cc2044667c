"""`plainsky record FOLDER [FILE]`: writes what the configured source sends into a recording (docs/recording.md), to be replayed."""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from plainsky.asking.appview import Unreadable, read_list
from plainsky.asking.identity import resolve_handles
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.ingest.notes import BeginNote, HandleNote, ListNote
from plainsky.ingest.recording import Recorder
from plainsky.ingest.supervisor import Supervisor
from plainsky.knowing.following import handles_in
from plainsky.knowing.known import Known
from plainsky.logs import set_up_logging
from plainsky.reading import patience_of, source_of

log = logging.getLogger(__name__)


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
        asyncio.run(record(config, recorder, arguments.seconds))
    sys.stdout.write(f"{recorder.events} events in {arguments.folder}, {recorder.dropped} dropped\n")
    return 0


async def record(config: Config, recorder: Recorder, seconds: float | None) -> None:
    """Write what the config's source sends, and what rules go by beside posts, until told to stop, or for so many seconds."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    recorder.note(BeginNote(int(time.time() * 1e6)))
    supervisor = Supervisor(source_of(config.ingest), config.ingest.hosts, recorder, recorder.resume, patience=patience_of(config.ingest))
    work = [asyncio.create_task(supervisor.run()), asyncio.create_task(recorder.keep_flushing())]
    if uris := await _named(config, recorder):
        work.append(asyncio.create_task(_note_lists(config, uris, recorder)))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.wait([*work, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        task.cancel()
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _named(config: Config, recorder: Recorder) -> frozenset[str]:
    """Note whose the handles of the config are; the at-uris of the lists that it names."""
    handles = await resolve_handles(config.identity.resolver, handles_in(config))
    for handle, did in sorted(handles.items()):
        recorder.note(HandleNote(handle, did, int(time.time() * 1e6)))
    return Known(handles).lists_of(config.feeds) | config.opt_out.list_uris(handles.get)


async def _note_lists(config: Config, uris: frozenset[str], recorder: Recorder) -> None:
    """Who is on the lists, again and again, as the service reads them."""
    while True:
        for uri in sorted(uris):
            began = int(time.time() * 1e6)
            try:
                read = await read_list(config.appview.url, uri)
            except Unreadable as error:
                log.warning("the list %s cannot be read: %s", uri, error)
            else:
                recorder.note(ListNote(uri, read.name, tuple(sorted(read.members)), began))
        await asyncio.sleep(config.appview.refresh / 1e6)
