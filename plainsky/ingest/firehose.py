"""`source = "firehose"`: com.atproto.sync.subscribeRepos, the whole network as a relay or a PDS sends it.

Promises: what breaks the framing ends the connection and is never skipped; what a repo's owner wrote into it never does.
Records are only decoded in commits that touch a post. Sources: lexicon com.atproto.sync.subscribeRepos, atproto.com/specs/event-stream.
"""

import contextlib
import logging
import re
from collections.abc import Callable
from typing import Any, TypeAlias, TypeGuard

from aiohttp import WSMsgType
from libipld import decode_dag_cbor, decode_dag_cbor_multi, encode_cid

from models.events import Event, RepoReset
from models.protocol.syntax import parse_datetime, tid_time_us
from plainsky.ingest import POSTS, Disconnected, Position, Refused, Sink, car
from plainsky.ingest.connecting import connected, ended
from plainsky.ingest.decoding import LARGEST_SEQ, Clock, account_event, good_did, identity_event, made_plain, post_event, time_us
from plainsky.ingest.gaps import Gap
from plainsky.ingest.passing import Passing
from plainsky.ingest.seeking import Probe, seek

log = logging.getLogger(__name__)

PATH = "/xrpc/com.atproto.sync.subscribeRepos"
ROOM_EVERY = 31  # ask for room after every 32 frames: a mask, for the loop is hot
FUTURE_US = 5 * 60 * 1_000_000
"""How far a rev may lie beyond its frame's time ("a few minutes", atproto.com/specs/sync)."""
_POSTS = POSTS + "/"
_COMMIT = {"op": 1, "t": "#commit"}
NO_POST = re.compile(
    rb"\xa2atg#commitbop\x01[\xa1-\xb7]cops\x81[\xa1-\xb7]ccid(?:\xf6|\xd8\x2aX\x25.{37})dpath(?:[\x60-\x77]|x.)(?!app\.bsky\.feed\.post/)",
    re.DOTALL,
)
"""How a commit begins whose one operation is not on a post: in DAG-CBOR's order `ops` comes first, and of an operation the record's CID
(null when it was deleted) and its path, so that nothing that a repo's owner wrote comes before."""

Body: TypeAlias = dict[str, Any]


class Heads:
    """Says what `NO_POST` says in half the time: commits with a record begin alike, so the head of the last one is compared."""

    def __init__(self) -> None:
        self._head = b""

    def no_post(self, raw: bytes) -> object:
        """Whether a frame is certainly a commit without a post."""
        if raw[:_CID] == self._head and raw[_PATH] == b"dpathx":
            return raw[_COLLECTION] != _POSTS_BYTES
        found = NO_POST.match(raw)
        if found and raw.startswith(b"\xd8\x2aX\x25", _CID - 4):
            self._head = raw[:_CID]
        return found


_CID = 30  # where the 37 bytes of a record's CID begin
_PATH, _COLLECTION = slice(_CID + 37, _CID + 43), slice(_CID + 44, _CID + 44 + len(_POSTS))
_POSTS_BYTES = _POSTS.encode()


class FutureCursor(Refused):
    """The host has not come so far: it began to count anew."""


class Firehose:
    """Reads relays. When the host changes, `margin_us` is read again; a host that sends nothing for `quiet_seconds` is a small one."""

    kind = "firehose"

    def __init__(self, margin_us: int = 10_000_000, quiet_seconds: float = 10.0, clock: Clock | None = None) -> None:
        self.received = 0
        self._clock = clock or Clock()
        self._margin_us = margin_us
        self._quiet_seconds = quiet_seconds

    async def run(self, host: str, start: Position | None, sink: Sink) -> None:
        """See `plainsky.ingest.Source`."""
        gap = Gap(sink, start)
        if start is None:
            return await self._read(host, None, gap, sink)
        if start.host == host:
            with contextlib.suppress(FutureCursor):
                return await self._read(host, start.cursor, gap, sink)
            log.warning("%s has begun to count anew: reading from the time that was reached", host)
        # Another host's seq says nothing here, nor does this one's of before: so we look for the time.
        cursor = await seek(lambda cursor: self._probe(host, cursor), start.time_us - self._margin_us, self._quiet_seconds)
        return await self._read(host, cursor, gap, sink)

    async def _read(self, host: str, cursor: int | None, gap: Gap, sink: Sink) -> None:
        frames = Frames(sink, gap, self._clock)
        async with connected(host, PATH, () if cursor is None else [("cursor", cursor)]) as socket:
            sink.connected(host)
            receive, binary, room = socket.receive, WSMsgType.BINARY, sink.room
            read = Passing(Heads().no_post, gap, frames.read).read
            while True:
                message = await receive()
                if message.type is not binary:
                    raise ended(socket, message)
                read(message.data)
                self.received += 1
                if not self.received & ROOM_EVERY:
                    await room()

    async def _probe(self, host: str, cursor: int | None) -> Probe | None:
        async with connected(host, PATH, () if cursor is None else [("cursor", cursor)]) as socket:
            while True:
                message = await socket.receive()
                if message.type is not WSMsgType.BINARY:
                    raise ended(socket, message)
                self.received += 1
                name, body = opened(message.data)
                if name == "#info":
                    return None
                seq, at = body.get("seq"), time_us(body.get("time"))
                if isinstance(seq, int) and at is not None:
                    return Probe(seq, at)


