"""Jetstream on both wires: what is asked for, cursors, dictionaries, what is dropped, and what counts as a gap."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import AccountChanged, PostCreated
from plainsky.ingest import Disconnected, Position, Refused
from plainsky.ingest.decoding import SKEW_US, Clock
from plainsky.ingest.gaps import Gap
from plainsky.ingest.jetstream import Jetstream, Wire
from plainsky.ingest.jetstream_lines import CountsAnew, V1Lines, V2Lines
from tests.support.jetstream_server import JetstreamServer, v1_line, v2_line
from tests.support.recorded import entries, frame, microseconds, raw_frames
from tests.support.sinks import Remembering

LOG = entries(raw_frames())
POSTS = sum(entry.commit.get("collection") == "app.bsky.feed.post" for entry in LOG)
NOW = microseconds("2026-11-20T20:00:00Z")
WIRES: list[Wire] = ["v1", "v2"]
ALL = {"v1": POSTS + 31, "v2": POSTS + 42}  # v1 has no #sync


async def read(server: JetstreamServer, source: Jetstream, start: Position | None, count: int) -> Remembering:
    sink = Remembering(server.host)
    reading = asyncio.ensure_future(source.run(server.host, start, sink))
    reached = asyncio.ensure_future(sink.reaches(count))
    await asyncio.wait([reading, reached], return_when=asyncio.FIRST_COMPLETED)
    if not reading.done():
        reading.cancel()
        await asyncio.wait([reading])
        await reached
        return sink
    reached.cancel()
    await reading
    return sink


def asked(server: JetstreamServer, at: int = -1) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(server.asked[at]).query)


def beginning(host: str) -> Position:
    return Position(host, LOG[0].witnessed_us, LOG[0].witnessed_us)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("wire", WIRES)
async def test_every_post_and_every_account_event_of_the_recording_comes(wire: Wire, compressed: bool) -> None:
    async with JetstreamServer(dictionary=compressed, v1_dictionary=compressed) as server:
        sink = await read(server, Jetstream(wire), beginning(server.host), ALL[wire])

    assert len(sink.events) == ALL[wire]
    assert not sink.dropped
    assert not sink.gaps


async def test_v2_asks_for_posts_and_named_kinds_only() -> None:
    async with JetstreamServer(dictionary=True) as server:
        await read(server, Jetstream("v2"), Position(server.host, 5, 0), 1)

        kinds = [("kinds", kind) for kind in ("commit", "identity", "account", "sync")]
        assert asked(server) == [*kinds, ("collections", "app.bsky.feed.post"), ("cursor", "5"), ("zstdDictionary", "7")]


async def test_v1_asks_for_posts_only_and_for_compression_only_with_a_dictionary_from_the_server() -> None:
    async with JetstreamServer(v1_only=True) as plain, JetstreamServer(v1_dictionary=True) as dictionary:
        for server in (plain, dictionary):
            await read(server, Jetstream("v1"), beginning(server.host), 1)

        posts = [("wantedCollections", "app.bsky.feed.post"), ("cursor", str(LOG[0].witnessed_us))]
        assert asked(plain) == posts
        assert asked(dictionary) == [*posts, ("compress", "true")]


async def test_auto_reads_v2_and_falls_back_to_v1_where_v2_is_unknown() -> None:
    async with JetstreamServer() as new, JetstreamServer(v1_only=True) as old:
        for server, path in ((new, "/xrpc/network.bsky.jetstream.subscribeEvents"), (old, "/subscribe")):
            await read(server, Jetstream(), beginning(server.host), 1)

            assert urlsplit(server.asked[-1]).path == path


async def test_v2_alone_is_refused_by_a_host_that_does_not_know_it() -> None:
    async with JetstreamServer(v1_only=True) as server:
        with pytest.raises(Refused, match="404"):
            await read(server, Jetstream("v2"), None, 1)


@pytest.mark.parametrize("wire", WIRES)
async def test_a_position_on_the_same_host_is_resumed_by_its_cursor_inclusively(wire: Wire) -> None:
    async with JetstreamServer() as server:
        first = await read(server, Jetstream(wire), beginning(server.host), 20)
        last = Position(server.host, first.cursors[19], LOG[first.cursors[19] - 1].witnessed_us if wire == "v2" else LOG[0].witnessed_us)
        again = await read(server, Jetstream(wire), last, 1)

    assert again.events[0] in first.events
    assert again.cursors[0] == first.cursors[19]


@pytest.mark.parametrize("wire", WIRES)
async def test_another_hosts_position_is_only_a_time_less_the_margin(wire: Wire) -> None:
    async with JetstreamServer() as server:
        elsewhere = Position("wss://elsewhere.test", 3, LOG[100].witnessed_us)
        await read(server, Jetstream(wire, margin_us=2_000_000), elsewhere, 1)

        assert dict(asked(server))["cursor"] == str(elsewhere.time_us - 2_000_000)


async def test_a_seq_that_v2_left_is_no_cursor_for_v1() -> None:
    async with JetstreamServer() as server:
        await read(server, Jetstream("v1", margin_us=1), Position(server.host, 40, LOG[100].witnessed_us), 1)

        assert dict(asked(server))["cursor"] == str(LOG[100].witnessed_us - 1)


async def test_a_cursor_too_old_for_v2_is_a_gap_and_reading_goes_on_from_the_oldest_event() -> None:
    async with JetstreamServer(floor=300) as server:
        sink = await read(server, Jetstream("v2"), Position(server.host, 12, LOG[11].witnessed_us), 5)

        assert sink.gaps == [(LOG[11].witnessed_us, LOG[299].witnessed_us, "CursorTooOld")]
        assert sink.cursors[0] >= 300


async def test_a_time_too_old_for_v2_is_a_gap() -> None:
    async with JetstreamServer(floor=300) as server:
        sink = await read(server, Jetstream("v2"), Position("wss://elsewhere.test", 12, LOG[11].witnessed_us), 5)

    assert sink.gaps == [(LOG[11].witnessed_us, LOG[299].witnessed_us, "OutdatedCursor")]


@pytest.mark.parametrize(
    "cursor",
    [10**6, next(entry.seq for entry in LOG[40:] if entry.kind == "account"), 10],
    ids=["a seq it has not come to", "a seq of another time", "a seq that came earlier here"],
)
async def test_an_instance_that_counts_anew_is_read_from_the_time_that_was_reached(cursor: int) -> None:
    async with JetstreamServer() as server:
        sink = Remembering()
        reached = Position(server.host, cursor, LOG[11].witnessed_us)
        reading = asyncio.ensure_future(Jetstream("v2", margin_us=1).run(server.host, reached, sink))
        await server.connected.wait()
        await server.add(*raw_frames()[1:2])
        await sink.reaches(100)
        reading.cancel()

        assert dict(asked(server))["cursor"] == str(reached.time_us - 1)
        assert not sink.gaps


def test_an_instance_that_counts_anew_is_known_by_each_line_until_it_is_left() -> None:
    sink = Remembering()
    reader = V2Lines(sink, Gap(sink, None), Clock(lambda: NOW), Position("wss://x.test", 10**6, LOG[0].witnessed_us))
    for entry in [entry for entry in LOG if entry.kind == "account"][:2]:
        with pytest.raises(CountsAnew):
            reader.read(json.dumps(v2_line(entry)).encode())

    assert not sink.events


async def test_a_silent_clamp_of_v1_shows_in_the_time_of_the_first_event() -> None:
    async with JetstreamServer(floor=300) as server:
        start = Position(server.host, LOG[11].witnessed_us, LOG[11].witnessed_us)
        sink = await read(server, Jetstream("v1"), start, 5)

        assert [(start.time_us, "clamped cursor")] == [(from_us, cause) for from_us, _, cause in sink.gaps]
        assert sink.gaps[0][1] >= LOG[299].witnessed_us


@pytest.mark.parametrize("host", ["same", "another"])
async def test_v1_without_a_clamp_tells_no_gap(host: str) -> None:
    async with JetstreamServer() as server:
        start = beginning(server.host if host == "same" else "wss://elsewhere.test")
        sink = await read(server, Jetstream("v1"), Position(start.host, start.cursor, LOG[60].witnessed_us), 5)

    assert not sink.gaps


async def test_a_retired_dictionary_is_fetched_anew_and_one_that_never_works_is_done_without() -> None:
    async with JetstreamServer(dictionary=True) as server:
        source = Jetstream("v2")
        await read(server, source, Position(server.host, 1, 0), 1)
        server.train(8)
        await read(server, source, Position(server.host, 1, 0), 1)
        assert dict(asked(server))["zstdDictionary"] == "8"

        server.dictionaries[9] = server.dictionaries.pop(8)  # what it serves it does not take
        server.current = 9
        await read(server, source, Position(server.host, 1, 0), 1)
        assert "zstdDictionary" not in dict(asked(server))


@pytest.mark.parametrize("served", [b"", b"\x00" * 5000, b"\xff" * 4_000_000], ids=["nothing", "zeros", "too much"])
async def test_a_damaged_dictionary_is_done_without(served: bytes) -> None:
    async with JetstreamServer(dictionary=True) as server:
        server.dictionaries[7] = b"\x37\xa4\x30\xec" + served  # RFC 8878: how a dictionary begins
        await read(server, Jetstream("v2"), Position(server.host, 1, 0), 1)
        assert "zstdDictionary" not in dict(asked(server))


async def test_an_invalid_parameter_is_a_refusal_with_the_servers_own_words() -> None:
    async with JetstreamServer() as server:
        with pytest.raises(Refused, match="InvalidRequest: invalid number"):
            await read(server, Jetstream("v2"), Position(server.host, -1, 0), 1)


async def test_a_server_that_is_not_ready_may_be_tried_again() -> None:
    async with JetstreamServer() as server:
        server.answer = (503, {})
        with pytest.raises(Disconnected) as caught:
            await read(server, Jetstream(), None, 1)
    assert not isinstance(caught.value, Refused)


async def test_nothing_is_ever_sent_to_the_server() -> None:
    """v2 closes the connection on any data frame: the stream would have ended."""
    async with JetstreamServer() as server:
        sink = Remembering()
        reading = asyncio.ensure_future(Jetstream("v2").run(server.host, None, sink))
        await server.connected.wait()
        for raw in raw_frames()[:4]:
            await server.add(raw)
        await sink.reaches(4)
        assert not reading.done()
        reading.cancel()


async def test_while_the_sink_has_no_room_the_host_is_left_waiting() -> None:
    log = entries(
        [frame("#account", {"did": LOG[0].did, "seq": seq, "time": "2026-11-20T19:26:08.953Z", "active": True}) for seq in range(9000)]
    )
    async with JetstreamServer(log) as server:
        sink, source = Remembering(), Jetstream("v2")
        sink.has_room.clear()
        reading = asyncio.ensure_future(source.run(server.host, Position(server.host, 1, log[0].witnessed_us), sink))
        await sink.reaches(32)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert source.received == 32

        sink.has_room.set()
        await sink.reaches(9000)
        reading.cancel()


def lines(wire: Wire, *garbage: bytes) -> Remembering:
    sink = Remembering()
    clock = Clock(lambda: NOW)
    reader = V1Lines(sink, Gap(sink, None), None, clock) if wire == "v1" else V2Lines(sink, Gap(sink, None), clock)
    for line in garbage:
        reader.read(line)
    return sink


def said(wire: Wire, kind: str = "commit", **changes: object) -> bytes:
    """A recorded line of that kind, its parts changed."""
    entry = next(
        entry for entry in LOG if entry.kind == kind and entry.commit.get("collection", "app.bsky.feed.post") == "app.bsky.feed.post"
    )
    line = deepcopy(v1_line(entry) if wire == "v1" else v2_line(entry))
    assert line is not None
    part = line[kind] if wire == "v1" else line["payload"] if kind == "commit" else line["payload"][kind]
    part.update(changes)
    return json.dumps(line).encode()


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("commit", {"rkey": "a b"}, "bad_post"),
        ("commit", {"rkey": 7}, "bad_line"),
        ("commit", {"rev": "yesterday"}, "bad_rev"),
        ("commit", {"operation": "merge"}, "bad_post"),
        ("commit", {"cid": None}, "bad_post"),
        ("commit", {"record": "text"}, "bad_"),
        ("commit", {"record": None}, "bad_"),
        ("account", {"active": 1}, "bad_account"),
        ("account", {"did": "x"}, "bad_account"),
        ("identity", {"did": None}, "bad_identity"),
    ],
)
@pytest.mark.parametrize("wire", WIRES)
def test_what_does_not_fit_the_lexicon_is_dropped_and_counted(wire: Wire, kind: str, changes: dict[str, object], reason: str) -> None:
    sink = lines(wire, said(wire, kind, **changes), said(wire, "account"))

    assert len(sink.events) == 1
    assert [dropped.startswith(reason) for dropped in sink.dropped.elements()] == [True]


@pytest.mark.parametrize("kind", ["commit", "account", "identity"])
@pytest.mark.parametrize("wire", WIRES)
def test_a_time_ahead_of_us_becomes_now_so_that_no_feed_ends_for_it(wire: Wire, kind: str) -> None:
    line = json.loads(said(wire, kind, **({} if kind == "commit" else {"time": "2099-01-01T00:00:00Z"})))
    if wire == "v1":
        line["time_us"] = microseconds("2099-01-01T00:00:00Z")
    else:
        line["payload"]["time"] = "2099-01-01T00:00:00.000000Z"

    sink = lines(wire, json.dumps(line).encode())

    assert all(event.time_us <= NOW + SKEW_US for event in sink.events)
    assert sink.position
    assert sink.position.time_us == NOW


def test_a_number_that_no_stream_counts_to_is_dropped() -> None:
    line = json.loads(said("v2"))
    beyond = [json.dumps({**line, "payload": {**line["payload"], "seq": seq}}).encode() for seq in (2**53, 2**63, 10**30, 0, -1)]
    negative = [json.dumps({**json.loads(said("v1")), "time_us": time}).encode() for time in (0, -1, -(10**30))]

    assert lines("v2", *beyond).dropped == {"bad_line": 5}
    assert lines("v1", *negative).dropped == {"bad_line": 3}


def test_a_line_that_is_no_json_is_dropped_on_v1_and_ends_the_connection_on_v2() -> None:
    assert lines("v1", b"{", b"\xff", b"", said("v1")).dropped == {"bad_line": 3}
    for garbage in (b"{", b"\xff", b""):
        with pytest.raises(Disconnected, match="framing"):
            lines("v2", garbage)


def test_an_error_frame_of_v2_ends_the_connection() -> None:
    with pytest.raises(Disconnected, match="ConsumerTooSlow: read faster"):
        lines("v2", b'{"$type":"error","error":"ConsumerTooSlow","message":"read faster"}')


def test_fields_may_come_in_any_order_and_a_commit_that_lacks_one_is_dropped_on_v2() -> None:
    line = json.loads(said("v2"))
    turned = {"payload": dict(reversed(line["payload"].items())), "$type": "message"}
    lacking = [{**line, "payload": {k: v for k, v in line["payload"].items() if k != gone}} for gone in ("seq", "did", "time", "rkey")]

    assert lines("v2", json.dumps(turned).encode()).events == lines("v2", said("v2")).events
    assert lines("v2", *(json.dumps(each).encode() for each in lacking)).dropped == {"bad_line": 4}


def test_frames_of_an_unknown_type_are_ignored_on_v2() -> None:
    unknown = b'{"$type":"message","payload":{"$type":"x#future","seq":9,"did":"did:web:a.b","time":"2026-11-20T19:26:08.953Z"}}'

    sink = lines("v2", b'{"$type":"future"}', unknown)

    assert not sink.dropped
    assert sink.position is not None
    assert sink.position.cursor == 9


@pytest.mark.parametrize("wire", WIRES)
def test_a_deeply_nested_record_costs_its_post_and_nothing_else(wire: Wire) -> None:
    line = said(wire, record={"text": "x", "deep": "DEEP"}).replace(b'"DEEP"', b"[" * 50_000 + b"]" * 50_000)

    sink = lines(wire, line, said(wire))

    assert len(sink.events) == 1
    assert sink.dropped.total() == 1


@pytest.mark.parametrize("wire", WIRES)
def test_an_accounts_own_time_is_its_events_and_the_wires_time_is_the_positions(wire: Wire) -> None:
    sink = lines(wire, said(wire, "account", time="1999-01-01T00:00:00Z"))

    assert isinstance(sink.events[0], AccountChanged)
    assert sink.events[0].time_us == 915_148_800_000_000
    assert sink.position is not None
    assert sink.position.time_us > 1_700_000_000_000_000


@pytest.mark.parametrize("wire", WIRES)
def test_an_accounts_own_time_is_bounded_by_the_wires_so_that_no_later_event_looks_late(wire: Wire) -> None:
    ahead, honest = lines(wire, said(wire, "account", time="2099-01-01T00:00:00Z"), said(wire, "account")).events

    assert ahead.time_us - honest.time_us == 120_000_000


def test_times_with_few_or_many_digits_are_read_alike() -> None:
    times = [
        "2026-11-20T19:26:08Z",
        "2026-11-20T19:26:08.0Z",
        "2026-11-20T19:26:08.000000Z",
        "2026-11-20T19:26:08.000000999Z",
        "2026-11-20T20:26:08.000+01:00",
    ]

    sink = lines("v2", *(said("v2", time=time) for time in times))

    assert {event.time_us for event in sink.events} == {1_795_202_768_000_000}


def _texts() -> Iterator[bytes]:
    for wire in WIRES:
        for kind in ("commit", "account", "identity"):
            yield said(wire, kind)


@given(
    st.binary(max_size=100)
    | st.tuples(st.sampled_from(list(_texts())), st.integers(0), st.binary(max_size=3)).map(lambda parts: _cut(*parts))
)
def test_whatever_comes_the_decoders_raise_nothing_but_disconnected(line: bytes) -> None:
    lines("v1", line)
    with suppress(Disconnected):
        lines("v2", line)


def _cut(line: bytes, at: int, by: bytes) -> bytes:
    at %= len(line)
    return line[:at] + by + line[at + len(by) :]


def test_a_record_reaches_the_event_as_it_was() -> None:
    record = {"$type": "app.bsky.feed.post", "text": "x", "n": 2**60, "f": None, "b": {"$bytes": "eA"}, "l": [{"$link": "bafy"}]}

    for wire in WIRES:
        event = lines(wire, said(wire, record=record)).events[0]
        assert isinstance(event, PostCreated)
        assert msgspec.json.encode(event.record) == msgspec.json.encode(record)
