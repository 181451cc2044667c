"""What a page of a feed costs our server, as a ratio to a constant JSON answer of the same server.

    python -m benchmarks.skeleton [--rows 1000000 10000000] [--dir FOLDER] [--requests 1500] [--rounds 15]

The feeds of all orders read the same entries: what differs is the way through them, and what a cursor holds.
The feed "held" has a quota for authors and a rule about labels: of the same entries every third is held back.
CPU time (user + system, all threads) of the server process per request, A (constant) and B in turn, medians. A client in another process
sends the requests over 8 kept-alive connections; it is not measured. The files are read once beforehand, so that the kernel has them at
hand as far as it has the memory: what it takes to read from a disk depends on the disk. In the first thousands of requests far down a feed,
the kernel maps parts of the file that nobody has asked for yet, 10 µs each time: there are enough rounds for the median to lie behind them
with 1 M entries.
"""

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

from aiohttp import web

from benchmarks.store import AUTHORS, FOLDER, did, filled, sort_at
from feedgen.feed import Edition, Feed, Quota, TopicOrder
from feedgen.orders import GRACE, stretch
from feedgen.rules import load
from feedgen.service import FeedService, Identity
from feedgen.skeleton import cursor_at
from models.database import Database, Session
from models.duration import duration
from models.entries import HELD, SHOWN
from plainsky.memory import settle

CONNECTIONS = 8
LIMITS = {"first page": 1.3, "limit=1": 1.3, "deep page": 2.5, "rows": 1.3}
SMALL = 10_000
WHO = Identity("did:web:feeds.example.org", did(AUTHORS), "https://feeds.example.org")
PAGE = f"/xrpc/app.bsky.feed.getFeedSkeleton?feed=at://{WHO.publisher}/app.bsky.feed.generator/"
FEEDS = {
    feed.rkey: feed
    for rules in ((load("hashtag")(any=("solidarity",)),),)
    for feed in (
        Feed("newest", "Newest", rules, window=duration("52w")),
        Feed("oldest_first", "Oldest first", rules, order="oldest_first", window=duration("52w")),
        Feed("edition", "Edition", rules, order="edition", edition=Edition(("07:00", "18:00"), "Europe/Brussels"), window=duration("52w")),
        Feed("held", "Held", rules, exclude=(load("label")(any=("spam",)),), per_author=Quota(3, duration("6h")), window=duration("52w")),
        Feed("topic", "Topic", rules, order="topic", topic=TopicOrder(duration("6h"), {"solidarity": 1.0}), window=duration("52w")),
    )
}
HELD_FEED = 2
LOG_TIME = sort_at(20_000_000) + GRACE
"""After everything that is stored, as sources keep it."""
CONSTANT = b'{"feed":[' + b",".join([b'{"post":"at://did:plc:%024d/app.bsky.feed.post/3abc"}' % n for n in range(30)]) + b"]}"


def with_held(path: Path) -> Path:
    """The database, with a second feed of which every third entry is held back; made on first use."""
    database = Database(f"sqlite:///{path}")
    database.open()
    database.write_now(_hold)
    database.close()
    return path


def _hold(session: Session) -> None:
    if not session.execute("SELECT 1 FROM entry WHERE feed_id = ? LIMIT 1", (HELD_FEED,)):
        state = f"CASE WHEN post_id % 3 = 0 THEN {HELD} ELSE {SHOWN} END"
        session.execute(
            f"INSERT INTO entry (feed_id, state, sort_at, tie, post_id, item) SELECT ?, {state}, sort_at, tie, post_id, item FROM entry"
            " WHERE feed_id = 1",
            (HELD_FEED,),
        )


def at_hand(path: Path) -> Path:
    """The file, read once."""
    with path.open("rb") as file:
        while file.read(2**20):
            pass
    return path


def serve(path: Path) -> None:
    """Serve a filled database on a free port, which is printed, until stdin ends."""
    asyncio.run(_serve(path))


