"""What may stand in the config: each class is a TOML table, each field a key, each default what holds when the key is left out.

`feeds` and `labels` are the rooms' own values: see `feedgen.feed.Feed` and `labeler.policy.LabelPolicy`.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from attrs import Factory, field, frozen, validators

from feedgen.feed import Feed
from feedgen.opt_out import OptOut
from labeler.claims.ratings import Ratings
from labeler.context import Context
from labeler.declaration import Reports
from labeler.limits import Breaker, Throttle
from labeler.policy import LabelPolicy
from labeler.stance.features import FUNCTIONS
from models.duration import Duration, duration
from models.post import POST
from models.protocol.syntax import is_did, is_handle, parse_at_uri
from models.scorecard import Scorecard
from models.text_model import TextModel

if TYPE_CHECKING:
    from attrs import Attribute

FROM_ENVIRONMENT = {"plainsky": "from environment"}
"""Metadata of a field that is a secret: the file may not hold it, hashes leave it out."""

PUBLIC_HOSTS = {
    "jetstream": ("jetstream.us-east.bsky.network", "jetstream.us-west.bsky.network"),
    "firehose": ("bsky.network", "relay1.us-east.bsky.network", "relay1.us-west.bsky.network"),
    "replay": (),
}
"""Run by Bluesky, without charge or login."""


def _expect(expected: str, good: Callable[[Any], bool]) -> Callable[[Any, "Attribute[Any]", Any], None]:
    def check(table: Any, attribute: "Attribute[Any]", value: Any) -> None:
        if not good(value):
            raise ValueError(f"expected {expected}")

    return check


def is_local(hostname: str) -> bool:
    """This machine itself: the only hostname that a did:web may give a port (atproto.com/specs/did)."""
    return re.fullmatch(r"(?:[a-z0-9-]+\.)*localhost(?::[0-9]{1,5})?", hostname) is not None


def _is_url(*schemes: str) -> Callable[[str], bool]:
    def good(text: str) -> bool:
        try:
            parts = urlsplit(text)
            return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", text)
        except ValueError:  # brackets or a port that are none
            return False

    return good


def _is_host(text: str) -> bool:
    return _is_url("wss", "ws")(text if "://" in text else f"wss://{text}")


def _is_database(url: str) -> bool:
    if re.fullmatch(r"sqlite:(?:///?)?/?[^/:\0][^:\0]*", url):
        return True
    try:
        parts = urlsplit(url)
        return parts.scheme in ("postgres", "postgresql") and len(parts.path) > 1 and parts.port != 0
    except ValueError:
        return False


def _is_post(text: str) -> bool:
    uri = parse_at_uri(text)
    return uri is not None and uri.collection == POST and bool(uri.rkey) and is_did(uri.authority)


_did = _expect('a DID, like "did:web:feeds.example.org" or "did:plc:..."', is_did)
_link = validators.optional(_expect("a web address that starts with https://", _is_url("https", "http")))
_service = _expect('a web address, like "https://plc.directory"', _is_url("https", "http"))
_host = _expect('a host, like "jetstream.us-east.bsky.network" or "ws://localhost:6008"', _is_host)


@frozen
class Links:
    """What describeFeedGenerator tells of the operator's own pages."""

    privacy_policy: str | None = field(default=None, validator=_link)
    terms_of_service: str | None = field(default=None, validator=_link)


@frozen
class Service:
    """`[service]`: who we are and where we listen."""

    hostname: str = field(
        validator=_expect(
            'a public host name in small letters, without https:// or path, like "feeds.example.org" (or "localhost:3000" to try it out)',
            lambda name: is_local(name) or (is_handle(name) and name == name.lower()),
        )
    )
    listen: str = field(default="127.0.0.1", validator=_expect('an address, like "127.0.0.1"', lambda text: text.strip() != ""))
    port: int = field(default=3000, validator=_expect("a port from 0 to 65535", lambda port: 0 <= port <= 65535))
    did: str = field(default=Factory(lambda self: self.web_did, takes_self=True), validator=_did)
    publisher: str = field(default=Factory(lambda self: self.did, takes_self=True), validator=_did)
    """The account in whose repo the feed records live."""
    links: Links = Links()

    @property
    def web_did(self) -> str:
        """The did:web that the host name makes."""
        return "did:web:" + self.hostname.replace(":", "%3A")

    @property
    def endpoint(self) -> str:
        """The public address: https, or http where the hostname is this machine itself."""
        return f"{'http' if is_local(self.hostname) else 'https'}://{self.hostname}"


@frozen
class Store:
    """`[store]`: where posts, feed entries and labels are kept."""

    url: str = field(
        default="sqlite:///plainsky.sqlite",
        repr=False,  # from the environment it may hold a password
        validator=_expect('"sqlite:///FILE" or "postgresql://USER@HOST/NAME"', _is_database),
    )
    retention: Duration = field(default=duration("2d"))
    """How long a post is kept that stands in no feed's window."""


