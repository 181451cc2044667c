"""What an operator knows beside the post: domains of low credibility, and patterns. Context for people who decide, never a reason.

Promise: nothing here labels or withholds a label by itself. A link to such a domain is one feature of the scorecard, and is told to the
reviewer with the patterns that fit; patterns are searched by RE2, so none can make anything slow (invariant 9).
"""

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import field, frozen
from attrs.validators import deep_iterable

from labeler.stance.said import said
from models.post import Post
from models.weights import MAX_BYTES, BadWeights, Filed, hash_of

MAX_PATTERN = 1_000
LONGEST = 100
"""Characters of what fits a pattern that are told."""
_NO_DOMAIN = 'expected a domain like "example.org", without https:// and without a path'


def domain(written: str) -> str:
    """A domain as links are compared with it: small letters, without "www."; ValueError when it is none."""
    name = written.strip().lower().removeprefix("www.").strip(".")
    try:
        host = urlsplit(f"//{name}").hostname
    except ValueError:
        host = None
    if host != name or "." not in name or any(sign.isspace() for sign in name):
        raise ValueError(_NO_DOMAIN)
    return name


def _check_domain(_context: object, _attribute: Any, written: str) -> None:
    domain(written)


def _check_pattern(_context: object, _attribute: Any, pattern: str) -> None:
    if not 0 < len(pattern) <= MAX_PATTERN:
        raise ValueError(f"expected 1 to {MAX_PATTERN} characters")
    try:
        _compiled(pattern)
    except (ValueError, UnicodeError) as error:
        raise ValueError(f"expected a regular expression that RE2 accepts: {error}") from None


@cache
def _compiled(pattern: str) -> Any:
    import re2  # here: most configs have no pattern

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None


class Domains(Filed):
    """A file of domains: one a line, or a table whose first column they are (with commas, a heading is left out). "#" begins a comment."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self.hash = hash_of({"domains": sorted(self.names)})

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """The domains in a file's bytes; BadWeights, naming the line, when one is none."""
        if len(data) > MAX_BYTES:
            raise BadWeights(f"expected at most {MAX_BYTES >> 20} MiB")
        return cls(_listed(data.decode("utf-8-sig", "replace").splitlines()))


def _listed(lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        written = line.partition("#")[0].replace(";", ",").replace("\t", ",").partition(",")[0].strip().strip('"')
        if not written or (number == 1 and "." not in written):
            continue
        try:
            yield domain(written)
        except ValueError as error:
            raise BadWeights(f"line {number}: {error}") from None


@frozen(slots=False)
class Context:
    """`[labeler.context]`: what reviewers are told beside what the signals found."""

    domains: tuple[str, ...] = field(default=(), validator=deep_iterable(_check_domain))
    """Websites of low credibility, with all below them."""
    domains_file: Domains | None = None
    """More of them."""
    patterns: tuple[str, ...] = field(default=(), validator=deep_iterable(_check_pattern))

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """All domains of low credibility."""
        return frozenset(map(domain, self.domains)) | (self.domains_file.names if self.domains_file else frozenset())

    def notes(self, post: Post) -> Iterator[str]:
        """What there is to know of a post, a line each."""
        for host in sorted(said(post).hosts) if self.doubtful else ():
            if listed := sorted(name for name in self.doubtful if host == name or host.endswith(f".{name}")):
                yield f"it links to {host}: {listed[0]} is on your list of low credibility"
        text = "\n".join((post.text, *post.alts, *post.card))
        for pattern in self.patterns:
            if found := _compiled(pattern).search(text):
                yield f"your pattern {pattern} fits: {' '.join(found.group().split())[:LONGEST]}"
