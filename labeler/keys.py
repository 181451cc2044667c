"""The key that signs labels: a k256 private key in a file of its own, and its public half as the DID document shows it.

Promises: a key file is made readable for its owner alone, whole or not at all, and is never overwritten: `renew` keeps the key before it.
No error tells any part of a key. A key file is 64 hexadecimal digits and a newline. Source: atproto.com/specs/cryptography.
"""

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import libipld

from models.protocol import public_keys
from models.protocol.k256 import PrivateKey, PublicKey
from models.protocol.public_keys import K256_MULTICODEC

K256_PRIVATE_MULTICODEC = b"\x81\x26"


class KeyFileError(ValueError):
    """The signing key cannot be used; the message says which file, why, and what to do."""


class Retired(NamedTuple):
    """A key that signed before, and until when (a datetime of the protocol)."""

    key: PublicKey
    until: str


def create(path: Path) -> PrivateKey:
    """Make a new key and keep it in `path` (mode 0600). A file that is there already is left alone, with a KeyFileError."""
    key = PrivateKey()
    with _kept(path, key) as made:
        try:
            os.link(made, path)
        except FileExistsError:
            raise KeyFileError(f"{path}: there is a file already, and a key is never overwritten. Keep it, or name another file") from None
    return key


def renew(path: Path, now: str) -> tuple[PrivateKey, Path]:
    """Make a new key in `path`. The one until `now` (a datetime) stays in a file beside it, which is told, and in the list `retired`."""
    before = load(path)
    key, backup = PrivateKey(), path.with_name(f"{path.name}.until-{re.sub('[^0-9TZ]', '', now.partition('.')[0])}Z")
    with _kept(path, key) as made:
        try:
            os.link(path, backup)
        except FileExistsError:
            raise KeyFileError(f"{backup}: there is a file already: the key was renewed this very second") from None
        _note(path, before.public_key, now)
        _give(made, path.stat())
        Path(made).replace(path)
    return key, backup


def retired(path: Path) -> list[Retired]:
    """The public keys that signed before the one in `path`, oldest first: labels in the log may bear their signatures.

    KeyFileError when the list beside the key file is none.
    """
    listed = _list(path)
    try:
        lines = listed.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeyFileError(f"{listed}: cannot read the keys before: {error.strerror}") from None
    return [_retired(line, f"{listed}: line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def _retired(line: str, where: str) -> Retired:
    key, _, until = line.partition(" ")
    try:
        return Retired(parse_public_key(key), until)
    except ValueError:
        raise KeyFileError(f"{where}: no key that signed before. Mend that line, or take it out: no label depends on it") from None


def load(path: Path) -> PrivateKey:
    """The key in `path`; KeyFileError when it is missing, open to others, or no key."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such file. `plainsky keys new` or `plainsky init` makes a signing key") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the signing key: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{path}: others on this machine may read the signing key (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}")
    return parse(content.decode("ascii", "replace"), str(path))


def parse(text: str, where: str) -> PrivateKey:
    """A key from its 64 hexadecimal digits, or the multibase that goat makes ("z3vL..."); `where` says in the KeyFileError where it is."""
    try:
        return PrivateKey(_secret(text.strip()))
    except ValueError:  # also: zero, or not below the order of the curve
        said = "expected 64 hexadecimal digits, as `plainsky keys new` or `openssl rand -hex 32` makes"
        raise KeyFileError(f"{where}: no k256 private key: {said}") from None


def _secret(text: str) -> bytes:
    if re.fullmatch("[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    if re.fullmatch("z[1-9A-HJ-NP-Za-km-z]{46,50}", text):
        _, data = libipld.decode_multibase(text)
        if data.startswith(K256_PRIVATE_MULTICODEC) and len(data) == 34:
            return bytes(data[2:])
    raise ValueError


def public_key_multibase(key: PublicKey) -> str:
    """As in a DID document's Multikey: base58btc of the multicodec and the compressed point ("zQ3sh...")."""
    return str(libipld.encode_multibase("z", K256_MULTICODEC + key.point))


def did_key(key: PublicKey) -> str:
    """The same as a did:key."""
    return "did:key:" + public_key_multibase(key)


def parse_public_key(text: str) -> PublicKey:
    """A k256 public key from its multibase or did:key; ValueError when it is none."""
    key = public_keys.parse(text)
    if not isinstance(key, PublicKey):
        raise ValueError(f"{text[:80]!r} is no k256 public key")
    return key


def _give(made: str, before: os.stat_result) -> None:
    """The service's user keeps the key also when root renews it."""
    if os.geteuid() == 0:
        os.chown(made, before.st_uid, before.st_gid)


def _list(path: Path) -> Path:
    return path.with_name(f"{path.name}.retired")


def _note(path: Path, key: PublicKey, until: str) -> None:
    with _list(path).open("a", encoding="ascii") as file:
        file.write(f"{did_key(key)} {until}\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _kept(path: Path, key: PrivateKey) -> Iterator[str]:
    """The key in a file of its owner's alone, beside `path`, for the length of the block; KeyFileError when it cannot be written."""
    try:
        descriptor, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(key.to_hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            yield made
        finally:
            Path(made).unlink(missing_ok=True)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot write the signing key: {error.strerror}") from None
