"""com.atproto.moderation.createReport: takes reports and appeals, and puts them before people. Nothing is decided here.

Promises: each token is good for one report; the same report twice is one, with one answer; an appeal is its author's alone, one at a time,
and never one too many. Who reports is written into the table `report` and nowhere else: moderators see it, and `forget_reporters` removes
it after a while. A subject that is known not to exist is refused; where that cannot be found out now, the report is taken, and marked.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import msgspec
from aiohttp import hdrs, web

from labeler.declaration import Reports
from labeler.labelable import PROFILE
from labeler.reports import NSID, Reported, Subject, reported, too_many
from models import accounts, decisions, labels, matters, posts, settings
from models.database import Database, Session
from models.duration import duration
from models.labels import Found
from models.matters import Matter, Report
from models.post import POST
from models.protocol.service_auth import Authenticate
from models.protocol.syntax import did_of, format_datetime, is_did, parse_at_uri
from models.protocol.xrpc import XrpcError, invalid

Exists: TypeAlias = Callable[[Subject], Awaitable[bool | None]]
"""Whether a subject exists; None when nobody can say just now."""

DAY = duration("1d")
LONGEST_BODY = 64 * 1024
STEP = 500
WORDS_FORGOTTEN = "words forgotten"
"""The setting that says up to which decision."""
GONE = "It was deleted before anybody here had looked at it."
_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


class ReportService:
    """The route. `clock` gives µs since the epoch."""

    def __init__(
        self, database: Database, src_did: str, reports: Reports, authenticate: Authenticate, exists: Exists, clock: Callable[[], int]
    ) -> None:
        self._database, self._src_did, self._reports = database, src_did, reports
        self._authenticate, self._exists, self._clock = authenticate, exists, clock

    def routes(self) -> list[web.RouteDef]:
        """What it raises as XrpcError is put into words by the app."""
        return [web.post(f"/xrpc/{NSID}", self.moderation_create_report)]

    async def moderation_create_report(self, request: web.Request) -> web.Response:
        """com.atproto.moderation.createReport"""
        reporter = await self._authenticate(request.headers.get(hdrs.AUTHORIZATION), NSID, once=True)
        if (request.content_length or 0) > LONGEST_BODY or len(body := await request.read()) > LONGEST_BODY:
            raise XrpcError(413, "PayloadTooLarge", "That is too much at once.")
        asked = reported(body, self._reports)
        if asked.subject.author == self._src_did:
            raise invalid("A labeler cannot judge itself: please write to whoever runs it.")
        taken = await self._database.write(self._take, asked, reporter, await self._is_there(asked))
        return web.Response(body=msgspec.json.encode(_answer(asked, taken)), content_type="application/json", headers=_HEADERS)

    async def _is_there(self, asked: Reported) -> bool:
        """False when nobody can say. Of what carries our labels we know, also when its author is hidden."""
        there = True if asked.is_appeal else await self._exists(asked.subject)
        if there is False:
            raise invalid("What you report cannot be found: it may have been deleted.")
        return bool(there)

    def _take(self, session: Session, asked: Reported, reporter: str, checked: bool) -> Report:
        take = take_appeal if asked.is_appeal else take_report
        return take(session, self._src_did, self._reports, asked, reporter, checked, self._clock())


def take_report(session: Session, _src: str, limits: Reports, asked: Reported, reporter: str, checked: bool, now: int) -> Report:
    """Write a report down; one that says the same as before is that one. XrpcError when there are too many."""
    matters.lock(session)
    matter = matters.open_of(session, "report", asked.subject.uri)
    if matter and (before := matters.same(session, matter, asked.reason_type, asked.said, reporter)):
        return before
    _check_reporter(session, limits, reporter, now)
    if matters.count_of(session, asked.subject.uri, now - DAY) >= limits.per_subject:
        raise too_many("Many have reported this already, and a person will look at it. Thank you.")
    return _add(session, matter, "report", asked, reporter, (), checked, now)


def take_appeal(session: Session, src_did: str, _limits: Reports, asked: Reported, reporter: str, checked: bool, now: int) -> Report:
    """Write an appeal down. XrpcError: 403 for anybody but the author, AlreadyAppealed; 400 where no label of ours stands."""
    if reporter != asked.subject.author:
        raise XrpcError(403, "Forbidden", "Only its author can appeal against a label.")
    matters.lock(session)
    standing = labels_on(session, src_did, asked.subject.uri, now)
    if matters.open_of(session, "appeal", asked.subject.uri):
        raise XrpcError(403, "AlreadyAppealed", "You have appealed already: a person will look at it, and decide.")
    if not standing:
        raise invalid("There is no label of ours on this any more.")
    about = {label.decision_id for label in standing}
    if refused := _refused_before(session, asked.subject.uri, about):
        raise XrpcError(403, "AlreadyAppealed", f"Your appeal was rejected: {refused.reason}")
    return _add(session, None, "appeal", asked, reporter, tuple(about), checked, now)


def labels_on(session: Session, src_did: str, uri: str, now: int) -> list[Found]:
    """Our labels in force at `now` (µs) on a record, in any version, or on an account."""
    subjects = [uri, f"at://{uri}/{PROFILE}/self"] if is_did(uri) else [uri]
    return [found for subject in subjects for found in labels.in_force_on(session, src_did, subject, format_datetime(now))]


def _refused_before(session: Session, uri: str, about: set[int]) -> Matter | None:
    """The appeal against all of these that was rejected; a label that was taken back and given again for the same reasons is the same."""
    rejected = [matter for matter in matters.of_uri(session, uri) if matter.kind == "appeal" and matter.outcome == "rejected"]
    chains = [{one.id for one in decisions.chain(session, decision_id)} for decision_id in about] if rejected else []
    return next((matter for matter in reversed(rejected) if not any(chain.isdisjoint(matter.about) for chain in chains)), None)


def _check_reporter(session: Session, limits: Reports, reporter: str, now: int) -> None:
    if matters.count_by(session, reporter, now - DAY) >= limits.per_reporter:
        raise too_many("You have reported much today. People look at each report: please come back tomorrow.")


def _add(
    session: Session,
    matter: Matter | None,
    kind: matters.Kind,
    asked: Reported,
    reporter: str,
    about: tuple[int, ...],
    checked: bool,
    now: int,
) -> Report:
    subject = asked.subject
    matter = matter or matters.open_one(session, kind, subject.uri, subject.cid, about, checked, now)
    return matters.add(session, matter, asked.reason_type, asked.said, reporter, now, checked)


def _answer(asked: Reported, taken: Report) -> dict[str, Any]:
    """The lexicon's output."""
    said = {"reason": taken.said} if taken.said else {}
    return {
        "id": taken.id,
        "reasonType": taken.reason_type,
        **said,
        "subject": asked.subject.told(),
        "reportedBy": taken.reporter,
        "createdAt": format_datetime(taken.created_at),
    }


