"""The supervisor: which host, from where, after how long; and a silent socket is not trusted."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from models.events import AccountChanged
from plainsky.ingest import Disconnected, Position, Refused, Sink
from plainsky.ingest.firehose import Firehose
from plainsky.ingest.jetstream import Jetstream
from plainsky.ingest.supervisor import Patience, Supervisor
from tests.support.firehose_server import FirehoseServer
from tests.support.jetstream_server import JetstreamServer
from tests.support.recorded import frame, raw_frames
from tests.support.sinks import Remembering

DID = "did:plc:4c62uglso3yznblk2tzpikk7"


class Finished(Exception):
    """The test has seen enough."""


class Played:
    """A source whose connections go as told; `time` stands still but for what they take and for pauses."""

    kind = "played"

    def __init__(self, *acts: Disconnected | tuple[float, Disconnected] | Callable[[Sink], Awaitable[None]] | None) -> None:
        self.received = 0
        self.acts = list(acts)
        self.runs: list[tuple[str, Position | None]] = []
        self.pauses: list[float] = []
        self.time = 0.0

    async def run(self, host: str, start: Position | None, sink: Sink) -> None:
        self.runs.append((host, start))
        if not self.acts:
            raise Finished
        act = self.acts.pop(0)
        if isinstance(act, tuple):
            self.time += act[0]
            self.received += 1
            raise act[1]
        if isinstance(act, Disconnected):
            raise act
        if act is not None:
            await act(sink)

    async def sleep(self, seconds: float) -> None:
        """A pause is over at once; the watchdog's naps never end by themselves."""
        if seconds == QUARTER:
            await asyncio.Event().wait()
        self.pauses.append(seconds)
        self.time += seconds

    def supervised(self, *hosts: str, sink: Remembering | None = None, chance: float = 1.0, **patience: float) -> Supervisor:
        sink = sink or Remembering()
        more = Patience(silence=4 * QUARTER, **patience)  # type: ignore[arg-type]
        return Supervisor(self, hosts, sink, sink.resume, patience=more, sleep=self.sleep, clock=lambda: self.time, chance=lambda: chance)


QUARTER = 15.125


async def watched(played: Played, *hosts: str, **more: float) -> list[str]:
    with pytest.raises(Finished):
        await played.supervised(*hosts, **more).run()
    return [host for host, _ in played.runs]


async def test_pauses_double_up_to_the_longest_and_chance_shortens_them() -> None:
    played = Played(*[Disconnected("x")] * 8)
    await watched(played, "a", longest_pause=20.0)
    assert played.pauses == [1, 2, 4, 8, 16, 20, 20, 20]

    played = Played(*[Disconnected("x")] * 4)
    await watched(played, "a", chance=0.25)
    assert played.pauses == [0.25, 0.5, 1, 2]


async def test_after_a_good_stretch_pauses_are_short_again() -> None:
    played = Played(Disconnected("x"), Disconnected("x"), (29.0, Disconnected("x")), (31.0, Disconnected("x")), Disconnected("x"))
    await watched(played, "a")

    assert played.pauses == [1, 2, 4, 1, 2]


async def test_a_host_that_asks_for_a_longer_wait_gets_it_but_not_more_than_an_hour() -> None:
    played = Played(Disconnected("429", retry_after=17.0), Disconnected("429", retry_after=0.5), Disconnected("429", retry_after=1e9))
    await watched(played, "a")

    assert played.pauses == [17, 2, 3600]


async def test_hosts_are_tried_in_order_each_a_few_times_and_round_again() -> None:
    played = Played(*[Disconnected("x")] * 7)

    assert await watched(played, "a", "b", "c", attempts=2) == ["a", "a", "b", "b", "c", "c", "a", "a"]


async def test_a_refusal_means_the_next_host_at_once_and_its_wish_to_wait_is_not_the_next_hosts() -> None:
    played = Played(Refused("501", retry_after=99.0), Disconnected("x"))

    assert await watched(played, "a", "b") == ["a", "b", "b"]
    assert played.pauses == [1, 2]


async def test_a_good_stretch_forgives_a_host_its_failures() -> None:
    played = Played(Disconnected("x"), (60.0, Disconnected("x")), Disconnected("x"), Disconnected("x"))

    assert await watched(played, "a", "b", attempts=3) == ["a", "a", "a", "a", "b"]


async def test_a_source_that_is_finished_ends_it() -> None:
    played = Played(Disconnected("x"), None)
    await played.supervised("a").run()

    assert [host for host, _ in played.runs] == ["a", "a"]


async def test_each_connection_resumes_from_what_is_stored_not_from_what_was_received() -> None:
    sink = Remembering()
    stored = [None, Position("a", 10, 1), Position("a", 20, 2)]

    async def resume(host: str) -> Position | None:
        return stored.pop(0)

    async def receives(sink: Sink) -> None:
        sink.put(AccountChanged(DID, True, 5), 999)
        raise Disconnected("x")

    played = Played(receives, receives)
    with pytest.raises(Finished):
        await Supervisor(played, ["a"], sink, resume, sleep=played.sleep, clock=lambda: played.time).run()

    assert [start for _, start in played.runs] == [None, Position("a", 10, 1), Position("a", 20, 2)]


