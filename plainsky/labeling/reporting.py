"""The labeler's reports in a running service: who authenticates, who knows subjects, what closes by itself, what is forgotten in time."""

from collections.abc import Callable

from labeler.reporting import ReportService, close_gone, forget_reporters, forget_words
from models import matters
from models.database import Database
from models.protocol.service_auth import audiences
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.subjects import Subjects
from plainsky.asking.tokens import Verifier
from plainsky.config.schema import Config
from plainsky.metrics import Metrics
from plainsky.patience import for_ever

FORGET_SECONDS = 3600.0
COUNT_SECONDS = 5.0


def report_service(config: Config, database: Database, documents: DidDocuments, clock: Callable[[], float]) -> ReportService:
    """Takes reports by a config that has a labeler. `clock` gives seconds."""
    assert config.labeler
    verify = Verifier(documents, audiences(config.labeler_did, "atproto_labeler"), clock).verify
    exists = Subjects(config, database, documents).exists
    return ReportService(database, config.labeler_did, config.labeler.reports, verify, exists, lambda: int(clock() * 1e6))


class Tending:
    """Counts what waits, for metrics, closes reports of what was deleted, and forgets reporters and words when the config says so.

    `clock` gives seconds.
    """

    def __init__(self, config: Config, database: Database, metrics: Metrics, clock: Callable[[], float]) -> None:
        assert config.labeler
        self._labeler, self._database, self._clock = config.labeler, database, clock
        self._waiting: dict[str, int] = {}
        self._forgotten_at = float("-inf")
        text = "Reports and appeals that wait for a person."
        metrics.watch_by("plainsky_matters_waiting", text, "kind", lambda: {"report": 0, "appeal": 0, **self._waiting})

    async def run(self) -> None:
        """Until cancelled."""
        await for_ever(self.step, COUNT_SECONDS)

    async def step(self) -> None:
        """One turn."""
        if (await self._database.read(matters.count_waiting)).get("report"):
            await close_gone(self._database, int(self._clock() * 1e6))
        self._waiting = await self._database.read(matters.count_waiting)
        if self._clock() - self._forgotten_at >= FORGET_SECONDS:
            now = int(self._clock() * 1e6)
            await forget_reporters(self._database, self._labeler.reports, now)
            await forget_words(self._database, now - self._labeler.keep_words)
            self._forgotten_at = self._clock()
