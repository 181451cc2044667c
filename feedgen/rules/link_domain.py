"""Posts that link to a website, or to any part of it: "example.org" means www.example.org and news.example.org too.

Names in other scripts may be written as people write them or in their "xn--" form.

    [[feeds.include]]
    kind = "link_domain"
    any = ["example.org", "bücher.example"]
"""

import re
from collections.abc import Iterable
from unicodedata import normalize
from urllib.parse import urlsplit

from attrs import field, frozen

from feedgen.rules import Listed, each, named
from models.post import Post

_MAX_HOST = 253  # RFC 1035, section 2.3.4
_DOMAIN = re.compile(r"[^\s/:?#@\[\]*.]{1,63}(\.[^\s/:?#@\[\]*.]{1,63})+")


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except ValueError:
        return label


def _domain(written: str) -> str:
    # Not casefold: straße.de and strasse.de are two websites.
    lowered = normalize("NFKC", written.strip()).lower().strip(".")
    return ".".join(map(_label, lowered.split("."))) if "xn--" in lowered else lowered


def _host(url: str) -> str:
    try:
        # Browsers read a backslash as a slash: "https://a.example\@b.example" goes to a.example (WHATWG URL).
        host = urlsplit(url.replace("\\", "/")).hostname or ""
    except ValueError:  # brackets that hold no IPv6 address, and the like
        return ""
    return _domain(host) if len(host) <= _MAX_HOST else ""


def _is_domain(_rule: object, _attribute: object, written: str) -> None:
    if not _DOMAIN.fullmatch(_domain(written)):
        raise ValueError('expected a domain like "example.org", without https:// and path')


@frozen
class LinkDomain(Listed):
    """`any`: domains, of which one must be linked to."""

    any: tuple[str, ...] = field(validator=each(_is_domain))

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """Each linked host and the domains above it."""
        found = set()
        for url in post.links:
            host = _host(url)
            while host:
                found.add(host)
                host = host.partition(".")[2]
        return found

    def key(self, written: str) -> str:
        """Lower case, in the script that people read."""
        return _domain(written)

    def plain_words(self) -> str:
        """The domains as written."""
        return "links to " + named("website", self.any)