@pytest.mark.parametrize(
    ("known", "chosen"),
    [
        (Position("b", 7, 900_000_000), Position("b", 7, 900_000_000)),
        (Position("b", 7, 999_000_000), Position("a", 10, 1_000_000_000)),  # within the margin: something might be missed
        (Position("b", 7, 100_000_000), Position("a", 10, 1_000_000_000)),  # long ago: the time is the shorter way
        (None, Position("a", 10, 1_000_000_000)),
    ],
)
async def test_a_host_left_a_little_while_ago_is_taken_up_where_it_was_left(known: Position | None, chosen: Position) -> None:
    async def resume(host: str) -> Position | None:
        return Position("a", 10, 1_000_000_000)

    async def remembered(host: str) -> Position | None:
        assert host == "b"
        return known

    played = Played(None)
    await Supervisor(played, ["b"], Remembering(), resume, remembered, sleep=played.sleep).run()

    assert played.runs == [("b", chosen)]


class Naps:
    """A sleep that ends when told, for the watchdog."""

    def __init__(self) -> None:
        self.began = asyncio.Semaphore(0)
        self._ends = asyncio.Semaphore(0)
        self.pauses: list[float] = []

    async def __call__(self, seconds: float) -> None:
        if seconds != QUARTER:
            self.pauses.append(seconds)
            return
        self.began.release()
        await self._ends.acquire()

    async def pass_by(self, count: int) -> None:
        for _ in range(count):
            await self.began.acquire()
            self._ends.release()


async def test_a_socket_that_stays_open_and_silent_is_left_after_the_time_allowed() -> None:
    naps = Naps()
    async with FirehoseServer() as server:
        server.mute = True
        sink = Remembering()
        supervisor = Supervisor(Firehose(), [server.host], sink, sink.resume, patience=Patience(silence=4 * QUARTER), sleep=naps)
        running = asyncio.ensure_future(supervisor.run())
        await server.connected.wait()
        server.connected.clear()
        await naps.pass_by(4)
        await server.connected.wait()
        server.connected.clear()
        assert len(server.asked) == 2

        server.mute = False
        await server.add(*raw_frames()[:1])  # its seq is below: only later ones are live
        await server.add(frame("#account", {"did": DID, "seq": 10_000, "time": "2026-11-20T19:26:08.953Z", "active": True}))
        await sink.reaches(1)
        await naps.pass_by(3)
        await naps.began.acquire()

        assert len(server.asked) == 2
        await stopped(running)


async def test_a_source_that_waits_for_room_is_not_taken_for_a_silent_host() -> None:
    naps = Naps()
    async with FirehoseServer() as server:
        sink = Remembering()
        sink.position = Position(server.host, 1, 0)
        sink.has_room.clear()
        supervisor = Supervisor(Firehose(), [server.host], sink, sink.resume, patience=Patience(silence=4 * QUARTER), sleep=naps)
        running = asyncio.ensure_future(supervisor.run())
        await sink.reaches(20)
        await naps.pass_by(9)

        assert len(server.asked) == 1
        await stopped(running)


async def test_a_cut_connection_is_taken_up_again_and_nothing_is_lost() -> None:
    async with FirehoseServer(raw_frames()[:200]) as server:
        sink = Remembering()
        sink.position = Position(server.host, 1, 0)
        supervisor = Supervisor(Firehose(), [server.host], sink, sink.resume, chance=lambda: 0.0)
        running = asyncio.ensure_future(supervisor.run())
        await sink.reaches(50)
        await server.cut()
        await server.add(*raw_frames()[200:])
        await sink.passes(server.latest)
        await stopped(running)

    whole = Remembering()
    async with FirehoseServer() as server:
        reading = asyncio.ensure_future(Firehose().run(server.host, Position(server.host, 1, 0), whole))
        await whole.reaches(368)
        reading.cancel()
    assert list(dict.fromkeys(map(repr, sink.events))) == [repr(event) for event in whole.events]


async def test_when_a_host_fails_the_next_is_read_from_a_time_and_the_overlap_comes_twice() -> None:
    async with JetstreamServer() as first, JetstreamServer() as second:
        sink = Remembering()
        sink.position = Position(first.host, 1, first.log[0].witnessed_us)
        supervisor = Supervisor(Jetstream("v2"), [first.host, second.host], sink, sink.resume, chance=lambda: 0.0)
        running = asyncio.ensure_future(supervisor.run())
        await sink.reaches(368)
        first.answer = (501, {})
        await first.cut()
        await second.connected.wait()

        assert second.asked[-1].endswith(f"cursor={first.log[-1].witnessed_us - 10_000_000}")
        await stopped(running)


async def test_a_stop_is_clean_and_quick_while_a_host_goes_on_sending() -> None:
    frames = [frame("#account", {"did": DID, "seq": n, "time": "2026-11-20T19:26:08.953Z", "active": True}) for n in range(1, 60_000)]
    async with FirehoseServer(frames) as server:
        sink = Remembering()
        sink.position = Position(server.host, 1, 0)
        running = asyncio.ensure_future(Supervisor(Firehose(), [server.host], sink, sink.resume).run())
        await sink.reaches(100)
        async with asyncio.timeout(5):
            await stopped(running)


async def stopped(running: "asyncio.Future[None]") -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_only_a_connection_that_stands_is_told_to_the_sink() -> None:
    async with JetstreamServer() as server:
        for source in (Jetstream("v1", compress=False), Firehose()):
            sink = Remembering()
            with pytest.raises(Disconnected):
                await source.run("ws://127.0.0.1:1", None, sink)
            assert sink.connections == []
        reading = asyncio.ensure_future(Jetstream("v1", compress=False).run(server.host, None, sink))
        await server.connected.wait()
        await asyncio.wait_for(sink.taken.wait(), 10)
        reading.cancel()
        await asyncio.wait([reading])

    assert sink.connections == [server.host]
