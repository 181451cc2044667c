"""A feed's picture: a file that the lexicon allows, and the CID under which a repo keeps it. ValueError says what to do instead."""

from base64 import b32encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen

MOST_BYTES = 1_000_000
"""maxSize of avatar in lexicon app.bsky.feed.generator."""
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@frozen
class Image:
    """Bytes of a PNG or a JPEG, with their CID."""

    name: str
    mime: str
    content: bytes
    cid: str

    @property
    def blob(self) -> dict[str, Any]:
        """As a record names it (atproto.com/specs/data-model#blob-type)."""
        return {"$type": "blob", "ref": {"$link": self.cid}, "mimeType": self.mime, "size": len(self.content)}


def read(path: Path) -> Image:
    """The file, if it may be an avatar."""
    try:
        if not path.is_file():
            raise ValueError(f"{path}: no such file, seen from the folder where plainsky is started")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise ValueError(f"{path}: too large: at most {MOST_BYTES} bytes; a square of 1000 by 1000 pixels is plenty")
    mime = next((mime for start, mime in _KINDS.items() if content.startswith(start)), None)
    if mime is None:
        raise ValueError(f"{path}: expected a PNG or a JPEG picture, whatever the file's name says")
    return Image(path.name, mime, content, cid_of(content))


def cid_of(content: bytes) -> str:
    """CIDv1 of raw bytes by SHA-256, in base32 (atproto.com/specs/blob)."""
    return "b" + b32encode(b"\x01\x55\x12\x20" + sha256(content).digest()).decode().rstrip("=").lower()