class Frames:
    """Turns the frames of one connection into events. Only `read` is hot. A frame's time is its PDS's word, and bounded by the clock."""

    def __init__(self, sink: Sink, gap: Gap, clock: Clock) -> None:
        self._sink, self._passed = sink, sink.passed
        self._gap = gap
        self._clock = clock
        self._seq = 0
        self._time_us = 0

    def read(self, raw: bytes) -> None:
        """Digest one frame; Disconnected when the stream cannot go on."""
        name, body = opened(raw)
        digest = _DIGESTS.get(name)
        if digest is None:
            if name == "#info" and body.get("name") == "OutdatedCursor":
                self._gap.suspect("OutdatedCursor")
            return None  # what we do not know may be ignored (specs/event-stream)
        seq, text = body.get("seq"), body.get("time")
        if type(seq) is not int or not self._seq < seq < LARGEST_SEQ:
            raise Disconnected(f"seq {seq!r} after {self._seq}: the order is broken"[:200])
        self._seq = seq
        time = parse_datetime(text) if type(text) is str else None
        if time is None:
            self._sink.drop("bad_time")
            return self._passed(seq, self._time_us)
        if time > self._clock.latest_us:
            time = self._clock.bounded(time)
        self._time_us = time
        if self._gap.awaited:
            self._gap.event(time)
        return None if digest(self, body, seq, time) else self._passed(seq, time)

    def _commit(self, body: Body, seq: int, time: int) -> bool:
        """Whether events were put; the posts of a commit all carry its seq."""
        try:
            for op in body["ops"]:
                if op["path"].startswith(_POSTS):
                    break
            else:
                return False
            rev = body["rev"]
            if not self._good_rev(rev, time):
                return False
            events = [self._post(op, body, rev, time) for op in body["ops"] if op["path"].startswith(_POSTS)]
        except (KeyError, TypeError, AttributeError):
            return self._drop("bad_commit")
        return self._put_all(events, seq)

    def _post(self, op: Body, body: Body, rev: str, time: int) -> Event | None:
        """Its owner can write into a record what is no CBOR, and into an operation nearly anything: that costs this post only."""
        action, rkey = op.get("action"), op["path"][len(_POSTS) :]
        cid = record = None
        try:
            if action != "delete":
                data = car.block(body["blocks"], op["cid"])
                if data is None:
                    return self._lost("missing_block")
                cid, record = encode_cid(op["cid"]), made_plain(decode_dag_cbor(data))
        except (KeyError, TypeError, ValueError, RecursionError):
            return self._lost("bad_post")
        return post_event(action, body.get("repo"), rkey, rev, time, cid, record) or self._lost("bad_post")

    def _lost(self, reason: str) -> Event | None:
        self._sink.drop(reason)
        return None

    def _good_rev(self, rev: Any, time: int) -> TypeGuard[str]:
        said = tid_time_us(rev) if isinstance(rev, str) else None
        if said is None:
            return self._drop("bad_rev")
        return said <= time + FUTURE_US or self._drop("future_rev")

    def _sync(self, body: Body, seq: int, time: int) -> bool:
        did, rev = body.get("did"), body.get("rev")
        if not good_did(did):
            return self._drop("bad_sync")
        return self._good_rev(rev, time) and self._put_all([RepoReset(did, rev, time)], seq)

    def _identity(self, body: Body, seq: int, time: int) -> bool:
        event = identity_event(body, time)
        return self._put_all([event], seq) if event else self._drop("bad_identity")

    def _account(self, body: Body, seq: int, time: int) -> bool:
        event = account_event(body, time)
        return self._put_all([event], seq) if event else self._drop("bad_account")

    def _put_all(self, events: list[Event | None], seq: int) -> bool:
        put = False
        for event in events:
            if event is not None:
                self._sink.put(event, seq)
                put = True
        return put

    def _drop(self, reason: str) -> bool:
        self._sink.drop(reason)
        return False


_DIGESTS: dict[str, Callable[[Frames, Body, int, int], bool]] = {
    "#commit": Frames._commit,
    "#sync": Frames._sync,
    "#identity": Frames._identity,
    "#account": Frames._account,
}


def opened(raw: bytes) -> tuple[str, Body]:
    """(t, payload) of a frame. Disconnected when it is none, and when it is an error frame: the stream ends with it.

    Empty for a frame that is no message: what it is may be ignored.
    """
    try:
        header, body = decode_dag_cbor_multi(raw)
        if header == _COMMIT and type(body) is dict:  # nearly all frames
            return "#commit", body
        op, name = header["op"], header.get("t", "")
        if type(body) is not dict or type(name) is not str:
            raise TypeError("a header or a payload of another shape")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Disconnected(f"invalid framing: {error}"[:200]) from error
    if op == -1:
        raise _told(body)
    return name if op == 1 else "", body


def _told(body: Body) -> Disconnected:
    kind = FutureCursor if body.get("error") == "FutureCursor" else Disconnected
    return kind(f"the host says {body.get('error')}: {body.get('message')}"[:200])
