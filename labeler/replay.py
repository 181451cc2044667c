"""The label log as frames of the stream, and what keeps them at hand: blocks, which can be made again, and anew for a new key."""

from collections.abc import Sequence

from labeler import frames
from labeler.issuer import Issuer
from models import label_blocks, label_uris, labels, settings
from models.database import Session
from models.label_blocks import SIZE, Block
from models.labels import Found

MAX_SEQ = 2**53 - 1
BLOCKS = 4
"""How many blocks one read brings: each waits in memory until its subscriber has read it."""
BLOCKS_AT_ONCE = 20
"""How many are made in one transaction: some 20 ms."""
SIGNED_BY = "label key"
"""The setting that says which key has signed the whole log."""


def following(session: Session, after: int) -> list[Block]:
    """Some frames that follow `after`, oldest first; none when there is nothing more."""
    if found := label_blocks.read(session, after, BLOCKS):
        return found
    rows = labels.between(session, after, label_blocks.end_of(after), SIZE) or labels.between(session, after, MAX_SEQ, SIZE)
    return [_block(rows)] if rows else []


def newest(session: Session, after: int) -> Block | None:
    """A frame of what came after `after`, as much as one may hold."""
    rows = labels.between(session, after, MAX_SEQ, SIZE)
    return _block(rows) if rows else None


def unsealed(session: Session) -> int | None:
    """After which seq one more block can be made; None while there are not labels enough."""
    first = labels.between(session, label_blocks.last(session), MAX_SEQ, 1)
    start = (first[0].seq - 1) // SIZE * SIZE if first else 0
    return start if first and labels.last_seq(session) >= start + SIZE else None


def seal(session: Session) -> None:
    """Make some blocks, and sort the uris of what they complete."""
    for _ in range(BLOCKS_AT_ONCE):
        start = unsealed(session)
        if start is None:
            break
        _seal(session, start)
    label_uris.sort(session, label_blocks.last(session))


def resign(session: Session, issuer: Issuer, after: int) -> int | None:
    """Sign the labels of one block anew, those that another key signed; how far that was, None when the whole log is done."""
    if after == 0 and settings.get(session, SIGNED_BY) == str(issuer.key_id):
        return None
    rows = labels.between(session, after, label_blocks.end_of(after), SIZE) or labels.between(session, after, MAX_SEQ, 1)
    if not rows:
        settings.put(session, SIGNED_BY, str(issuer.key_id))
        return None
    stale = [row for row in rows if row.label.src == issuer.src_did and row.key_id != issuer.key_id]
    labels.resign(session, [(issuer.sign(row.label), issuer.key_id, row.seq) for row in stale])
    end = label_blocks.end_of(rows[-1].seq - 1)
    if stale and end <= label_blocks.last(session):
        _seal(session, end - SIZE)
    return rows[-1].seq


def _seal(session: Session, start: int) -> None:
    block = _block(labels.between(session, start, start + SIZE, SIZE))
    label_blocks.add(session, block._replace(last_seq=start + SIZE))


def _block(rows: Sequence[Found]) -> Block:
    return Block(rows[-1].seq, frames.labels(rows[-1].seq, [(row.label, row.sig) for row in rows]))
