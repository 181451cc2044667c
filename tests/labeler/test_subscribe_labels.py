"""com.atproto.label.subscribeLabels on real sockets and both databases; read by aiohttp's client, bare sockets, and the SDK."""

import asyncio
import base64
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import peewee
import pytest
from aiohttp import web

from labeler import frames, replay
from labeler.issuer import Issuer
from labeler.service import LabelService
from labeler.signing import verify
from models import label_blocks, labels
from models.database import Database, Session
from models.labels import Label, SignedLabel
from tests.support.labels import CIDS, KEY, NOON, SRC, apply, decoded, issuer, judged, label_many, running, seqs, serving, uri
from tests.support.lexicons import assert_valid_message

PATH = "/xrpc/com.atproto.label.subscribeLabels"
QUICK: dict[str, float] = {"poll": 0.02, "patience": 0.2, "grace": 0.2}


def a_service(database: Database, **seconds: float) -> LabelService:
    return LabelService(database, issuer(), **(QUICK | seconds))


@asynccontextmanager
async def subscribed(host: str, cursor: int | str | None = None) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    query = "" if cursor is None else f"?cursor={cursor}"
    async with aiohttp.ClientSession() as client, client.ws_connect(f"ws://{host}{PATH}{query}") as socket:
        yield socket


async def take(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
    """The seqs of the next labels, in as many frames as they come, each a valid message."""
    read: list[int] = []
    while len(read) < count:
        frame = await socket.receive_bytes(timeout=10)
        assert_valid_message("com.atproto.label.subscribeLabels", "#labels", decoded(frame)[1])
        read += seqs(frame)
    return read


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what the service shows to metrics has no event
            await asyncio.sleep(0.005)


async def live(service: LabelService, count: int = 1) -> None:
    """Until so many subscribers are connected and have had all there is."""
    await until(lambda: service.subscribers() == [0] * count and service._tail is not None and service._tail.head > 0)


async def test_cursor_0_replays_everything_and_goes_on_live(database: Database) -> None:
    label_many(database, 3)
    service = a_service(database, poll=60)
    async with serving(service) as host, subscribed(host, 0) as socket:
        assert await take(socket, 3) == [1, 2, 3]

        label_many(database, 2, start=3)
        service.wake()

        assert await take(socket, 2) == [4, 5]


async def test_a_cursor_is_exclusive(database: Database) -> None:
    label_many(database, 3)
    async with serving(a_service(database)) as host:
        async with subscribed(host, 2) as socket:
            assert await take(socket, 1) == [3]
        async with subscribed(host, 3) as socket:
            label_many(database, 1, start=3)
            assert await take(socket, 1) == [4]


async def test_without_a_cursor_only_what_comes_is_told(database: Database) -> None:
    label_many(database, 3)
    service = a_service(database)
    async with serving(service) as host, subscribed(host) as socket:
        await live(service)
        label_many(database, 1, start=3)

        assert await take(socket, 1) == [4]


async def test_labels_written_by_another_process_appear_without_being_woken(database: Database, database_url: str) -> None:
    other = Database(database_url)
    try:
        async with serving(a_service(database)) as host, subscribed(host, 0) as socket:
            await asyncio.to_thread(label_many, other, 1)

            assert await take(socket, 1) == [1]
    finally:
        other.close()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_database_that_was_away_for_a_while_is_asked_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[Session] = []

    def away(session: Session, _after: int) -> None:
        tries.append(session)
        raise peewee.OperationalError("the database is away")

    label_many(database, 1)
    async with serving(a_service(database)) as host, subscribed(host, 0) as socket:
        assert await take(socket, 1) == [1]
        with monkeypatch.context() as patch:
            patch.setattr(replay, "newest", away)
            await until(lambda: len(tries) > 2)
        label_many(database, 1, start=1)

        assert await take(socket, 1) == [2]
    assert [record.message for record in caplog.records if record.name == "labeler.stream"] == ["cannot read the label log"]


async def test_no_gap_and_no_repeat_between_replay_and_live_while_labels_are_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "SIZE", 7)
    monkeypatch.setattr(label_blocks, "SIZE", 7)
    label_many(database, 100)
    database.write_now(replay.seal)
    service = a_service(database, patience=10)
    total = 400

    async def write() -> None:
        for start in range(100, total, 5):
            await asyncio.to_thread(label_many, database, 5, start)
            service.wake()

    async def read(host: str, cursor: int) -> list[int]:
        async with subscribed(host, cursor) as socket:
            return await take(socket, total - cursor)

    async with serving(service) as host:
        writing = asyncio.create_task(write())
        read_by_each = await asyncio.gather(*[read(host, cursor) for cursor in (0, 1, 50, 93, 99, 100)])
        await writing

    assert read_by_each == [list(range(cursor + 1, total + 1)) for cursor in (0, 1, 50, 93, 99, 100)]


