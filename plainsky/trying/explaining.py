"""What every feed and every signal says of one post: one that is stored, one of the public network, or one that is given as JSON."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from feedgen.feed import Feed
from labeler import signals
from labeler.gate import Gate, judged
from labeler.judge import Judge
from labeler.signals import Finding, Signal, Silence
from models import feeds
from models.database import Database, Session
from models.post import POST, Post, parse
from models.protocol.syntax import is_did, parse_at_uri
from plainsky.changing.deciding import Deciding, known_for
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.labeling import judge_of
from plainsky.labeling.banking import given_by
from plainsky.opening import exists, opened
from plainsky.pages.asking import Asking, Cannot, asked
from plainsky.pages.languages import FALLBACK, languages
from plainsky.pages.why import Answer, answered
from plainsky.pages.whys import Why, why_fetched, why_stored
from plainsky.pipeline.judging import Rooms
from plainsky.trying.scratch import scratch

NOBODY = "did:web:nobody.invalid"
"""The author of a post that does not say who wrote it."""
_LARGEST = 1_000_000

Source: TypeAlias = Literal["database", "network", "given"]


class SignalSays(msgspec.Struct, frozen=True, rename="camel"):
    """What one kind of signal sees; `finding` is None where it sees nothing. `labels` are the configured values that it counts for.

    `silence` says why it sees nothing, where there is a label that it counts for.
    """

    kind: str
    finding: Finding | None
    labels: tuple[str, ...]
    silence: Silence | None = None


class LabelSays(msgspec.Struct, frozen=True, rename="camel"):
    """A label for which there is a reason: what becomes of it ("shadow", "review", "auto"), and the evidence."""

    value: str
    mode: str
    evidence: Mapping[str, Any]


class Explained(msgspec.Struct, frozen=True, rename="camel"):
    """Where the post is from, what the feeds say (as `/why.json` does), and what the labeler says. `notes`: what could not be found out."""

    source: Source
    feeds: Answer
    signals: tuple[SignalSays, ...]
    labels: tuple[LabelSays, ...]
    notes: tuple[str, ...]
    context: tuple[str, ...] = ()
    """What the operator's lists say of it (`labeler.context`)."""


class Given(msgspec.Struct, frozen=True):
    """A post from outside: by whom, under which key, and the post."""

    did: str
    rkey: str
    cid: str
    post: Post


def given(text: bytes, name: str, author: str | None) -> Given:
    """The post in JSON: a record, an event of a recording, or what getRecord and getPosts answer. OperatorError when there is none."""
    try:
        value = msgspec.json.decode(text[:_LARGEST])
    except (ValueError, RecursionError):
        raise OperatorError(f"{name}: this is no JSON: expected a post's record, or one line of a recording") from None
    fields = value if isinstance(value, dict) else {}
    record = next((fields[key] for key in ("record", "value") if isinstance(fields.get(key), dict)), fields)
    post = parse(record)
    if post is None:
        raise OperatorError(f'{name}: there is no post in it: expected a record of {POST}, with a "text"')
    uri = parse_at_uri(str(fields.get("uri", "")))
    did = author or next((did for did in (fields.get("did"), uri and uri.authority) if isinstance(did, str) and is_did(did)), NOBODY)
    rkey = fields.get("rkey") or (uri and uri.rkey)
    return Given(did, rkey if isinstance(rkey, str) else "given", str(fields.get("cid", "")), post)


async def explained(config: Config, post: str | Given, offline: bool = False) -> Explained:
    """All that is said of it. `post`: an at-uri or a link, or one that is given. OperatorError: there is no such post.

    offline: nobody on the network is asked, for the post or for what rules need to know.
    """
    known, notes = await known_for([config], offline)
    with ExitStack() as stack:
        # Without a database, an empty one: nothing is known of the post then but what it says.
        database = stack.enter_context(opened(config) if exists(config) else scratch())
        deciding = Deciding(config, known)
        rooms = deciding.rooms(await database.read(_numbers, config.feeds))
        source, why = await _why(config, database, rooms, post, offline)
        asking, gate = await database.read(given_by, config), Gate(await database.read(judged))
    told = why.post
    return Explained(
        source,
        answered(why, languages()[FALLBACK]),
        tuple(_signals(config, told, asking)) if told else (),
        tuple(_labels(judge_of(config, asking, gate), told)) if told else (),
        tuple(notes),
        tuple(config.labeler.context.notes(told)) if told and config.labeler else (),
    )


def _numbers(session: Session, configured: tuple[Feed, ...]) -> list[int]:
    """The feeds' numbers; those that the database does not know get one that nothing has."""
    known = feeds.known(session)
    return [known[feed.rkey].id if feed.rkey in known else -1 - index for index, feed in enumerate(configured)]


async def _why(config: Config, database: Database, rooms: Rooms, post: str | Given, offline: bool) -> tuple[Source, Why]:
    if isinstance(post, Given):
        return "given", await database.read(why_fetched, rooms, post.did, post.rkey, post.cid, post.post)
    asking = Asking(config, database)
    try:
        actor, rkey = asked(post)
        did = actor if offline else await asking.did(actor)
        if stored := await database.read(why_stored, rooms, did, rkey):
            return "database", stored
        if offline:
            raise OperatorError(f"{post}: the database does not have it, and --offline says not to ask the network")
        found = await asking.post(did, rkey)
        return "network", await database.read(why_fetched, rooms, did, rkey, found.cid, found.post)
    except Cannot as cannot:
        raise OperatorError(f"{post}: {languages()[FALLBACK](f'why_post.{cannot}')}") from None


def _signals(config: Config, post: Post, asking: signals.Given) -> list[SignalSays]:
    return [_signal(signals.load(kind, asking), config, post) for kind in signals.kinds()]


def _signal(signal: Signal, config: Config, post: Post) -> SignalSays:
    labels = tuple(policy.value for policy in config.labels if signal.kind in policy.signals)
    found = signal.look(post)
    return SignalSays(signal.kind, found, labels, signal.why_not(post) if labels and not found else None)


def _labels(judge: Judge | None, post: Post) -> list[LabelSays]:
    verdicts = judge.find(post) if judge else []
    return [LabelSays(verdict.value, verdict.mode, verdict.evidence) for verdict in verdicts]


def read(path: Path) -> bytes:
    """A file's first megabyte."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}") from None
