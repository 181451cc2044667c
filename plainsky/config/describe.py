"""The config in plain words, for the operator who wrote it and for the readers she answers to."""

from collections.abc import Iterator
from textwrap import wrap

from feedgen.feed import Feed
from feedgen.rules import Rule
from labeler.policy import LabelPolicy
from models.duration import plain
from plainsky.config.hashing import without_password
from plainsky.config.schema import Config, Labeler

ORDERS = {"newest": "Newest first; likes and reposts count for nothing."}
MODES = {
    "shadow": "decided and recorded, never issued",
    "review": "a person decides",
    "auto": "issued by the machine alone",
}
WIDTH = 100


def described(config: Config) -> str:
    """Several lines, one paragraph for the service and one for each feed and label."""
    paragraphs = [_service(config), *map(feed_described, config.feeds), *_labels(config)]
    return "\n\n".join("\n".join(lines) for lines in paragraphs)


def feed_described(feed: Feed) -> list[str]:
    """What one feed does, rule by rule."""
    return [
        f'Feed "{feed.name}" ({feed.rkey})',
        *_indented(feed.description, 2),
        f"  {ORDERS[feed.order]} It ends after {plain(feed.window)}: then you are caught up.",
        "  A post enters when it",
        *_rules(feed.include, "or"),
        *(["  and also", *_rules(feed.require, "and")] if feed.require else []),
        *(["  but not when it", *_rules(feed.exclude, "or")] if feed.exclude else []),
        *_quota(feed),
        *([f"  Pinned to the top of the first page: {feed.pinned}"] if feed.pinned else []),
    ]


def _service(config: Config) -> list[str]:
    service = config.service
    return [
        f"Service {service.hostname}, known as {service.did}, listening on {service.listen} port {service.port}",
        *([f"Feeds are published by {service.publisher}"] if config.feeds and service.publisher != service.did else []),
        f"Source: {_source(config)}",
        f"Store: {without_password(config.store.url)}; posts in no feed are kept for {plain(config.store.retention)}",
    ]


def _source(config: Config) -> str:
    ingest = config.ingest
    if ingest.source == "replay":
        pace = f"{ingest.pace:g} times as fast as it happened" if ingest.pace else "as fast as possible"
        return f"replay of {ingest.path}, {pace}"
    return f"{ingest.source}, from {' or else '.join(ingest.hosts)}"


def _rules(rules: tuple[Rule, ...], between: str) -> Iterator[str]:
    for number, rule in enumerate(rules):
        yield from _indented(f"{f'{between} ' if number else ''}{rule.plain_words()}", 4, "- ")


def _indented(text: str, indent: int, bullet: str = "") -> list[str]:
    space = " " * indent
    return wrap(text, WIDTH, initial_indent=space + bullet, subsequent_indent=space + " " * len(bullet), break_on_hyphens=False)


def _quota(feed: Feed) -> list[str]:
    if not (quota := feed.per_author):
        return []
    posts = f"{quota.posts} posts" if quota.posts > 1 else "1 post"
    return [f"  At most {posts} by one author every {plain(quota.every).removeprefix('1 ')}; the earliest are in."]


def _labels(config: Config) -> Iterator[list[str]]:
    if config.labeler is None:
        return
    idle = "" if config.labels else "; without [[labels]] it labels nothing new"
    yield [f"Labeler {config.labeler_did}, {_key(config.labeler)}{idle}"]
    yield from map(_label, config.labels)


def _key(labeler: Labeler) -> str:
    return "signing with the key from the environment" if labeler.key else f"signing with the key in {labeler.key_file}"


def _label(policy: LabelPolicy) -> list[str]:
    return [f'Label "{policy.value}"', f"  For a post that sets off {' or '.join(policy.signals)}: {MODES[policy.mode]}."]
