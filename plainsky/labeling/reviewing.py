"""What a moderator sees of something that waits: the post as readers see it, what the machine found, what was said and decided before.

Promises: nothing that strangers wrote reaches the terminal as a control character; of posts that are gone no word is shown.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from feedgen.text import CONTROL
from labeler import signals
from labeler.desk import Item
from labeler.reporting import labels_on
from labeler.stance.telling import told as details_told
from models import decisions, known_labels, looking, matters, posts
from models.database import Database, Session
from models.decisions import Decision
from models.matters import Matter, Report
from models.post import POST, Post
from models.protocol.syntax import did_of, format_datetime, is_did, parse_at_uri
from plainsky.config.schema import Config
from plainsky.pages.asking import Asking, Cannot

WIDTH = 100
LATEST = 12
"""Lines of history and reports that are shown."""


class Seen(NamedTuple):
    """A post as readers see it; None and why not. `gone`: readers do not see it any more."""

    post: Post | None
    cid: str = ""
    why_not: str = ""
    quoted: Post | None = None
    gone: bool = False


class Known(NamedTuple):
    """What the database knows of an item. `labels`: who says what of it."""

    asked: Decision | None
    matter: Matter | None
    reports: Sequence[Report]
    decided: Sequence[Decision]
    matters: Sequence[Matter]
    labels: Sequence[str]


def seen(config: Config, database: Database, item: Item) -> Seen:
    """The post: as it was judged, as it is stored, or as the AppView has it."""
    return asyncio.run(_seen(config, database, item))


def known(session: Session, config: Config, item: Item, now: int) -> Known:
    """What else there is to know, at `now` (µs)."""
    asked = decisions.by_id(session, item.id) if item.kind in ("candidate", "second") else None
    matter = None if asked else matters.by_id(session, item.id)
    author = did_of(item.uri)
    ours = [
        f"{each.label.val} (ours)" for uri in dict.fromkeys((item.uri, author)) for each in labels_on(session, config.labeler_did, uri, now)
    ]
    others = [f"{each.val} ({each.src})" for each in known_labels.standing(session, [item.uri, author], now)]
    told = matters.reports(session, matter.id, LATEST) if matter else []
    return Known(asked, matter, told, decisions.of_uri(session, item.uri), matters.of_uri(session, item.uri), [*ours, *others])


async def _seen(config: Config, database: Database, item: Item) -> Seen:
    parsed = None if is_did(item.uri) else parse_at_uri(item.uri)
    if parsed is None:
        return Seen(None, why_not=f"An account: https://bsky.app/profile/{item.uri}")
    if parsed.collection != POST or not parsed.rkey:
        return Seen(None, item.cid, f"A record of the kind {parsed.collection}.")
    if item.kind in ("candidate", "second") and (asked := await database.read(decisions.by_id, item.id)) and asked.body:
        found = Seen(posts.unpacked(asked.body), asked.cid)
    else:
        found = await _post(config, database, parsed.authority, parsed.rkey)
    return found._replace(quoted=await _quoted(config, database, found.post))


async def _post(config: Config, database: Database, did: str, rkey: str) -> Seen:
    stored = await database.read(looking.stored, did, rkey)
    if stored:
        gone = stored.deleted or not stored.account.active
        return Seen(stored.post, stored.cid, "" if stored.post else "The post is gone, or its author is.", gone=gone)
    try:
        fetched = await Asking(config, database).post(did, rkey)
    except Cannot as cannot:
        if str(cannot) == "gone":
            return Seen(None, why_not="The post is gone.", gone=True)
        return Seen(None, why_not="The post is not stored here, and the AppView does not answer.")
    return Seen(fetched.post, fetched.cid)


async def _quoted(config: Config, database: Database, post: Post | None) -> Post | None:
    parsed = parse_at_uri(post.quote) if post and post.quote else None
    if parsed is None or parsed.collection != POST or not parsed.rkey or not is_did(parsed.authority):
        return None
    return (await _post(config, database, parsed.authority, parsed.rkey)).post


def lines(config: Config, item: Item, sight: Seen, facts: Known) -> Iterator[str]:
    """The whole screen."""
    yield ""
    yield "-" * WIDTH
    value = f' "{item.val}"' if item.val else ""
    yield f"{_KINDS[item.kind]}{value} · since {format_datetime(item.since)[:16].replace('T', ' ')}"
    yield plain(item.uri)
    yield from said(sight)
    if sight.post and sight.post.self_labels:
        yield f"  its author labels it: {plain(', '.join(sight.post.self_labels))}"
    yield f"  labels on it: {plain(', '.join(facts.labels)) or 'none'}"
    yield from _reasons(config, sight.post, facts)
    yield from context(config, sight.post)
    yield from _asked(facts)
    yield from _history(facts)


_KINDS = {"candidate": "The machine asks:", "second": "A second person must agree:", "report": "Reported", "appeal": "An appeal"}


def said(sight: Seen) -> Iterator[str]:
    """The post as readers see it."""
    if sight.post is None:
        yield f"  {sight.why_not}"
        return
    yield from _post_lines(sight.post, "  | ")
    if sight.post.quote:
        yield "  quotes:"
        yield from _post_lines(sight.quoted, "  | | ") if sight.quoted else ["  | | (not to be had)"]


def _post_lines(post: Post, margin: str) -> Iterator[str]:
    yield from _wrapped(post.text or "(no text)", margin)
    pictures = [kind for kind in post.embeds if kind not in ("link", "quote")]
    if pictures:
        yield f"{margin}[{plain(', '.join(pictures))}]"
    for alt in post.alts:
        yield from _wrapped(f"picture: {alt or '(not described)'}", margin)
    if any(post.card):
        yield from _wrapped(f"link card: {' · '.join(part for part in post.card if part)}", margin)
    for link in post.links:
        yield f"{margin}-> {plain(link)[:WIDTH]}"


def _reasons(config: Config, post: Post | None, facts: Known) -> Iterator[str]:
    """What the machine found: when it judged, or if it did not, now."""
    judged = facts.asked if facts.asked and facts.asked.mode != "person" else _first_judged(facts.decided)
    if judged:
        evidence = judged.evidence
        for found in evidence.get("findings", ()):
            yield f"  signal {found['kind']}: {plain(found.get('text') or '(gone)')} (weight {found['weight']:g})"
            yield from (f"    {plain(line)}" for line in (details_told(found["details"]) if "details" in found else ()))
        yield f"  {judged.val}: {evidence.get('score', 0):g} of the {evidence.get('threshold', 0):g} that are needed ({judged.mode})"
        yield from (f"  the machine abstains: {doubt}" for doubt in evidence.get("doubts", ()))
        return
    kinds = sorted({kind for policy in config.labels for kind in policy.signals})
    findings = [finding for kind in kinds if post and (finding := signals.load(kind).look(post))]
    yield from (f"  signal {finding.kind}: {plain(finding.text)} (weight {finding.weight:g})" for finding in findings)
    if not findings:
        yield "  signals: none"


def context(config: Config, post: Post | None) -> Iterator[str]:
    """What the operator's lists say of it: no reason for a label, but worth knowing."""
    notes = config.labeler.context.notes(post) if config.labeler and post else ()
    yield from (f"  context: {plain(note)}" for note in notes)


