"""Starts the network of tests/network: PLC directory, PDS, AppView and Ozone in one Node process, on loopback, fresh each time.

By hand: `python -m tests.support.netbox` keeps one running until Ctrl-C.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support import postgres
from tests.support.network import Net, node
from tests.support.programs import ROOT, Program, free_port


def folder() -> Path:
    """Where tests/network/install.sh puts the network."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("NETBOX_DIR") or cache / "plainsky" / "network")


@contextlib.contextmanager
def started(server: postgres.Server) -> Iterator[Net]:
    """A fresh network, for the length of the block. Takes about ten seconds.

    Raises subprocess.CalledProcessError when it cannot be installed, AssertionError when it does not start.
    """
    subprocess.run([ROOT / "tests" / "network" / "install.sh"], check=True)
    installed = folder()
    with contextlib.ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plainsky-network-")))
        for name in ("app", "consumers"):
            (run / name).symlink_to(installed / name)  # consumers look for net.json in NETBOX_DIR, next to their programs
        (run / "nodebin").symlink_to(installed / "nodebin")
        (run / "tmp").mkdir()
        redis = stack.enter_context(_redis(installed, run))
        environment = {
            "DB_POSTGRES_URL": stack.enter_context(server.empty()),
            "LOG_ENABLED": "false",
            "NETBOX_BASE": str(_free_range(8)),
            "NETBOX_DIR": str(run),
            "NODE_ENV": "development",
            "REDIS_HOST": redis,
            "TMPDIR": str(run / "tmp"),
        }
        program = Program([str(node(installed)), "--enable-source-maps", "net.mjs"], run / "log", environment, cwd=installed / "app")
        stack.callback(program.kill)  # hung or not: nothing in it is worth a clean end
        program.wait_ready((run / "ready").exists, 120)
        yield Net(run, json.loads((run / "net.json").read_text()))


@contextlib.contextmanager
def _redis(installed: Path, run: Path) -> Iterator[str]:
    unpacked = installed / "redis" / "usr"
    program = shutil.which("redis-server") or str(unpacked / "bin" / "redis-server")
    port = free_port()
    libraries = os.pathsep.join(str(path) for path in unpacked.glob("lib/*-linux-gnu"))
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(run)]
    redis = Program(command, run / "redis.log", {"LD_LIBRARY_PATH": libraries})
    try:
        redis.wait_ready(lambda: "Ready to accept connections" in redis.log, 20)
        yield f"127.0.0.1:{port}"
    finally:
        redis.kill()


def _free_range(width: int) -> int:
    """The first of so many ports in a row that nobody listens on, below those that clients are given."""
    # Two networks that start at once do not see each other's ports yet: each begins to look elsewhere.
    for first in (13_000 + (os.getpid() + n) % 950 * 20 for n in range(950)):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + width):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports for the network")


def main() -> None:
    """Keep a network running until Ctrl-C; print its addresses and accounts."""
    with tempfile.TemporaryDirectory() as run:
        server = postgres.shared(Path(run), os.getpid())
        with contextlib.suppress(KeyboardInterrupt), started(server) as net:
            print((net._folder / "net.json").read_text(), flush=True)
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main()
