"""Ingest of the stream as a relay sends it, every post stored with its entries, against "receive and drop" with the same client.

    python -m benchmarks.ingest [--events 60000] [--rounds 5]

12 % of the events are posts, five of an author, as on the network (454,000 authors write 2.2 M posts a day). 100 feeds of 20 words are
configured. Firehose frames carry about 5 KB of blocks, as a relay's do.
Each figure is CPU time (user + system) of a fresh process, B (ingest) and A (drop) in turn, medians. Limit: B at most 3x A.

A receives as aiohttp's documentation says, by `async for`, and goes at B's pace: between stretches of frames it is busy with nothing for
as long as B would be with something, which is not counted. Who only drops empties the socket as fast as it is filled, and copies what is
still in the processor's cache; who does anything with a frame finds the socket's buffers full and copies from memory.
B asks for each message by `receive()`, which spares it a coroutine a message. The leanest drop there is does so too, and runs ahead: what
that costs is printed as well, with the ratio to it.
"""

import argparse
import asyncio
import base64
import hashlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import libipld
import msgspec

LIMIT = 3.0
POSTS_IN_100 = 12
POSTS_OF_AUTHOR = 5
ACCOUNTS = 20_000  # of those who like, and who are replied to
START_US = 1_795_176_000_000_000
STEP_US = 2_900  # about 343 events a second, the network's average
FEEDS, WORDS = 100, 20
STRETCH = 2_000  # frames that A receives at once
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATHS = {"firehose": "/xrpc/com.atproto.sync.subscribeRepos", "v1": "/subscribe", "v2": "/xrpc/network.bsky.jetstream.subscribeEvents"}


def words() -> list[str]:
    """A made-up vocabulary: pronounceable, of every length."""
    rng = random.Random(1)
    parts = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    return sorted({"".join(rng.choices(parts, k=rng.randint(2, 4))) for _ in range(20_000)}, key=lambda w: (len(w), w))


def records() -> Iterator[dict[str, Any]]:
    """Posts of a dozen words, common ones more often, some with a tag, a link or a picture."""
    rng, vocabulary = random.Random(2), words()
    for number in range(10**9):
        text = " ".join(vocabulary[int(len(vocabulary) * rng.random() ** 3)] for _ in range(rng.randint(4, 22)))
        record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": text, "createdAt": _time(number * 24_000), "langs": ["en"]}
        if number % 5 == 0:
            tag = vocabulary[rng.randrange(2000)]
            record["text"] += f" #{tag}"
            end = len(record["text"].encode())
            feature = {"$type": "app.bsky.richtext.facet#tag", "tag": tag}
            record["facets"] = [{"index": {"byteStart": end - len(tag) - 1, "byteEnd": end}, "features": [feature]}]
        if number % 3 == 0:
            ref = {"uri": f"at://{_did(number)}/app.bsky.feed.post/3kaaaaaaaaa2a", "cid": _cid(b"ref")}
            record["reply"] = {"root": ref, "parent": ref}
        yield record


def _time(offset_us: int) -> str:
    from models.protocol.syntax import format_datetime

    return format_datetime(START_US + offset_us)


def _did(number: int) -> str:
    digits = base64.b32encode(hashlib.sha256(b"%d" % (number * 7919 % ACCOUNTS)).digest()[:15]).decode().lower()
    return f"did:plc:{digits}"


def _cid_bytes(data: bytes) -> bytes:
    return b"\x01\x71\x12\x20" + hashlib.sha256(data).digest()


def _cid(data: bytes) -> str:
    return str(libipld.encode_cid(_cid_bytes(data)))


