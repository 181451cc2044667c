"""k256 by libsecp256k1, as coincurve brings it."""

from hashlib import sha256
from typing import ClassVar

import coincurve
from coincurve._libsecp256k1 import lib  # type: ignore[import-not-found]  # compiled
from coincurve.context import GLOBAL_CONTEXT
from coincurve.ecdsa import deserialize_compact, signature_normalize


class PublicKey:
    """A point of the curve."""

    alg: ClassVar[str] = "ES256K"
    __slots__ = ("_key", "point")

    def __init__(self, point: bytes) -> None:
        """point: compressed (33 bytes); ValueError when it is none of the curve."""
        self._key = coincurve.PublicKey(point).public_key
        self.point = point

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the 64 bytes `signature` are this key's for the message; the high-S twin of a signature is taken as well."""
        try:
            # libsecp256k1 takes low-S only. It is called itself, since PublicKey.verify takes DER alone, which is made to be unmade.
            _, low = signature_normalize(deserialize_compact(signature))
        except ValueError:
            return False  # not 64 bytes, or r or s is not below the order of the curve
        return bool(lib.secp256k1_ecdsa_verify(GLOBAL_CONTEXT.ctx, low, sha256(message).digest(), self._key))


class PrivateKey:
    """A key that signs; a new one when no secret is given."""

    __slots__ = ("_key", "public_key")

    def __init__(self, secret: bytes | None = None) -> None:
        """secret: 32 bytes; ValueError when they are zero or not below the order of the curve."""
        self._key = coincurve.PrivateKey(secret)
        self.public_key = PublicKey(self._key.public_key.format())

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes. The byte by which the public key could be recovered is not wanted."""
        return self._key.sign_recoverable(message)[:64]

    def to_hex(self) -> str:
        """The secret, as a key file holds it: 64 digits."""
        return self._key.to_hex()
