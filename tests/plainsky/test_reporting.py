"""What the running service does about reports beside taking them: counts what waits, forgets who reported."""

from labeler.declaration import Reports
from labeler.reporting import GONE, take_report
from labeler.reports import Reported, Subject
from models import accounts, matters, posts
from models.accounts import Account
from models.database import Database, Session
from models.duration import duration
from plainsky.config.schema import Config, Labeler, Service
from plainsky.metrics import Metrics
from plainsky.reporting import Tending
from tests.support.labels import AUTHOR, CIDS, NOON, SRC, uri
from tests.support.tokens import Clock

CONFIG = Config(service=Service("feeds.example.org"), labeler=Labeler(did=SRC, reports=Reports(keep_reporters=duration("2d"))))
REPORTER = "did:plc:reporter22222222222222222"


async def test_reports_of_what_was_deleted_meanwhile_close_by_themselves_with_the_reason(database: Database) -> None:
    hidden, left = "did:plc:hidden222222222222222222", "did:plc:left22222222222222222222"
    met = [Account(1, AUTHOR), Account(2, hidden, False, "deactivated"), Account(3, left, False, "deleted")]
    stored = [(number, "3mmwu7vak562" + rkey, body) for number, (rkey, body) in enumerate({"a": "{}", "b": None}.items(), 1)]

    def write(session: Session) -> None:
        accounts.add(session, met)
        posts.add(
            session, [(number, 1, rkey, "3mmwu7vak5623", CIDS[0] if body else None, NOON, NOON, body) for number, rkey, body in stored]
        )

    await database.write(write)
    subjects = [uri(rkey) for _, rkey, _ in stored] + [uri("3mmwu7vak562c"), uri("3mmwu7vak562d", left), uri("3mmwu7vak562e", hidden), left]
    for at in subjects:
        asked = Reported("com.atproto.moderation.defs#reasonMisleading", Subject(at), "words")
        await database.write(take_report, SRC, Reports(), asked, REPORTER, True, NOON)

    metrics = Metrics()
    await Tending(CONFIG, database, metrics, Clock(NOON / 1e6)).step()

    closed = {at: one.outcome for at in subjects for one in await database.read(matters.of_uri, at)}
    assert closed == dict(zip(subjects, [None, "gone", None, "gone", None, "gone"], strict=True))
    (one,) = await database.read(matters.of_uri, subjects[1])
    assert (one.role, one.moderator, one.reason, one.closed_at) == ("machine", None, GONE, NOON)
    assert 'plainsky_matters_waiting{kind="report"} 3.0' in metrics.text().decode()


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
