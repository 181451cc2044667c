"""A server of tests on a real socket: port 0, started and stopped as a context, or alone as a process."""

import argparse
import asyncio
from typing import Any, Self

from aiohttp import WSCloseCode, web


class StreamServer:
    """An aiohttp application whose streams wait for `self.more()` and can be cut."""

    def __init__(self) -> None:
        self.app = web.Application()
        self.answer: tuple[int, dict[str, str]] | None = None
        """HTTP status and headers to turn every request away with."""
        self.mute = False
        """Accept connections, and send nothing."""
        self.asked: list[str] = []
        """The path and query of every request, in order."""
        self.sockets: set[web.WebSocketResponse] = set()
        self.connected = asyncio.Event()
        """Set when a stream has begun; clear it to wait for the next."""
        self._changed = asyncio.Condition()
        self.app.middlewares.append(self._doorman)

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.app, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        await self._runner.cleanup()

    async def listen(self, port: int = 0) -> None:
        """Take connections."""
        self._site = web.TCPSite(self._runner, "127.0.0.1", port)
        await self._site.start()
        self.port = self._runner.addresses[0][1]
        self.host = f"ws://127.0.0.1:{self.port}"

    async def cut(self) -> None:
        """Break every open stream without a goodbye."""
        for socket in list(self.sockets):
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()
        await self.wake()

    async def wake(self) -> None:
        """Let the streams look for what is new."""
        async with self._changed:
            self._changed.notify_all()

    async def more(self, socket: web.WebSocketResponse) -> None:
        """Wait until there may be more to send, or the socket is gone."""
        async with self._changed:
            await self._changed.wait()
        if socket.closed or socket._req is None or socket._req.transport is None or socket._req.transport.is_closing():
            raise ConnectionResetError

    async def open(self, request: web.Request, protocols: tuple[str, ...] = (), compress: bool = False) -> web.WebSocketResponse:
        """Upgrade; whoever streams on it calls `more` and `gone`."""
        socket = web.WebSocketResponse(protocols=protocols, compress=compress, timeout=0.1)
        await socket.prepare(request)
        self.sockets.add(socket)
        self.connected.set()
        return socket

    @web.middleware
    async def _doorman(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.answer:
            status, headers = self.answer
            return web.Response(status=status, headers=headers)
        try:
            return await handler(request)
        except ConnectionError:
            return web.Response()

    async def say_goodbye(self) -> None:
        """Close every stream properly."""
        for socket in list(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"bye")


def serve_alone(server: Any, describe: str) -> None:
    """Run a server as a process: prints its host, then serves until a signal."""
    parser = argparse.ArgumentParser(description=describe)
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port

    async def run() -> None:
        made = server()
        made._runner = web.AppRunner(made.app, shutdown_timeout=0.1)
        await made._runner.setup()
        await made.listen(port)
        print(made.host, flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())
