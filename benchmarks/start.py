"""From launch to the first answer, and the memory held when idle, with the example config on an embedded database.

    python -m benchmarks.start [--rounds 5]

Limits: the first answer takes at most 4x `python -c "import aiohttp, peewee"` (both measured in turn, medians), and at most 90 MiB stay
resident.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from labeler import keys

LIMIT, LIMIT_MIB = 4.0, 90.0
ROOT = Path(__file__).parents[1]
PORT = 3957
IDLE_SECONDS = 3.0


def importing() -> float:
    """Seconds of the yardstick."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import aiohttp, peewee"], check=True)
    return time.perf_counter() - began


def serving(folder: Path) -> tuple[float, float]:
    """Seconds to the first answer, and MiB resident when idle."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "plainsky", "run", "config.toml"]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    try:
        while not answered():
            assert process.poll() is None, "the service ended"
        seconds = time.perf_counter() - began
        time.sleep(IDLE_SECONDS)
        status = Path(f"/proc/{process.pid}/status").read_text()
        return seconds, int(status.split("VmRSS:")[1].split()[0]) / 1024
    finally:
        process.terminate()
        process.wait()


def answered() -> bool:
    """Whether there is an answer yet; asks every 5 ms."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{PORT}/xrpc/app.bsky.feed.describeFeedGenerator", timeout=2).read()
    except OSError:
        time.sleep(0.005)
        return False
    return True


def main() -> int:
    """Print the ratio and the memory beside their limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys.create(folder / "labeler.key")
        text = (ROOT / "config.example.toml").read_text().replace("\nport = 3000", f"\nport = {PORT}")
        (folder / "config.toml").write_text(text)
        serving(folder)  # the first start makes the database and the compiled files
        pairs = [(importing(), serving(folder)) for _ in range(rounds)]
    ratio = statistics.median(first / yardstick for yardstick, (first, _) in pairs)
    memory = statistics.median(resident for _, (_, resident) in pairs)
    first = statistics.median(first for _, (first, _) in pairs)
    print(f"first answer after {first:.2f} s; ratio to importing aiohttp and peewee {ratio:.2f} (limit {LIMIT})")
    print(f"idle: {memory:.0f} MiB resident (limit {LIMIT_MIB:.0f})")
    return 0 if ratio <= LIMIT and memory <= LIMIT_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
