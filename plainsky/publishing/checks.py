"""Looks at our service from outside, as the AppView will, before anything is published; says what was asked, what came back, what to mend.

A feed whose service cannot be found is published all the same by any PDS, and every reader then sees an error.
Sources: atproto.com/specs/did; bsky/src/api/app/bsky/feed/getFeed.ts (service `bsky_fg` of type BskyFeedGenerator).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import msgspec
from attrs import frozen

from feedgen.service import COLLECTION
from plainsky.config.errors import shown
from plainsky.config.schema import Config, is_local
from plainsky.ingest import Disconnected
from plainsky.ingest.connecting import Parameters, fetch
from plainsky.publishing.xrpc import error_in

LIMIT = 1_000_000

DNS = (
    "The name leads nowhere. Make a DNS record for it that leads to this server (A; AAAA too if it has IPv6), and see that [service]"
    " hostname is spelled the same. A new record may need an hour."
)
CERTIFICATE = (
    "The certificate is not good for this name. Caddy gets one by itself when the DNS record leads to it and ports 80 and 443 are open:"
    " `journalctl -u caddy` says what it lacks."
)
NO_TLS = "Something answers there without TLS. The proxy must speak https on port 443, and pass on to Plainsky over plain http."
CLOSED = "The port is closed. Start the proxy (`systemctl status caddy`), and open ports 80 and 443 in the firewall."
SILENT = (
    "No answer in time. Open port 443 in the firewall (the hosting company's, too). Some routers do not let a network reach its own public"
    " address: then run this command on a machine elsewhere; it needs nothing but the config, the pictures and the password."
)
BROKEN = "The connection breaks off. The log of the proxy says why (`journalctl -u caddy`)."
NOT_STARTED = "The service is not running on this machine. Start it: `plainsky run`."
REDIRECT = "The name must answer itself, without a redirect. Write the name that it leads to into [service] hostname, or mend the proxy."
LOCKED = "Something in front of Plainsky turns strangers away. It must let everybody read, without login or a check for robots."
NO_BACKEND = "The proxy gets no answer from Plainsky. Start it (`systemctl status plainsky`); the proxy must pass to port {port}."
OTHER_PROGRAM = "Another program answers. The proxy must pass this host name to Plainsky, on port {port}. Is [service] hostname right?"
ANOTHER_CONFIG = (
    "Plainsky runs with another config than this one: restart it (`systemctl restart plainsky`) with this file, and compare [service]"
    " hostname, did and publisher."
)
OLDER_CONFIG = "Plainsky runs with an older config than this one: restart it (`systemctl restart plainsky`)."
UNKNOWN = "The directory does not know the DID: see that [service] did is spelled right."
DIRECTORY = "The directory of DIDs does not answer as it should. Is this machine online, and [identity] plc right? Else try again later."
PLC = (
    "Add the service to that document: id `bsky_fg`, type `BskyFeedGenerator`, endpoint `{endpoint}`. docs/publishing.md shows how, under"
    " did:plc. Or leave [service] did out, and the service is {web}."
)


@frozen
class Check:
    """One thing looked at: `asked` an address, `answer` what came back, `mend` what to do about it (None: all is well)."""

    asked: str
    answer: str
    mend: str | None = None


class Wrong(Exception):
    """What came back instead, and what to mend."""

    def __init__(self, answer: str, mend: str) -> None:
        super().__init__(answer, mend)
        self.answer, self.mend = answer, mend


async def checked(config: Config, rkeys: Sequence[str]) -> list[Check]:
    """Whether the DID document and the service are what the records will say; `rkeys` are the feeds to be published."""
    base = config.service.endpoint
    return list(
        await asyncio.gather(
            _check(*_document(config), _judge_document, config, rkeys),
            _check(base, "/xrpc/app.bsky.feed.describeFeedGenerator", _judge_description, config, rkeys),
        )
    )


def told(checks: Sequence[Check]) -> list[str]:
    """The checks in plain words."""
    lines = []
    for check in checks:
        lines.append(f"{'FAILED' if check.mend else 'ok':<6}  {check.asked}")
        lines.append(f"        {check.answer}")
        lines += [f"        {check.mend}"] if check.mend else []
    return lines


def _document(config: Config) -> tuple[str, str]:
    return place(config.service.did, config.identity.plc)


def place(did: str, plc: str) -> tuple[str, str]:
    """Host and path of a DID's document."""
    if not did.startswith("did:web:"):
        return plc.rstrip("/"), f"/{did}"
    name = did.removeprefix("did:web:").replace("%3A", ":")
    return f"{'http' if is_local(name) else 'https'}://{name}", "/.well-known/did.json"


