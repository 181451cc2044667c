"""What the running service does about reports beside taking them: counts what waits, forgets who reported."""

from labeler.declaration import Reports
from labeler.reporting import take_report
from labeler.reports import Reported, Subject
from models import matters
from models.database import Database
from models.duration import duration
from plainsky.config.schema import Config, Labeler, Service
from plainsky.metrics import Metrics
from plainsky.reporting import Tending
from tests.support.labels import CIDS, NOON, SRC, uri
from tests.support.tokens import Clock

CONFIG = Config(service=Service("feeds.example.org"), labeler=Labeler(did=SRC, reports=Reports(keep_reporters=duration("2d"))))
REPORTER = "did:plc:reporter22222222222222222"


async def test_what_waits_is_counted_and_a_reporter_is_forgotten_after_the_configured_time(database: Database) -> None:
    asked = Reported("com.atproto.moderation.defs#reasonMisleading", Subject(uri("post"), CIDS[0]), "words")
    await database.write(take_report, SRC, Reports(), asked, REPORTER, True, NOON)

    metrics, now = Metrics(), Clock(NOON / 1e6)
    tending = Tending(CONFIG, database, metrics, now)

    await tending.step()
    told = metrics.text().decode()
    assert 'plainsky_matters_waiting{kind="report"} 1.0' in told
    assert 'plainsky_matters_waiting{kind="appeal"} 0.0' in told
    assert REPORTER not in told
    assert (await database.read(matters.reports, 1))[0].reporter == REPORTER

    now.now += 3 * 86_400
    await tending.step()
    assert (await database.read(matters.reports, 1))[0][3:5] == (None, None)
