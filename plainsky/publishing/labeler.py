"""`plainsky publish labeler`: look, compare, check, and then write; each step is a function, and only `carry_out` writes."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import msgspec
from attrs import evolve, frozen

from labeler import keys
from labeler.declaration import COLLECTION, RKEY, did_document_parts, service_record
from models.protocol.k256 import PrivateKey
from models.protocol.syntax import format_datetime, parse_datetime
from plainsky.config.errors import shown
from plainsky.config.schema import Config
from plainsky.config.signing import signing_key
from plainsky.errors import OperatorError
from plainsky.publishing import documents
from plainsky.publishing.checks import Check
from plainsky.publishing.documents import DocumentChange
from plainsky.publishing.labeler_checks import Expected, check_document, check_service
from plainsky.publishing.repo import NoAccount, Repo, Standing, locate

PASSWORD = "PLAINSKY_LABELER_PASSWORD"  # noqa: S105 - the name of a variable, not its value

NO_ACCOUNT = """\
[labeler] did: a labeler is an account, in whose repo its record stands, and {did} is none: {why}.
  1. Make an account for the labeler in the Bluesky app. It can label everything but its own posts.
  2. Look up its DID (put its handle at the end):
     {resolver}/xrpc/com.atproto.identity.resolveHandle?handle=
  3. Write it below [labeler] in the config:
     did = "did:plc:..."
  4. Restart the service, and run this again."""
OURSELVES = "it is this service itself, whose document names no PDS (docs/labeler.md tells what a did:web needs)"
WRITE_DOWN = " Write into it:\n{parts}"
NO_LABELER = "The config has no labeler: expected a [labeler] table and at least one [[labels]] table (docs/labeler.md)."

LONGEST = 400
"""Characters of a value that are shown."""


@frozen
class Prepared:
    """All that is known before anything is written. `document` None: it is a did:web, whose owner serves it herself."""

    repo: Repo
    key: str
    endpoint: str
    document: DocumentChange | None
    standing: Standing | None
    record: dict[str, Any]
    checks: tuple[Check, ...]

    @property
    def good(self) -> bool:
        """Every check is passed."""
        return all(check.mend is None for check in self.checks)

    @property
    def changes_document(self) -> bool:
        """The DID document lacks something."""
        return self.document is not None and self.document.is_needed

    @property
    def changes_record(self) -> bool:
        """The record is another one than the config's."""
        return self.standing is None or self.standing.value != self.record


async def prepare(config: Config, now_us: int, stopped: bool = False) -> Prepared:
    """What publishing the labeler would change. OperatorError, or Unable when it cannot be told.

    stopped: the service stands still, so that nobody looks at it.
    """
    if config.labeler is None or not config.labels:
        raise OperatorError(NO_LABELER)
    did, endpoint = config.labeler_did, config.service.endpoint
    key = keys.public_key_multibase(signing_key(config).public_key)
    repo = await _repo(config)
    standing = (await repo.records(COLLECTION)).get(RKEY)
    record = merged(standing.value if standing else {}, service_record(config.labels, config.labeler.reports), now_us)
    change = await documents.planned(config.identity.plc, did, f"did:key:{key}", endpoint) if did.startswith("did:plc:") else None
    expected = Expected(did, endpoint, key, frozenset(policy.value for policy in config.labels), config.service.port)
    checks = [] if stopped else await check_service(expected)
    checks += [] if change else [await _document(expected, config)]
    return Prepared(repo, key, endpoint, change, standing, record, tuple(checks))