def _first_judged(decided: Iterable[Decision]) -> Decision | None:
    return next((one for one in decided if one.mode != "person" and one.action != "negate"), None)


def _asked(facts: Known) -> Iterator[str]:
    """What people said."""
    if facts.asked and facts.asked.waits_for == "second":
        yield f"  {plain(facts.asked.moderator or '')} decided so: {plain(facts.asked.reason or '')}"
    if facts.matter is None:
        return
    unchecked = "" if facts.matter.checked else "; nobody could say then whether it exists"
    yield f"  {'reports' if facts.matter.kind == 'report' else 'appeal'}: {facts.matter.reports}{unchecked}"
    for report in facts.reports:
        yield from _wrapped(f"{_short(report.reason_type)} by {report.reporter or '(forgotten)'}: {report.said or '(no words)'}", "    ")


def _history(facts: Known) -> Iterator[str]:
    told = [(one.decided_at, _decision(one)) for one in facts.decided]
    told += [(one.closed_at, _matter(one)) for one in facts.matters if one.closed_at]
    if told:
        yield "  before:"
    for when, line in sorted(told)[-LATEST:]:
        yield f"    {format_datetime(when)[:16].replace('T', ' ')}  {plain(line)}"


def _decision(one: Decision) -> str:
    who = one.moderator or one.role
    state = f"waits for a {'second person' if one.waits_for == 'second' else one.waits_for}" if one.waits_for else one.outcome or "recorded"
    return f"{who}: {one.action} {one.val} ({state}){f': {one.reason}' if one.reason else ''}"


def _matter(one: Matter) -> str:
    return f"{one.moderator or one.role}: {one.kind} {one.outcome}: {one.reason}"


def _short(reason_type: str) -> str:
    return reason_type.rpartition("#reason")[2]


def _wrapped(text: str, margin: str) -> Iterator[str]:
    for line in text.splitlines() or [""]:
        yield from (margin + part for part in wrap(plain(line), WIDTH - len(margin)) or [""])


def plain(text: str) -> str:
    """A stranger's words without anything that would steer a terminal, or turn the writing direction."""
    return CONTROL.sub(" ", text)