async def _check(host: str, path: str, judge: Any, config: Config, rkeys: Sequence[str]) -> Check:
    asked = f"{host}{path}"
    try:
        return Check(asked, judge(await look(host, path, config), config, rkeys))
    except Wrong as wrong:
        return Check(asked, wrong.answer, wrong.mend)


async def look(host: str, path: str, config: Config) -> dict[str, Any]:
    """The JSON object that a stranger gets there; Wrong when there is none."""
    return await answered(host, path, (), host != config.identity.plc.rstrip("/"), config.service.port)


async def answered(host: str, path: str, parameters: Parameters = (), ours: bool = True, port: int = 3000) -> dict[str, Any]:
    """The same with parameters. `ours`: it is the service that is looked at, which Plainsky serves on `port` behind a proxy."""
    try:
        status, body = await fetch(host, path, parameters, LIMIT)
    except Disconnected as error:
        raise Wrong(str(error), unreachable(error.__cause__, host) if ours else DIRECTORY) from None
    if status != 200:
        said = " ".join(part for part in (f"HTTP {status}", *error_in(body)) if part)
        raise Wrong(said, _mend_status(status, ours).format(port=port))
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError):
        raise Wrong(f"no JSON object: {shown(body[:100].decode(errors='replace'))}", OTHER_PROGRAM.format(port=port)) from None


def unreachable(cause: BaseException | None, host: str) -> str:
    """What to mend when no connection comes about."""
    if is_local(host.partition("://")[2]):
        return NOT_STARTED
    kinds = (
        (aiohttp.ClientConnectorDNSError, DNS),
        (aiohttp.ClientConnectorCertificateError, CERTIFICATE),
        (aiohttp.ClientSSLError, NO_TLS),
        (TimeoutError, SILENT),
    )
    for kind, mend in kinds:
        if isinstance(cause, kind):
            return mend
    refused = isinstance(cause, aiohttp.ClientConnectorError) and isinstance(cause.os_error, ConnectionRefusedError)
    return CLOSED if refused else BROKEN if isinstance(cause, aiohttp.ServerDisconnectedError) else SILENT


def _mend_status(status: int, ours: bool) -> str:
    if not ours:
        return UNKNOWN if status in (404, 410) else DIRECTORY
    if status in (502, 503, 504):
        return NO_BACKEND
    if status in (401, 403, 429):
        return LOCKED
    return REDIRECT if 300 <= status < 400 else OTHER_PROGRAM


def _judge_document(document: dict[str, Any], config: Config, _: Sequence[str]) -> str:
    did, base = config.service.did, config.service.endpoint
    if document.get("id") != did:
        raise Wrong(f"it is the document of {shown(document.get('id'))}, not of {did}", ANOTHER_CONFIG)
    found = [service for service in entries(document, "service") if service.get("id") in ("#bsky_fg", f"{did}#bsky_fg")]
    mend = ANOTHER_CONFIG if did == config.service.web_did else PLC.format(endpoint=base, web=config.service.web_did)
    if not found:
        raise Wrong("the document names no service #bsky_fg", mend)
    kind, leads = found[0].get("type"), found[0].get("serviceEndpoint")
    if kind != "BskyFeedGenerator" or leads != base:
        raise Wrong(f"its service #bsky_fg is a {shown(kind)} at {shown(leads)}, not a BskyFeedGenerator at {base}", mend)
    return f"{did}, whose feed generator is {base}"


def entries(document: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """What stands in a list of a DID document, such as "service"."""
    found = document.get(kind)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _judge_description(description: dict[str, Any], config: Config, rkeys: Sequence[str]) -> str:
    did = config.service.did
    if description.get("did") != did:
        raise Wrong(f"it is {shown(description.get('did'))}, not {did}", ANOTHER_CONFIG)
    feeds = description.get("feeds")
    offered = {feed.get("uri") for feed in feeds if isinstance(feed, dict)} if isinstance(feeds, list) else set()
    lacking = [uri for rkey in rkeys if (uri := f"at://{config.service.publisher}/{COLLECTION}/{rkey}") not in offered]
    if lacking:
        raise Wrong(f"it does not offer {' and '.join(lacking)}", OLDER_CONFIG)
    return f"{did}, which offers {'this feed' if len(rkeys) == 1 else f'these {len(rkeys)} feeds'}"
