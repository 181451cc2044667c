"""Public keys of DID documents, and whether one has signed something: k256 and p256, ECDSA over SHA-256, 64 bytes `r || s`.

High-S signatures are taken: this is for JWTs, whose signers know no low-S rule (the reference verifier says `allowMalleableSig`). Records
and labels are stricter: labeler/signing.py. Sources: atproto.com/specs/cryptography, atproto.com/specs/did.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import coincurve
import libipld
from coincurve._libsecp256k1 import lib  # type: ignore[import-not-found]  # compiled
from coincurve.context import GLOBAL_CONTEXT
from coincurve.ecdsa import deserialize_compact, signature_normalize

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

K256_MULTICODEC = b"\xe7\x01"
P256_MULTICODEC = b"\x80\x24"
_COMPRESSED = 33


class K256:
    """A key on secp256k1, as nearly every account has."""

    alg: ClassVar[str] = "ES256K"
    __slots__ = ("_key",)

    def __init__(self, point: bytes) -> None:
        """point: compressed; ValueError when it is none of the curve."""
        self._key = coincurve.PublicKey(point).public_key

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the 64 bytes `signature` are this key's for the message."""
        try:
            # libsecp256k1 takes low-S only. It is called itself, since PublicKey.verify takes DER alone, which is made to be unmade.
            _, low = signature_normalize(deserialize_compact(signature))
        except ValueError:
            return False  # not 64 bytes, or r or s is not below the order of the curve
        return bool(lib.secp256k1_ecdsa_verify(GLOBAL_CONTEXT.ctx, low, sha256(message).digest(), self._key))


class P256:
    """A key on secp256r1. `cryptography` (10 MiB) is loaded with the first of them."""

    alg: ClassVar[str] = "ES256"
    __slots__ = ("_key",)

    def __init__(self, point: bytes) -> None:
        """point: compressed; ValueError when it is none of the curve."""
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key: EllipticCurvePublicKey = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the 64 bytes `signature` are this key's for the message."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        from cryptography.hazmat.primitives.hashes import SHA256

        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self._key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


PublicKey: TypeAlias = K256 | P256


def parse(text: str) -> PublicKey:
    """A key from a Multikey's `publicKeyMultibase`, or a did:key. ValueError when it is none that the protocol knows."""
    _, data = libipld.decode_multibase(text.removeprefix("did:key:")) if len(text) <= 128 else ("", b"")
    kind, point = data[:2], data[2:]
    if len(point) == _COMPRESSED and kind == K256_MULTICODEC:
        return K256(point)
    if len(point) == _COMPRESSED and kind == P256_MULTICODEC:
        return P256(point)
    raise ValueError("neither a k256 nor a p256 public key")
