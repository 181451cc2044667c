"""Follows the labelers that rules name, each on its own stream (`plainsky.knowing.label_stream`).

Promises: labels are stored with the cursor behind them, in one transaction with what follows in the feeds; a stream is resumed from what
is stored.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from labeler.foreign import Heard
from models import cursors, known_labels, settings
from models.database import Database, Session
from plainsky.asking.did_documents import DidDocuments
from plainsky.knowing.label_stream import LabelStream, Sleep
from plainsky.metrics import Metrics
from plainsky.patience import patiently
from plainsky.pipeline.learning import labels_read, learn
from plainsky.pipeline.storing import Outcome, Storer

_STREAM = "labels "

Floor = Callable[[int], int]
"""The log's time to the time (both in µs) before which no label on a post is needed."""


def stream_of(did: str) -> str:
    """Under which name a labeler's cursor is stored."""
    return _STREAM + did


def prepare(session: Session, wanted: Mapping[str, Collection[str]]) -> None:
    """Before the first connection. wanted: by labeler, the values that rules ask for.

    What no rule asks for any more is forgotten; a labeler of which more is asked than before is read from its beginning.
    """
    known_labels.forget(session, wanted)
    for name in settings.named(session, _STREAM):
        if name.removeprefix(_STREAM) not in wanted:
            cursors.forget(session, name)
            settings.forget(session, name)
    for did, values in wanted.items():
        asked = settings.get(session, stream_of(did))
        if asked is None or not set(values) <= set(msgspec.json.decode(asked, type=list[str])):
            cursors.forget(session, stream_of(did))
        settings.put(session, stream_of(did), msgspec.json.encode(sorted(values)).decode())


class Labeler:
    """One labeler's stream, of which labels with the `wanted` values are stored."""

    def __init__(
        self,
        did: str,
        wanted: Collection[str],
        database: Database,
        storer: Storer,
        documents: DidDocuments,
        metrics: Metrics,
        committed: Callable[[Outcome], None],
        floor: Floor,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database, self._storer, self._stream = database, storer, stream_of(did)
        self._committed, self._floor, self.drop = committed, floor, metrics.dropped
        self.run = LabelStream(did, wanted, documents, self, sleep, chance).run
        """Until cancelled."""

    async def cursor(self) -> int:
        """What is stored."""
        found = await patiently(self._database.read, cursors.of_host, self._stream)
        return found[0] if found else 0

    def connected(self) -> None:
        """Nothing is kept of that."""

    async def floor(self) -> int:
        """By the log's time."""
        return self._floor(await patiently(self._database.read, cursors.log_time))

    async def keep(self, told: Sequence[Heard], cursor: int) -> None:
        """Store them, and let the feeds follow."""
        labels = [one.label for one in told]
        self._committed(await patiently(learn, self._database, self._storer, labels_read, self._stream, labels, cursor))

    async def forget(self) -> None:
        """Begin anew."""
        await patiently(self._database.write, cursors.forget, self._stream)
