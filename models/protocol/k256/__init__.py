"""Keys on secp256k1, the protocol's usual curve: ECDSA over SHA-256, 64 bytes `r || s`, low-S, deterministic (RFC 6979).

Two libraries make the same bytes: libsecp256k1 by way of coincurve, and OpenSSL, ten times slower, where coincurve has no binary wheel
(a Python newer than its last release): so that a fresh machine needs no C compiler. Source: atproto.com/specs/cryptography.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec("coincurve"):
    from models.protocol.k256.libsecp256k1 import PrivateKey, PublicKey
else:
    from models.protocol.k256.openssl import PrivateKey, PublicKey

__all__ = ["PrivateKey", "PublicKey"]
