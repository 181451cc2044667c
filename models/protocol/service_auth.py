"""Service auth: the signed token with which a server says for whom it asks. Reading it, and judging what it claims; no network, no clock.

Promises: a token of any other kind, for anybody else, for any other method, or for longer than an hour is refused before a key is looked
up; each token has one spelling (no byte of one that passes can be another); whatever the header holds, nothing but XrpcError is raised.
Deliberate: an issuer is an account, so `iss` with a service's fragment and any `kid` but "#atproto" are refused (proposal 0014): whoever
may sign labels may not act as the account.
Sources: atproto.com/specs/xrpc ("Inter-Service Authentication"), bluesky-social/proposals 0014, and the reference verifier
(bluesky-social/atproto packages/xrpc-server/src/auth.ts), whose error names these are. RFC 7515, RFC 7519, RFC 8725.
"""

import re
from binascii import a2b_base64
from collections.abc import Set
from functools import lru_cache
from typing import NamedTuple, Protocol

import msgspec

from models.protocol.public_keys import PublicKey
from models.protocol.syntax import is_did
from models.protocol.xrpc import XrpcError

KEY_ID = "#atproto"
"""The verification method of the issuer's DID document that signs."""
LIFETIME_SECONDS = 3600.0
"""The reference PDS signs for an hour at most (com.atproto.server.getServiceAuth), and for a minute when it passes a request on."""
SKEW_SECONDS = 120.0
"""How far a PDS's clock may be ahead of ours: the reference's CLOCK_SKEW_WINDOW; 40 s were seen (MarshalX/atproto issue 637)."""
LONGEST = 4096
_ALGORITHMS = frozenset({"ES256K", "ES256"})
_FOREIGN_TYPES = frozenset({"at+jwt", "refresh+jwt", "dpop+jwt"})
# 64 bytes are 86 digits, of which the last has two bits: any other last digit would be a second spelling of the same signature.
_FORM = re.compile(rb"([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{85}[AQgw])")
_STANDARD = bytes.maketrans(b"-_", b"+/")


class Authenticate(Protocol):
    """Who asks, for the rooms: they are given one, and know neither keys nor DID documents."""

    async def __call__(self, authorization: str | None, lxm: str, *, once: bool = False) -> str:
        """The DID of whoever asks for the method `lxm`, from the Authorization header. XrpcError says to them why it cannot be told.

        once: the same token is refused the next time. For procedures; a server may show one token for several pages.
        """


class Claims(msgspec.Struct, frozen=True, gc=False):
    """What a token says. Times in seconds since the epoch."""

    iss: str
    aud: str
    exp: float
    lxm: str | None = None
    jti: str = ""
    iat: float = 0.0
    nbf: float = 0.0


class Token(NamedTuple):
    """A well-formed token, of which nothing is known to be true. `signed` are the bytes under the signature."""

    claims: Claims
    alg: str
    signed: bytes
    signature: bytes


class _Header(msgspec.Struct, frozen=True):
    alg: str
    typ: str = "JWT"
    kid: str = KEY_ID
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_HEADER = msgspec.json.Decoder(_Header)
_CLAIMS = msgspec.json.Decoder(Claims)


def audiences(did: str, service: str) -> frozenset[str]:
    """What a token for a service may name as its audience: the bare DID and DID#service, no other service of the same DID."""
    return frozenset({did, f"{did}#{service}"})


def parse(authorization: str | None) -> Token:
    """The token of an Authorization header. XrpcError: AuthMissing, BadJwt, BadJwtType, BadJwtSignature."""
    if authorization is None or authorization[:7].lower() != "bearer ":
        raise refusal("AuthMissing", "This answer depends on who asks. Please log in, then try again.")
    # A header may hold any bytes, those that are no UTF-8 as lone surrogates.
    text = authorization[7:].strip(" ").encode(errors="replace") if len(authorization) <= LONGEST else b""
    form = _FORM.fullmatch(text)
    if form is None:
        raise refusal("BadJwt", f"{_THE_TOKEN} is none: three parts in base64url were expected, the last with 64 bytes.")
    header, payload, signature = form.groups()
    alg = _algorithm(header)
    try:
        claims = _CLAIMS.decode(_base64(payload))
    except (ValueError, RecursionError) as error:
        raise refusal("BadJwt", f"{_THE_TOKEN} cannot be read: {_why(error)}.") from None
    return Token(claims, alg, text[: form.start(3) - 1], _base64(signature))


