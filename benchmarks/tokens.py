"""What a verified service-auth token costs, its account's key being known, as a ratio to the bare signature check of the same bytes.

    python -m benchmarks.tokens [--tokens 4000] [--rounds 15]

The bare check is libsecp256k1 by way of coincurve, on a signature that is decoded already. No token comes twice. The same of the Python
SDK (`atproto`) is printed beside it where it is installed; it has no limit.
"""

import argparse
import asyncio
import base64
import json
import time
from collections.abc import Callable
from typing import NamedTuple

import coincurve

from benchmarks.measure import compare, finish, verdict
from models.protocol.k256 import PrivateKey
from models.protocol.service_auth import audiences
from plainsky.asking.did_documents import DidDocument, DidDocuments
from plainsky.asking.tokens import Verifier

LIMIT = 1.3
ACCOUNTS = 100
LXM = "app.bsky.feed.getFeedSkeleton"
SERVICE = "did:web:feeds.example.org"


class Signed(NamedTuple):
    """A token and what is under it; the signature in DER, as coincurve takes it."""

    token: str
    key: PrivateKey
    message: bytes
    der: bytes


def did(number: int) -> str:
    """The DID of an account."""
    return f"did:plc:{number:024d}"


def minted(number: int, now: int) -> Signed:
    """As the reference PDS mints it (@atproto/xrpc-server, createServiceJwt)."""
    key = PrivateKey((number % ACCOUNTS + 1).to_bytes(32, "big"))
    claims = {"iat": now, "iss": did(number % ACCOUNTS), "aud": SERVICE, "exp": now + 60, "lxm": LXM, "jti": f"{number:032x}"}
    message = f"{_encoded({'typ': 'JWT', 'alg': 'ES256K'})}.{_encoded(claims)}".encode()
    signature = base64.urlsafe_b64encode(key.sign(message)).rstrip(b"=")
    return Signed(
        f"Bearer {(message + b'.' + signature).decode()}", key, message, coincurve.PrivateKey.from_hex(key.to_hex()).sign(message)
    )


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


class Known(DidDocuments):
    """Knows the accounts already, and asks nobody."""

    def __init__(self) -> None:
        super().__init__("http://localhost:1")
        for number in range(ACCOUNTS):
            key = PrivateKey((number + 1).to_bytes(32, "big")).public_key
            self._keep(did(number), DidDocument(did(number), {"#atproto": key}, {}))


def bare(tokens: list[Signed]) -> Callable[[], None]:
    """The signature check alone."""
    checks = [(coincurve.PublicKey(token.key.public_key.point), token.der, token.message) for token in tokens]

    def work() -> None:
        for key, der, message in checks:
            assert key.verify(der, message)

    return work


def verified(tokens: list[Signed], now: int) -> Callable[[], None]:
    """All that the service does, from the Authorization header to the DID."""
    verifier = Verifier(Known(), audiences(SERVICE, "bsky_fg"), lambda: now)

    async def work() -> None:
        for token in tokens:
            await verifier.verify(token.token, LXM)

    return lambda: asyncio.run(work())


def by_the_sdk(tokens: list[Signed]) -> Callable[[], None] | None:
    """The SDK's check of the same tokens, or None where it is not installed."""
    try:
        from atproto_server.auth.jwt import verify_jwt
    except ImportError:
        return None
    keys = {did(number): f"did:key:{_multibase(number)}" for number in range(ACCOUNTS)}
    few = [token.token.removeprefix("Bearer ") for token in tokens[: len(tokens) // 10]]

    def work() -> None:
        for token in few:
            verify_jwt(token, lambda iss, _: keys[iss], SERVICE)

    return work


def _multibase(number: int) -> str:
    from labeler.keys import public_key_multibase

    return public_key_multibase(PrivateKey((number + 1).to_bytes(32, "big")).public_key)


def main() -> None:
    """Print the ratio beside its limit."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tokens", type=int, default=4000)
    options.add_argument("--rounds", type=int, default=15)
    args = options.parse_args()
    now = int(time.time())
    tokens = [minted(number, now) for number in range(args.tokens)]
    alone = bare(tokens)
    ours = compare(alone, verified(tokens, now), args.rounds)
    if sdk := by_the_sdk(tokens):
        few = tokens[: len(tokens) // 10]
        theirs = compare(bare(few), sdk, 3)
        print(f"the SDK: {theirs.b / len(few) * 1e6:.0f} us a token, {theirs.ratio:.1f} times the bare check")
    print(f"bare check {ours.a / len(tokens) * 1e6:.1f} us, verified token {ours.b / len(tokens) * 1e6:.1f} us")
    finish(verdict("a verified token / the bare signature check", ours.ratio, LIMIT))


if __name__ == "__main__":
    main()