async def _serve(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    database.open()
    service = FeedService(database, list(FEEDS.values()), dict.fromkeys(FEEDS, 1) | {"held": HELD_FEED}, WHO)
    await service.poll()
    service.committed([], LOG_TIME)
    app = web.Application()
    app.add_routes([web.get("/constant", _constant), *service.routes()])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    settle()  # as the service does
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()
    database.close()


async def _constant(_request: web.Request) -> web.Response:
    return web.Response(body=CONSTANT, headers={"Content-Type": "application/json"})


class Client(asyncio.Protocol):
    """Sends one request after the other over one connection and reads whole answers."""

    def __init__(self, paths: Iterator[str], done: asyncio.Future[None]) -> None:
        self._paths, self._done, self._left = paths, done, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        if self._left == 0:
            head, _, body = data.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                self._done.set_exception(RuntimeError(data.decode()))
                self._transport.close()
                return
            self._left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            data = body
        self._left -= len(data)
        if self._left == 0:
            self._next()

    def _next(self) -> None:
        path = next(self._paths, None)
        if path is None:
            self._transport.close()
            self._done.set_result(None)
        else:
            self._transport.write(f"GET {path} HTTP/1.1\r\nHost: feeds.example.org\r\n\r\n".encode())


async def _load(port: int, paths: Iterator[str]) -> None:
    loop = asyncio.get_running_loop()
    waiting = [loop.create_future() for _ in range(CONNECTIONS)]
    for done in waiting:
        await loop.create_connection(lambda done=done: Client(paths, done), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*waiting)


def cpu_us(pid: int) -> float:
    """CPU time of a process and all its threads, in µs, to the nanosecond (/proc/PID/stat counts in steps of 10 ms)."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1000


class Server:
    """Our server in a process of its own."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.skeleton", "--serve", str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self._port = int(self._process.stdout.readline())

    def cost(self, paths: Iterator[str], requests: int) -> float:
        """CPU µs a request."""
        before = cpu_us(self._process.pid)
        asyncio.run(_load(self._port, (next(paths) for _ in range(requests))))
        return (cpu_us(self._process.pid) - before) / requests

    def close(self) -> None:
        """Stop it."""
        self._process.communicate()


def deep(rows: int, order: str = "newest") -> Iterator[str]:
    """Pages of 30 at random places; one that is asked twice would be served from memory, which does not happen among so many places."""
    chance = random.Random(7)
    edition = stretch(FEEDS[order], LOG_TIME).edition
    seen = () if edition is None else (edition,)
    while True:
        place = sort_at(chance.randrange(min(1_000, rows // 2), rows)), chance.getrandbits(62)
        yield f"{PAGE}{order}&limit=30&cursor={cursor_at(place, seen)}"


def main() -> None:
    """Print each ratio beside its limit."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    options.add_argument("--dir", type=Path, default=FOLDER)
    options.add_argument("--requests", type=int, default=1_500)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.serve:
        serve(args.serve)
        return
    servers = {rows: Server(at_hand(with_held(filled(args.dir, rows)))) for rows in [SMALL, *args.rows]}
    try:
        _compare(servers, args.requests, args.rounds)
    finally:
        for server in servers.values():
            server.close()


def _compare(servers: dict[int, Server], requests: int, rounds: int) -> None:
    for rows, server in servers.items():
        if rows == SMALL:
            continue
        constant = repeat("/constant")
        for order in FEEDS:
            for name, paths in {
                "first page": repeat(f"{PAGE}{order}&limit=30"),
                "limit=1": repeat(f"{PAGE}{order}&limit=1"),
                "deep page": deep(rows, order),
            }.items():
                what = f"{order}: {name} of {rows:,} entries / constant answer"
                _report(what, LIMITS[name], server, constant, server, paths, requests, rounds)
        small, big = deep(SMALL), deep(rows)
        _report(f"deep page of {rows:,} / of {SMALL:,}", LIMITS["rows"], servers[SMALL], small, server, big, requests, rounds)


def _report(
    name: str, limit: float, a: Server, a_paths: Iterator[str], b: Server, b_paths: Iterator[str], requests: int, rounds: int
) -> None:
    for server, paths in ((a, a_paths), (b, b_paths)):
        server.cost(paths, requests // 2)  # warm up
    pairs = [(a.cost(a_paths, requests), b.cost(b_paths, requests)) for _ in range(rounds)]
    low, high = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(second / first for first, second in pairs)
    print(f"{name}: {high:.0f} us / {low:.0f} us = {ratio:.2f} (limit {limit})", flush=True)


if __name__ == "__main__":
    main()
