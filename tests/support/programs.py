"""Programs that tests start beside themselves: a free port, a wait until they answer, an end that leaves nothing behind."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support import cannot_run

ROOT = Path(__file__).parents[2]
LABELER_KEY = {"PLAINSKY_LABELER_KEY": "05" * 32}
"""A labeler's key, in the environment."""
_CONFIG = """
[service]
hostname = "localhost:@PORT@"
port = @PORT@
{service}
[store]
url = "sqlite:///@FOLDER@/plainsky.sqlite"

[ingest]
{ingest}
"""


def built(script: str, what: str) -> str:
    """Where the program is that a script of tests/network builds, once; without it the test cannot run."""
    done = subprocess.run([ROOT / "tests" / "network" / script], capture_output=True, text=True)
    if done.returncode != 0:
        cannot_run(f"{what}: {done.stderr[-2000:]}")
    return done.stdout.strip()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until it has happened; AssertionError with `what` after so many seconds."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)


class Program:
    """A child process in a process group of its own; what it prints goes into a file.

    On Linux it dies with the thread that started it, so that a killed test run leaves nothing behind.
    """

    def __init__(self, command: list[str], log: Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> None:
        self._log = log
        mortal = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        everything = {**os.environ, **(env or {})}
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [*mortal, *command], cwd=cwd, env=everything, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """All it has printed so far."""
        return self._log.read_text(errors="replace")

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until it is ready. When it ends before, or takes too long, it is killed and the end of its log is the error."""
        end = time.monotonic() + seconds
        while not ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > end:
                self.kill()
                raise self._failed(f"was not ready after {seconds} s" if code is None else f"ended with exit code {code}")
            time.sleep(0.02)

    def stop(self, seconds: float = 10) -> int:
        """Ask it to end (SIGTERM) and return its exit code; kill it and raise when it does not end in time."""
        self._process.terminate()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self._process.args!r} did not end within {seconds} s of SIGTERM; it printed:\n{self.log[-4000:]}"
            ) from None
        finally:
            self.kill()

    def _failed(self, how: str) -> AssertionError:
        return AssertionError(f"{self._process.args!r} {how}; it printed:\n{self.log[-4000:]}")

    def kill(self) -> None:
        """End it and all it started at once (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def get_json(url: str, headers: Mapping[str, str] | None = None, timeout: float = 10) -> tuple[int, Any]:
    """GET; the status and the decoded answer, also of a 4xx or 5xx."""
    return request_json(urllib.request.Request(url, headers=dict(headers or {})), timeout)


def request_json(request: urllib.request.Request, timeout: float) -> tuple[int, Any]:
    """Send it; the status and the decoded JSON answer (None for an empty one), also of a 4xx or 5xx."""
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
        try:
            return error.code, json.loads(body or b"null")
        except ValueError:
            return error.code, body.decode(errors="replace")


def config(ingest: str, tables: str, service: str = "") -> str:
    """A config for a `Service`, with these lines in [ingest], these more in [service], and these tables."""
    return _CONFIG.format(ingest=ingest, service=service) + tables


def replaying(recording: object, tables: str, ingest: str = "") -> str:
    """A config for a `Service` that plays a recording."""
    return config(f'source = "replay"\npath = "{recording}"\n{ingest}', tables)


class Service:
    """`plainsky run CONFIG` as its operator runs it: a process with a config file in a folder of its own.

    In the config, @PORT@ stands for a free port and @FOLDER@ for the folder; both stay the same over restarts.
    """

    def __init__(
        self, folder: Path, config: str, env: Mapping[str, str] | None = None, arguments: tuple[str, ...] = (), port: int | None = None
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.did = f"did:web:localhost%3A{self.port}"
        self.config = folder / "config.toml"
        self.config.write_text(config.replace("@PORT@", str(self.port)).replace("@FOLDER@", str(folder)))
        self._env = env
        self._command = [sys.executable, "-m", "plainsky", "run", str(self.config), *arguments]
        self._program: Program | None = None

    def start(self, seconds: float = 20) -> None:
        """Start it and wait until /_health answers 200."""
        self._program = Program(self._command, self.folder / "log", self._env)
        self._program.wait_ready(self.healthy, seconds)

    def healthy(self) -> bool:
        """Whether /_health answers 200."""
        try:
            return get_json(f"{self.url}/_health", timeout=5)[0] == 200
        except OSError:
            return False

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """GET a path of the service: status and decoded JSON."""
        return get_json(self.url + path, headers)

    @property
    def program(self) -> Program:
        """The running process."""
        assert self._program is not None, "the service has not been started"
        return self._program

    @property
    def logs(self) -> str:
        """All it has printed, over all its starts."""
        return self.program.log

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self.program.stop()

    def kill9(self) -> None:
        """SIGKILL: what a power cut leaves."""
        self.program.kill()

    def end(self) -> None:
        """Leave nothing of it running, whatever state it is in."""
        if self._program is not None:
            self._program.kill()

    def restart(self) -> None:
        """Stop it cleanly when it runs, and start it again on the same port, folder and config."""
        if self.program.running:
            self.stop()
        self.start()