async def test_a_cursor_beyond_the_log_is_answered_with_future_cursor_and_closed(database: Database) -> None:
    label_many(database, 3)
    async with serving(a_service(database)) as host, subscribed(host, 4) as socket:
        header, body = decoded(await socket.receive_bytes())

        assert (header, body["error"]) == ({"op": -1}, "FutureCursor")
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1008


async def test_after_a_loss_who_has_read_further_than_the_log_waits_for_the_numbers_above(database: Database) -> None:
    label_many(database, 3)
    by = Issuer(SRC, KEY, lambda: NOON, seq_above=1_000)
    service = LabelService(database, by)
    async with (
        serving(service) as host,
        subscribed(host, 700) as ahead,
        subscribed(host, 1_000) as at_the_end,
        subscribed(host, 1_001) as beyond,
    ):
        assert decoded(await beyond.receive_bytes())[1]["error"] == "FutureCursor"
        apply(database, judged("new", CIDS[0]), by=by)
        service.wake()
        assert [decoded(await socket.receive_bytes())[1]["seq"] for socket in (ahead, at_the_end)] == [1_001, 1_001]


async def test_a_cursor_from_before_a_log_that_begins_later_is_told_so_and_replayed_from_there(database: Database) -> None:
    def begin_later(session: Session) -> None:
        session.execute("UPDATE label SET seq = seq + 1000")

    label_many(database, 1)
    database.write_now(begin_later)
    async with serving(a_service(database)) as host:
        async with subscribed(host, 7) as socket:
            header, body = decoded(await socket.receive_bytes())
            assert (header, body["name"]) == ({"op": 1, "t": "#info"}, "OutdatedCursor")
            assert_valid_message("com.atproto.label.subscribeLabels", "#info", body)
            assert decoded(await socket.receive_bytes())[0]["t"] == "#labels"
        for cursor in (0, 1000):
            async with subscribed(host, cursor) as socket:
                assert decoded(await socket.receive_bytes())[0]["t"] == "#labels"


@pytest.mark.parametrize("cursor", ["", "-1", "1.5", "abc", str(2**53)])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_cursor_that_is_no_seq_is_a_400(database: Database, cursor: str) -> None:
    async with serving(a_service(database)) as host:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
            async with subscribed(host, cursor):
                pass


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("method", "status", "header"), [("POST", 405, ("Allow", "GET")), ("GET", 426, ("Upgrade", "websocket"))])
async def test_only_a_websocket_get_is_served(database: Database, method: str, status: int, header: tuple[str, str]) -> None:
    async with (
        serving(a_service(database)) as host,
        aiohttp.ClientSession() as client,
        client.request(method, f"http://{host}{PATH}") as answer,
    ):
        assert (answer.status, answer.headers[header[0]]) == (status, header[1])
        assert (await answer.json())["error"] == "InvalidRequest"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_a_client_says_is_ignored(database: Database) -> None:
    async with serving(a_service(database)) as host, subscribed(host, 0) as socket:
        await socket.send_str("hello")
        await socket.send_bytes(b"\xff" * 1000)
        await socket.ping()
        label_many(database, 1)

        assert await take(socket, 1) == [1]


async def test_a_client_that_leaves_is_forgotten(database: Database) -> None:
    label_many(database, 1)
    service = a_service(database)
    async with serving(service) as host:
        async with subscribed(host, 0) as socket:
            await live(service)
            await socket.close()
        await until(lambda: service.subscribers() == [])


FAT = 5_000


def fat_log(database: Database) -> None:
    """A log of very long labels, more than the kernel buffers for a connection."""
    apply(database, judged("post", CIDS[0]))
    label = Label(SRC, "at://did:web:" + "x" * 2_500, "fat", "2026-01-01T12:00:00.000Z")
    database.write_now(labels.append, [SignedLabel(seq, label, bytes(64), 1, 0, 0) for seq in range(2, FAT + 1)])


