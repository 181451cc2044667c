"""The real Jetstream server, which tests/network/jetstream.sh builds: an archive of the network that serves both wires."""

import shutil
from pathlib import Path

from tests.support.network import Net
from tests.support.programs import Program, free_port


class RealJetstream:
    """One instance. Its seqs are its own: they begin anew with its data."""

    def __init__(self, program: str, net: Net, folder: Path, **options: str) -> None:
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self._data, self._log, self._starts = folder / "data", folder / "log", 0
        # One account's repo stands for the archive's backfill of all: whoever follows the stream asks for what comes now.
        given = {
            "addr": f"127.0.0.1:{self.port}",
            "relay-url": net.pds,
            "plc-url": net.plc,
            "data-dir": str(self._data),
            "backfill-repos": net.did("alice"),
            **{name.replace("_", "-"): value for name, value in options.items()},
        }
        self._command = [program, "--log-format", "text", "serve", *(f"--{name}={value}" for name, value in given.items())]
        self._program: Program | None = None

    def start(self) -> None:
        """Start it, with the data that it has."""
        self._starts += 1
        self._program = Program(self._command, self._log)
        self._program.wait_ready(self._follows, 30)

    def _follows(self) -> bool:
        assert self._program
        return self._program.log.count("steady-state consumer running") == self._starts

    def kill(self) -> None:
        """SIGKILL."""
        if self._program:
            self._program.kill()

    def forget(self) -> None:
        """Throw its data away, while it does not run."""
        shutil.rmtree(self._data)
