"""The labeler's reports in a running service: who authenticates, who knows subjects, and that reporters are forgotten in time."""

import asyncio
from collections.abc import Callable

from labeler.reporting import ReportService, forget_reporters
from models.database import Database
from models.protocol.service_auth import audiences
from plainsky.config.schema import Config
from plainsky.did_documents import DidDocuments
from plainsky.patience import patiently
from plainsky.subjects import Subjects
from plainsky.tokens import Verifier

FORGET_SECONDS = 3600.0


def report_service(config: Config, database: Database, documents: DidDocuments, clock: Callable[[], float]) -> ReportService:
    """Takes reports by a config that has a labeler. `clock` gives seconds."""
    assert config.labeler
    verify = Verifier(documents, audiences(config.labeler_did, "atproto_labeler"), clock).verify
    exists = Subjects(config, database, documents).exists
    return ReportService(database, config.labeler_did, config.labeler.reports, verify, exists, lambda: int(clock() * 1e6))


async def forget_for_ever(config: Config, database: Database, clock: Callable[[], float]) -> None:
    """Forget who reported longer ago than the config allows, every hour; until cancelled."""
    assert config.labeler
    while True:
        await patiently(forget_reporters, database, config.labeler.reports, int(clock() * 1e6))
        await asyncio.sleep(FORGET_SECONDS)
