"""`plainsky demo`: the whole service on live posts, or on the bundled sample where the network cannot be reached. Nothing is published."""

import asyncio
import socket
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import attrs

from labeler import keys
from models.events import Event
from plainsky.commands import whole
from plainsky.commands.run import serve
from plainsky.config.loading import parse
from plainsky.config.schema import Config, Labeler, Log, Store
from plainsky.config.schema import Service as ServiceTable
from plainsky.errors import OperatorError
from plainsky.ingest import Disconnected, Position, Sink, Source
from plainsky.ingest.connecting import fetch
from plainsky.logs import set_up_logging
from plainsky.pages import skeleton_path
from plainsky.sample import sample_events

PORTS = 65_536
REACH_SECONDS = 5.0
FILL_SECONDS = 45.0
"""How long the sample takes to play, after a first half at once."""


def add_arguments(parser: ArgumentParser) -> None:
    """Where to listen, and whether to look for the network at all."""
    parser.add_argument("--port", type=whole(1, PORTS - 1), default=3000, help="where to listen (default: 3000, or the next free port)")
    parser.add_argument("--sample", action="store_true", help="play the bundled sample even if the network can be reached")


def run(arguments: Namespace) -> int:
    """Serve until told to stop; everything is thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="plainsky-demo-") as folder:
        config = demo_config(Path(folder), free_port(arguments.port))
        set_up_logging(config.log)
        asyncio.run(_demo(config, arguments.sample))
    return 0


def demo_config(folder: Path, port: int) -> Config:
    """The example config, on a database and with a signing key in `folder`."""
    config = parse(example(), "config.example.toml", {})
    keys.create(folder / "labeler.key")
    return attrs.evolve(
        config,
        service=ServiceTable(hostname=f"localhost:{port}", port=port),
        store=Store(url=f"sqlite:///{folder / 'plainsky.sqlite'}"),
        labeler=Labeler(key_file=folder / "labeler.key"),
        log=Log(level="warning"),
    )


def example() -> str:
    """The text of config.example.toml."""
    packaged = files("plainsky") / "config.example.toml"
    return (packaged if packaged.is_file() else Path(__file__).parents[2] / "config.example.toml").read_text("utf-8")


def free_port(first: int) -> int:
    """The first port from `first` on that nobody listens on, and that we may."""
    for port in range(first, min(first + 50, PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OperatorError(f"no port from {first} on can be listened on: name another with --port")


async def _demo(config: Config, only_sample: bool) -> None:
    source: Source | None = SampleSource(time.time)
    host = config.ingest.hosts[0]
    if only_sample:
        _say("Playing the bundled sample: fictional accounts, made-up posts.")
    elif await _reached(host):
        _say(f"Reading the live network through {host}.")
        source = None
    else:
        _say("The live network cannot be reached from here, so this plays the bundled sample: fictional accounts, made-up posts.")
    if source:
        config = attrs.evolve(config, ingest=attrs.evolve(config.ingest, source="replay", hosts=("sample",)))
    _say(_where(config))
    await serve(config, source)


async def _reached(host: str) -> bool:
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await fetch(host, "/", (), 1024)
    except (Disconnected, TimeoutError):
        return False
    return True


def _where(config: Config) -> str:
    base = f"http://localhost:{config.service.port}"
    return (
        f"\n  See the feeds fill:   {base}/?watch"
        f"\n  A feed as served:     {base}{skeleton_path(config.service.publisher, config.feeds[0].rkey)}"
        f"\n  Labels:               {base}/xrpc/com.atproto.label.queryLabels?uriPatterns=*"
        f"\n  Health and metrics:   {base}/_health  {base}/metrics"
        "\n\nNothing is published, and all is thrown away at the end. Stop with Ctrl-C.\n"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class SampleSource:
    """Plays the bundled sample as if its last event happened now: half of it at once, the rest at a lively pace."""

    kind = "the bundled sample"
    received = 0

    def __init__(self, clock: Callable[[], float], seconds: float = FILL_SECONDS) -> None:
        self._clock, self._seconds = clock, seconds

    async def run(self, host: str, start: Position | None, sink: Sink) -> None:
        """Every event once; finished for good at the end."""
        events = list(sample_events(int(self._clock() * 1e6)))
        half = len(events) // 2
        for cursor, event in enumerate(events, 1):
            await self._play(event, cursor, sink, self._seconds / (len(events) - half) if cursor > half else 0.0)

    async def _play(self, event: Event, cursor: int, sink: Sink, pause: float) -> None:
        if pause:
            await asyncio.sleep(pause)
        await sink.room()
        self.received += 1
        sink.put(event, cursor)
