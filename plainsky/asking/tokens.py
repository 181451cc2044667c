"""Who asks: service-auth tokens verified against the keys in DID documents, and those for one use only remembered.

Promises: a key that was changed is found with one forced look at the DID document; nobody's identity is logged or kept longer than the
token lives, and of tokens used once only a hash is kept, in memory.
Source: models/protocol/service_auth.py names them.
"""

import time
from collections.abc import Callable, Set
from hashlib import sha256
from heapq import heappop, heappush

from models.protocol.service_auth import KEY_ID, Claims, Token, bad_signature, check, parse, refusal, signed_by
from models.protocol.xrpc import XrpcError
from plainsky.asking.did_documents import DidDocument, DidDocuments, NoSuchDid, Unresolved

REMEMBERED = 100_000
"""Tokens for one use, some 200 bytes each."""


class Verifier:
    """Verifies tokens meant for one service; `verify` is its rooms' Authenticate. `clock`: seconds since the epoch."""

    def __init__(self, documents: DidDocuments, audiences: Set[str], clock: Callable[[], float] = time.time) -> None:
        """audiences: see models.protocol.service_auth.audiences."""
        self._documents, self._audiences, self._clock = documents, audiences, clock
        self._used = Used()

    async def verify(self, authorization: str | None, lxm: str, *, once: bool = False) -> str:
        """The DID of whoever asks. XrpcError (401, or 503 when it cannot be looked up now) says why it cannot be told."""
        token = parse(authorization)
        check(token.claims, self._audiences, lxm, self._clock())
        document = await self._document(token.claims.iss)
        if not _signed(token, document):
            await self._signed_with_a_new_key(token, document)
        if once:
            self._used.add(token.claims, self._clock())
        return token.claims.iss

    async def _signed_with_a_new_key(self, token: Token, known: DidDocument) -> None:
        """The key may have been changed since: look once more, as the reference verifier does."""
        document = await self._document(token.claims.iss, fresh=True)
        if document is known or not _signed(token, document):
            raise bad_signature()

    async def _document(self, did: str, fresh: bool = False) -> DidDocument:
        try:
            return await self._documents.get(did, fresh)
        except NoSuchDid:
            raise refusal("BadJwtIss", "The account that the token names cannot be found.") from None
        except Unresolved:
            raise XrpcError(503, "NotEnoughResources", "Your account cannot be looked up just now. Please try again in a minute.") from None


def _signed(token: Token, document: DidDocument) -> bool:
    key = document.keys.get(KEY_ID)
    return key is not None and signed_by(token, key)


class Used:
    """Tokens that were used and have not expired. When there are too many, none is taken: to forget one would let it pass again."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._ending: list[tuple[float, bytes]] = []

    def add(self, claims: Claims, now: float) -> None:
        """Remember a verified token until it expires. XrpcError when it was used before, or too many were."""
        while self._ending and self._ending[0][0] <= now:
            self._seen.discard(heappop(self._ending)[1])
        # By what the issuer says of it, not by its bytes: one token has two signatures, low-S and high-S.
        token = sha256(f"{claims.iss} {claims.jti}".encode()).digest()
        if token in self._seen:
            raise refusal("BadJwt", "The token that says who is asking was used before. Please try again.")
        if len(self._seen) >= REMEMBERED:
            raise XrpcError(429, "RateLimitExceeded", "Too many are asking just now. Please try again in a minute.")
        self._seen.add(token)
        heappush(self._ending, (claims.exp, token))
