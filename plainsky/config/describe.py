"""The config in plain words, for the operator who wrote it and for the readers she answers to."""

from collections.abc import Iterator, Mapping
from textwrap import wrap

from feedgen.feed import Feed, Quota
from feedgen.rules import Rule
from labeler.definitions import locales_of
from labeler.policy import LabelPolicy
from models.duration import plain
from plainsky.config.hashing import without_password
from plainsky.config.schema import Config, Labeler

MODES = {
    "shadow": "decided and recorded, never issued",
    "review": "a person decides",
    "auto": "issued by the machine alone",
}
LOOKS = {"alert": "a warning", "inform": "a note", "none": "no mark"}
COVERS = {"none": "", "media": " on covered pictures", "content": " on a covered post"}
WIDTH = 100


def described(config: Config) -> str:
    """Several lines, one paragraph for the service and one for each feed and label."""
    paragraphs = [_service(config), *map(feed_described, config.feeds), *_opting_out(config), *_labels(config)]
    return "\n\n".join("\n".join(lines) for lines in paragraphs)


def feed_described(feed: Feed, width: int = WIDTH) -> list[str]:
    """What one feed does, rule by rule, in lines of at most this width."""
    return [
        f'Feed "{feed.name}" ({feed.rkey})',
        *_indented(feed.description, 2, width),
        *_indented(f"{_order(feed)} Likes and reposts count for nothing. {_end(feed)}", 2, width),
        *(
            ["  Each reader sees only the posts of those he follows; whom he follows is asked when he looks, and never stored."]
            if feed.followed
            else []
        ),
        "  A post enters when it",
        *_rules(feed.include, "or", width),
        *(["  and also", *_rules(feed.require, "and", width)] if feed.require else []),
        *(["  but not when it", *_rules(feed.exclude, "or", width)] if feed.exclude else []),
        *(_quota(feed.per_author, "by one author") if feed.per_author else []),
        *(_quota(feed.per_thread, "in one thread") if feed.per_thread else []),
        *([f"  Pinned to the top of the first page: {feed.pinned}"] if feed.pinned else []),
        *([f"  The last entry of the last page: {feed.ending}"] if feed.ending else []),
    ]


def _order(feed: Feed) -> str:
    if feed.edition:
        times = " and ".join(feed.edition.at)
        return f"Newest first, in editions: it changes at {times} ({feed.edition.timezone}) and stands still in between."
    if feed.topic:
        what = f"the model {feed.topic.model}" if feed.topic.terms is None else "weighted words: " + _weighted(feed.topic.terms)
        return f"In stretches of {plain(feed.topic.bucket)}, the newest stretch first; within one, by topic, as told by {what}."
    return "Oldest first, to catch up in order." if feed.order == "oldest_first" else "Newest first."


def _weighted(terms: Mapping[str, float]) -> str:
    return ", ".join(f"{term} {weight:g}" for term, weight in sorted(terms.items(), key=lambda term: (-term[1], term[0])))


def _end(feed: Feed) -> str:
    if feed.order == "oldest_first":
        return f"It begins {plain(feed.window)} back and ends at the newest: then you are caught up."
    return f"It ends after {plain(feed.window)}: then you are caught up."


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


def _rules(rules: tuple[Rule, ...], between: str, width: int) -> Iterator[str]:
    for number, rule in enumerate(rules):
        yield from _indented(f"{f'{between} ' if number else ''}{rule.plain_words()}", 4, width, "- ")


def _indented(text: str, indent: int, width: int, bullet: str = "") -> list[str]:
    space = " " * indent
    return wrap(text, width, initial_indent=space + bullet, subsequent_indent=space + " " * len(bullet), break_on_hyphens=False)


def _quota(quota: Quota, of_what: str) -> list[str]:
    posts = f"{quota.posts} posts" if quota.posts > 1 else "1 post"
    more = "the earliest are in" if quota.more == "held" else "where there are more, none is in"
    return [f"  At most {posts} {of_what} every {plain(quota.every).removeprefix('1 ')}; {more}."]


def _opting_out(config: Config) -> list[list[str]]:
    """How authors can ask to be in no feed."""
    if not config.feeds:
        return []
    asks, ways = config.opt_out, []
    if asks.hashtags:
        tags = " or ".join("#" + tag.strip().lstrip("#＃") for tag in asks.hashtags)
        ways.append(f"have a post with {tags} on it")
    if asks.self_labels:
        ways.append(f"have a post that they labelled {' or '.join(f'“{label}”' for label in asks.self_labels)} themselves")
    ways += [f"are on the list {written}" for written in asks.lists]
    if asks.authors:
        ways.append("are written down here: " + ", ".join(asks.authors))
    if not ways:
        return [["No way is configured for authors who want to be in no feed: see [opt_out] in docs/opting-out.md"]]
    return [["Authors are in no feed when they", *(line for way in ways for line in _indented(way, 2, WIDTH, "- "))]]


def _labels(config: Config) -> Iterator[list[str]]:
    if config.labeler is None:
        return
    idle = "" if config.labels else "; without [[labels]] it labels nothing new"
    yield [f"Labeler {config.labeler_did}, {_key(config.labeler)}{idle}"]
    yield from map(label_described, config.labels)


def _key(labeler: Labeler) -> str:
    return "signing with the key from the environment" if labeler.key else f"signing with the key in {labeler.key_file}"


def label_described(policy: LabelPolicy, width: int = WIDTH) -> list[str]:
    """What one label is for, in lines of at most this width."""
    languages = f" in {' or '.join(policy.languages)}" if policy.languages else ""
    doubts = f" Where {' or '.join(policy.abstain)} fires, a person decides." if policy.abstain else ""
    return [
        f'Label "{policy.value}"',
        *_indented(f"For a post{languages} that sets off {' or '.join(policy.signals)}: {_mode(policy)}.{doubts}", 2, width),
        f"  It ends after {plain(policy.expires)} unless it is renewed, which it is while it holds.",
        *_indented(_look(policy), 2, width),
    ]


def _mode(policy: LabelPolicy) -> str:
    if not policy.is_gated:
        return MODES[policy.mode]
    promise = policy.promise
    return (
        f"{MODES['auto']}, in each language where people judged {promise.judgements} or more blind and found, with 95 % certainty, at least"
        f" {promise.precision:.0%} right; until then, and when it is missed, a person decides"
    )


def _look(policy: LabelPolicy) -> str:
    names = ", ".join(f"{locale.name} ({locale.lang})" for locale in locales_of(policy.value, policy))
    first = "" if policy.default_setting == "warn" else f" Until they choose otherwise: {policy.default_setting}."
    return f"Its subscribers see {LOOKS[policy.severity]}{COVERS[policy.blurs]}: {names}.{first}"
