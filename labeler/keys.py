"""The key that signs labels: a k256 private key in a file of its own, and its public half as the DID document shows it.

Promises: a key file is made readable for its owner alone and is never overwritten; no error tells any part of a key.
A key file is 64 hexadecimal digits and a newline. Source: atproto.com/specs/cryptography.
"""

import os
import re
import stat
from pathlib import Path

import libipld
from coincurve import PrivateKey, PublicKey

K256_MULTICODEC = b"\xe7\x01"


class KeyFileError(ValueError):
    """The signing key cannot be used; the message says which file, why, and what to do."""


def create(path: Path) -> PrivateKey:
    """Make a new key and keep it in `path` (mode 0600). A file that is there already is left alone, with a KeyFileError."""
    key = PrivateKey()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path}: there is a file already, and a key is never overwritten. Keep it, or name another file") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot write the signing key: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(key.to_hex() + "\n")
    return key


def load(path: Path) -> PrivateKey:
    """The key in `path`; KeyFileError when it is missing, open to others, or no key."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such file. `plainsky init` makes a signing key") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the signing key: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{path}: others on this machine may read the signing key (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}")
    return parse(content.decode("ascii", "replace"), str(path))


def parse(text: str, where: str) -> PrivateKey:
    """A key from its 64 hexadecimal digits; `where` names the file or variable in the KeyFileError."""
    digits = text.strip()
    if re.fullmatch("[0-9a-fA-F]{64}", digits):
        try:
            return PrivateKey.from_hex(digits.lower())
        except ValueError:
            pass  # zero, or not below the order of the curve
    raise KeyFileError(f"{where}: no k256 private key: expected 64 hexadecimal digits, as `plainsky init` or `openssl rand -hex 32` makes")


def public_key_multibase(key: PublicKey) -> str:
    """As in a DID document's Multikey: base58btc of the multicodec and the compressed point ("zQ3sh...")."""
    return str(libipld.encode_multibase("z", K256_MULTICODEC + key.format(compressed=True)))


def did_key(key: PublicKey) -> str:
    """The same as a did:key."""
    return "did:key:" + public_key_multibase(key)


def parse_public_key(text: str) -> PublicKey:
    """A k256 public key from its multibase or did:key; ValueError when it is none."""
    _, data = libipld.decode_multibase(text.removeprefix("did:key:"))
    if not data.startswith(K256_MULTICODEC):
        raise ValueError(f"{text[:80]!r} is no k256 public key")
    return PublicKey(data[len(K256_MULTICODEC) :])
