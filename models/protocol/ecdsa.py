"""What signatures on both curves of the protocol share: 64 bytes `r || s`, and the low-S rule. Source: atproto.com/specs/cryptography."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

K256_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of each curve (SEC 2)."""
_HALF = {"ES256K": K256_ORDER // 2, "ES256": P256_ORDER // 2}


def is_low(signature: bytes, alg: str) -> bool:
    """Whether a signature is in the protocol's form, as far as its second half shows: of its two forms the high-S one is none."""
    return len(signature) == 64 and int.from_bytes(signature[32:], "big") <= _HALF[alg]


def verified(key: "EllipticCurvePublicKey", message: bytes, signature: bytes) -> bool:
    """Whether OpenSSL finds the 64 bytes `signature` to be the key's for the message, low-S or high-S. Loads `cryptography` (10 MiB)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
