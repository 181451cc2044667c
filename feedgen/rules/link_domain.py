"""Posts that link to a website, or to any part of it: "example.org" means www.example.org and news.example.org too.

With a path it means the pages below that path only: "example.org/check" is example.org/check and www.example.org/check/2026/a-claim,
not example.org/checkout. Case makes no difference.
Names in other scripts may be written as people write them or in their "xn--" form. Where a shortened link leads is not looked up.

    [[feeds.include]]
    kind = "link_domain"
    any = ["example.org", "bücher.example", "lemonde.fr/les-decodeurs"]
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from ipaddress import ip_address
from posixpath import normpath
from typing import Any, TypeVar
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from feedgen.rules import Finder, Rule, Words, each, named, one_by_one
from models.post import Post

_Found = TypeVar("_Found")

_MAX_HOST = 253  # RFC 1035, section 2.3.4
_MAX_DEPTH = 8
_DOMAIN = re.compile(r"[^\s/:?#@\[\]*.]{1,63}(\.[^\s/:?#@\[\]*.]{1,63})+")
# Browsers take any number of slashes and backslashes behind http(s): for two (WHATWG URL, "special authority ignore slashes state").
_SCHEME = re.compile(r"^\s*(https?:)[/\\]*", re.IGNORECASE)
_IGNORED = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # in names of hosts (UTS #46)


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except ValueError:
        return label


def _domain(written: str) -> str:
    # Not casefold: straße.de and strasse.de are two websites.
    lowered = _IGNORED.sub("", normalize("NFKC", written.strip()).lower().replace("。", ".")).strip(".")
    return ".".join(map(_label, lowered.split("."))) if "xn--" in lowered else lowered


def _path(written: str) -> str:
    """A path in the spelling in which it is compared: "/a/b", or "/"."""
    return normpath("/" + normalize("NFC", unquote(written)).lower().lstrip("/"))


def _place(url: str) -> tuple[str, str]:
    """A URL's host, empty when there is none, and its path as written."""
    try:
        # Browsers read a backslash as a slash: "https://a.example\@b.example" goes to a.example (WHATWG URL).
        parts = urlsplit(_SCHEME.sub(r"\1//", url, count=1).replace("\\", "/"))
        host = unquote(parts.hostname or "")
    except ValueError:  # brackets that hold no IPv6 address, and the like
        return "", ""
    return (_domain(host), parts.path) if parts.scheme in ("http", "https") and len(host) <= _MAX_HOST else ("", "")


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _ends_in_number(host: str) -> bool:
    return host.rpartition(".")[2].isdecimal()


def _hosts(host: str) -> Iterator[str]:
    """A host and the domains above it; above a number there are none."""
    alone = _ends_in_number(host)
    while host:
        yield host
        host = "" if alone else host.partition(".")[2]


def _below(path: str) -> Iterator[str]:
    """A path and those above it, as deep as a rule may ask."""
    parts = path.split("/", _MAX_DEPTH + 1)[: _MAX_DEPTH + 1]
    yield "/"
    for depth in range(2, len(parts) + 1):
        if parts[depth - 1]:
            yield "/".join(parts[:depth])


def _asked(written: str) -> tuple[str, str]:
    domain, _, path = written.strip().partition("/")
    return _domain(domain), _path(path)


def _is_domain(_rule: object, _attribute: object, written: str) -> None:
    domain, path = _asked(written)
    if "://" in written or not _DOMAIN.fullmatch(domain) or (_ends_in_number(domain) and not _is_address(domain)):
        raise ValueError('expected a domain like "example.org", or one with a path like "example.org/news", without https://')
    if "?" in path or "#" in path or path.count("/") > _MAX_DEPTH:
        raise ValueError(f"expected a path of at most {_MAX_DEPTH} parts, without ? and #")


@frozen
class LinkDomain(Rule):
    """`any`: domains, each with a path or without, of which one must be linked to."""

    breadth = 0
    any: tuple[str, ...] = field(validator=each(_is_domain))

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each domain, in the script that people read, with its path."""
        found: dict[Hashable, str | None] = {}
        for written in self.any:
            found.setdefault(_asked(written), written)
        return found

    def match(self, did: str, post: Post) -> Words | None:
        """The domains linked to, in the order of the rule."""
        keys: Mapping[Any, str | None] = self.keys()
        there = set(_found(_by_domain(keys), post))
        return tuple(word for word in keys.values() if word is not None and word in there) or None

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """One look-up for each linked host and each domain above it; paths are looked at only where some rule asks for one of that host."""
        domains = _by_domain(ids)
        return one_by_one(lambda did, post: set(_found(domains, post)) if post.links else ())

    def plain_words(self) -> str:
        """The domains as written."""
        return "links to " + named("website", self.any)


def _by_domain(asked: Mapping[tuple[str, str], _Found]) -> dict[str, dict[str, _Found]]:
    domains: dict[str, dict[str, _Found]] = {}
    for (domain, path), found in asked.items():
        domains.setdefault(domain, {})[path] = found
    return domains


def _found(domains: Mapping[str, Mapping[str, _Found]], post: Post) -> Iterator[_Found]:
    """What is kept under the domains and paths that a post links to."""
    for url in post.links:
        host, path = _place(url)
        for paths in filter(None, map(domains.get, _hosts(host))):
            if len(paths) > ("/" in paths):  # nobody asks for a path of most domains
                yield from (paths[part] for part in _below(_path(path)) if part in paths)
            else:
                yield paths["/"]
