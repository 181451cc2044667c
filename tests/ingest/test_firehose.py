"""com.atproto.sync.subscribeRepos: frames become events, broken framing ends the connection, and nothing else does."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libipld import decode_dag_cbor_multi, encode_dag_cbor

from models.events import AccountChanged, IdentityChanged, PostCreated, PostDeleted, PostUpdated, RepoReset
from models.protocol.syntax import tid_of
from plainsky.ingest import Disconnected, Position, Refused
from plainsky.ingest.decoding import Clock
from plainsky.ingest.firehose import NO_POST, Firehose, Frames, Heads
from plainsky.ingest.gaps import Gap
from tests.support.firehose_server import FirehoseServer
from tests.support.recorded import frame, microseconds, raw_frames
from tests.support.sinks import Remembering

DID = "did:plc:4c62uglso3yznblk2tzpikk7"
TIME = "2026-11-20T19:26:08.953Z"
TIME_US = microseconds(TIME)
NOW = microseconds("2026-11-20T20:00:00Z")


def digested(*frames: bytes, start: Position | None = None) -> Remembering:
    sink = Remembering()
    reader = Frames(sink, Gap(sink, start), Clock(lambda: NOW))
    for raw in frames:
        reader.read(raw)
    return sink


def commit(seq: int = 1, **changes: object) -> bytes:
    """A recorded commit of one new post, changed."""
    raw = next(raw for raw in raw_frames() if b"app.bsky.feed.post/" in raw[:150])
    return frame("#commit", {**decode_dag_cbor_multi(raw)[1], "seq": seq, **changes})


def account(seq: int, active: object = True, **more: object) -> bytes:
    return frame("#account", {"did": DID, "seq": seq, "time": TIME, "active": active, **more})


async def test_every_recorded_frame_is_digested_and_none_is_lost() -> None:
    sink = digested(*raw_frames())

    kinds = Counter(type(event) for event in sink.events)
    assert kinds == {PostCreated: 309, PostDeleted: 16, PostUpdated: 1, AccountChanged: 16, IdentityChanged: 15, RepoReset: 11}
    assert not sink.dropped
    assert sink.position is not None
    assert sink.position.cursor == decode_dag_cbor_multi(raw_frames()[-1])[1]["seq"]


async def test_an_outdated_cursor_is_a_gap_from_what_was_stored_to_the_first_event_that_came() -> None:
    odd = raw_frames("odd-frames.b64")

    sink = digested(*odd, start=Position("a", 3, TIME_US))

    assert len(sink.events) == 2
    assert sink.gaps == [(TIME_US, sink.events[0].time_us, "OutdatedCursor")]


async def test_a_future_cursor_is_refused_and_another_error_frame_may_be_tried_again() -> None:
    with pytest.raises(Refused, match="FutureCursor"):
        digested(*raw_frames("error-frame.b64"))
    with pytest.raises(Disconnected, match="ConsumerTooSlow") as caught:
        digested(frame("", {"error": "ConsumerTooSlow"}, op=-1))
    assert not isinstance(caught.value, Refused)


async def test_frames_of_an_unknown_op_or_type_are_ignored() -> None:
    sink = digested(account(1), frame("#future", {"seq": 9, "did": DID}), frame("", {"x": 1}, op=7), account(2))

    assert sink.cursors == [1, 2]


@pytest.mark.parametrize(
    "broken",
    [b"", b"\x00", b"\xff" * 9, encode_dag_cbor({"op": 1, "t": "#commit"}), account(1)[:-3], account(1) + b"\x01", frame("#commit", {})],
    ids=["empty", "no map", "no CBOR", "no payload", "cut short", "something after it", "no seq"],
)
async def test_invalid_framing_ends_the_connection_and_is_never_skipped(broken: bytes) -> None:
    with pytest.raises(Disconnected):
        digested(broken)


def test_nearly_all_recorded_commits_without_a_post_are_known_at_a_glance_and_none_with_one() -> None:
    without = [raw for raw in raw_frames() if not digested(raw).events and decode_dag_cbor_multi(raw)[0]["t"] == "#commit"]

    assert sum(1 for raw in without if NO_POST.match(raw)) >= len(without) * 0.9
    assert not [raw for raw in raw_frames() if NO_POST.match(raw) and digested(raw).events]


@pytest.mark.parametrize(
    ("paths", "passed"),
    [
        (["app.bsky.feed.like/3n2rcvp6nb22t"], True),
        (["a.b/x"], True),
        (["app.bsky.feed.post/3n2rcvp6nb22t"], False),
        (["app.bsky.feed.post/x"], False),
        (["app.bsky.feed.post/" + "x" * 300], False),
        (["app.bsky.feed.like/3n2rcvp6nb22t", "app.bsky.feed.post/3n2rcvp6nb22t"], False),
        (["a.b/dpathsapp.bsky.feed.like", "app.bsky.feed.post/x"], False),
    ],
)
@pytest.mark.parametrize("cid", [b"\xf6", b"\xd8\x2aX\x25\x00\x01q\x12 " + b"dpatha.b" * 4], ids=["deleted", "created"])
def test_a_commit_is_passed_by_when_its_only_operation_is_on_no_post(paths: list[str], passed: bool, cid: bytes) -> None:
    raw = commit(ops=[{"cid": "CID", "path": path, "action": "create"} for path in paths]).replace(b"\x63CID", cid)

    assert bool(NO_POST.match(raw)) is passed


@given(st.lists(st.tuples(st.sampled_from(raw_frames()), st.integers(0, 120), st.binary(max_size=2)), max_size=8))
def test_a_frame_is_known_by_the_head_of_others_exactly_when_it_is_known_by_its_own(frames: list[tuple[bytes, int, bytes]]) -> None:
    heads = Heads()

    for raw, at, by in [*frames, *((raw, 0, b"") for raw in raw_frames())]:
        changed = raw[:at] + by + raw[at + len(by) :]
        assert bool(heads.no_post(changed)) is bool(NO_POST.match(changed))


@pytest.mark.parametrize("seq", [5, 4, 0, -1, 2**53, 2**64 - 1, "6", True, None])
async def test_a_seq_that_does_not_rise_ends_the_connection(seq: object) -> None:
    with pytest.raises(Disconnected, match="order"):
        digested(account(5), frame("#account", {"did": DID, "seq": seq, "time": TIME, "active": True}))


async def test_gaps_in_the_seq_are_legal() -> None:
    assert digested(account(5), account(5000)).cursors == [5, 5000]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (commit(ops=7), "bad_commit"),
        (commit(ops=["x"]), "bad_commit"),
        (commit(ops=[{"path": "app.bsky.feed.post/a", "action": "create", "cid": None}]), "bad_post"),
        (commit(ops=[{"path": "app.bsky.feed.post/a", "action": "create", "cid": b"\x01q\x12 " + b"x" * 32}]), "missing_block"),
        (commit(blocks=b""), "missing_block"),
        (commit(blocks=b"\xff" * 40), "missing_block"),
        (commit(ops=[{"path": "app.bsky.feed.post/a b", "action": "delete"}]), "bad_post"),
        (commit(ops=[{"path": "app.bsky.feed.post/abc", "action": "merge"}]), "bad_post"),
        (commit(repo="alice.test"), "bad_post"),
        (commit(rev=tid_of(microseconds("2026-11-20T20:00:00Z"), 0)), "future_rev"),
        (commit(rev=tid_of(microseconds("2099-01-01T00:00:00Z"), 0), time="2099-01-01T00:00:00Z"), "future_rev"),
        (commit(rev="yesterday"), "bad_rev"),
        (commit(rev=None), "bad_rev"),
        (commit(time="noon"), "bad_time"),
        (commit(time=7), "bad_time"),
        (account(1, active="yes"), "bad_account"),
        (frame("#identity", {"seq": 1, "time": TIME, "did": "x"}), "bad_identity"),
        (frame("#sync", {"seq": 1, "time": TIME, "did": DID, "rev": 3}), "bad_rev"),
        (frame("#sync", {"seq": 1, "time": TIME, "did": 3, "rev": "3n2rcvp6nb22t"}), "bad_sync"),
    ],
)
async def test_what_does_not_fit_the_lexicon_is_dropped_and_counted_and_the_cursor_moves_on(raw: bytes, reason: str) -> None:
    sink = digested(raw, account(2))

    assert sink.dropped == {reason: 1}
    assert sink.cursors == [2]


def test_a_broken_operation_is_dropped_without_the_commits_other_posts() -> None:
    body = decode_dag_cbor_multi(commit())[1]
    ops = [{"path": "app.bsky.feed.post/x", "action": "create", "cid": 7}, {"path": "app.bsky.feed.post/y"}, *body["ops"]]

    sink = digested(frame("#commit", {**body, "ops": ops}))

    assert sink.dropped == {"bad_post": 2}
    assert len(sink.events) == 1


def test_a_record_that_is_no_cbor_is_dropped_without_the_commits_other_posts() -> None:
    good = decode_dag_cbor_multi(commit())[1]["ops"][0]
    cid = b"\x01q\x12 " + b"n" * 32
    deep = cid + b"\x81" * 100_000 + b"\x01"
    size = bytes([len(deep) & 127 | 128, len(deep) >> 7 & 127 | 128, len(deep) >> 14])
    body = decode_dag_cbor_multi(commit())[1]
    ops = [{"path": "app.bsky.feed.post/deep", "action": "create", "cid": cid}, good]

    sink = digested(frame("#commit", {**body, "ops": ops, "blocks": body["blocks"] + size + deep}))

    assert sink.dropped == {"bad_post": 1}
    assert len(sink.events) == 1


def test_a_time_ahead_of_us_becomes_now_so_that_no_later_event_looks_late(caplog: pytest.LogCaptureFixture) -> None:
    times = ["2026-11-20T20:01:59Z", "2099-01-01T00:00:00Z", "2026-11-20T19:59:00Z"]
    frames = [frame("#account", {"did": DID, "seq": seq, "time": time, "active": True}) for seq, time in enumerate(times, 1)]

    assert [event.time_us - NOW for event in digested(*frames).events] == [119_000_000, 0, -60_000_000]
    assert caplog.text.count("is its clock right?") == 1


async def test_too_big_and_rebase_are_ignored() -> None:
    assert len(digested(commit(tooBig=True, rebase=True)).events) == 1


@given(
    st.binary(max_size=400) | st.tuples(st.sampled_from(raw_frames()), st.integers(0), st.binary(max_size=4)).map(lambda t: _damaged(*t))
)
def test_whatever_bytes_come_the_decoder_raises_nothing_but_disconnected(raw: bytes) -> None:
    with suppress(Disconnected):
        digested(raw)


def _damaged(raw: bytes, at: int, by: bytes) -> bytes:
    at %= len(raw)
    return raw[:at] + by + raw[at + len(by) :]


_OPS = st.dictionaries(st.sampled_from(["path", "action", "cid"]), st.sampled_from([None, "app.bsky.feed.post/x", "create", b"x"]))
_BODY = st.dictionaries(
    st.sampled_from(["seq", "did", "repo", "time", "rev", "ops", "blocks", "active", "status", "handle", "name"]),
    st.none() | st.integers(-5, 5) | st.sampled_from([DID, TIME]) | st.binary(max_size=5) | st.lists(_OPS),
)


@given(st.sampled_from(["#commit", "#sync", "#identity", "#account", "#info"]), _BODY)
def test_whatever_a_frame_holds_the_decoder_raises_nothing_but_disconnected(name: str, body: dict[str, object]) -> None:
    with suppress(Disconnected):
        digested(frame(name, body))


async def test_a_resume_is_inclusive() -> None:
    async with FirehoseServer() as server:
        sink = Remembering(server.host)
        reading = asyncio.ensure_future(Firehose().run(server.host, Position(server.host, 480, 0), sink))
        await sink.reaches(1)
        reading.cancel()

        assert server.asked == ["/xrpc/com.atproto.sync.subscribeRepos?cursor=480"]


async def test_commits_that_are_passed_by_move_the_cursor_and_end_a_gap() -> None:
    first, *_, last = others = [raw for raw in raw_frames() if NO_POST.match(raw)]
    times = [microseconds(decode_dag_cbor_multi(raw)[1]["time"]) for raw in (first, last)]
    async with FirehoseServer(others) as server:
        sink = Remembering(server.host)
        reading = asyncio.ensure_future(Firehose().run(server.host, Position(server.host, 1, 0), sink))
        await sink.passes(server.latest)
        reading.cancel()

        assert sink.position == Position(server.host, server.latest, times[1])
        assert sink.gaps == [(0, times[0], "OutdatedCursor")]


async def test_without_a_position_it_reads_from_now() -> None:
    async with FirehoseServer() as server:
        sink = Remembering()
        reading = asyncio.ensure_future(Firehose().run(server.host, None, sink))
        await server.connected.wait()
        await server.add(account(9999))
        await sink.reaches(1)
        reading.cancel()

        assert sink.cursors == [9999]


async def test_a_host_that_began_to_count_anew_is_read_from_the_time_that_was_reached() -> None:
    async with FirehoseServer() as server:
        sink = Remembering()
        reading = asyncio.ensure_future(Firehose(quiet_seconds=0.05).run(server.host, Position(server.host, 10**12, TIME_US), sink))
        await sink.reaches(368)
        reading.cancel()

        assert [asked.partition("cursor=")[2] for asked in server.asked] == ["1000000000000", "", "0"]


@pytest.mark.parametrize(
    ("status", "refused"), [(405, True), (426, True), (501, True), (404, True), (429, False), (500, False), (503, False)]
)
async def test_what_http_says_at_connect_tells_a_refusal_from_a_later(status: int, refused: bool) -> None:
    async with FirehoseServer() as server:
        server.answer = (status, {"Retry-After": "17"})
        with pytest.raises(Disconnected) as caught:
            await Firehose().run(server.host, None, Remembering())

    assert isinstance(caught.value, Refused) is refused
    assert caught.value.retry_after == (None if refused else 17.0)


async def test_a_host_that_is_not_there_may_be_tried_again() -> None:
    async with FirehoseServer() as server:
        host = server.host
    with pytest.raises(Disconnected, match="cannot connect") as caught:
        await Firehose().run(host, None, Remembering())
    assert not isinstance(caught.value, Refused)


async def test_a_cut_a_goodbye_and_a_text_frame_end_the_connection() -> None:
    for ending in (FirehoseServer.cut, FirehoseServer.say_goodbye):
        async with FirehoseServer() as server:
            reading = asyncio.ensure_future(Firehose().run(server.host, None, Remembering()))
            await server.connected.wait()
            await ending(server)
            with pytest.raises(Disconnected, match="closed the connection"):
                await reading


async def test_while_the_sink_has_no_room_the_host_is_left_waiting_and_memory_stays_small() -> None:
    frames = [frame("#account", {"did": DID, "seq": seq, "time": TIME, "active": True, "pad": "x" * 10_000}) for seq in range(1, 4000)]
    async with FirehoseServer(frames) as server:
        sink, source = Remembering(), Firehose()
        sink.has_room.clear()
        reading = asyncio.ensure_future(source.run(server.host, Position(server.host, 1, 0), sink))
        await sink.reaches(32)
        for _ in range(50):
            await asyncio.sleep(0.002)

        assert len(sink.events) == 32
        assert source.received == 32

        sink.has_room.set()
        await sink.reaches(3999)
        reading.cancel()


async def test_on_another_host_the_time_is_looked_for_and_never_the_old_seq() -> None:
    frames = [frame("#account", {"did": DID, "seq": seq, "time": _at(seq), "active": True}) for seq in range(1, 40_000, 7)]
    async with FirehoseServer(frames) as server:
        wanted = Position("wss://elsewhere.test", 10**12, microseconds(_at(20_000)))
        sink = Remembering()
        reading = asyncio.ensure_future(Firehose(margin_us=1_000_000).run(server.host, wanted, sink))
        await server.connected.wait()
        await server.add(frame("#account", {"did": DID, "seq": 40_001, "time": _at(40_001), "active": True}))
        await sink.reaches(1)
        reading.cancel()

        back, needed = (microseconds(_at(40_001)) - time for time in (sink.events[0].time_us, wanted.time_us - 1_000_000))
        assert needed <= back < 2 * needed
        assert not any("cursor=1000000000000" in asked for asked in server.asked)
        assert len(server.asked) == 6  # live, four probes, and the reading


async def test_a_host_too_quiet_to_tell_its_seq_is_read_from_its_beginning() -> None:
    async with FirehoseServer() as server:
        sink = Remembering()
        source = Firehose(quiet_seconds=0.05)
        reading = asyncio.ensure_future(source.run(server.host, Position("wss://elsewhere.test", 77, TIME_US), sink))
        await sink.reaches(368)
        reading.cancel()

        assert server.asked[-1].endswith("cursor=0")


async def test_a_time_before_what_a_host_keeps_is_reported_as_a_gap() -> None:
    frames = [frame("#account", {"did": DID, "seq": seq, "time": _at(seq), "active": True}) for seq in range(1, 20_000, 7)]
    async with FirehoseServer(frames) as server:
        server.forget(below=15_000)
        sink = Remembering()
        wanted = Position("wss://elsewhere.test", 77, microseconds(_at(100)))
        reading = asyncio.ensure_future(Firehose().run(server.host, wanted, sink))
        await server.connected.wait()
        await server.add(frame("#account", {"did": DID, "seq": 20_001, "time": _at(20_001), "active": True}))
        await sink.reaches(1)
        reading.cancel()

        assert sink.gaps == [(wanted.time_us, sink.events[0].time_us, "OutdatedCursor")]


def _at(seq: int) -> str:
    """A hundred frames a second."""
    return f"2026-11-20T19:{seq // 6000:02d}:{seq // 100 % 60:02d}.{seq % 100:02d}0Z"
