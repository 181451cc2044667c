"""Looks at a labeler's service from outside, as AppViews and apps will; says what was asked, what came back, what to mend.

Labels that are stored and signed, and never appear, are the commonest pain of labelers; each check is one of its causes.
Sources: atproto.com/specs/label, atproto.com/specs/event-stream, lexicons com.atproto.label.{queryLabels,subscribeLabels}.
"""

import asyncio
import re
import time
from collections.abc import Collection, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp import WSMsgType
from attrs import frozen

from labeler.declaration import KEY_ID, SERVICE_ID, SERVICE_TYPE
from labeler.foreign import are_signed
from models.protocol import public_keys
from models.protocol.syntax import parse_datetime
from plainsky.config.errors import shown
from plainsky.ingest import Disconnected, Refused
from plainsky.ingest.connecting import connected, ended, new_session, url
from plainsky.ingest.firehose import FutureCursor, opened
from plainsky.publishing.checks import Check, Wrong, answered, entries, place, unreachable
from plainsky.publishing.last_labels import QUERY, last_labels

SUBSCRIBE = "/xrpc/com.atproto.label.subscribeLabels"
REPORT = "/xrpc/com.atproto.moderation.createReport"
FRAMES = 20
"""So many frames of the stream are looked at, from its beginning."""
QUIET_SECONDS = 3.0
SKEW_SECONDS = 30.0
FUTURE = 2**53 - 1
"""A cursor beyond any log."""

DOCUMENT = "The DID document must name {what}. For a did:plc `plainsky publish labeler` puts it there; a did:web's owner writes it herself."
WEBSOCKET = (
    "The proxy must pass WebSockets on. Caddy does so by itself; nginx needs `proxy_http_version 1.1`, `proxy_set_header Upgrade"
    ' $http_upgrade` and `proxy_set_header Connection "upgrade"`.'
)
NO_STREAM = "The labels are there, and the stream does not tell them. Does the proxy hold answers back (buffering)? Restart the service."
NOT_FRAMES = "What comes is no stream of labels. The proxy must pass this host name to the labeler."
NO_FUTURE = "A reader that is ahead of the log, as after a log was lost, must be told, or it waits for ever."
ORDER = "`seq` must rise. Was the database put back from a copy? Then a log must begin again far above its old end."
FOREIGN = "A labeler's log holds its own labels only. Is [labeler] did right, and the database this labeler's?"
SIGNATURES = (
    "Nobody takes labels whose signature does not fit the key in the DID document. Was the key changed? Then restart the service, which"
    " signs anew with the key it has, and run `plainsky publish labeler`."
)
UNDECLARED = "Apps ignore labels that the record does not define. Add them to the config and publish, or negate them."
BAD_VALUES = "Apps ignore any value but the letters a to z and '-', and those with '!' give orders to every app: negate them."
CLOCK = "Clocks must agree within seconds, or labels count as not made yet. Switch on time synchronisation (`timedatectl`)."
NO_REPORTS = (
    "The record says that reports are taken, and the service takes none, so that every appeal fails. Publish `reason_types = []` below"
    " [labeler.reports], or serve createReport."
)
OPEN_REPORTS = "Reports must be taken from accounts only: without a token the answer must be 401."


@frozen
class Expected:
    """What the labeler is to be: its address without a path, its key (as multibase), its declared values (None: unknown)."""

    did: str
    endpoint: str
    key: str
    values: frozenset[str] | None = None
    port: int = 3000


async def check_service(expected: Expected) -> list[Check]:
    """Whether the service that the document names answers as a labeler of this DID, key and values."""
    query = f"{expected.endpoint}{QUERY}"
    labels: list[Mapping[str, Any]] = []
    try:
        labels += await last_labels(expected.endpoint, expected.port)
        checks = [Check(query, _last(labels) if labels else "no label yet")]
    except Wrong as wrong:
        checks = [Check(query, wrong.answer, wrong.mend)]
        if wrong.mend and not wrong.answer.startswith("HTTP"):
            return checks  # nobody is there: more questions would say the same
    stream, clock = await asyncio.gather(_stream(expected, bool(labels)), _checked(f"the clock of {query}", _clock(expected)))
    checks += [clock, stream[0], await _checked(f"{expected.endpoint}{SUBSCRIBE}?cursor={FUTURE}", _future(expected))]
    return [*checks, *judge_labels(expected, labels or stream[1], query)]


async def check_document(expected: Expected, plc: str) -> Check:
    """Whether the DID document names this service and this key."""
    host, path = place(expected.did, plc)
    return await _checked(f"{host}{path}", _document(expected, host, path, plc))


