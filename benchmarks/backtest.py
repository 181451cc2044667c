"""A backtest over recorded posts, as an operator runs it: `plainsky backtest` in a process of its own, from the recording to the table.

    python -m benchmarks.backtest [--posts 1000000]

Ten feeds by the old config; by the new one, three of them have other words, a quota or another order, and a wide one comes that most
posts enter. Some posts are edited, some deleted. Limits, for a million posts: a minute of one core (CPU time, user and system), and 300 MiB
(the largest resident size).
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ingest import START_US, _cid, _did, _time, records, words
from benchmarks.measure import finish, verdict
from models.events import Event, PostCreated, PostDeleted, PostUpdated
from models.protocol.syntax import tid_of

SECONDS_A_MILLION = 60.0
MEBIBYTES = 300.0
STEP_US = 39_000  # 2.2 million posts a day
HEAD = """
[service]
hostname = "feeds.example.org"
[store]
url = "sqlite:///none.sqlite"
"""
FEED = """
[[feeds]]
rkey = "f{number}"
name = "Feed {number}"
{more}
[[feeds.include]]
kind = "keyword"
any = {any}
"""


def events(posts: int) -> Iterator[Event]:
    """Posts of five each author; two in a hundred are edited, five deleted."""
    rng, written, cid = random.Random(5), records(), _cid(b"post")
    for number in range(posts):
        at = START_US + number * STEP_US
        did, rkey, record = (
            _did(rng.randrange(max(1, posts // 5))),
            tid_of(at - 1000, 5),
            next(written) | {"createdAt": _time(number * STEP_US)},
        )
        yield PostCreated(did, rkey, tid_of(at, 9), cid, at, record)
        fate = number % 100
        if fate < 2:
            yield PostUpdated(did, rkey, tid_of(at + 900, 9), cid, at + 900, record | {"text": f"{record['text']} edited"})
        elif fate < 7:
            yield PostDeleted(did, rkey, tid_of(at + 900, 9), at + 900)


def config(changed: bool) -> str:
    """Old or new."""
    rng, vocabulary = random.Random(6), words()
    text = HEAD
    for number in range(10):
        chosen = rng.sample(vocabulary[500:], 25)
        more = 'per_author = { posts = 1, every = "6h" }' if changed and number == 1 else ""
        more = 'order = "topic"\ntopic = { bucket = "6h", terms = { %s = 2.0 } }' % chosen[0] if changed and number == 2 else more  # noqa: UP031
        kept = chosen[5:] if changed and number == 0 else chosen[:20]
        text += FEED.format(number=number, more=more, any=str(kept).replace("'", '"'))
    return text + (FEED.format(number="wide", more="", any=str(vocabulary[:12]).replace("'", '"')) if changed else "")


def record(folder: Path, posts: int) -> None:
    """Write the recording."""
    from plainsky.ingest.recording import Recorder

    with Recorder(folder) as recorder:
        for number, event in enumerate(events(posts), 1):
            recorder.put(event, number)
            if not number % 10_000:
                recorder.flush()


def main() -> None:
    """Record, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments.record, arguments.posts)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "benchmarks.backtest", "--record", str(folder / "recording"), "--posts", str(arguments.posts)]
        subprocess.run(command, check=True)
        for file, changed in (("old.toml", False), ("new.toml", True)):
            (folder / file).write_text(config(changed))
        seconds, mebibytes = measured(folder)
    finish(
        verdict("CPU seconds a million posts", seconds / arguments.posts * 1e6, SECONDS_A_MILLION),
        verdict("MiB", mebibytes, MEBIBYTES),
    )


def measured(folder: Path) -> tuple[float, float]:
    """CPU seconds and the largest resident size (MiB) of a backtest; the table is printed."""
    command = [sys.executable, "-m", "plainsky", "backtest", str(folder / "new.toml"), "--config", str(folder / "old.toml")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([*command, "--recording", str(folder / "recording")], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    table = process.stdout.read()
    process.wait()
    print("\n".join(table.splitlines()[:16]))
    assert process.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, resident()


def resident() -> float:
    """The largest resident size (MiB) of any child; the one that made the recording is smaller."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()
