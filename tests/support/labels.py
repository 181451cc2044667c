"""A labeler to test with: a fixed key, a clock that stands still, posts in a few words, and the service on a real socket."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import libipld
from aiohttp import web
from aiohttp.typedefs import Handler

from labeler.issuer import Deleted, Issuer, Judged
from labeler.judge import Judge
from labeler.policy import LabelPolicy, Mode
from labeler.service import LabelService
from labeler.signals.gtube import TEST_STRING
from models.database import Database, Session
from models.post import Post
from models.protocol.k256 import PrivateKey
from models.protocol.xrpc import XrpcError

SRC = "did:plc:labeler22222222222222222"
AUTHOR = "did:plc:author222222222222222222"
KEY = PrivateKey(bytes.fromhex("9085d2bef69286a6cbb51623c8fa258629945cd55ca705cc4e66700396894e0c"))
NOON = 1_767_268_800_000_000
"""2026-01-01T12:00:00Z"""
FLAGGED = Post(text=f"look: {TEST_STRING}")
HARMLESS = Post(text="good morning")
CIDS = tuple(libipld.encode_cid(b"\x01\x71\x12\x20" + hashlib.sha256(bytes([number])).digest()) for number in range(4))
"""Of the versions of a post."""


def uri(rkey: str, did: str = AUTHOR) -> str:
    """The at-uri of a post."""
    return f"at://{did}/app.bsky.feed.post/{rkey}"


def judge(mode: Mode = "auto", *values: str) -> Judge:
    """Judges by the test string."""
    return Judge([LabelPolicy(value, ("gtube",), mode) for value in values or ("plainsky-test",)])


def judged(rkey: str, cid: str, post: Post = FLAGGED, by: Judge | None = None) -> Judged:
    """A post of AUTHOR, as the pipeline hands it to the issuer."""
    return Judged(uri(rkey), cid, (by or judge()).judge(AUTHOR, post), post)


def deleted(rkey: str) -> Deleted:
    """A post of AUTHOR is gone."""
    return Deleted(uri(rkey))


def issuer(now: int = NOON) -> Issuer:
    """Signs with KEY at a time that stands still."""
    return Issuer(SRC, KEY, lambda: now)


def apply(database: Database, *items: Judged | Deleted, by: Issuer | None = None) -> bool:
    """One transaction of the pipeline."""
    return database.write_now((by or issuer()).apply, items)


def label_many(database: Database, count: int, start: int = 0) -> None:
    """A label on each of `count` posts."""
    verdicts = judge().judge(AUTHOR, FLAGGED)
    apply(database, *[Judged(uri(f"post{number:06}"), CIDS[0], verdicts, FLAGGED) for number in range(start, start + count)])


def log_rows(database: Database) -> list[tuple[Any, ...]]:
    """(seq, uri, cid, val, neg, cts, action, mode, evidence) of each label with its decision."""
    return database.read_now(_log_rows)


def _log_rows(session: Session) -> list[tuple[Any, ...]]:
    return session.execute(
        "SELECT seq, label.uri, label.cid, label.val, neg, cts, action, mode, evidence FROM label"
        " JOIN decision ON decision.id = label.decision_id AND decision.uri = label.uri ORDER BY seq"
    )


def decoded(frame: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """A frame's header and body."""
    header, body = libipld.decode_dag_cbor_multi(frame)
    return header, body


def seqs(frame: bytes) -> list[int]:
    """The seq of each label in a frame, of a log without gaps."""
    body = decoded(frame)[1]
    return list(range(body["seq"] - len(body["labels"]) + 1, body["seq"] + 1))


@web.middleware
async def xrpc_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What the app does with an XrpcError."""
    try:
        return await handler(request)
    except XrpcError as error:
        return web.Response(status=error.status, body=error.body(), content_type="application/json")


@asynccontextmanager
async def serving(service: LabelService) -> AsyncIterator[str]:
    """The service on a port of its own; yields "127.0.0.1:port"."""
    async with running(service) as runner:
        yield f"127.0.0.1:{runner.addresses[0][1]}"


@asynccontextmanager
async def running(service: LabelService) -> AsyncIterator[web.AppRunner]:
    """The same; yields aiohttp's runner."""
    app = web.Application(middlewares=[xrpc_errors])
    app.add_routes(service.routes())

    async def close(_app: web.Application) -> None:
        await service.close()

    app.on_shutdown.append(close)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner
    finally:
        await runner.cleanup()