async def close_gone(database: Database, now: int) -> int:
    """Close the reports of posts and accounts that were deleted meanwhile: there is nothing to decide. How many subjects those were.

    What is known from the stream counts; nobody is asked. An account that is only hidden may come back, and so do its posts.
    """
    closed, after = 0, 0
    while waiting := await database.read(matters.reported, after, STEP):
        if gone := await database.read(_gone, [matter.uri for matter in waiting]):
            closed += await database.write(_close_gone, gone, now)
        after = waiting[-1].id
    return closed


def _close_gone(session: Session, uris: set[str], now: int) -> int:
    matters.lock(session)
    found = [matter for uri in sorted(uris) if (matter := matters.open_of(session, "report", uri))]
    for matter in found:
        matters.close(session, matter.id, "gone", "machine", None, GONE, [], now)
    return len(found)


def _gone(session: Session, uris: Sequence[str]) -> set[str]:
    """Those that were deleted, as far as we have heard."""
    known = accounts.find(session, {did_of(uri) for uri in uris})
    records = {
        (at.rkey, known[at.authority].id): uri
        for uri in uris
        if (at := parse_at_uri(uri)) and at.collection == POST and at.rkey and at.authority in known
    }
    stored = posts.find(session, records.keys())
    deleted = {uri for record, uri in records.items() if record in stored and not stored[record].live}
    return deleted | {uri for uri in uris if did_of(uri) in known and known[did_of(uri)].gone}


async def forget_words(database: Database, before: int) -> None:
    """Forget, in small steps, what posts said that were judged before a time (µs), where no label came of it."""
    while await database.write(_forget_words, before):
        pass


def _forget_words(session: Session, before: int) -> bool:
    upto = decisions.forget_words(session, int(settings.get(session, WORDS_FORGOTTEN) or 0), before, STEP)
    if upto is not None:
        settings.put(session, WORDS_FORGOTTEN, str(upto))
    return upto is not None


async def forget_reporters(database: Database, reports: Reports, now: int) -> int:
    """Forget who reported longer ago than the config allows, in small steps; of how many reports."""
    gone = 0
    while step := await database.write(matters.forget, now - reports.keep_reporters, STEP):
        gone += step
    return gone
