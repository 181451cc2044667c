"""What a post links to, as browsers would read its links, however they are disguised."""

import pytest

from feedgen.feed import Feed
from feedgen.matcher import Matcher
from feedgen.rules import load
from models.bounded import LINK
from models.post import FACETS, Post
from tests.support.ruling import DID

rule = load("link_domain")


def found(asked: str, url: str) -> bool:
    words = rule(any=(asked,)).match(DID, Post("x", links=(url,)))
    assert words in (None, (asked,))
    return words is not None


@pytest.mark.parametrize(
    ("domain", "url", "expected"),
    [
        ("example.org", "https://example.org/a?b#c", True),
        ("example.org", "https://WWW.Example.org:8443/", True),
        ("example.org", "https://user:word@news.example.org./", True),
        ("example.org", "https://notexample.org/", False),
        ("example.org", "https://example.org.evil.example/", False),
        ("example.org", "https://evil.example/example.org", False),
        ("example.org", "https://evil.example/?u=https://example.org/", False),
        ("example.org", "https://example.org@evil.example/", False),
        ("example.org", "https://evil.example\\@example.org/", False),
        ("example.org", "https:example.org/", True),
        ("example.org", "HTTPS:///\\example.org/", True),
        ("example.org", "https://ex%61mple.org/", True),
        ("example.org", "https://example。org/", True),
        ("example.org", "https://ex\u00adample.org/", True),
        ("example.org", "at://example.org/app.bsky.feed.post/1", False),
        ("news.example.org", "https://example.org/", False),
        ("bücher.example", "https://xn--bcher-kva.example/", True),
        ("xn--bcher-kva.example", "https://BÜCHER.example/", True),
        ("straße.example", "https://strasse.example/", False),
        ("127.0.0.1", "http://127.0.0.1:8080/", True),
        ("127.0.0.1", "http://10.127.0.0.1/", False),
        ("example.org", "https://[::1", False),
        ("example.org", "http://[::1]/", False),
        ("example.org", "http://[example.org]/", False),
        ("example.org", "https://xn--\u00ff.example.org/", True),
        ("example.org", "https://xn--99999999999.example.org/", True),
        ("example.org", "mailto:someone@example.org", False),
        ("example.org", "https://" + "a." * 1000 + "example.org", False),
        ("example.org", "", False),
    ],
)
def test_a_link_domain_means_the_host_and_what_is_below_it(domain: str, url: str, expected: bool) -> None:
    assert found(domain, url) is expected


@pytest.mark.parametrize(
    ("asked", "url", "expected"),
    [
        ("example.org/check", "https://example.org/check", True),
        ("example.org/check", "https://www.example.org/Check/2026/a-claim?x=y#z", True),
        ("example.org/check/", "https://example.org/check/", True),
        ("example.org/check", "https://example.org/checkout", False),
        ("example.org/check", "https://example.org/", False),
        ("example.org/check", "https://example.org/news/check", False),
        ("example.org/check", "https://example.org/?/check", False),
        ("example.org/check", "https://example.org//check//a", True),
        ("example.org/check", "https://example.org/check/../sport", False),
        ("example.org/check", "https://example.org/sport/%2e%2e/check", True),
        ("example.org/nl/rubrieken/check", "https://example.org/nl/rubrieken/check/", True),
        ("example.org/nl/rubrieken/check", "https://example.org/nl/rubrieken", False),
        ("example.org/prüfung", "https://example.org/pr%C3%BCfung/a", True),
        ("example.org/prüfung", "https://example.org/pr%FFfung/a", False),
        ("example.org/a/b/c/d/e/f/g/h", "https://example.org/a/b/c/d/e/f/g/h/i/j", True),
    ],
)
def test_a_path_means_the_pages_below_it(asked: str, url: str, expected: bool) -> None:
    assert found(asked, url) is expected


def test_a_domain_and_paths_of_it_may_be_asked_for_together() -> None:
    asked = ("example.org/b", "example.org", "example.org/a")

    assert rule(any=asked).match(DID, Post("x", links=("https://example.org/a/b",))) == ("example.org", "example.org/a")


@pytest.mark.parametrize(
    "written",
    [
        "https://example.org/",
        "localhost",
        "example.org:80",
        "a@example.org",
        "0.0.1",
        "300.1.1.1",
        "example.org/a?b",
        "example.org/" + "a/" * 9,
    ],
)
def test_what_is_no_domain_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"without https://|at most 8 parts"):
        rule(any=(written,))


def test_the_longest_links_of_the_longest_hosts_are_looked_at_in_bounds() -> None:
    host = "a." * 120 + "example.org"
    links = tuple(f"https://{host}/{number}" + "/x" * ((LINK - 300) // 2) for number in range(FACETS))
    looked = Matcher([Feed("a", "A", (rule(any=("example.org/99/x", "other.example/y")),))])

    assert [one.words for one in looked.match(DID, Post("x", links=links))] == [("example.org/99/x",)]
