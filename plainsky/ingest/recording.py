"""Recordings: events in files, to be played again (`replay`) or read by anyone (docs/recording.md is the format).

Promises: nothing that exists is ever overwritten; a kill loses at most what came since the last flush, and leaves a file that can be read
up to there.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from models.events import Event
from plainsky.errors import OperatorError
from plainsky.ingest import Position
from plainsky.ingest.notes import GapNote

if TYPE_CHECKING:
    from zstandard import ZstdCompressionWriter

SUFFIX = ".jsonl.zst"
FILE_BYTES = 64_000_000
FILE_SECONDS = 3600.0
MAX_LINE = 8_000_000
_CHUNK = 1 << 18

_encode = msgspec.json.Encoder().encode


class Recorder:
    """A `plainsky.ingest.Sink` that writes a recording into a folder; a new file every hour, or when one is full.

    Use it as a context manager beside `keep_flushing`. The clock only decides when a file is full and is in no line.
    """

    def __init__(
        self,
        folder: Path,
        file_bytes: int = FILE_BYTES,
        file_seconds: float = FILE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OperatorError(f"{folder}: cannot be the folder of a recording: {error.strerror}") from error
        self._folder, self._file_bytes, self._file_seconds, self._clock = folder, file_bytes, file_seconds, clock
        self._file: IO[bytes] | None = None
        self._zstd: ZstdCompressionWriter | None = None
        self._opened_at = 0.0
        self._flushed = True
        self.host = ""
        self.events = 0
        self.dropped = 0
        self._position: Position | None = None

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, event: Event, cursor: int) -> None:
        """Write one line."""
        try:
            line = b'%b,"cursor":%d}\n' % (_encode(event)[:-1], cursor)
        except (UnicodeEncodeError, RecursionError):
            return self.drop("unrecordable")
        (self._zstd or self._open()).write(line)
        self._flushed = False
        self.events += 1
        self._position = Position(self.host, cursor, event.time_us)
        return None

    def connected(self, host: str) -> None:
        """A recording does not tell of connections."""

    def note(self, note: msgspec.Struct) -> None:
        """Write down what is no event: see `plainsky.ingest.notes`."""
        (self._zstd or self._open()).write(_encode(note) + b"\n")
        self._flushed = False

    def passed(self, cursor: int, time_us: int) -> None:
        """Only the resume point moves."""
        self._position = Position(self.host, cursor, time_us)

    def drop(self, reason: str) -> None:
        """Count."""
        self.dropped += 1

    def gap(self, from_us: int, to_us: int, cause: str) -> None:
        """Write down that something is missing."""
        self.note(GapNote(from_us, to_us, cause))

    async def room(self) -> None:
        """Files always have room."""

    async def resume(self, host: str) -> Position | None:
        """For the supervisor: what came so far is written, and `host` is read from now on."""
        self.flush()
        self.host = host
        return self._position

    async def keep_flushing(self, seconds: float = 1.0) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            self.flush()

    def flush(self) -> None:
        """Hand all lines to the operating system as whole zstd blocks; begin a new file when this one is full."""
        if self._file is None or self._zstd is None or self._flushed:
            return
        self._flushed = True
        self._zstd.flush()
        self._file.flush()
        if self._file.tell() >= self._file_bytes or self._clock() - self._opened_at >= self._file_seconds:
            self.close()

    def close(self) -> None:
        """End the file properly."""
        if self._zstd is not None:
            self._zstd.close()  # type: ignore[no-untyped-call]  # closes the file, too
        self._file = self._zstd = None

    def _open(self) -> "ZstdCompressionWriter":
        import zstandard

        taken = [int(path.name.split(".")[0]) for path in recorded_files(self._folder)]
        self._file = (self._folder / f"{max(taken, default=0) + 1:06d}{SUFFIX}").open("xb")  # x: never overwrite
        self._zstd = zstandard.ZstdCompressor(level=6).stream_writer(self._file)
        self._opened_at = self._clock()
        return self._zstd


def recorded_files(path: Path) -> list[Path]:
    """The files of a recording in their order: the file itself, or those of a folder, by number."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.glob("[0-9]*" + SUFFIX) if file.name.split(".")[0].isdigit())


def lines(path: Path) -> Iterator[bytes]:
    """Every line of a recording, without its line end; a file that was torn is read up to where it broke.

    OperatorError when there is no recording, or a file that is none.
    """
    files = recorded_files(path)
    if not files:
        expected = f"a file, or a folder of files like 000001{SUFFIX}, as `plainsky record` makes them"
        raise OperatorError(f"{path}: there is no recording (expected {expected})")
    for file in files:
        rest = b""
        for chunk in _decompressed(file):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            if len(rest) > MAX_LINE:
                raise OperatorError(f"{file}: a line of more than {MAX_LINE} bytes: this is no recording")
        if rest:
            yield rest


def last_time(path: Path) -> int:
    """The time (µs) of the last event of a recording; 0 when there is none in its last file."""
    last = deque(lines(recorded_files(path)[-1] if recorded_files(path) else path), maxlen=1)
    try:
        return msgspec.json.decode(last.pop(), type=_Timed).time_us
    except (IndexError, msgspec.MsgspecError):
        return 0


class _Timed(msgspec.Struct):
    time_us: int


def _decompressed(file: Path) -> Iterator[bytes]:
    import zstandard

    with file.open("rb") as compressed, zstandard.ZstdDecompressor().stream_reader(compressed, read_across_frames=True) as reader:
        try:
            while chunk := reader.read(_CHUNK):
                yield chunk
        except zstandard.ZstdError as error:
            raise OperatorError(f"{file}: {error}: this is no recording, or a damaged one") from error
