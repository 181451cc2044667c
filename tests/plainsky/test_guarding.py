"""Servers that strangers name are asked on the public internet only (plainsky/asking/guarding.py). The sockets are real."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from plainsky.asking import guarding
from plainsky.asking.guarding import Outside, PublicResolver, is_public
from plainsky.ingest import Disconnected
from tests.support.serving import StreamServer

NAME = "inside.example.com"
Lookup = Callable[..., Any]


class Listener:
    """Counts connections, and what comes first on each."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.connected = 0

    async def __aenter__(self) -> "Listener":
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        self.heard.append(await reader.read(200))
        writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener() as server:
        yield server


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stands_for(monkeypatch: pytest.MonkeyPatch, no_proxy: None) -> Callable[..., list[str]]:
    """`stands_for([ADDRESS, ...], ...)`: what every name is said to stand for, one list each time; gives the names asked for."""

    def set_up(*addresses: list[str]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            now = addresses[min(len(asked), len(addresses) - 1)]
            asked.append(host)
            return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in now]

        monkeypatch.setattr(guarding.socket, "getaddrinfo", look_up)
        return asked

    return set_up


async def test_a_name_that_stands_for_this_machine_is_never_connected_to(stands_for: Any, listener: Listener) -> None:
    stands_for(["127.0.0.1"])

    with pytest.raises(Disconnected):
        await Outside().get(f"https://{NAME}:{listener.port}", "/x", (), 100, 5)

    assert listener.connected == 0


async def test_without_the_guard_it_would_have_been(stands_for: Any, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = stands_for(["127.0.0.1"])
    monkeypatch.setattr(guarding, "is_public", lambda _: True)

    with pytest.raises(Disconnected):  # no TLS there
        await Outside().get(f"https://{NAME}:{listener.port}", "/x", (), 100, 5)

    assert (listener.connected, asked) == (1, [NAME])


async def test_the_address_that_was_judged_is_the_one_connected_to(
    stands_for: Any, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may stand for another address a moment later ("DNS rebinding"): it is looked up once."""
    asked = stands_for(["127.0.0.1", "127.0.0.2"], ["127.0.0.2"])
    monkeypatch.setattr(guarding, "is_public", lambda address: address == "127.0.0.1")

    with pytest.raises(Disconnected):
        await Outside().get(f"https://{NAME}:{listener.port}", "/x", (), 100, 5)

    assert (listener.connected, asked) == (1, [NAME])


async def test_of_several_addresses_the_public_ones_are_left(stands_for: Any) -> None:
    stands_for(["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"])

    assert [found["host"] for found in await PublicResolver().resolve(NAME, 443)] == ["8.8.8.8", "2606:4700::1111"]


async def test_a_real_look_up_of_this_machine_gives_nothing() -> None:
    with pytest.raises(OSError, match="no address on the public internet"):
        await PublicResolver().resolve("localhost", 443)


async def test_a_name_that_does_not_exist_is_no_answer(stands_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stands_for([])
    with pytest.raises(Disconnected):
        await Outside().get(f"https://{NAME}", "/x", (), 100, 5)

    monkeypatch.setattr(guarding.socket, "getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(socket.gaierror(-2, "unknown")))
    with pytest.raises(Disconnected):
        await Outside().get(f"https://{NAME}", "/x", (), 100, 5)


async def test_names_whose_look_up_hangs_hold_nobody_up_and_are_bounded(no_proxy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hung, asked = threading.Event(), []

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        hung.wait(20)
        return []

    monkeypatch.setattr(guarding.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(guarding, "LOOKUPS_AT_ONCE", 2)
    outside = Outside()

    async def get(seconds: float) -> None:
        with pytest.raises(Disconnected):
            await outside.get(f"https://{NAME}", "/x", (), 100, seconds)

    for _ in range(5):
        await get(0.01)
    hung.set()
    for thread in threading.enumerate():
        if thread.name == "look-up":
            await asyncio.to_thread(thread.join)
    assert asked == [NAME] * 2
    await get(5)
    assert asked == [NAME] * 3


async def test_a_proxy_of_the_environment_is_the_guard(stands_for: Any, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener.port}")

    with pytest.raises(Disconnected):
        await Outside().get(f"https://{NAME}", "/x", (), 100, 5)
    assert listener.heard[0].startswith(f"CONNECT {NAME}:443 ".encode())

    monkeypatch.setenv("no_proxy", NAME)
    stands_for(["127.0.0.1"])
    before = listener.connected
    with pytest.raises(Disconnected):
        await Outside().get(f"https://{NAME}", "/x", (), 100, 5)
    assert listener.connected == before


class Odd(StreamServer):
    """A server that moves, never ends, or never begins."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.app.router.add_get("/moved", self._moved)
        self.app.router.add_get("/endless", self._endless)
        self.app.router.add_get("/slow", self._slow)
        self.app.router.add_get("/broken", self._broken)

    async def _moved(self, _: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 10_000)
            self.sent += 10_000

    async def _slow(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"{")
        await asyncio.Event().wait()
        return answer

    async def _broken(self, _: web.Request) -> web.Response:
        return web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    async with Odd() as server:
        yield server


def here(server: StreamServer) -> str:
    return server.host.replace("ws:", "http:")


async def test_a_redirect_is_not_followed(odd: Odd) -> None:
    status, _ = await Outside(local=True).get(here(odd), "/moved", (), 100, 5)

    assert (status, odd.asked) == (302, ["/moved"])


async def test_an_endless_body_is_cut(odd: Odd) -> None:
    status, body = await Outside(local=True).get(here(odd), "/endless", (), 100_000, 5)

    assert (status, len(body)) == (200, 100_000)
    assert odd.sent < 10_000_000


@pytest.mark.parametrize("path", ["/slow", "/broken"])
async def test_a_server_that_does_not_come_to_an_end_or_breaks_off_is_no_answer(odd: Odd, path: str) -> None:
    with pytest.raises(Disconnected):
        await Outside(local=True).get(here(odd), path, (), 100, 0.1)


INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.1.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "224.0.1.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:a00:1::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_of_private_networks_tunnels_and_documentation_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_next_to_those_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "x", "127.1", "0x7f.1", "1.2.3.4.5", "::ffff:1.2.3"])
def test_what_is_no_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://pds.example.com",
        "ftp://pds.example.com",
        "pds.example.com",
        "https://127.0.0.1",
        "https://10.0.0.1:8080",
        "https://127.1",
        "https://2130706433",
        "https://0x7f.0.0.0x1",
        "https://1.0x7f",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://intranet",
        "https://localhost",
        "https://localhost.",
        "https://pds.localhost:3000",
        "https://printer.local",
        "https://metadata.google.internal",
        "https://router.home.arpa",
        "https://me@pds.example.com",
        "https://",
        "https://[",
        "",
    ],
)
def test_an_address_that_is_not_on_the_public_internet_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"no public https address|Invalid IPv6 URL"):
        Outside.of("https://plc.directory").address(url)


def test_a_public_address_is_taken_without_its_path() -> None:
    assert Outside().address("https://pds.example.com/") == "https://pds.example.com"
    assert Outside().address("https://PDS.example.com:8443/a?b#c") == "https://PDS.example.com:8443"


@pytest.mark.parametrize("directory", ["http://localhost:2582", "http://127.0.0.1:2582", "http://[::1]:2582"])
def test_where_the_directory_is_this_machine_so_may_the_others_be(directory: str) -> None:
    assert Outside.of(directory).address("http://localhost:2583") == "http://localhost:2583"
    with pytest.raises(ValueError, match="no public"):
        Outside.of(directory).address("file:///etc/passwd")
