"""What the running service does about reports beside taking them: counts what waits, forgets who reported."""

from attrs import evolve

from labeler.declaration import Reports
from labeler.persons import By, Persons
from labeler.policy import LabelPolicy
from labeler.reporting import GONE, take_report
from labeler.reports import Reported, Subject
from models import accounts, decisions, matters, posts
from models.accounts import Account
from models.database import Database, Session
from models.duration import duration
from plainsky.config.schema import Config, Labeler, Service
from plainsky.labeling.reporting import Tending
from plainsky.metrics import Metrics
from tests.support.labels import AUTHOR, CIDS, NOON, SRC, issuer, judge, judged, uri
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


async def test_the_words_of_what_got_no_label_are_forgotten_in_time_and_those_behind_a_label_are_not(database: Database) -> None:
    config = evolve(CONFIG, labeler=Labeler(did=SRC, keep_words=duration("10d")))
    now, day = Clock(NOON / 1e6), 86_400
    tending = Tending(config, database, Metrics(), now)
    review = judge("review", "asked")
    persons = Persons(SRC, [LabelPolicy("asked", ("gtube",), "review")])
    by = By("moderator", "reason", "ann")

    async def judge_all(when: int) -> None:
        made = [judged(f"{when}shadow", CIDS[0], by=judge("shadow", "quiet")), judged(f"{when}label", CIDS[0])]
        made += [judged(f"{when}{rkey}", CIDS[0], by=review) for rkey in ("undecided", "rejected", "confirmed")]
        await database.write(issuer(NOON + when * day * 1_000_000).apply, made)
        (rejected,), (confirmed,) = [await database.read(decisions.of_uri, uri(f"{when}{rkey}")) for rkey in ("rejected", "confirmed")]
        await database.write(persons.reject, rejected.id, by, NOON, bar=False)
        await database.write(persons.confirm, confirmed.id, by, NOON)

    async def wordless() -> list[str]:
        rows = await database.read(lambda session: session.execute("SELECT uri, body, evidence FROM decision WHERE text_hash <> ''"))
        gone = [row[0].rpartition("/")[2] for row in rows if row[1] is None]
        assert all(("PLAINSKY-GTUBE" in row[2]) is (row[1] is not None) for row in rows)
        return sorted(gone)

    await judge_all(0)
    await judge_all(5)
    await tending.step()
    assert await wordless() == []
    now.now += 11 * day
    await tending.step()
    assert await wordless() == ["0rejected", "0shadow", "0undecided"]
    now.now += 5 * day
    await tending.step()
    assert await wordless() == ["0rejected", "0shadow", "0undecided", "5rejected", "5shadow", "5undecided"]
    assert len(await database.read(decisions.waiting, "person")) == 2


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