@asynccontextmanager
async def not_reading(host: str) -> AsyncIterator[socket.socket]:
    """A subscriber, connected by hand, that has read nothing but the handshake."""
    name, _, port = host.partition(":")
    key = base64.b64encode(os.urandom(16)).decode()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (name, int(port)))
        handshake = f"GET {PATH}?cursor=0 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        await loop.sock_sendall(client, f"{handshake}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        assert b"101 Switching" in await loop.sock_recv(client, 50)
        yield client


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_consumer_that_does_not_read_is_told_that_it_is_too_slow(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = asyncio.Event()
    error = frames.error

    def noting(name: str, message: str) -> bytes:
        given_up.set()
        return error(name, message)

    monkeypatch.setattr(frames, "error", noting)
    fat_log(database)
    async with serving(a_service(database, grace=10)) as host, not_reading(host) as client:
        await asyncio.wait_for(given_up.wait(), 10)

        reader, writer = await asyncio.open_connection(sock=client)
        last = (await asyncio.wait_for(read_to_close(reader, writer), 20))[-200:]

    assert error("ConsumerTooSlow", "Stream consumer too slow") in last
    assert b"\x03\xf0ConsumerTooSlow" in last  # 1008


async def read_to_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    read = b""
    while b"\x03\xf0ConsumerTooSlow" not in read:
        read = read[-200:] + await reader.read(1 << 20)
    writer.write(b"\x88\x82\0\0\0\0\x03\xf0")  # the client's close, masked with zeros
    await reader.read()
    writer.close()
    return read


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_consumer_that_reads_slowly_is_given_its_time_for_each_frame(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    send = web.WebSocketResponse.send_bytes

    async def slowly(self: web.WebSocketResponse, data: bytes) -> None:
        await asyncio.sleep(0.4)
        await send(self, data)

    monkeypatch.setattr(web.WebSocketResponse, "send_bytes", slowly)
    count = 4 * label_blocks.SIZE
    label_many(database, count)
    database.write_now(replay.seal)
    async with serving(a_service(database, patience=1.2)) as host, subscribed(host, 0) as socket:
        assert await take(socket, count) == list(range(1, count + 1))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_consumer_that_never_reads_is_cut_off_and_holds_up_nobody(database: Database) -> None:
    fat_log(database)
    service = a_service(database)
    async with running(service) as runner:
        server = runner.server
        assert server
        host = f"127.0.0.1:{runner.addresses[0][1]}"
        async with not_reading(host), subscribed(host, FAT) as other:
            label_many(database, 1)
            assert await take(other, 1) == [FAT + 1]
            await until(lambda: len(service.subscribers()) == len(server.connections) == 1)


async def test_a_stopping_server_closes_every_stream_also_of_one_that_does_not_read(database: Database) -> None:
    fat_log(database)
    service = a_service(database, patience=60)
    async with asyncio.timeout(10):
        async with serving(service) as host:
            client = await asyncio.create_task(hold(not_reading(host)))
            readers = [await asyncio.create_task(hold(subscribed(host, FAT))) for _ in range(3)]
            await until(lambda: sorted(service.subscribers())[:3] == [0, 0, 0] and len(service.subscribers()) == 4)
            ends = [asyncio.create_task(reader.receive()) for reader, _ in readers]
        assert [(await end).data for end in ends] == [1001] * 3
        assert service.subscribers() == []
        for _, leave in [client, *readers]:
            await leave()


async def hold(manager: Any) -> tuple[Any, Callable[[], Any]]:
    """What a context manager gives, to be left later."""
    return await manager.__aenter__(), lambda: manager.__aexit__(None, None, None)


async def test_how_far_behind_each_subscriber_is_can_be_asked(database: Database) -> None:
    fat_log(database)
    service = a_service(database, patience=60)
    assert service.subscribers() == []
    async with serving(service) as host, not_reading(host), subscribed(host, FAT):
        await until(lambda: len(service.subscribers()) == 2 and min(service.subscribers()) == 0 and max(service.subscribers()) > 0)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_service_is_healthy_while_its_key_signs(database: Database) -> None:
    assert LabelService(database, issuer()).healthy()


async def test_the_sdks_client_reads_the_stream_and_every_signature_verifies(database: Database) -> None:
    from atproto import AsyncFirehoseSubscribeLabelsClient, models, parse_subscribe_labels_message

    apply(database, judged("post", CIDS[0]), judged("post", CIDS[1]))
    read: list[Any] = []
    async with serving(a_service(database)) as host:
        client = AsyncFirehoseSubscribeLabelsClient(models.ComAtprotoLabelSubscribeLabels.Params(cursor=0), base_uri=f"ws://{host}/xrpc")

        async def on_message(frame: Any) -> None:
            read.append(parse_subscribe_labels_message(frame))
            if sum(len(message.labels) for message in read) == 3:
                await client.stop()

        await asyncio.wait_for(client.start(on_message), 10)

    told = [(label.uri, label.cid, label.neg) for message in read for label in message.labels]
    assert told == [(uri("post"), CIDS[0], None), (uri("post"), CIDS[0], True), (uri("post"), CIDS[1], None)]
    assert read[-1].seq == 3
    for message in read:
        for label in message.labels:
            fields = {key: value for key, value in label.model_dump().items() if value is not None and key not in ("sig", "py_type")}
            assert verify(Label(**fields), label.sig, KEY.public_key)
