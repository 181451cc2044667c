"""Turns Jetstream's lines into events, one class a wire. Pure but for the sink; only the `read`s are hot.

A record stays undecoded until it is known to be a post. The time of a commit is when the instance saw it; that of an account, identity
or sync event is upstream's own, which every wire passes on unchanged. Neither may lie ahead of our clock.
"""

from typing import Annotated, Any

import msgspec

from models.events import Event, RepoReset
from models.protocol.syntax import is_tid, parse_datetime
from plainsky.ingest import POSTS, Disconnected, Position, Sink
from plainsky.ingest.decoding import LARGEST_SEQ, SKEW_US, Clock, account_event, good_did, identity_event, post_event, time_us
from plainsky.ingest.gaps import Gap

_ABSENT = msgspec.Raw(b"null")
_DID, _COLLECTION, _POST = b'"did":"did:plc:', b'","collection":"', POSTS.encode() + b'"'
_HEAD = 400
"""So far into a line the collection is looked for."""


class Heads:
    """Knows lines about records of other collections by a look at the place where a line before named its own.

    Servers write the collection behind a DID, times and a rev, nearly all as long as in the line before, and in front of all that a repo's
    owner wrote. Only the head of a did:plc is a pattern for others: no DID is so much shorter that its record might begin there.
    A line of another shape is read.
    """

    def __init__(self) -> None:
        self._key = self._value = slice(0)

    def no_post(self, line: bytes) -> bool:
        """Whether a line is certainly about no post, at a fifth of what it takes to decode it."""
        if line[self._key] == _COLLECTION:
            return line[self._value] != _POST
        self._learn(line)
        return False

    def _learn(self, line: bytes) -> None:
        at = line.find(_COLLECTION, 0, _HEAD)
        if at > 0 and _DID in line[:at]:
            end = at + len(_COLLECTION)
            self._key, self._value = slice(at, end), slice(end, end + len(_POST))


class Commit(msgspec.Struct, gc=False):
    """What the v1 wire says of a commit. Fields stand in the wire's order, which is quickest to decode."""

    rev: str
    operation: str
    collection: str
    rkey: str
    record: msgspec.Raw = _ABSENT
    cid: str | None = None


class V1Line(msgspec.Struct, gc=False):
    """A message of `/subscribe`."""

    did: str
    time_us: Annotated[int, msgspec.Meta(gt=0)]
    kind: str
    commit: Commit | None = None
    account: dict[str, Any] | None = None
    identity: dict[str, Any] | None = None


class V2Commit(msgspec.Struct, gc=False, tag_field="$type", tag="network.bsky.jetstream.subscribeEvents#commit"):
    """The payload of nearly all frames of `subscribeEvents`."""

    seq: int
    did: str
    time: str
    rev: str
    operation: str
    collection: str
    rkey: str
    record: msgspec.Raw = _ABSENT
    cid: str | None = None


class V2CommitLine(msgspec.Struct, gc=False, tag_field="$type", tag="message"):
    """A whole commit. What is none, or lacks something, is read as a V2Line."""

    payload: V2Commit


class V2Payload(msgspec.Struct, gc=False):
    """Any payload of `subscribeEvents` but a whole commit; `seq` is absent in #info only."""

    type: str = msgspec.field(name="$type")
    seq: int = 0
    time: str = ""
    account: dict[str, Any] | None = None
    identity: dict[str, Any] | None = None
    sync: dict[str, Any] | None = None
    name: str = ""


class V2Line(msgspec.Struct, gc=False):
    """A frame of the xrpc.v1.json subprotocol (proposal 0015)."""

    type: str = msgspec.field(name="$type")
    payload: V2Payload | None = None
    error: str = ""
    message: str = ""


_decode_record = msgspec.json.Decoder(dict[str, Any]).decode
_decode_v1 = msgspec.json.Decoder(V1Line).decode
_decode_v2_commit = msgspec.json.Decoder(V2CommitLine).decode
_decode_v2 = msgspec.json.Decoder(V2Line).decode


class _Lines:
    def __init__(self, sink: Sink, gap: Gap, clock: Clock) -> None:
        self._put, self._passed, self._drop = sink.put, sink.passed, sink.drop
        self.gap = gap
        self._clock = clock

    def _post(self, commit: Commit | V2Commit, did: str, time: int) -> Event | None:
        record = None if commit.operation == "delete" else _decode_record(commit.record)
        event = post_event(commit.operation, did, commit.rkey, commit.rev, time, commit.cid, record)
        if event is None:
            self._drop("bad_post" if is_tid(commit.rev) else "bad_rev")
        return event

    def _account(self, body: dict[str, Any], time: int) -> Event | None:
        return self._kept(account_event(body, _own_time(body, time)), "bad_account")

    def _identity(self, body: dict[str, Any], time: int) -> Event | None:
        return self._kept(identity_event(body, _own_time(body, time)), "bad_identity")

    def _kept(self, event: Event | None, reason: str) -> Event | None:
        if event is None:
            self._drop(reason)
        return event


