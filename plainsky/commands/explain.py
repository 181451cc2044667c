"""`plainsky explain URI|FILE|-`: what every feed and every signal says of one post, offline too."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

import msgspec

from feedgen.text import CONTROL
from labeler.signals import Silence
from labeler.stance.telling import told as details_told
from plainsky.config.loading import load
from plainsky.pages.languages import FALLBACK, languages
from plainsky.pages.why import FeedSays, PostSays, RuleSays
from plainsky.trying.explaining import Explained, Given, LabelSays, SignalSays, explained, given, read

WIDTH = 96
PARTS = {"include": "lets in", "require": "needed", "exclude": "keeps out"}


def add_arguments(parser: ArgumentParser) -> None:
    """The post, and how to look."""
    parser.add_argument("post", metavar="POST", help="an at-uri or a bsky.app link; a file with a post's JSON; - for standard input")
    parser.add_argument("--config", metavar="FILE", type=Path, default=Path("config.toml"), help="the config (%(default)s)")
    parser.add_argument("--author", metavar="DID", help="of a post whose JSON does not say who wrote it")
    parser.add_argument("--offline", action="store_true", help="ask nobody on the network")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Look, and tell."""
    config = load(arguments.config)
    told = asyncio.run(explained(config, _post(arguments), arguments.offline))
    if arguments.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    else:
        sys.stdout.write("\n".join([*_lines(told), ""]))
    return 0


def _post(arguments: Namespace) -> str | Given:
    written: str = arguments.post
    if written == "-":
        return given(sys.stdin.buffer.read(), "standard input", arguments.author)
    if not written.startswith(("at://", "https://", "bsky.app")):
        return given(read(Path(written)), written, arguments.author)
    return written


def _lines(told: Explained) -> Iterator[str]:
    answer = told.feeds
    yield f"{answer.uri}  ({WHERE[told.source]})"
    yield from (f"Note: {note}" for note in told.notes)
    if answer.said and told.source == "database":
        yield answer.said
    if answer.post:
        yield from _text(answer.post)
    for feed in answer.feeds:
        yield from ("", *_feed(feed, told.source == "given"))
    if told.signals:
        yield from ("", "Signals", *(line for signal in told.signals for line in _signal(signal)))
    if told.context:
        yield from ("", "Context, for who decides", *(f"  {CONTROL.sub(' ', note)}" for note in told.context))
    if told.labels:
        yield from ("", "Labels", *map(_label, told.labels))


WHERE = {"database": "from the database", "network": "from the public network", "given": "as given"}


def _text(post: PostSays) -> Iterator[str]:
    """What it says, with what rules found between brackets."""
    for pieces in (post.text, *post.alts, *post.card):
        text = "".join(f"[{piece.text}]" if piece.found else piece.text for piece in pieces)
        yield from (f"  | {line}" for line in wrap(CONTROL.sub(" ", text), WIDTH))


def _feed(feed: FeedSays, as_given: bool) -> Iterator[str]:
    said = ("The rules let it in." if feed.by else "The rules do not let it in.") if as_given else feed.said
    yield f"{'+' if feed.is_in or (as_given and feed.by) else '-'} {feed.name} ({feed.rkey}): {said}"
    yield from map(_rule, feed.rules)


def _rule(rule: RuleSays) -> str:
    words = f": {', '.join(rule.words)}" if rule.words else ""
    part = "" if rule.depth else f"({PARTS[rule.part]}) "
    return f"    {'  ' * rule.depth}{'yes' if rule.holds else 'no ':3}  {rule.rule} {part}{rule.sentence}{words}"


def _signal(signal: SignalSays) -> Iterator[str]:
    labels = f" (counts for {', '.join(signal.labels)})" if signal.labels else " (counts for no label)"
    found = signal.finding
    yield f"  {signal.kind}{labels}: " + (f'"{found.text}", weight {found.weight:g}' if found else _silence(signal.silence))
    if found and found.details:
        yield from ("    " + CONTROL.sub(" ", line) for line in details_told(found.details))


def _silence(silence: Silence | None) -> str:
    if silence is None or silence.reason == "nothing":
        return "nothing"
    english = languages()[FALLBACK]
    told = [english.known(f"feature.{name}", name) for name in silence.doubts]
    claim = f' Claim {silence.claim["id"]}: "{silence.claim["wording"]}"' if silence.claim else ""
    return CONTROL.sub(" ", f"nothing, for {english(f'silence.{silence.reason}', doubts=told)}{claim}")


def _label(label: LabelSays) -> str:
    return f"  {label.value}: there is a reason; mode {label.mode}"
