"""com.atproto.sync.subscribeRepos as a relay serves it: plays frames by the official cursor rules, and fails in every way on demand.

`python -m tests.support.firehose_server [--port N]` serves the recorded frames as a process and prints its host.
"""

from aiohttp import web

from tests.support.recorded import frame, raw_frames, seq_of
from tests.support.serving import StreamServer, serve_alone


class FirehoseServer(StreamServer):
    """`log` is what the host has kept: (seq, frame) in order. `tail` is sent after it whatever it is (garbage, error frames)."""

    def __init__(self, frames: list[bytes] | None = None) -> None:
        super().__init__()
        self.log: list[tuple[int, bytes]] = []
        self.latest = 0
        for raw in raw_frames() if frames is None else frames:
            self._keep(raw)
        self.tail: list[bytes] = []
        self.app.router.add_get("/xrpc/com.atproto.sync.subscribeRepos", self._subscribe)

    async def add(self, *frames: bytes) -> None:
        """Something happens, live."""
        for raw in frames:
            self._keep(raw)
        await self.wake()

    def forget(self, below: int) -> None:
        """The host's window moves on: frames below this seq are gone."""
        self.log = [entry for entry in self.log if entry[0] >= below]

    def _keep(self, raw: bytes) -> None:
        self.latest = seq_of(raw) or self.latest
        self.log.append((self.latest, raw))

    async def _subscribe(self, request: web.Request) -> web.WebSocketResponse:
        socket = await self.open(request)
        cursor = int(request.query["cursor"]) if "cursor" in request.query else None
        if cursor is not None and cursor > self.latest:
            await socket.send_bytes(frame("", {"error": "FutureCursor", "message": "Cursor in the future."}, op=-1))
            await socket.close(code=1008, message=b"FutureCursor")
            return socket
        if cursor and self.log and cursor < self.log[0][0]:
            await socket.send_bytes(frame("#info", {"name": "OutdatedCursor", "message": "Requested cursor exceeded limit."}))
        await self._stream(socket, self.latest + 1 if cursor is None else cursor)
        return socket

    async def _stream(self, socket: web.WebSocketResponse, seq: int) -> None:
        """Inclusive, by the specification."""
        while True:
            for at, raw in [entry for entry in self.log if entry[0] >= seq and not self.mute]:
                await socket.send_bytes(raw)
                seq = at + 1
            for raw in self.tail:
                await socket.send_bytes(raw)
            self.tail = []
            await self.more(socket)


if __name__ == "__main__":
    serve_alone(FirehoseServer, "a firehose that plays the recorded frames")
