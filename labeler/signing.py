"""Signs labels and checks signatures: k256 ECDSA over the SHA-256 of the label's DAG-CBOR, low-S, 64 bytes `r || s`.

Promise: exactly the label's own fields are signed. There is no domain separation in a label's signature, so one field more would be a
security matter; and `neg: false` must be left out, since a consumer that drops it could not verify.
Sources: atproto.com/specs/label ("Labels" and "Signatures"), atproto.com/specs/cryptography; atproto pull request 2310.
"""

import hashlib

import libipld
from coincurve import PrivateKey, PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from models.labels import Label


def signing_bytes(label: Label) -> bytes:
    """The DAG-CBOR that is signed."""
    return bytes(libipld.encode_dag_cbor(label.fields()))


def sign(label: Label, key: PrivateKey) -> bytes:
    """The label's signature. libsecp256k1 makes it deterministic (RFC 6979) and low-S; its recovery byte is not wanted."""
    return key.sign_recoverable(signing_bytes(label))[:64]


def key_id(key: PublicKey) -> int:
    """A number for a key, by which the log tells who signed: 56 bits of the SHA-256 of its compressed point."""
    return int.from_bytes(hashlib.sha256(key.format()).digest()[:7], "big")


def verify(label: Label, sig: bytes, key: PublicKey) -> bool:
    """Whether `sig` is this label's signature by `key`."""
    return verify_bytes(signing_bytes(label), sig, key)


def verify_bytes(message: bytes, sig: bytes, key: PublicKey) -> bool:
    """Whether `sig` signs `message` in the protocol's form: high-S (libsecp256k1 refuses it) and DER are no signatures."""
    if len(sig) != 64:
        return False
    try:
        return key.verify(cdata_to_der(deserialize_compact(sig)), message)
    except ValueError:
        return False  # r or s is not below the order of the curve


# Half the order of each curve (SEC 2): the larger of the two signatures that a message has is none.
_HALF = {
    "ES256K": 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0,
    "ES256": 0x7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8,
}


def is_low(sig: bytes, alg: str) -> bool:
    """Whether a signature is in the protocol's form, as far as its second half shows; for keys of others, of either curve."""
    return len(sig) == 64 and int.from_bytes(sig[32:], "big") <= _HALF[alg]
