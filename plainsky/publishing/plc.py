"""did:plc: the operation that puts a labeler into a DID document, and the directory that keeps it. Only `submit` writes.

Promise: keys, services and names of others stay as they are, and so do the rotation keys. An operation names the one before by its CID
(`prev`); it must still be the newest when the next is handed in, or that one would take it back (a fork within 72 hours).
Source: web.plc.directory/spec/v0.1/did-plc; packages lib and server of github.com/did-method-plc/did-method-plc.
"""

from base64 import b32encode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeAlias

import libipld
import msgspec

from labeler.declaration import KEY_ID, SERVICE_ID, SERVICE_TYPE
from labeler.keys import did_key
from models.protocol.k256 import PrivateKey
from plainsky.publishing.xrpc import Unable, error_in, get, object_in, send

Operation: TypeAlias = Mapping[str, Any]
"""As the directory keeps it: type, rotationKeys, verificationMethods, alsoKnownAs, services, prev, sig."""

KEY, SERVICE = KEY_ID.removeprefix("#"), SERVICE_ID.removeprefix("#")
DECIDED = ("rotationKeys", "alsoKnownAs", "verificationMethods", "services")
"""What an operation says of the DID; all of it is said anew each time."""


async def last(directory: str, did: str) -> Operation:
    """The DID's newest operation. Unable when it cannot be had, or is its end."""
    status, body = await get(directory, f"/{did}/log/last")
    if status != 200:
        raise Unable(f"{directory} does not tell the last operation of {did}: HTTP {status} {' '.join(error_in(body))}".rstrip())
    operation = object_in(body)
    if operation.get("type") == "plc_tombstone":
        raise Unable(f"{did} was given up by its owner (a tombstone in {directory}): it can be no labeler")
    if not _is_operation(normalized(operation)):
        raise Unable(f"{directory} tells an operation of {did} that makes no sense: nothing is built upon it")
    return operation


def normalized(operation: Operation) -> Operation:
    """The same in today's form: the first operation of an old DID has another one."""
    if operation.get("type") != "create":
        return operation
    get = operation.get
    handle, pds = str(get("handle")), str(get("service"))
    return {
        "type": "plc_operation",
        "rotationKeys": [get("recoveryKey"), get("signingKey")],
        "verificationMethods": {"atproto": get("signingKey")},
        "alsoKnownAs": [handle if handle.startswith("at://") else f"at://{handle}"],
        "services": {
            "atproto_pds": {"type": "AtprotoPersonalDataServer", "endpoint": pds if "://" in pds else f"https://{pds}"},
        },
        "prev": get("prev"),
        "sig": get("sig"),
    }


def with_labeler(before: Operation, key: str, endpoint: str) -> dict[str, Any]:
    """The operation after `before`, not signed yet, that adds service and key (a did:key) of the labeler, or puts them in their places."""
    old = {name: value for name, value in normalized(before).items() if name != "sig"}
    return {
        **old,
        "verificationMethods": {**old["verificationMethods"], KEY: key},
        "services": {**old["services"], SERVICE: {"type": SERVICE_TYPE, "endpoint": endpoint}},
        "prev": cid(before),
    }


def changes_nothing(before: Operation, after: Operation) -> bool:
    """Whether both say the same of the DID."""
    return all(normalized(before)[key] == after[key] for key in DECIDED)


def cid(operation: Operation) -> str:
    """CIDv1 of DAG-CBOR by SHA-256, in base32; the signature is part of it."""
    digest = sha256(libipld.encode_dag_cbor(dict(operation))).digest()
    return "b" + b32encode(b"\x01\x71\x12\x20" + digest).decode().rstrip("=").lower()


def signed(operation: Operation, key: PrivateKey) -> dict[str, Any]:
    """With the signature of a rotation key: low-S, 64 bytes, base64url without padding."""
    sig = key.sign(libipld.encode_dag_cbor(dict(operation)))
    return {**operation, "sig": urlsafe_b64encode(sig).decode().rstrip("=")}


def may_sign(operation: Operation, key: PrivateKey) -> bool:
    """Whether the key is one of the DID's rotation keys, as of this operation."""
    return did_key(key.public_key) in normalized(operation)["rotationKeys"]


async def submit(directory: str, did: str, operation: Operation) -> None:
    """Hand it in. Refused when the directory says no."""
    await send(f"{directory}/{did}", "the operation", msgspec.json.encode(operation))


def _is_operation(operation: Operation) -> bool:
    get = operation.get
    strings = [*_list(get("rotationKeys")), *_list(get("alsoKnownAs")), *_dict(get("verificationMethods")).values()]
    services = _dict(get("services")).values()
    return (
        get("type") == "plc_operation"
        and bool(_list(get("rotationKeys")))
        and all(isinstance(get(key), list) for key in DECIDED[:2])
        and all(isinstance(get(key), dict) for key in DECIDED[2:])
        and all(isinstance(text, str) for text in strings)
        and all(isinstance(service, dict) and {"type", "endpoint"} <= service.keys() for service in services)
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
