"""Lines of Jetstream that hold nothing of interest: what is passed by unread is certainly no post, and changes nothing."""

import asyncio
import json
from typing import Any

import pytest

from plainsky.ingest import POSTS
from plainsky.ingest.decoding import Clock
from plainsky.ingest.gaps import Gap
from plainsky.ingest.jetstream import Wire
from plainsky.ingest.jetstream_lines import Heads, V1Lines, V2Lines
from plainsky.ingest.passing import Passing
from tests.support.jetstream_server import v1_line, v2_line
from tests.support.recorded import Entry, entries, raw_frames
from tests.support.sinks import Remembering

LOG = entries(raw_frames())
LIKE = "app.bsky.feed.like"
LATER = 1_900_000_000_000_000  # µs, than anything here


def written(wire: Wire, entry: Entry) -> bytes:
    """As a server writes it: without spaces."""
    line = v1_line(entry, with_cursor=False) if wire == "v1" else v2_line(entry)
    return json.dumps(line, separators=(",", ":")).encode()


def commit(seq: int, did: str, collection: str, rkey: str, record: dict[str, Any]) -> Entry:
    said = {"rev": "3n2qjxwo6222d", "operation": "create", "collection": collection, "rkey": rkey, "record": record, "cid": "bafy"}
    return Entry(seq, 1_795_176_000_000_000 + seq, "commit", did, said)


@pytest.mark.parametrize("wire", ["v1", "v2"])
@pytest.mark.parametrize("before", ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", f"did:web:{'long-' * 20}name.example.org"])
@pytest.mark.parametrize("did", ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:web:a.b"])
def test_no_post_is_passed_by_whatever_was_read_before_and_whatever_its_owner_wrote(wire: Wire, before: str, did: str) -> None:
    for width in range(200):  # so that what looks like the name of a collection stands at each place once
        heads = Heads()
        heads.no_post(written(wire, commit(10**12, before, LIKE, "a", {})))
        hiding = {"text": "x" * width, "collection": LIKE}
        assert not heads.no_post(written(wire, commit(1, did, POSTS, "a", hiding)))


@pytest.mark.parametrize("wire", ["v1", "v2"])
async def test_to_pass_lines_by_changes_neither_events_nor_positions(wire: Wire) -> None:
    log = [entry for entry in LOG if wire == "v2" or entry.kind != "sync"]
    log[7:7] = [commit(seq, entry.did, LIKE, "3n2qjxwo52s27", {}) for seq, entry in enumerate(log[:50], 7)]
    sink, other = Remembering(), Remembering()
    clock = Clock(lambda: LATER)
    reading, passing = (
        V1Lines(each, Gap(each, None), None, clock).read if wire == "v1" else V2Lines(each, Gap(each, None), clock).read
        for each in (sink, other)
    )
    passing = Passing(Heads().no_post, Gap(other, None), passing).read
    for entry in log:
        reading(written(wire, entry))
        passing(written(wire, entry))
    await asyncio.sleep(0)

    assert (other.events, other.cursors, other.position) == (sink.events, sink.cursors, sink.position)


@pytest.mark.parametrize("wire", ["v1", "v2"])
def test_nearly_all_lines_of_other_collections_are_passed_by(wire: Wire) -> None:
    heads = Heads()
    others = [entry for entry in LOG if entry.kind == "commit" and entry.commit["collection"] != POSTS]

    assert sum(heads.no_post(written(wire, entry)) for entry in others) >= len(others) * 0.9 > 0
