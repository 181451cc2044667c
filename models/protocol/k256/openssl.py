"""k256 by OpenSSL, as `cryptography` brings it: the same bytes as libsecp256k1 makes."""

from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from models.protocol.ecdsa import K256_ORDER, verified

_CURVE = ec.SECP256K1()
_DETERMINISTIC = ec.ECDSA(SHA256(), deterministic_signing=True)


class PublicKey:
    """A point of the curve."""

    alg: ClassVar[str] = "ES256K"
    __slots__ = ("_key", "point")

    def __init__(self, point: bytes) -> None:
        """point: compressed (33 bytes); ValueError when it is none of the curve."""
        self._key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
        self.point = point

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the 64 bytes `signature` are this key's for the message; the high-S twin of a signature is taken as well."""
        return verified(self._key, message, signature)


class PrivateKey:
    """A key that signs; a new one when no secret is given."""

    __slots__ = ("_key", "public_key")

    def __init__(self, secret: bytes | None = None) -> None:
        """secret: 32 bytes; ValueError when they are zero or not below the order of the curve."""
        number = None if secret is None else int.from_bytes(secret, "big")
        self._key = ec.generate_private_key(_CURVE) if number is None else ec.derive_private_key(number, _CURVE)
        self.public_key = PublicKey(self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint))

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes. OpenSSL knows no low-S rule, so the smaller of the two signatures is chosen here."""
        r, s = utils.decode_dss_signature(self._key.sign(message, _DETERMINISTIC))
        return r.to_bytes(32, "big") + min(s, K256_ORDER - s).to_bytes(32, "big")

    def to_hex(self) -> str:
        """The secret, as a key file holds it: 64 digits."""
        return f"{self._key.private_numbers().private_value:064x}"