def check(claims: Claims, audiences: Set[str], lxm: str, now: float) -> None:
    """Refuse claims that are not for one of these audiences, this method and this time (seconds since the epoch).

    XrpcError: JwtExpired, BadJwtAudience, BadJwtLexiconMethod, BadJwtIss, BadJwt.
    """
    if claims.exp <= now:
        raise refusal("JwtExpired", f"{_THE_TOKEN} has expired. Please load again.")
    if claims.aud not in audiences:
        raise refusal("BadJwtAudience", f"{_THE_TOKEN} is meant for another service.")
    if claims.lxm != lxm:
        names = "names no method" if claims.lxm is None else "is meant for another method"
        raise refusal("BadJwtLexiconMethod", f"{_THE_TOKEN} {names}: its lxm must be {lxm}.")
    if not is_did(claims.iss):
        raise refusal("BadJwtIss", f"{_THE_TOKEN} names no account: its iss must be a DID, without a fragment.")
    if not 0 < len(claims.jti) <= 256:
        raise refusal("BadJwt", f"{_THE_TOKEN} cannot be told from another: its jti must have 1 to 256 characters.")
    if claims.exp > now + LIFETIME_SECONDS + SKEW_SECONDS:
        raise refusal("BadJwt", f"{_THE_TOKEN} would be good for too long: its exp may be at most an hour away.")
    if max(claims.iat, claims.nbf) > now + SKEW_SECONDS:
        raise refusal("BadJwt", f"{_THE_TOKEN} comes from the future: is the clock of the server that signed it right?")


def signed_by(token: Token, key: PublicKey) -> bool:
    """Whether the key signed the token, with the algorithm that its header names."""
    return token.alg == key.alg and key.verify(token.signed, token.signature)


def refusal(name: str, message: str) -> XrpcError:
    """Who asks could not be made sure of."""
    return XrpcError(401, name, message)


def bad_signature() -> XrpcError:
    """The key of the account that the token names has not signed it."""
    return refusal("BadJwtSignature", f"{_THE_TOKEN} is not signed with the key of the account it names.")


_THE_TOKEN = "The token that says who is asking"  # noqa: S105 -- the beginning of a sentence


@lru_cache(maxsize=64)  # servers send the same few headers
def _algorithm(header: bytes) -> str:
    try:
        said = _HEADER.decode(_base64(header))
    except (ValueError, RecursionError) as error:
        raise refusal("BadJwt", f"{_THE_TOKEN} cannot be read: in its header, {_why(error)}.") from None
    if said.typ.lower().removeprefix("application/") in _FOREIGN_TYPES:  # RFC 7515, 4.1.9: a media type, in any case
        raise refusal("BadJwtType", f"{_THE_TOKEN} is of another kind, {said.typ!r}: a service-auth token was expected.")
    if said.crit is not msgspec.UNSET:
        raise refusal("BadJwt", f"{_THE_TOKEN} demands an extension (crit) that is not known here.")
    if said.kid != KEY_ID:
        raise refusal("BadJwt", f"{_THE_TOKEN} names a key that may not act for the account: its kid may only be {KEY_ID}.")
    if said.alg not in _ALGORITHMS:
        raise refusal("BadJwtSignature", f"{_THE_TOKEN} is signed in a way that is not known here: its alg must be ES256K or ES256.")
    return said.alg


def _base64(text: bytes) -> bytes:
    """ValueError when a digit is missing. That all are of the alphabet is known. `base64.urlsafe_b64decode` takes twice as long."""
    return a2b_base64(text.translate(_STANDARD) + b"==")


def _why(error: Exception) -> str:
    return str(error)[:120] if isinstance(error, msgspec.ValidationError) else "it is no JSON in base64url"
