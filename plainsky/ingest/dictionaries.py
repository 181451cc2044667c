"""zstd dictionaries that Jetstream hosts serve: fetched once a host, so that lines come at less than half their size.

None is bundled: where a host serves none (or not the one its v1 wire needs), lines come plain.
Source: lexicon network.bsky.jetstream.getZstdDictionary.
"""

import logging
from typing import TYPE_CHECKING

from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import MAX_MESSAGE, fetch

if TYPE_CHECKING:
    from zstandard import ZstdDecompressor

log = logging.getLogger(__name__)

PATH = "/xrpc/network.bsky.jetstream.getZstdDictionary"
MAX_DICTIONARY = 4_000_000
_MAGIC = b"\x37\xa4\x30\xec"  # RFC 8878 section 5


class Dictionary:
    """A dictionary and its decompressor; ValueError when it is damaged."""

    def __init__(self, data: bytes) -> None:
        import zstandard

        self._zstd = zstandard
        try:
            known = zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)
            self.id: int = known.dict_id()
            self._decompressor: ZstdDecompressor = zstandard.ZstdDecompressor(dict_data=known)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error

    def expand(self, frame: bytes) -> bytes:
        """The line in a compressed message; Disconnected when it is no zstd frame of this dictionary, or too large."""
        try:
            # what a frame says of its size is what is allocated: look before
            if self._zstd.frame_content_size(frame) > MAX_MESSAGE:
                raise Disconnected("a compressed message is too large")
            return self._decompressor.decompress(frame, max_output_size=MAX_MESSAGE)
        except self._zstd.ZstdError as error:
            raise Disconnected(f"invalid framing: {error}"[:200]) from error


class Dictionaries:
    """Remembers what each host serves, or that it serves nothing, as long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int | None], Dictionary | None] = {}
        self._retired: set[tuple[str, int]] = set()

    async def of(self, host: str, id: int | None) -> Dictionary | None:
        """The host's dictionary of that id, or its current one; None when it has none to give."""
        key = (host, id)
        if key not in self._known:
            self._known[key] = await self._fetch(host, id)
        return self._known[key]

    def retired(self, host: str, dictionary: Dictionary) -> None:
        """The host did not know this one when we asked for it: fetch its current one, and do without when that is the same."""
        self._known.pop((host, None), None)
        self._retired.add((host, dictionary.id))

    async def _fetch(self, host: str, id: int | None) -> Dictionary | None:
        status, data = await fetch(host, PATH, [] if id is None else [("id", id)], MAX_DICTIONARY)
        if status != 200 or not data.startswith(_MAGIC):
            return None
        try:
            found = Dictionary(data)
        except ValueError as error:
            log.warning("%s: its dictionary is damaged, so lines come plain: %s", host, error)
            return None
        return found if id in (None, found.id) and (host, found.id) not in self._retired else None
