"""The labeler's DID document: what it lacks, how that is told, and how it gets there.

Promises: the operation that is handed in is the one whose difference was shown; it is refused when meanwhile another one was made. Two
ways for a did:plc: its PDS signs, for the account's own password and a code by mail, or a rotation key of the operator's own does.
Sources: lexicons com.atproto.identity.{requestPlcOperationSignature,signPlcOperation,submitPlcOperation,getRecommendedDidCredentials}.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import msgspec
from attrs import frozen

from labeler.keys import did_key
from models.protocol.k256 import PrivateKey
from plainsky.config.errors import shown
from plainsky.errors import OperatorError
from plainsky.publishing import plc
from plainsky.publishing.plc import DECIDED, KEY, SERVICE, Operation
from plainsky.publishing.repo import Repo
from plainsky.publishing.xrpc import Refused, Unable

IDENTITY = "com.atproto.identity"

OF_THE_APP = (
    "{host} lets no app password change the DID document. Give the account's own password this once, in PLAINSKY_LABELER_PASSWORD, and an"
    " app password from then on; or sign with a rotation key of your own (--rotation-key FILE). It said: {said}"
)
OTHER_OPERATION = "The DID document was changed by somebody else just now. Run this again, and see the difference anew."
NOT_A_ROTATION_KEY = "--rotation-key: that key is {key}, which is none of the rotation keys of {did}: {keys}"


@frozen
class DocumentChange:
    """What becomes of a did:plc: `before` is its last operation, `after` the one to come, not signed yet."""

    did: str
    directory: str
    before: Operation
    after: dict[str, Any]

    @property
    def is_needed(self) -> bool:
        """The document lacks something."""
        return not plc.changes_nothing(self.before, self.after)


async def planned(directory: str, did: str, key: str, endpoint: str) -> DocumentChange:
    """What the document needs; `key` is a did:key. Unable when it cannot be read."""
    before = await plc.last(directory.rstrip("/"), did)
    return DocumentChange(did, directory.rstrip("/"), before, plc.with_labeler(before, key, endpoint))


def told(change: DocumentChange) -> list[str]:
    """The change in plain words; what stays is told, too."""
    before, after = plc.normalized(change.before), change.after
    lines = [f"{'update' if change.is_needed else 'unchanged':<10}  the DID document, in {change.directory}"]
    if change.is_needed:
        lines += _line(f"service #{SERVICE}", _service(before["services"].get(SERVICE)), _service(after["services"][SERVICE]))
        lines += _line(f"key #{KEY}", before["verificationMethods"].get(KEY), after["verificationMethods"][KEY])
        lines.append(f"    {'stays':<26} {', '.join(_staying(before))}")
    if change.is_needed and SERVICE in before["services"] and before["services"][SERVICE] != after["services"][SERVICE]:
        lines.append("    Note: until now the labeler is at another address. What it issued there stays behind: a log begins anew.")
    return lines


def _line(name: str, before: str | None, after: str | None) -> list[str]:
    if before == after:
        return []
    return [f"    {name:<26} {shown(before)[1:-1] if before else 'none'}", f"{'-> ':>31}{after}"]


def _service(service: Mapping[str, str] | None) -> str | None:
    return f"{service['type']} at {service['endpoint']}" if service else None


def _staying(before: Operation) -> Iterator[str]:
    yield from (f"service #{shown(name)[1:-1]}" for name in before["services"] if name != SERVICE)
    yield from (f"key #{shown(name)[1:-1]}" for name in before["verificationMethods"] if name != KEY)
    yield from (shown(name)[1:-1] for name in before["alsoKnownAs"])
    count = len(before["rotationKeys"])
    yield f"{count} rotation key{'s' if count > 1 else ''}"


async def with_own_key(change: DocumentChange, key: PrivateKey) -> None:
    """Sign the operation with a rotation key of the operator's, and hand it to the directory."""
    require_rotation_key(change, key)
    await _still_so(change)
    try:
        await plc.submit(change.directory, change.did, plc.signed(change.after, key))
    except Refused as error:
        raise Unable(f"The directory refuses the change of the DID document. {error}") from None


def require_rotation_key(change: DocumentChange, key: PrivateKey) -> None:
    """OperatorError unless the key may sign for the DID."""
    if not plc.may_sign(change.before, key):
        keys = ", ".join(plc.normalized(change.before)["rotationKeys"])
        raise OperatorError(NOT_A_ROTATION_KEY.format(key=did_key(key.public_key), did=change.did, keys=keys))


async def through_pds(change: DocumentChange, repo: Repo, token: str | None, ask: Callable[[], Awaitable[str]]) -> None:
    """Let the account's PDS sign (`repo` is logged in with its own password) and hand the operation in.

    token: the code of a mail that came already; else one is asked for, and `ask` returns it.
    """
    await _agrees(change, repo)
    if token is None:
        await _call(repo, "requestPlcOperationSignature")
        token = await ask()
    said = {name: change.after[name] for name in DECIDED}
    operation = (await _call(repo, "signPlcOperation", {"token": token.strip(), **said})).get("operation")
    if not isinstance(operation, dict) or {name: value for name, value in operation.items() if name != "sig"} != change.after:
        raise Unable(f"{repo.host} signed something else than it was asked to: nothing was handed in. Run this again.")
    await _still_so(change)
    await _call(repo, "submitPlcOperation", {"operation": operation})


async def _still_so(change: DocumentChange) -> None:
    if await plc.last(change.directory, change.did) != change.before:
        raise Unable(OTHER_OPERATION)


async def _agrees(change: DocumentChange, repo: Repo) -> None:
    """The PDS hands in no operation that would take the account away from it: better to know before a mail is sent."""
    try:
        wanted = await repo.ask(f"{IDENTITY}.getRecommendedDidCredentials")
    except Refused as error:
        raise Unable(_refused(error, repo)) from None
    for name in ("verificationMethods", "services"):
        for key, value in (wanted.get(name) or {}).items():
            if change.after[name].get(key) != value:
                there = shown(change.after[name].get(key))
                raise Unable(
                    f"The DID document and {repo.host} disagree on #{key}: {there} there, {shown(value)} here. The PDS would refuse any"
                    " change of the document: mend that first, or use --rotation-key."
                )


async def _call(repo: Repo, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    try:
        return await repo.call(f"{IDENTITY}.{name}", msgspec.json.encode(body) if body else b"")
    except Refused as error:
        raise Unable(_refused(error, repo)) from None


def _refused(error: Refused, repo: Repo) -> str:
    said = str(error)
    if "scope" in said.lower() or error.status == 403:
        return OF_THE_APP.format(host=repo.host, said=said)
    if error.name in ("InvalidToken", "ExpiredToken") and "signPlcOperation" in said:
        return (
            f"The code from the mail is not accepted: it is wrong, was used, or is older than 15 minutes. Run this again. It said: {said}"
        )
    return said
