"""`[opt_out]` and `[appview]`: mistakes are told where they are, and `plainsky check` says how authors can ask (docs/opting-out.md)."""

import pytest

from plainsky.config.describe import described
from plainsky.config.errors import ConfigErrors
from plainsky.config.loading import parse

BASE = """
[service]
hostname = "feeds.example.org"
[[feeds]]
rkey = "a"
name = "A"
include = [{ kind = "hashtag", any = ["a"] }]
"""


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[opt_out]\nauthors = ["a.example.org", "nobody"]', 'opt_out.authors[1]: "nobody": expected a DID like'),
        ('[opt_out]\nlists = ["Friends"]', 'opt_out.lists[0]: "Friends": expected a list, like "https://bsky.app/profile/'),
        ('[opt_out]\nhashtags = ["ok", "two words"]', 'opt_out.hashtags[1]: "two words": expected a hashtag, which is one word'),
        ('[opt_out]\nself_labels = [""]', "opt_out.self_labels[0]"),
        ("[opt_out]\nhastags = []", "opt_out.hastags: unknown key, did you mean 'hashtags'?"),
        ('[appview]\nrefresh = "500ms"', 'appview.refresh: "500ms": expected at least "1s"'),
        ('[appview]\nurl = "public.api.bsky.app"', 'appview.url: "public.api.bsky.app": expected a web address'),
    ],
)
def test_a_mistake_is_told_where_it_is(table: str, said: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        parse(BASE + table, "config.toml", {})

    assert said in str(raised.value)


def test_check_says_in_plain_words_how_authors_can_ask() -> None:
    table = '[opt_out]\nhashtags = ["NoFeeds", "#GeenFeeds"]\nself_labels = ["no-feeds"]\nauthors = ["a.example.org"]'
    words = described(parse(BASE + table, "config.toml", {}))

    assert "Authors are in no feed when they" in words
    assert "- have a post with #NoFeeds or #GeenFeeds on it" in words
    assert "- have a post that they labelled “no-feeds” themselves" in words
    assert "- are written down here: a.example.org" in words


def test_check_says_when_authors_cannot_ask() -> None:
    assert "No way is configured for authors who want to be in no feed" in described(parse(BASE, "config.toml", {}))
