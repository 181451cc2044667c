"""`plainsky record FOLDER [FILE]`: writes what the configured source sends into a recording (docs/recording.md), to be replayed."""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from labeler.foreign import Heard
from models.post import OURS
from plainsky.asking.appview import Unreadable, read_list
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.identity import resolve_handles
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.ingest.notes import BeginNote, HandleNote, LabelerNote, LabelNote, ListNote
from plainsky.ingest.recording import Recorder
from plainsky.ingest.supervisor import Supervisor
from plainsky.knowing.following import handles_in
from plainsky.knowing.known import Known, labelers_of
from plainsky.knowing.label_stream import LabelStream
from plainsky.knowing.labelers import Floor
from plainsky.logs import set_up_logging
from plainsky.pipeline.pruning import labels_needed_from
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
    recorder.note(BeginNote(_now()))
    supervisor = Supervisor(source_of(config.ingest), config.ingest.hosts, recorder, recorder.resume, patience=patience_of(config.ingest))
    work = [asyncio.create_task(supervisor.run()), asyncio.create_task(recorder.keep_flushing())]
    known = await _named(config, recorder)
    if uris := known.lists_of(config.feeds) | config.opt_out.list_uris(known.handles.get):
        work.append(asyncio.create_task(_note_lists(config, uris, recorder)))
    work += [asyncio.create_task(stream.run()) for stream in _label_streams(config, known, recorder)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.wait([*work, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        task.cancel()
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _named(config: Config, recorder: Recorder) -> Known:
    """Note whose the handles of the config are."""
    handles = await resolve_handles(config.identity.resolver, handles_in(config))
    for handle, did in sorted(handles.items()):
        recorder.note(HandleNote(handle, did, _now()))
    return Known(handles)


def _label_streams(config: Config, known: Known, recorder: Recorder) -> Iterator[LabelStream]:
    """The labelers that rules ask, our own among them: what it says is heard where everybody hears it."""
    documents = DidDocuments(config.identity.plc)
    floor = labels_needed_from(config.feeds, config.store.retention, config.ingest.import_after)
    own = config.labeler_did if config.labeler else None
    for src, values in sorted(labelers_of(known.matcher(config.feeds), own).items()):
        if src != OURS:
            yield LabelStream(src, values, documents, _NotedLabels(src, values, recorder, floor))


class _NotedLabels:
    """Writes a labeler's labels into the recording."""

    def __init__(self, did: str, values: Collection[str], recorder: Recorder, floor: Floor) -> None:
        self._did, self._values, self._recorder, self._floor = did, tuple(sorted(values)), recorder, floor
        self._cursor, self._noted = 0, False

    async def cursor(self) -> int:
        """From the beginning, when recording begins: labels of then may be in force."""
        return self._cursor

    def connected(self) -> None:
        """From now on it is heard."""
        if not self._noted:
            self._recorder.note(LabelerNote(self._did, self._values, _now()))
            self._noted = True

    async def floor(self) -> int:
        """Labels on posts that are older than what any feed shows are of no use."""
        return self._floor(_now())

    async def keep(self, told: Sequence[Heard], cursor: int) -> None:
        """Write them down, as they were sent."""
        for one in told:
            self._recorder.note(LabelNote.of(one.label.seq, one.fields))
        self._cursor = cursor

    async def forget(self) -> None:
        """Begin anew."""
        self._cursor = 0

    def drop(self, reason: str, count: int = 1) -> None:
        """Count."""
        for _ in range(count):
            self._recorder.drop(reason)


def _now() -> int:
    return int(time.time() * 1e6)


async def _note_lists(config: Config, uris: frozenset[str], recorder: Recorder) -> None:
    """Who is on the lists, again and again, as the service reads them."""
    while True:
        for uri in sorted(uris):
            began = _now()
            try:
                read = await read_list(config.appview.url, uri)
            except Unreadable as error:
                log.warning("the list %s cannot be read: %s", uri, error)
            else:
                recorder.note(ListNote(uri, read.name, tuple(sorted(read.members)), began))
        await asyncio.sleep(config.appview.refresh / 1e6)