async def check_reports(endpoint: str) -> Check:
    """Whether the service takes reports, and only from accounts."""
    return await _checked(f"{endpoint}{REPORT}", _reports(endpoint))


async def _checked(asked: str, look: Any) -> Check:
    try:
        return Check(asked, await look)
    except Wrong as wrong:
        return Check(asked, wrong.answer, wrong.mend)


async def _document(expected: Expected, host: str, path: str, plc: str) -> str:
    endpoint, key = found_in(await answered(host, path, (), host != plc.rstrip("/"), expected.port), expected.did)
    if endpoint != expected.endpoint:
        raise Wrong(f"its labeler is at {shown(endpoint)}", DOCUMENT.format(what=f"{SERVICE_ID} at {expected.endpoint}"))
    if key != expected.key:
        raise Wrong("it names another key for labels than the one that signs here", SIGNATURES)
    return f"{expected.did}, whose labeler is {endpoint}"


def found_in(document: Mapping[str, Any], did: str) -> tuple[str, str]:
    """Address and key (as multibase) of the labeler; Wrong when a document names none that can be used."""
    if document.get("id") != did:
        raise Wrong(f"it is the document of {shown(document.get('id'))}, not of {did}", DOCUMENT.format(what=did))
    service = _one(document, "service", SERVICE_ID, did)
    kind, endpoint = service.get("type"), service.get("serviceEndpoint")
    if kind != SERVICE_TYPE or not isinstance(endpoint, str) or not re.fullmatch(r"https?://[^/?#@\s]+", endpoint):
        wanted = f"a service {SERVICE_ID} of type {SERVICE_TYPE} at an address without a path"
        raise Wrong(f"its {SERVICE_ID} is a {shown(kind)} at {shown(endpoint)}", DOCUMENT.format(what=wanted))
    method = _one(document, "verificationMethod", KEY_ID, did)
    key = str(method.get("publicKeyMultibase"))
    try:
        if method.get("type") != "Multikey":
            raise ValueError(f"a {shown(method.get('type'))}")
        public_keys.parse(key)
        return endpoint, key
    except ValueError as error:
        said = f"its key {KEY_ID} cannot be used: {error}"
        raise Wrong(said, DOCUMENT.format(what=f"a key {KEY_ID} as a Multikey (zQ3sh...)")) from None


def _one(document: Mapping[str, Any], kind: str, id: str, did: str) -> Mapping[str, Any]:
    for entry in entries(document, kind):
        if entry.get("id") in (id, f"{did}{id}"):
            return entry
    raise Wrong(f"the document names no {id}", DOCUMENT.format(what=id))


async def _clock(expected: Expected) -> str:
    """The answer's Date, against our own clock; a proxy's clock is the service's, as a rule."""
    try:
        async with asyncio.timeout(20), new_session() as session:
            asked = url(expected.endpoint, QUERY, [("uriPatterns", expected.did), ("limit", 1)], "http")
            before = time.time()
            async with session.get(asked, allow_redirects=False) as answer:
                there = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Wrong(f"no answer: {error or type(error).__name__}"[:200], unreachable(error, expected.endpoint)) from None
    except (TypeError, ValueError):
        return "it tells no time"
    skew = there - time.time() if there > time.time() else min(0.0, there + 1 - before)  # Date is cut to the second
    if abs(skew) > SKEW_SECONDS:
        raise Wrong(f"its clock is {abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} this machine's", CLOCK)
    return "its clock and this machine's agree"


async def _stream(expected: Expected, has_labels: bool) -> tuple[Check, list[Mapping[str, Any]]]:
    """The stream from its beginning on, and the labels that it told."""
    asked = f"{expected.endpoint}{SUBSCRIBE}?cursor=0"
    try:
        bodies = await _frames(expected.endpoint, 0)
        labels = _judge_frames(bodies, expected.did)
    except Refused as error:
        return Check(asked, str(error), WEBSOCKET), []
    except Disconnected as error:
        framing = "framing" in str(error)
        cause = error.__cause__
        return Check(asked, str(error), NOT_FRAMES if framing else unreachable(cause, expected.endpoint) if cause else WEBSOCKET), []
    except Wrong as wrong:
        return Check(asked, wrong.answer, wrong.mend), []
    if has_labels and not labels:
        return Check(asked, f"a WebSocket, and nothing in {QUIET_SECONDS:.0f} seconds", NO_STREAM), []
    return Check(asked, f"a WebSocket, and {len(bodies)} frames with {len(labels)} labels, in order"), labels


