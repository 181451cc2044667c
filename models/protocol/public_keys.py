"""Public keys of DID documents, and whether one has signed something: k256 and p256, ECDSA over SHA-256, 64 bytes `r || s`.

High-S signatures are taken: this is for JWTs, whose signers know no low-S rule (the reference verifier says `allowMalleableSig`). Records
and labels are stricter: labeler/signing.py. Sources: atproto.com/specs/cryptography, atproto.com/specs/did.
"""

from typing import TYPE_CHECKING, ClassVar, TypeAlias

import libipld

from models.protocol import k256
from models.protocol.ecdsa import verified

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

K256_MULTICODEC = b"\xe7\x01"
P256_MULTICODEC = b"\x80\x24"
_COMPRESSED = 33


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
        return verified(self._key, message, signature)


PublicKey: TypeAlias = k256.PublicKey | P256


def parse(text: str) -> PublicKey:
    """A key from a Multikey's `publicKeyMultibase`, or a did:key. ValueError when it is none that the protocol knows."""
    _, data = libipld.decode_multibase(text.removeprefix("did:key:")) if len(text) <= 128 else ("", b"")
    kind, point = data[:2], data[2:]
    if len(point) == _COMPRESSED and kind == K256_MULTICODEC:
        return k256.PublicKey(point)
    if len(point) == _COMPRESSED and kind == P256_MULTICODEC:
        return P256(point)
    raise ValueError("neither a k256 nor a p256 public key")
