"""What labels cost, each as a ratio to a limit of the same run: to issue, to replay, to ask for, and how soon subscribers have them.

    python -m benchmarks.labels [--dir FOLDER] [--labels 100000] [--asked 1000000] [--live 1000]

Issuing is CPU time of this process, user's and kernel's, against the signature alone, on the disk (printed) and in memory (counted): what
it costs the kernel to make a commit durable is the disk's own, and printed beside it is what one flushed page costs without a database.
A batch of one is a transaction of its own in the writer's thread, where labels are issued; what it costs to hand each single one over to
that thread is printed too: a core that was idle takes 10 to 100 us to wake.
(Only the sum is exact: which of the two it was is guessed at each tick, and a process that sleeps at every commit is told 40 us for 25.)
Replay, questions and memory are those of a server process; clients in another one are not counted.
"""

import argparse
import asyncio
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import aiohttp
import libipld
from aiohttp import web

from benchmarks.measure import compare, cpu_seconds, verdict
from benchmarks.skeleton import _load, cpu_us
from labeler import replay, signing
from labeler.issuer import Issuer, Judged
from labeler.judge import Judge
from labeler.limits import Breaker, Throttle
from labeler.policy import LabelPolicy
from labeler.service import LabelService
from labeler.signals.gtube import TEST_STRING
from models import labels
from models.database import Database
from models.labels import Label, SignedLabel
from models.post import Post
from models.protocol.k256 import PrivateKey
from models.protocol.syntax import tid_of
from plainsky.memory import settle

KEY = PrivateKey(b"\x07" * 32)
SRC = "did:plc:labeler22222222222222222"
CID = libipld.encode_cid(b"\x01\x71\x12\x20" + hashlib.sha256(b"a post").digest())
BASE = 1_780_000_000_000_000
LIMITS = {"batch": 2.0, "one": 5.0, "replay": 2.0, "first": 0.5, "memory": 25.0, "query": 3.0, "account": 20.0, "live": 0.25}
BATCH, MANY, ONES = 500, 2_000, 100
PAGE = 4_096
MEMORY = Path("/dev/shm")
NSID = "/xrpc/com.atproto.label.subscribeLabels"
JUDGE = Judge([LabelPolicy("plainsky-test", ("gtube",), "auto")])


def uri(number: int) -> str:
    """A post, as long as real ones."""
    return f"at://did:plc:{number * 7919 % 200_000:024d}/app.bsky.feed.post/{tid_of(BASE + number, 1)}"


def judged(number: int) -> Judged:
    """A post with a reason, as the pipeline tells it."""
    post = Post(f"Number {number} says {TEST_STRING}", langs=("en",))
    return Judged(uri(number), CID, JUDGE.judge(SRC, post), post)