async def _frames(endpoint: str, cursor: int) -> list[dict[str, Any]]:
    """The first frames that come; fewer when it is quiet for a while."""
    bodies: list[dict[str, Any]] = []
    async with connected(endpoint, SUBSCRIBE, [("cursor", cursor)]) as socket:
        while len(bodies) < FRAMES:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    message = await socket.receive()
            except TimeoutError:
                break
            if message.type is not WSMsgType.BINARY:
                raise ended(socket, message)
            name, body = opened(message.data)
            if name == "#labels":
                bodies.append(body)
    return bodies


def _judge_frames(bodies: Iterable[Mapping[str, Any]], did: str) -> list[Mapping[str, Any]]:
    last, told = 0, []
    for body in bodies:
        seq, labels = body.get("seq"), body.get("labels")
        if type(seq) is not int or not isinstance(labels, list) or not all(isinstance(label, dict) for label in labels):
            raise Wrong(f"a frame without seq and labels: {shown(body)}", NOT_FRAMES)
        if seq <= last:
            raise Wrong(f"after seq {last} comes seq {seq}", ORDER)
        last = seq
        told += labels
    _own(told, did)
    return told


def _own(labels: Iterable[Mapping[str, Any]], did: str) -> None:
    if foreign := next((label.get("src") for label in labels if label.get("src") != did), None):
        raise Wrong(f"a label of {shown(foreign)}, not of {did}", FOREIGN)


async def _future(expected: Expected) -> str:
    try:
        bodies = await _frames(expected.endpoint, FUTURE)
    except FutureCursor:
        return "the error FutureCursor, as it should be"
    except Disconnected as error:
        raise Wrong(str(error), WEBSOCKET if isinstance(error, Refused) else NO_FUTURE) from None
    raise Wrong(f"{len(bodies)} frames, and no error FutureCursor", NO_FUTURE)


def judge_labels(expected: Expected, labels: Collection[Mapping[str, Any]], asked: str) -> list[Check]:
    """What the last labels say: whose they are, who signed them, when, and with which values."""
    if not labels:
        return []
    judges = (_judge_signatures, _judge_values, _judge_times)
    return [_judged(f"{_last(labels)} of {asked}", judge, expected, labels) for judge in judges]


def _last(labels: Collection[Mapping[str, Any]]) -> str:
    return f"the last {len(labels)} labels" if len(labels) > 1 else "the only label"


def _judged(asked: str, judge: Any, *given: Any) -> Check:
    try:
        return Check(asked, judge(*given))
    except Wrong as wrong:
        return Check(asked, wrong.answer, wrong.mend)


def _judge_signatures(expected: Expected, labels: Collection[Mapping[str, Any]]) -> str:
    _own(labels, expected.did)
    key = public_keys.parse(expected.key)
    bad = [label for label in labels if not (isinstance(label.get("sig"), bytes) and are_signed(label, key))]
    if bad:
        first = f"{shown(bad[0].get('val'))} of {shown(bad[0].get('cts'))}"
        raise Wrong(f"{len(bad)} signatures that the key for labels did not make, the first on {first}", SIGNATURES)
    return "every signature is the key's"


def _judge_values(expected: Expected, labels: Collection[Mapping[str, Any]]) -> str:
    values = {str(label.get("val")) for label in labels if not label.get("neg")}
    if bad := sorted(value for value in values if not re.fullmatch("[a-z-]{1,100}", value)):
        raise Wrong(f"values that no labeler may use: {shown(', '.join(bad))}", BAD_VALUES)
    if expected.values is not None and (more := values - expected.values):
        raise Wrong(f"values that are not declared: {shown(', '.join(sorted(more)))}", UNDECLARED)
    return f"values: {', '.join(sorted(values)) or 'negations only'}"


def _judge_times(_: Expected, labels: Collection[Mapping[str, Any]]) -> str:
    times = [parse_datetime(cts) if isinstance(cts := label.get("cts"), str) else None for label in labels]
    if None in times:
        raise Wrong("a label without a time (cts) that can be read", NOT_FRAMES)
    ahead = max(at for at in times if at is not None) / 1e6 - time.time()
    if ahead > SKEW_SECONDS:
        raise Wrong(f"the last label was made {ahead:.0f} seconds from now", CLOCK)
    return f"the last label is {max(0, round(-ahead))} seconds old"


async def _reports(endpoint: str) -> str:
    try:
        asked = url(endpoint, REPORT, (), "http")
        async with asyncio.timeout(20), new_session() as session, session.post(asked, json={}, allow_redirects=False) as answer:
            status = answer.status
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Wrong(f"no answer: {error or type(error).__name__}"[:200], unreachable(error, endpoint)) from None
    if status in (400, 401):
        return f"HTTP {status}: reports need an account's token, as they should"
    raise Wrong(f"HTTP {status} to a report without a token", OPEN_REPORTS if status < 400 else NO_REPORTS)
