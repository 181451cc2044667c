"""`plainsky publish labeler --check HOST|DID`: is this, anywhere in the world, a labeler whose labels arrive?"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from labeler.declaration import COLLECTION, RKEY
from models.protocol.syntax import is_did, is_handle
from plainsky.config.errors import shown
from plainsky.config.schema import is_local
from plainsky.errors import OperatorError
from plainsky.ingest import Disconnected
from plainsky.publishing.checks import Check, Wrong, answered, place
from plainsky.publishing.labeler_checks import Expected, check_reports, check_service, found_in
from plainsky.publishing.last_labels import QUERY
from plainsky.publishing.record_checks import judge_record
from plainsky.publishing.repo import NoAccount, locate, resolve_handle
from plainsky.publishing.xrpc import Unable

NO_RECORD = "Publish it: `plainsky publish labeler`. Without its record a labeler is no labeler for the app."
NOT_INDEXED = (
    "The AppView learns of the record within a minute; then sign in to the account with the app, and see whether it is active."
    " Nobody can subscribe before that."
)
NO_TARGET = "--check: expected a DID, a handle or a host name, like did:plc:..., labels.example.org or localhost:3000"


@frozen
class Network:
    """Who is asked for DID documents, and which AppView must know the labeler."""

    plc: str
    resolver: str
    appview: str
    port: int = 3000


async def check_anywhere(target: str, network: Network) -> list[Check]:
    """Everything that can be seen from outside. OperatorError when there is no such thing as the target."""
    did = await did_of(target, network)
    host, path = place(did, network.plc)
    try:
        endpoint, key = found_in(await answered(host, path, (), host != network.plc.rstrip("/"), network.port), did)
    except Wrong as wrong:
        return [Check(f"{host}{path}", wrong.answer, wrong.mend)]
    checks = [Check(f"{host}{path}", f"{did}, whose labeler is {endpoint}, with the key {key}")]
    record, check = await _record(did, network)
    checks.append(check)
    values = frozenset(value for value in record["policies"]["labelValues"] if isinstance(value, str)) if record else None
    checks += await check_service(Expected(did, endpoint, key, values, network.port))
    if record and record.get("reasonTypes") != []:
        checks.append(await check_reports(endpoint))
    return [*checks, await _appview(did, network)]


async def did_of(target: str, network: Network) -> str:
    """The DID that a DID, handle, or host name of a labeler means."""
    name = target.removeprefix("https://").removeprefix("http://").removeprefix("@").rstrip("/").lower()
    if is_did(target):
        return target
    if not (is_local(name) or is_handle(name)):
        raise OperatorError(f"{NO_TARGET}, not {shown(target)}")
    web = f"did:web:{name.replace(':', '%3A')}"
    found = await _did_web(web, network) or await resolve_handle(network.resolver, name) or await _speaker(place(web, "")[0])
    if found:
        return found
    raise OperatorError(
        f"--check {shown(target)}: no labeler is known by that name: it serves no /.well-known/did.json with a labeler, is no handle,"
        " and has no labels. Give the labeler's DID."
    )


async def _did_web(did: str, network: Network) -> str | None:
    host, path = place(did, network.plc)
    try:
        found_in(await answered(host, path), did)
    except (Wrong, Disconnected):
        return None
    return did


async def _speaker(host: str) -> str | None:
    """Whose labels a host tells."""
    try:
        labels = (await answered(host, QUERY, [("uriPatterns", "*"), ("limit", 1)])).get("labels")
        src = labels[0].get("src") if isinstance(labels, list) else None
    except (Wrong, IndexError, AttributeError):
        return None
    return src if isinstance(src, str) and is_did(src) else None


async def _record(did: str, network: Network) -> tuple[Mapping[str, Any] | None, Check]:
    asked = f"at://{did}/{COLLECTION}/{RKEY}"
    try:
        standing = (await (await locate(did, network.plc)).records(COLLECTION)).get(RKEY)
    except (NoAccount, Unable) as error:
        return None, Check(asked, str(error), NO_RECORD)
    if standing is None:
        return None, Check(asked, "there is no such record", NO_RECORD)
    said, mend = judge_record(standing.value)
    return (None if mend else standing.value), Check(asked, said, mend)


async def _appview(did: str, network: Network) -> Check:
    path = "/xrpc/app.bsky.labeler.getServices"
    asked = f"{network.appview}{path}?dids={did}"
    try:
        views = (await answered(network.appview.rstrip("/"), path, [("dids", did)])).get("views")
    except Wrong as wrong:
        return Check(asked, wrong.answer, NOT_INDEXED)
    if not views:
        return Check(asked, "the AppView knows no labeler of this DID", NOT_INDEXED)
    return Check(asked, "the AppView knows the labeler")