class V1Lines(_Lines):
    """Reads `/subscribe`. Its cursor is the time of an event on the wire; the server clamps one that is too old without a word."""

    def __init__(self, sink: Sink, gap: Gap, start: Position | None, clock: Clock) -> None:
        super().__init__(sink, gap, clock)
        self._start_us = start.time_us if start else None

    def read(self, line: bytes) -> None:
        """Digest one line; what is no event is left out."""
        try:
            said = _decode_v1(line)
            time, commit = said.time_us, said.commit
            if time > self._clock.latest_us:
                time = self._clock.bounded(time)
            if commit is None:
                event = self._event(said, time)
            else:
                event = self._post(commit, said.did, time) if commit.collection == POSTS else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._drop("bad_line")
        if self._start_us is not None:
            self._first(time)
        if event is not None:
            self._put(event, time)
        if event is None or commit is None:
            self._passed(time, time)  # an account's own time may lie anywhere: a position has the wire's
        return None

    def _event(self, said: V1Line, time: int) -> Event | None:
        if said.account is not None:
            return self._account(said.account, time)
        return None if said.identity is None else self._identity(said.identity, time)

    def _first(self, time: int) -> None:
        """We resume inclusively, or with a margin: when the first event is later than our last, what lay between is lost."""
        if self._start_us is not None and time > self._start_us:
            self.gap.suspect("clamped cursor")
            self.gap.event(time)
        self._start_us = None


class CountsAnew(Disconnected):
    """The instance has another log than the one that our cursor is of: its data was lost, or another one answers under its name."""


class V2Lines(_Lines):
    """Reads `subscribeEvents`. Its cursor is the instance's seq; `resumed` is where we asked it to go on, if by such a seq.

    A seq that the instance has not come to is a wish for what comes next, and it says nothing of that (docs/README.md, cursor semantics).
    But the event at our cursor comes again, so the first one tells whose log it is.
    """

    def __init__(self, sink: Sink, gap: Gap, clock: Clock, resumed: Position | None = None) -> None:
        super().__init__(sink, gap, clock)
        self._resumed = resumed

    def _reached(self, seq: int, time: int) -> int:
        """An event of this seq came: its time, bounded. Where the instance counts anew, the first one tells, and each that follows."""
        if time > self._clock.latest_us:
            time = self._clock.bounded(time)
        if self._resumed is not None:
            self._first(self._resumed, seq, time)
        if self.gap.awaited:
            self.gap.event(time)
        return time

    def _first(self, resumed: Position, seq: int, time: int) -> None:
        """Nothing before our cursor was asked for, and nothing at or behind it is older."""
        if seq < resumed.cursor or (seq == resumed.cursor and time != resumed.time_us) or time < resumed.time_us:
            raise CountsAnew("it has begun to count anew")
        self._resumed = None

    def read(self, line: bytes) -> None:
        """Digest one frame; Disconnected when it is an error frame, or none at all."""
        try:
            said = _decode_v2_commit(line).payload
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._other(line)
        time = parse_datetime(said.time)
        if time is None or not 0 < said.seq < LARGEST_SEQ:
            return self._drop("bad_line")
        time = self._reached(said.seq, time)
        event = self._commit(said, time) if said.collection == POSTS else None
        return self._passed(said.seq, time) if event is None else self._put(event, said.seq)

    def _commit(self, said: V2Commit, time: int) -> Event | None:
        try:
            return self._post(said, said.did, time)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._kept(None, "bad_post")

    def _other(self, line: bytes) -> None:
        try:
            frame = _decode_v2(line)
        except (msgspec.ValidationError, RecursionError):
            return self._drop("bad_line")  # JSON it is; how deep a record is nested is its owner's doing, not the host's
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Disconnected(f"invalid framing: {error}"[:200]) from error
        if frame.type == "error":
            raise Disconnected(f"the host says {frame.error}: {frame.message}"[:200])
        payload = frame.payload
        return self._payload(payload) if payload and frame.type == "message" else None

    def _payload(self, said: V2Payload) -> None:
        kind = said.type.rpartition("#")[2]
        if kind == "info":
            return self._info(said.name)
        time = parse_datetime(said.time)
        if time is None or not 0 < said.seq < LARGEST_SEQ or kind == "commit":
            return self._drop("bad_line")
        time = self._reached(said.seq, time)
        event = self._event(kind, said, time)
        if event is not None:
            self._put(event, said.seq)
        return self._passed(said.seq, time)  # an account's own time may lie anywhere: a position has the wire's

    def _event(self, kind: str, said: V2Payload, time: int) -> Event | None:
        if kind == "account":
            return self._account(said.account or {}, time)
        if kind == "identity":
            return self._identity(said.identity or {}, time)
        return self._kept(_reset(said.sync or {}, time), "bad_sync") if kind == "sync" else None

    def _info(self, name: str) -> None:
        """OutdatedCursor: a time before what the instance keeps."""
        if name == "OutdatedCursor":
            self.gap.suspect(name)


def _own_time(body: dict[str, Any], time: int) -> int:
    """Upstream's own time, bounded by the wire's: a host that writes 2099 must not make every later event of an account look late."""
    own = time_us(body.get("time"))
    return time if own is None else min(own, time + SKEW_US)


def _reset(body: dict[str, Any], time: int) -> RepoReset | None:
    did, rev = body.get("did"), body.get("rev")
    if not good_did(did) or not isinstance(rev, str) or not is_tid(rev):
        return None
    return RepoReset(did, rev, _own_time(body, time))
