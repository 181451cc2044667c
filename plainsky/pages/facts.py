"""The label of a feed, like the one on food: all that there is to say of it, as values, and as JSON (docs/pages.md).

Promise: what is said follows from the config and the database; whatever is not looked at is named as well.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from feedgen.feed import Feed, Quota
from feedgen.rules import Nest, Rule
from models.cursors import Gap
from models.duration import SECOND
from models.looking import Told
from models.posts import uri_of
from models.protocol.syntax import format_datetime
from plainsky.asking.follows import STALE_SECONDS
from plainsky.pages.figures import InNumbers
from plainsky.pages.languages import Language
from plainsky.pages.sentences import PARTS, Rules, in_one_line, rule_at, sentence

NEVER = ("likes", "reposts", "replies", "quotes", "followers", "follows", "clicks", "time", "profile", "money")
CODES = frozenset({"embed", "quote", "reply"})
"""Rule kinds whose words are names of things, not what a post says: their sentence tells more."""
_WHY = re.compile(r"((?:include)\[[0-9]+\]) ([a-z_]+)(?:: (.*?))?(?:; topic (-?[0-9]+[.][0-9]+)(?:: (.*))?)?", re.DOTALL)
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Named(msgspec.Struct, frozen=True):
    """A feed's name and description in the reader's language, or as the operator first wrote them; `lang` is empty when nobody said."""

    name: str
    description: str
    lang: str


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """A post in a feed, with its reason: `why` as it is served, `because` in the reader's language."""

    uri: str
    url: str
    author: str
    text: str
    langs: tuple[str, ...]
    written_at: str
    why: str
    because: str


class Signals(msgspec.Struct, frozen=True, rename="camel"):
    """What decides, by kind, and what never does."""

    used: tuple[str, ...]
    never: tuple[str, ...]


class Limit(msgspec.Struct, frozen=True, rename="camel"):
    """At most `posts` in each stretch of time. `more`: "held" (later ones are held back) or "none" (all are)."""

    posts: int
    every_seconds: float
    more: str


class Injected(msgspec.Struct, frozen=True):
    """Posts that are in the feed because the operator said so, by at-uri."""

    pinned: str | None
    ending: str | None


class InForce(msgspec.Struct, frozen=True):
    """The fingerprint of the rules, and since when it has been the same (None: not known)."""

    hash: str
    since: str | None


class KnownGap(msgspec.Struct, frozen=True, rename="camel"):
    """Events of a host between two times that did not come; `healed_at` (null: not yet) all of them were read `healed_from` elsewhere."""

    from_: str = msgspec.field(name="from")
    to: str
    cause: str
    host: str
    healed_at: str | None
    healed_from: str | None


class FeedFacts(msgspec.Struct, frozen=True, rename="camel"):
    """`/feeds/<rkey>.json`."""

    uri: str
    rkey: str
    language: str
    name: str
    description: str
    rules: Rules
    in_force: InForce
    signals: Signals
    order: str
    followed: bool
    window_seconds: float
    per_author: Limit | None
    per_thread: Limit | None
    injected: Injected
    stored_about_readers: tuple[str, ...]
    retention_seconds: float
    log_time: str | None
    lag_seconds: float
    gaps: tuple[KnownGap, ...]
    figures: InNumbers
    newest: tuple[Entry, ...]


def named(feed: Feed, lang: Language) -> Named:
    """Name and description."""
    if found := feed.locales.get(lang.code):
        return Named(found.name, found.description or feed.description, lang.code)
    return Named(feed.name, feed.description, "")


def signals_of(feed: Feed) -> Signals:
    """What a feed looks at."""
    kinds = dict.fromkeys(rule.kind for part in PARTS for top in getattr(feed, part) for rule in _leaves(top))
    used = [*sorted(kinds), *_of_order(feed)]
    used += [name for name in ("per_author", "per_thread") if getattr(feed, name)]
    never = [name for name in NEVER if not (feed.followed and name == "follows")]
    return Signals(tuple(dict.fromkeys([*used, *(["your_follows"] if feed.followed else [])])), tuple(never))


def _leaves(rule: Rule) -> Iterator[Rule]:
    if isinstance(rule, Nest):
        for part in rule.rules:
            yield from _leaves(part)
    else:
        yield rule


def _of_order(feed: Feed) -> Sequence[str]:
    if feed.order == "topic":
        return ("topic", "time")
    return ("arrival",) if feed.order == "edition" else ("time",)


def limit_of(quota: Quota | None) -> Limit | None:
    """A quota as it is told."""
    return Limit(quota.posts, quota.every / SECOND, quota.more) if quota else None


def said_order(feed: Feed, lang: Language) -> list[str]:
    """The order in plain words."""
    if feed.edition:
        text = lang("order.edition", times=feed.edition.at, timezone=feed.edition.timezone)
    elif feed.topic and feed.topic.model:
        text = lang("order.topic_model", length=lang.length(feed.topic.bucket), name=feed.topic.model.name)
    elif feed.topic:
        terms = [f"“{term}” {weight:g}" for term, weight in feed.topic.topic.weights.items()]
        text = lang("order.topic", length=lang.length(feed.topic.bucket), terms=terms)
    else:
        text = lang(f"order.{feed.order}")
    return [text, lang("order.followed" if feed.followed else "order.equal")]


def said_quotas(feed: Feed, lang: Language) -> list[str]:
    """The limits in plain words."""
    quotas = (("author", feed.per_author), ("thread", feed.per_thread))
    told = [
        lang(f"quota.{whose}{'_none' if quota.more == 'none' else ''}", n=quota.posts, length=lang.length(quota.every))
        for whose, quota in quotas
        if quota
    ]
    return told or [lang("quota.none")]


def said_readers(feed: Feed, lang: Language) -> str:
    """What is stored about readers."""
    return lang("readers.followed", length=lang.about(STALE_SECONDS)) if feed.followed else lang("readers.nothing")


def because(feed: Feed, why: str, lang: Language) -> str:
    """A served reason in the reader's language: what was looked at and the words found, or the rule's whole sentence."""
    found = _WHY.fullmatch(why)
    if found is None:
        return why
    path, kind, words, score, about = found.groups()
    placed = f"; {lang('feed.topic', score=lang.number(float(score), 2), words=about)}" if score else ""
    if words and kind not in CODES:
        return lang("feed.signal", signal=lang.known(f"signal.{kind}", kind), words=words) + placed
    try:
        return in_one_line(sentence(rule_at(feed, path), path, lang)) + placed
    except IndexError:  # an entry of other rules than today's: they are being made anew
        return why


def entry(feed: Feed, told: Told, lang: Language) -> Entry:
    """A post as it is told."""
    return Entry(
        uri=uri_of(told.did, told.rkey),
        url=address(told.did, told.rkey),
        author=told.handle or told.did,
        text=told.post.text,
        langs=tuple(filter(_LANG.fullmatch, told.post.langs)),
        written_at=format_datetime(told.written_at),
        why=told.why,
        because=because(feed, told.why, lang),
    )


def gap_of(gap: Gap) -> KnownGap:
    """A gap as it is told."""
    healed = format_datetime(gap.healed_at) if gap.healed_at is not None else None
    return KnownGap(format_datetime(gap.from_us), format_datetime(gap.to_us), gap.cause, gap.host, healed, gap.healed_from)


def address(did: str, rkey: str) -> str:
    """Where people see a post."""
    return f"https://bsky.app/profile/{did}/post/{rkey}"