@frozen
class Ingest:
    """`[ingest]`: where posts come from."""

    source: Literal["jetstream", "firehose", "replay"] = "jetstream"
    hosts: tuple[str, ...] = field(
        default=Factory(lambda self: PUBLIC_HOSTS[self.source], takes_self=True), validator=validators.deep_iterable(_host)
    )
    wire: Literal["auto", "v1", "v2"] = "auto"
    path: Path | None = None
    pace: float = field(default=0.0, validator=_expect("0 (as fast as possible), 1 (as it happened) or more", lambda n: 0 <= n <= 1e6))
    watchdog: Duration = field(default=duration("60s"), validator=_expect('at least "1s"', lambda silence: silence >= duration("1s")))
    margin: Duration = field(default=duration("10s"))
    batch_size: int = field(default=2_000, validator=_expect("a number from 1 to 10000", lambda n: 1 <= n <= 10_000))
    batch_age: Duration = field(default=duration("100ms"), validator=_expect('at most "1m"', lambda age: age <= duration("1m")))
    import_after: Duration = field(default=duration("1d"))
    backoff_max: Duration = field(default=duration("60s"), validator=_expect('at least "1s"', lambda pause: pause >= duration("1s")))


@frozen
class Identity:
    """`[identity]`: who is asked for handles and DID documents."""

    resolver: str = field(default="https://public.api.bsky.app", validator=_service)
    plc: str = field(default="https://plc.directory", validator=_service)


@frozen
class AppView:
    """`[appview]`: who is asked who is on a list or in a starter pack."""

    url: str = field(default="https://public.api.bsky.app", validator=_service)
    refresh: Duration = field(default=duration("15m"), validator=_expect('at least "1s"', lambda every: every >= duration("1s")))


def _computes(_labeler: object, _attribute: Any, scorecard: Scorecard) -> None:
    if unknown := sorted(scorecard.weights.weights.keys() - FUNCTIONS.keys()):
        raise ValueError(f"{unknown[0]!r} is no feature that this Plainsky computes: train it anew")


@frozen
class Labeler:
    """`[labeler]`: the account that labels speak for, and its signing key."""

    did: str | None = field(default=None, validator=validators.optional(_did))
    key_file: Path = Path("labeler.key")
    throttle: Throttle = Factory(Throttle)
    breaker: Breaker = Factory(Breaker)
    two_people_above: int = field(default=10_000, validator=_expect("a number of followers, 0 or more", lambda n: n >= 0))
    """Who has more followers is labelled by two people."""
    key: str | None = field(default=None, repr=False, metadata=FROM_ENVIRONMENT)
    reports: Reports = Factory(Reports)
    context: Context = Factory(Context)
    keep_words: Duration = field(
        default=duration("90d"), validator=_expect('from "1d" to "52w"', lambda keep: duration("1d") <= keep <= duration("52w"))
    )
    """So long the words are kept of posts that were judged and got no label."""
    scorecard: Scorecard | None = field(default=None, validator=validators.optional(_computes))
    """Instead of the one that comes with the project."""
    text_model: TextModel | None = None
    seq_above: int = field(default=0, validator=_expect("a number from 0 to a million million", lambda n: 0 <= n <= 10**12))
    """New labels get higher numbers in the stream: after a loss, so that none is used twice."""


def _is_source(text: str) -> bool:
    local = _is_url("http")(text) and is_local(urlsplit(text).netloc)
    return text.strip() != "" and ("://" not in text or _is_url("https")(text) or local)


_source = _expect('a file, or a web address that starts with https://, like "https://example.org/claims.json"', _is_source)


@frozen
class Canary:
    """`[canary]`: a post that gets a test label again and again, to see whether labels reach readers."""

    post: str = field(validator=_expect('the at-uri of a post, like "at://did:plc:.../app.bsky.feed.post/..."', _is_post))
    value: str = "plainsky-test"
    every: Duration = field(default=duration("30m"), validator=_expect('at least "1m"', lambda every: every >= duration("1m")))


@frozen
class Claims:
    """`[claims]`: claims that fact-checkers rated, beside those that ship with Plainsky."""

    sources: tuple[str, ...] = field(default=(), validator=validators.deep_iterable(_source))
    """Files and addresses of ClaimReview data or CSV tables, looked at again and again."""
    refresh: Duration = field(default=duration("6h"), validator=_expect('at least "1m"', lambda every: every >= duration("1m")))
    seed: bool = True
    """Whether the claims that ship with Plainsky are put into the bank at the start."""
    ratings: Ratings = Factory(Ratings)


@frozen
class Recording:
    """`[recording]`: a folder that `plainsky record` fills, whose files' fingerprints are served as /recordings.json."""

    folder: Path


@frozen
class Log:
    """`[log]`: what is told on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


@frozen
class Config:
    """The whole file. `feeds` empty: no feed generator runs. `labeler` None: no labeler runs, `canary` None: no canary."""

    service: Service
    store: Store = Store()
    ingest: Ingest = Ingest()
    identity: Identity = Identity()
    appview: AppView = AppView()
    opt_out: OptOut = Factory(OptOut)
    feeds: tuple[Feed, ...] = ()
    labeler: Labeler | None = None
    labels: tuple[LabelPolicy, ...] = ()
    canary: Canary | None = None
    recording: Recording | None = None
    claims: Claims = Claims()
    log: Log = Log()

    @property
    def labeler_did(self) -> str:
        """The `src` of our labels."""
        return (self.labeler and self.labeler.did) or self.service.did