def events(count: int) -> Iterator[tuple[int, str, str, str, str, dict[str, Any]]]:
    """(number, did, collection, rkey, rev, record)."""
    from models.protocol.syntax import tid_of

    posts, rng = records(), random.Random(4)
    authors = max(1, count * POSTS_IN_100 // 100 // POSTS_OF_AUTHOR)
    for number in range(count):
        at = START_US + number * STEP_US
        if number % 100 * POSTS_IN_100 % 100 < POSTS_IN_100:
            collection, record = "app.bsky.feed.post", next(posts) | {"createdAt": _time(number * STEP_US - 500)}
        else:
            collection = "app.bsky.feed.like"
            subject = {"uri": f"at://{_did(number * 3)}/app.bsky.feed.post/3kaaaaaaaaa2a", "cid": _cid(b"subject")}
            record = {"$type": collection, "subject": subject, "createdAt": _time(number * STEP_US)}
        author = rng.randrange(authors) if collection == "app.bsky.feed.post" else number
        yield number, _did(author), collection, tid_of(at - 1000, 5), tid_of(at, 9), record


def frames(count: int) -> Iterator[bytes]:
    """Firehose frames, with tree nodes around the record as a relay sends them."""
    nodes = [_node(i) for i in range(8)]
    for number, did, collection, rkey, rev, record in events(count):
        block = libipld.encode_dag_cbor(record)
        cid = _cid_bytes(block)
        root = _cid_bytes(b"commit")
        car = _section(_car_header(root))
        car += b"".join(_section(_cid_bytes(node) + node) for node in nodes) + _section(cid + block)
        body = {
            "seq": number + 1,
            "repo": did,
            "time": _time(number * STEP_US),
            "rev": rev,
            "since": None,
            "blocks": car,
            "ops": [{"action": "create", "path": f"{collection}/{rkey}", "cid": "@@cid@@"}],
            "blobs": [],
            "rebase": False,
            "tooBig": False,
        }
        yield _HEADER + libipld.encode_dag_cbor(body).replace(b"\x67@@cid@@", b"\xd8\x2a\x58\x25\x00" + cid)


_HEADER = libipld.encode_dag_cbor({"t": "#commit", "op": 1})


def _car_header(root: bytes) -> bytes:
    return libipld.encode_dag_cbor({"roots": ["@@root@@"], "version": 1}).replace(b"\x68@@root@@", b"\xd8\x2a\x58\x25\x00" + root)


def _section(data: bytes) -> bytes:
    size, out = len(data), b""
    while size >= 128:
        out, size = out + bytes([size & 127 | 128]), size >> 7
    return out + bytes([size]) + data


def _node(number: int) -> bytes:
    entries = [{"k": b"feed.like/3k%09d2a" % i, "p": 20, "t": None, "v": b"v" * 37} for i in range(6)]
    return bytes(libipld.encode_dag_cbor({"e": entries, "l": b"%d" % number}))


def lines(count: int, wire: str) -> Iterator[bytes]:
    """Jetstream messages of either wire."""
    for number, did, collection, rkey, rev, record in events(count):
        commit = {"rev": rev, "operation": "create", "collection": collection, "rkey": rkey, "record": record, "cid": _cid(b"%d" % number)}
        if wire == "v1":
            yield msgspec.json.encode({"did": did, "time_us": START_US + number * STEP_US, "kind": "commit", "commit": commit})
        else:
            kind, time = "network.bsky.jetstream.subscribeEvents#commit", _time(number * STEP_US)
            payload = {"$type": kind, "seq": number + 1, "did": did, "time": time}
            yield msgspec.json.encode({"$type": "message", "payload": payload | commit})


def framed(message: bytes, binary: bool) -> bytes:
    """A WebSocket frame as a server sends it (RFC 6455, 5.2)."""
    size = len(message)
    head = bytes([0x82 if binary else 0x81])
    head += bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65_536 else b"\x7f" + size.to_bytes(8, "big")
    return head + message


async def serve(stream: Path) -> None:
    """A server that sends the prepared stream to whoever upgrades, as fast as it is read."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
        key = {name.lower(): value for name, value in headers.items()}.get(b"sec-websocket-key")
        if key is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
            protocol = b"Sec-WebSocket-Protocol: xrpc.v1.json\r\n" if b"subscribeEvents" in request else b""
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n" + protocol + b"\r\n")
            with stream.open("rb") as file:
                await asyncio.get_running_loop().sendfile(writer.transport, file)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def cpu() -> float:
    """Seconds of CPU this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def drop(port: int, kind: str, count: int, seconds: float) -> None:
    """Receive and drop all; be busy in between, so that it takes so many seconds of CPU (0: in the leanest way, as fast as it goes)."""
    from plainsky.ingest.connecting import connected

    async with connected(f"ws://127.0.0.1:{port}", PATHS[kind]) as socket:
        following = socket.__anext__ if seconds else socket.receive  # the one is what `async for` calls
        spent, began = 0.0, cpu()
        for first in range(0, count, STRETCH):
            before, frames_here = cpu(), min(STRETCH, count - first)
            for _ in range(frames_here):
                await following()
            spent += cpu() - before
            while cpu() - began < seconds * (first + frames_here) / count:
                pass
        print(spent)


async def ingest(port: int, kind: str, count: int) -> None:
    """Receive all and store every post."""
    from feedgen.matcher import Matcher
    from models.database import Database
    from models.duration import duration
    from plainsky.ingest.firehose import Firehose
    from plainsky.ingest.jetstream import Jetstream
    from plainsky.memory import settle
    from plainsky.metrics import Metrics
    from plainsky.pipeline.batching import Batcher
    from plainsky.pipeline.entering import layout
    from plainsky.pipeline.judging import Rooms
    from plainsky.pipeline.rebuilding import align
    from plainsky.pipeline.storing import Outcome, Storer

    configured = feeds()
    settle()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/bench.sqlite")
        database.open()
        matcher = Matcher(configured, {}.get)
        hashes = {feed.rkey: "1" for feed in configured}
        rooms = align(database, configured, lambda ids: Rooms(layout(configured, ids), matcher, None, None), hashes)
        end, done = START_US + last_post(count) * STEP_US, asyncio.Event()

        def committed(outcome: Outcome) -> None:
            if outcome.log_time >= end:
                done.set()

        batcher = Batcher(
            database,
            Storer(rooms, duration("1d")),
            Metrics(),
            committed,
        )
        batcher.host = host = f"ws://127.0.0.1:{port}"
        source = Firehose() if kind == "firehose" else Jetstream(kind, compress=False)
        before = cpu()
        storing = asyncio.create_task(batcher.run())
        reading = asyncio.create_task(source.run(host, None, batcher))
        await asyncio.wait([asyncio.create_task(done.wait()), storing, reading], return_when=asyncio.FIRST_COMPLETED)
        used = cpu() - before
        for task in (storing, reading):
            task.cancel()
        await asyncio.gather(storing, reading, return_exceptions=True)
        kept = database.read_now(lambda session: session.execute("SELECT count(*), (SELECT count(*) FROM entry) FROM post"))[0]
        database.close()
        assert kept[0] >= count * POSTS_IN_100 // 100 - 1, f"only {kept[0]} posts of {count} events are stored"
        print(used, *kept)


def last_post(count: int) -> int:
    """The number of the last event that is a post."""
    return max(number for number in range(count) if number % 100 * POSTS_IN_100 % 100 < POSTS_IN_100)


def feeds() -> list[Any]:
    """100 feeds of 20 words each; about one post in three enters one or more."""
    from feedgen.feed import Feed
    from feedgen.rules import load

    rng, vocabulary = random.Random(3), words()
    keyword, hashtag = load("keyword"), load("hashtag")
    made = []
    for number in range(FEEDS):
        chosen = rng.sample(vocabulary[1000:], WORDS)
        include = (keyword(any=tuple(chosen[:17])), hashtag(any=tuple(chosen[17:])))
        made.append(Feed(rkey=f"f{number}", name=f"Feed {number}", include=include))
    return made


def measured(what: str, port: int, kind: str, count: int, seconds: float = 0) -> list[float]:
    """What a fresh process prints."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--part", what, "--port", str(port), "--kind", kind, "--events", str(count)]
    out = subprocess.run([*command, "--seconds", str(seconds)], check=True, capture_output=True, text=True).stdout
    return [float(word) for word in out.split()]


class Round(NamedTuple):
    """CPU seconds of one round."""

    stored: float
    dropped: float
    ahead: float  # dropped in the leanest way, as fast as it goes
    posts: float
    entries: float


def one_round(port: int, kind: str, count: int) -> Round:
    """B, then A at B's pace, then A as fast as it goes."""
    stored, posts, entries = measured("ingest", port, kind, count)
    return Round(stored, measured("drop", port, kind, count, stored)[0], measured("drop", port, kind, count)[0], posts, entries)


def compare(kind: str, count: int, rounds: int, folder: Path) -> float:
    """Print the figures of one wire; return the ratio."""
    stream = folder / kind
    messages = frames(count) if kind == "firehose" else lines(count, kind)
    with stream.open("wb") as file:
        for message in messages:
            file.write(framed(message, kind == "firehose"))
    command = [sys.executable, "-m", "benchmarks.ingest", "--part", "serve", "--file", str(stream)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        port = int(server.stdout.readline())
        done = [one_round(port, kind, count) for _ in range(rounds)]
    finally:
        server.kill()
        server.wait()
    return tell(kind, count, stream.stat().st_size, done)


def tell(kind: str, count: int, size: int, done: list[Round]) -> float:
    """Print the medians; return the ratio."""
    stored, dropped, ahead = (statistics.median(each[part] for each in done) / count * 1e6 for part in range(3))
    ratio = statistics.median(each.stored / each.dropped for each in done)
    to_ahead = statistics.median(each.stored / each.ahead for each in done)
    cost = f"drop {dropped:5.2f} us, ingest {stored:5.2f} us an event, {1e6 / stored:,.0f} a second of CPU"
    kept = f"{done[0].posts:.0f} posts, {done[0].entries:.0f} entries"
    print(f"{kind:9} {size / count:6.0f} B a message; {cost} ({kept}); ratio {ratio:.2f} (limit {LIMIT}); "
          f"to the leanest drop ({ahead:.2f} us) {to_ahead:.2f}", flush=True)  # fmt: skip
    return ratio


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", default="firehose,v1,v2", help="which wires")
    parser.add_argument("--part", choices=("all", "serve", "drop", "ingest"), default="all", help=argparse.SUPPRESS)
    parser.add_argument("--kind", default="v2", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part == "serve":
        asyncio.run(serve(arguments.file))
    elif arguments.part != "all":
        given = arguments.port, arguments.kind, arguments.events
        asyncio.run(drop(*given, arguments.seconds) if arguments.part == "drop" else ingest(*given))
    else:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            ratios = [compare(kind, arguments.events, arguments.rounds, Path(folder)) for kind in arguments.kinds.split(",")]
            print(f"{time.monotonic() - started:.0f} s; {'within' if max(ratios) <= LIMIT else 'ABOVE'} the limit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
