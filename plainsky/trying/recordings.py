"""The fingerprints of a recording's files, as `/recordings.json` (docs/verifying.md): who is given the files later can tell that they are
the same, and that none was left out or made afterwards.
"""

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import hdrs, web

from models.protocol.syntax import format_datetime
from plainsky.ingest.recording import recorded_files

QUIET_SECONDS = 2 * 3600.0
"""The newest file is told of when nothing was written to it for so long: until then somebody may be writing."""
_CHUNK = 1 << 20


class File(msgspec.Struct, frozen=True):
    """A file of a recording: its name, size, SHA-256 in hexadecimal, and when it was finished."""

    name: str
    bytes: int
    sha256: str
    finished: str


class Recordings:
    """Serves the fingerprints of a folder. Each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, int, int], File] = {}
        self._one = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [web.get("/recordings.json", self.recordings_json)]

    async def recordings_json(self, request: web.Request) -> web.Response:
        """The files, oldest first."""
        async with self._one:
            files = await asyncio.to_thread(self.files)
        headers = {hdrs.CONTENT_TYPE: "application/json", hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"}
        return web.Response(body=msgspec.json.encode({"files": files}), headers=headers)

    def files(self, now: float | None = None) -> list[File]:
        """Of each finished file."""
        now = time.time() if now is None else now
        there = [(path, path.stat()) for path in recorded_files(self._folder)] if self._folder.is_dir() else []
        done = [each for each in there if each is not there[-1] or now - each[1].st_mtime >= QUIET_SECONDS]
        return [self._file(path, stat) for path, stat in done]

    def _file(self, path: Path, stat: Any) -> File:
        key = (path.name, stat.st_size, stat.st_mtime_ns)
        if key not in self._known:
            finished = format_datetime(stat.st_mtime_ns // 1_000)
            self._known[key] = File(path.name, stat.st_size, _sha256(path), finished)
        return self._known[key]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
