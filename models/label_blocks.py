"""The table `label_block`, and how the stream reads the log: frames of many labels, kept encoded, so that a replay is a copy.

A block holds the labels of `SIZE` seqs in a row. It is made when they are all there, and can be made anew at any time: where one is missing
the labels are read from the log. All of its SQL.
"""

from typing import NamedTuple

from models.database import Session

SIZE = 256
"""Block n holds the labels with n * SIZE < seq <= (n + 1) * SIZE: some 90 kB, far below the 1 MiB that clients take in one message."""


class Block(NamedTuple):
    """A frame that holds all labels since the end of the block before, up to `last_seq`."""

    last_seq: int
    frame: bytes


def end_of(seq: int) -> int:
    """The last seq of the block that holds the label after `seq`."""
    return (seq // SIZE + 1) * SIZE


def read(session: Session, after: int, limit: int) -> list[Block]:
    """The blocks that follow `after` without a break, up to `limit`; none unless `after` is the end of a block."""
    if after % SIZE:
        return []
    rows = session.execute("SELECT last_seq, frame FROM label_block WHERE last_seq > ? ORDER BY last_seq LIMIT ?", (after, limit))
    return [Block(*row) for number, row in enumerate(rows, 1) if row[0] == after + number * SIZE]


def add(session: Session, block: Block) -> None:
    """Keep a block, in the place of one that is there."""
    session.execute(
        "INSERT INTO label_block (last_seq, frame) VALUES (?, ?) ON CONFLICT (last_seq) DO UPDATE SET frame = excluded.frame", block
    )


def drop(session: Session, last_seq: int) -> None:
    """Forget a block: the labels in it were signed anew."""
    session.execute("DELETE FROM label_block WHERE last_seq = ?", (last_seq,))


def last(session: Session) -> int:
    """Up to where there are blocks; 0 before the first."""
    return int(session.execute("SELECT coalesce(max(last_seq), 0) FROM label_block")[0][0])