def issuing(folder: Path) -> Iterator[bool]:
    """Batches and single labels against signatures."""
    database = Database(f"sqlite:///{folder / 'issuing.sqlite'}")
    database.open()
    message = signing.signing_bytes(Label(SRC, uri(1), "plainsky-test", "2026-01-01T12:00:00.000Z", CID, exp="2026-01-31T12:00:00.000Z"))
    ready = iter([judged(number) for number in range((MANY + 3 * ONES) * 10)])
    issuer = Issuer(SRC, KEY, lambda: time.time_ns() // 1000, breaker=Breaker(per_hour=10**9))
    settle()  # as the service does: or the collector would look through all that waits here again and again

    def sign() -> None:
        for _ in range(MANY):
            KEY.sign(message)

    def batches() -> None:
        for _ in range(MANY // BATCH):
            database.write_now(issuer.apply, [next(ready) for _ in range(BATCH)])

    async def asked() -> None:
        for _ in range(ONES):
            await database.write(issuer.apply, [next(ready)])

    many = compare(sign, batches)
    alone = many.a / MANY * 1e6
    print(f"a signature {alone:.1f} us; a label in a batch of {BATCH} {many.b / MANY * 1e6:.1f} us")
    yield verdict("a label in a batch / a signature", many.ratio, LIMITS["batch"])
    later = cpu_seconds(lambda: _make_ready(database)) / database.read_now(labels.last_seq) * 1e6
    print(f"(and later, when it is put into a block and sorted by uri, {later:.1f} us)")
    signed, flushed = _ones(lambda: KEY.sign(message)), _flushing(folder / "page")
    in_thread = _ones(lambda: database._in_write(issuer.apply, [next(ready)]))
    single = compare(signed, lambda: database._writing.run(in_thread))
    over = compare(signed, _ones(lambda: database.write_now(issuer.apply, [next(ready)])))
    handed = compare(signed, _ones(lambda: database.write_now(lambda _session: KEY.sign(message))))
    by_hand = compare(signed, _ones(lambda: database.write_now(lambda _session: flushed(KEY.sign(message)))))
    by_loop = compare(signed, lambda: asyncio.run(asked()))
    each, whole, least, bare, loop = (found.b / ONES * 1e6 for found in (single, over, by_hand, handed, by_loop))
    print(f"a batch of one {each:.0f} us; handed to the writer's thread one by one {whole:.0f} us, by an event loop {loop:.0f} us")
    print(f"(a signature alone, handed over in the same way, {bare:.0f} us, and there made durable by hand, as one page, {least:.0f} us)")
    yield verdict("a batch of one / a signature", single.ratio, LIMITS["one"])
    database.close()


def _make_ready(database: Database) -> None:
    while database.read_now(replay.unsealed) is not None:
        database.write_now(replay.seal)


def _ones(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(ONES):
            work()

    return run


def _flushing(path: Path) -> Callable[[bytes], None]:
    """Writes something as one page of a file that does not grow, and waits until the disk has it: the least that durable can cost."""
    path.write_bytes(bytes(PAGE))
    file = os.open(path, os.O_RDWR)
    os.fsync(file)

    def flushed(what: bytes) -> None:
        os.pwrite(file, what.ljust(PAGE, b"\0"), 0)
        os.fdatasync(file)

    return flushed


def filled(path: Path, count: int) -> Path:
    """A log of so many labels in a database, kept for the next run."""
    if not path.exists():
        database = Database(f"sqlite:///{path}.new")
        database.open()
        sig = KEY.sign(b"any")
        for start in range(1, count + 1, 10_000):
            rows = [
                SignedLabel(seq, _label(seq), sig, 1, 0, signing.key_id(KEY.public_key))
                for seq in range(start, min(start + 10_000, count + 1))
            ]
            database.write_now(lambda session, rows=rows: (_decision(session), labels.append(session, rows)))  # type: ignore[misc]
        _make_ready(database)
        database.close()
        Path(f"{path}.new").rename(path)
    return path


def _decision(session: object) -> None:
    session.execute(  # type: ignore[attr-defined]
        "INSERT INTO decision (id, uri, cid, val, action, mode, evidence, decided_at) VALUES (1, '', '', '', 'label', 'auto', '{}', 0)"
        " ON CONFLICT DO NOTHING"
    )


def _label(seq: int) -> Label:
    return Label(SRC, uri(seq), "plainsky-test", "2026-01-01T12:00:00.000Z", CID, exp="2026-01-31T12:00:00.000Z")


async def serve(path: Path) -> None:
    """Serve a filled database on a free port, which is printed; a line on stdin issues a label; its end ends it."""
    database = Database(f"sqlite:///{path}")
    database.open()
    issuer = Issuer(SRC, KEY, lambda: time.time_ns() // 1000, Throttle(), Breaker())
    service = LabelService(database, issuer, patience=60)
    memory = await _frames(database)

    async def from_memory(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=65_536, heartbeat=30)
        await socket.prepare(request)
        for frame in memory:
            await socket.send_bytes(frame)
        await socket.receive()
        return socket

    async def constant(_request: web.Request) -> web.Response:
        return web.Response(body=b'{"labels":[' + b"x" * 450 + b"]}", headers={"Content-Type": "application/json"})

    app = web.Application()
    app.add_routes([*service.routes(), web.get("/memory", from_memory), web.get("/constant", constant)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(runner.addresses[0][1], flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    number = 10**8 + await database.read(labels.last_seq)  # what an earlier run issued is not issued again
    while await reader.readline():
        number += 1
        started = time.time()
        await database.write(issuer.apply, [judged(number)])
        service.wake()
        print(started, flush=True)
    await service.close()
    await runner.cleanup()
    database.close()


async def _frames(database: Database) -> list[bytes]:
    """The first 25,000 labels' frames: more would be the memory that is measured."""
    found: list[bytes] = []
    after = 0
    while after < 25_000 and (blocks := await database.read(replay.following, after)):
        found += [block.frame for block in blocks]
        after = blocks[-1].last_seq
    return found * 4


class Server:
    """The service in a process of its own."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.labels", "--serve", str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.port = int(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def issue(self) -> float:
        """Issue one label; when that was begun (seconds since the epoch)."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        return float(self._line())

    def cpu(self, work: Callable[[], object]) -> float:
        """CPU µs that the work costs it."""
        before = cpu_us(self._process.pid)
        work()
        return cpu_us(self._process.pid) - before

    def anonymous(self) -> float:
        """MiB of memory that no file backs: the database's mapped pages are the kernel's cache."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0]) / 1024

    def close(self) -> None:
        """End it."""
        self._process.communicate()


async def _read(port: int, path: str, count: int, first: list[float] | None = None) -> None:
    """Read frames until one ends with label `count`, or so many bytes of labels are there."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session, session.ws_connect(f"http://127.0.0.1:{port}{path}", max_msg_size=0) as socket:
        left = count
        async for message in socket:
            if first is not None and left == count:
                first.append(time.monotonic() - began)
            left -= message.data.count(b"\x63sig\x58\x40")
            if left <= 0:
                break


def replaying(server: Server, count: int) -> Iterator[bool]:
    """One subscriber against the same bytes from memory; then 20 at once."""
    count -= count % replay.SIZE
    ours, bare = [], []
    for _ in range(6):
        bare.append(server.cpu(lambda: asyncio.run(_read(server.port, "/memory", count * 98 // 100))) / (count * 98 // 100))
        ours.append(server.cpu(lambda: asyncio.run(_read(server.port, f"{NSID}?cursor=0", count))) / count)
    ratio = statistics.median(o / b for o, b in list(zip(ours, bare, strict=True))[1:])
    print(f"replay: {1e6 / statistics.median(ours[1:]):,.0f} labels per CPU second, from memory {1e6 / statistics.median(bare[1:]):,.0f}")
    yield verdict("CPU of a replay / of sending the same bytes from memory", ratio, LIMITS["replay"])
    first: list[float] = []
    idle, peak = server.anonymous(), asyncio.run(_twenty(server, count, first))
    yield verdict("seconds to the first frame, the slowest of 20", max(first), LIMITS["first"])
    yield verdict("MiB above idle while 20 read", peak - idle, LIMITS["memory"])


async def _twenty(server: Server, count: int, first: list[float]) -> float:
    peak = 0.0
    reading = [asyncio.create_task(_read(server.port, f"{NSID}?cursor=0", count, first)) for _ in range(20)]
    while not all(task.done() for task in reading):
        peak = max(peak, server.anonymous())
        await asyncio.sleep(0.01)
    await asyncio.gather(*reading)
    return peak


def asking(server: Server, count: int) -> Iterator[bool]:
    """queryLabels by exact uri, and for all of an account, against a constant answer."""
    numbers = (number * 7919 % count + 1 for number in range(1, 10**9))
    asked = "/xrpc/com.atproto.label.queryLabels?uriPatterns="
    exact = (f"{asked}{uri(number)}" for number in numbers)
    account = (f"{asked}{uri(number).rpartition('/')[0]}/*" for number in numbers)
    yield from _against_constant(server, f"queryLabels by exact uri of {count:,}", exact, LIMITS["query"])
    yield from _against_constant(server, f"queryLabels of an account of {count:,}", account, LIMITS["account"])


def _against_constant(server: Server, what: str, paths: Iterator[str], limit: float) -> Iterator[bool]:
    ratios = []
    for _ in range(8):
        cheap = server.cpu(lambda: asyncio.run(_load(server.port, iter(["/constant"] * 1_500))))
        ours = server.cpu(lambda: asyncio.run(_load(server.port, islice(paths, 1_500))))
        ratios.append(ours / cheap)
        print(f"  {ours / 1500:.0f} us / {cheap / 1500:.0f} us", flush=True)
    yield verdict(f"{what} / a constant answer", statistics.median(ratios[1:]), limit)


def live(server: Server, subscribers: int) -> Iterator[bool]:
    """How soon all of many subscribers have a new label."""
    slowest = asyncio.run(_live(server, subscribers))
    print("  " + ", ".join(f"{seconds * 1000:.0f}" for seconds in slowest) + f" ms until the last of {subscribers} had it")
    yield verdict(f"seconds from a decision to {subscribers} live subscribers", statistics.median(slowest), LIMITS["live"])


class Listener(asyncio.Protocol):
    """A subscriber that looks at nothing but when something came."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.open = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        head = f"GET {NSID} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        transport.write(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self.open.done():
            self.open.set_result(None)
        elif not self.heard.done() and data[0] == 0x82:
            self.heard.set_result(time.time())


async def _live(server: Server, subscribers: int) -> list[float]:
    loop = asyncio.get_running_loop()
    listeners = [(await loop.create_connection(Listener, "127.0.0.1", server.port))[1] for _ in range(subscribers)]
    await asyncio.gather(*[listener.open for listener in listeners])
    await asyncio.sleep(1)
    slowest = []
    for _ in range(9):
        for listener in listeners:
            listener.heard = loop.create_future()
        began = await asyncio.to_thread(server.issue)
        slowest.append(max(await asyncio.gather(*[listener.heard for listener in listeners])) - began)
        await asyncio.sleep(0.3)
    for listener in listeners:
        listener.transport.abort()
    return slowest[1:]


def main() -> None:
    """Print each figure beside its limit."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "plainsky-benchmarks")
    options.add_argument("--labels", type=int, default=100_000)
    options.add_argument("--asked", type=int, default=1_000_000)
    options.add_argument("--live", type=int, default=1_000)
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    args = options.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if args.serve:
        asyncio.run(serve(args.serve))
        return
    args.dir.mkdir(exist_ok=True)
    within: list[bool] = []
    in_memory = MEMORY if MEMORY.is_dir() else args.dir
    for where in (args.dir, in_memory):
        with tempfile.TemporaryDirectory(dir=where) as folder:
            print(f"in {where}:")
            within = list(issuing(Path(folder)))
    small, big = (
        filled(args.dir / f"labels-{count}-{Path(replay.__file__).stat().st_mtime:.0f}.sqlite", count)
        for count in (args.labels, args.asked)
    )
    for path, steps in (
        (small, (lambda s: replaying(s, args.labels), lambda s: live(s, args.live))),
        (big, (lambda s: asking(s, args.asked),)),
    ):
        server = Server(path)
        try:
            for step in steps:
                within += step(server)
        finally:
            server.close()
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