def merged(standing: Mapping[str, Any], decided: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """The record to write: what is decided, the rest of the standing one, and its createdAt. Equal to `standing` when nothing changes."""
    created = standing.get("createdAt")
    if not (isinstance(created, str) and parse_datetime(created) is not None):
        created = format_datetime(now_us)
    return {**standing, **decided, "createdAt": created}


async def carry_out(
    prepared: Prepared,
    login: Callable[[Repo], Awaitable[None]],
    rotation_key: PrivateKey | None,
    token: str | None,
    ask: Callable[[], Awaitable[str]],
    say: Callable[[str], None],
) -> None:
    """First the document, then the record: whoever reads the record finds the service. Unable when it goes wrong.

    login: makes the repo ready to be written to. token, ask: see `documents.through_pds`.
    """
    if (change := prepared.document) and change.is_needed:
        if rotation_key:
            await documents.with_own_key(change, rotation_key)
        else:
            await login(prepared.repo)
            await documents.through_pds(change, prepared.repo, token, ask)
        say("updated the DID document")
    if prepared.changes_record:
        if rotation_key or not prepared.changes_document:
            await login(prepared.repo)
        await prepared.repo.put(COLLECTION, RKEY, prepared.record, prepared.standing)
        say(f"{'updated' if prepared.standing else 'created'} the record {COLLECTION}")


def told(prepared: Prepared) -> list[str]:
    """What will change, in plain words."""
    lines = [
        f"Labeler     {prepared.repo.handle}, {prepared.repo.did}, on {prepared.repo.host}",
        f"Service     {prepared.endpoint}, signing with {prepared.key}",
        "",
        *(documents.told(prepared.document) if prepared.document else []),
    ]
    kind = ("update" if prepared.standing else "create") if prepared.changes_record else "unchanged"
    return [*lines, f"{kind:<10}  the record {COLLECTION}", *(_differences(prepared) if prepared.changes_record else [])]


def _differences(prepared: Prepared) -> Iterator[str]:
    before = dict(flat(prepared.standing.value)) if prepared.standing else {}
    after = dict(flat(prepared.record))
    for name in [*after, *(name for name in before if name not in after)]:
        if name in ("$type", "createdAt") or before.get(name) == after.get(name):
            continue
        yield f"    {name}"
        yield from [f"        - {shown(before[name], LONGEST)}"] if name in before else []
        yield from [f"        + {shown(after[name], LONGEST)}"] if name in after else []
    if gone := _values(before) - _values(after):
        yield f"    Note: clients will ignore the labels {', '.join(sorted(gone))} that stand. Negate them: plainsky labels negate-all."


def _values(record: Mapping[str, Any]) -> set[str]:
    values = record.get("labels")
    return {value for value in values if isinstance(value, str)} if isinstance(values, list) else set()


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a record with a name each, as people say it: "claim, nl, name"; what stands in a repo may be anything."""
    for key, part in value.items() if isinstance(value, dict) else ():
        under = f"{name}, {shown(key)[1:-1]}".removeprefix(", ")
        if isinstance(part, dict):
            yield from flat(part, "" if key == "policies" else under)
        elif isinstance(part, list) and part and all(isinstance(item, dict) for item in part):
            for number, item in enumerate(part):
                known = next((word for word in (item.get("identifier"), item.get("lang")) if isinstance(word, str)), str(number))
                yield from flat(item, f"{name}, {shown(known)[1:-1]}".removeprefix(", "))
        elif key not in ("identifier", "lang"):
            yield ("labels" if under == "labelValues" else under), part


async def _document(expected: Expected, config: Config) -> Check:
    """Of a did:web the owner writes the document, and is told what is to stand in it."""
    check = await check_document(expected, config.identity.plc)
    if check.mend is None:
        return check
    parts = did_document_parts(expected.did, signing_key(config).public_key, expected.endpoint)
    lines = msgspec.json.format(msgspec.json.encode(parts)).decode()
    return evolve(check, mend=check.mend + WRITE_DOWN.format(parts=lines))


async def _repo(config: Config) -> Repo:
    did = config.labeler_did
    if did == config.service.web_did:
        raise OperatorError(_no_account(config, OURSELVES))
    try:
        return await locate(did, config.identity.plc)
    except NoAccount as error:
        raise OperatorError(_no_account(config, str(error))) from None


def _no_account(config: Config, why: str) -> str:
    return NO_ACCOUNT.format(did=config.labeler_did, why=why, resolver=config.identity.resolver.rstrip("/"))
