"""Signs labels and checks signatures: k256 ECDSA over the SHA-256 of the label's DAG-CBOR, low-S, 64 bytes `r || s`.

Promise: exactly the label's own fields are signed. There is no domain separation in a label's signature, so one field more would be a
security matter; and `neg: false` must be left out, since a consumer that drops it could not verify.
Sources: atproto.com/specs/label ("Labels" and "Signatures"), atproto.com/specs/cryptography; atproto pull request 2310.
"""

import hashlib

import libipld

from models.labels import Label
from models.protocol import k256
from models.protocol.ecdsa import is_low
from models.protocol.public_keys import PublicKey


def signing_bytes(label: Label) -> bytes:
    """The DAG-CBOR that is signed."""
    return bytes(libipld.encode_dag_cbor(label.fields()))


def sign(label: Label, key: k256.PrivateKey) -> bytes:
    """The label's signature."""
    return key.sign(signing_bytes(label))


def key_id(key: k256.PublicKey) -> int:
    """A number for a key, by which the log tells who signed: 56 bits of the SHA-256 of its compressed point."""
    return int.from_bytes(hashlib.sha256(key.point).digest()[:7], "big")


def verify(label: Label, sig: bytes, key: PublicKey) -> bool:
    """Whether `sig` is this label's signature by `key`."""
    return verify_bytes(signing_bytes(label), sig, key)


def verify_bytes(message: bytes, sig: bytes, key: PublicKey) -> bool:
    """Whether `sig` signs `message` in the protocol's form: high-S and DER are no signatures."""
    return is_low(sig, key.alg) and key.verify(message, sig)
