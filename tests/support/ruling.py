"""Rules of every kind and posts for which they may hold, for hypothesis; and a feed around rules."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from feedgen.feed import Feed
from feedgen.languages import can_recognise
from feedgen.rules import Rule, load
from models.post import Post

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
OTHER = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
HANDLES = {"alice.example.org": DID}


def feed(*include: Rule, require: tuple[Rule, ...] = (), exclude: tuple[Rule, ...] = ()) -> Feed:
    """A feed of these rules."""
    return Feed(rkey="a-feed", name="A feed", include=include, require=require, exclude=exclude)


def post_of(did: str, rkey: str = "3jzfcijpj2z2a") -> str:
    """The at-uri of somebody's post."""
    return f"at://{did}/app.bsky.feed.post/{rkey}"


def some(values: Sequence[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """Some of a few values, now and then one twice."""
    return st.lists(st.sampled_from(values), min_size=least, max_size=most).map(tuple)


WORDS = (
    "fox",
    "Fox",
    "FO",
    "o",
    "ox",
    "straße",
    "STRASSE",
    "ss",
    "e\u0301",
    "é",
    "気候",
    "候",
    "T気",
    "red fox",
    "x y",
    "c++",
    "#fox",
    "İ",
    "ｆｏｘ",
    "fo*",
    "*x",
    "*気*",
    "ı",
)
GLUE = (" ", "", "\n", ", ", "#", "_", "\u0301", "の", "’", "  ", "\u00ad", "@", "https://", ".example/", "*")
TEXTS = st.lists(st.sampled_from(WORDS + GLUE), max_size=12).map("".join) | st.text(max_size=20)
TAGS = ("fox", "FOX", "straße", "STRASSE", "気候", "é", "e", "fox!")
LANGS = ("en", "en-US", "nl", "zh-Hant", "und")
URLS = ("https://example.org/", "https://a.example.org/b/c", "https://xn--bcher-kva.example", "http://[bad", "x", "http://example.org/b")
DOMAINS = ("example.org", "a.example.org", "bücher.example", "example.org/b")
EMBEDS = ("image", "video", "quote", "link")
PATTERNS = ("fox", "(?i)FÉ|é", "[0-9]", "stra(ß|ss)e", "^$", "x.y", "気.")
PLACES = st.sampled_from((("text",), ("alt",), ("text", "link"), ("text", "alt", "link")))
ACCENTS = st.sampled_from(("keep", "fold"))
ACCOUNTS = st.sampled_from(((DID,), (OTHER,), ("alice.example.org",), ("ghost.example.org", OTHER)))
POSTS_OF = (None, *map(post_of, (DID, OTHER, "did:web:a.example")))

SIMPLE: st.SearchStrategy[Rule] = st.one_of(
    st.builds(load("keyword"), any=some(WORDS, 1, 4), where=PLACES, accents=ACCENTS),
    st.builds(load("hashtag"), any=some(TAGS, 1), where=some(("facet", "tags", "text", "alt"), 1), accents=ACCENTS),
    st.builds(load("language"), any=some(LANGS, 1, 2), detect=st.booleans() if can_recognise() else st.just(False)),
    st.builds(load("author"), any=ACCOUNTS),
    st.builds(load("mention"), any=ACCOUNTS),
    st.builds(load("quote"), any=ACCOUNTS),
    st.builds(load("quote"), whose=st.sampled_from(("anyone", "self", "others"))),
    st.builds(load("reply"), which=st.sampled_from(("replies", "roots", "self-threads"))),
    st.builds(load("embed"), any=some((*EMBEDS, "none"), 1, 2)),
    st.builds(load("embed"), any=some((*EMBEDS, "none"), 0, 2).map(lambda kinds: ("image", *kinds)), alt=st.booleans()),
    st.builds(load("link_domain"), any=some(DOMAINS, 1)),
    st.builds(load("regex"), pattern=st.sampled_from(PATTERNS), ignore_case=st.booleans(), where=PLACES),
)
RULES: st.SearchStrategy[Rule] = st.recursive(
    SIMPLE,
    lambda inner: st.builds(
        lambda kind, parts: load(kind)(rules=tuple(parts)), st.sampled_from(("all", "any", "none")), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)
FEEDS = st.lists(
    st.builds(
        lambda include, require, exclude: feed(*include, require=tuple(require), exclude=tuple(exclude)),
        st.lists(RULES, min_size=1, max_size=3),
        st.lists(RULES, max_size=1),
        st.lists(RULES, max_size=1),
    ),
    max_size=6,
)
POSTS = st.builds(
    Post,
    text=TEXTS,
    langs=some(LANGS, most=2),
    tags=some(TAGS, most=2),
    extra_tags=some(TAGS, most=1),
    links=some(URLS, most=2),
    mentions=st.sampled_from(((), (DID,), (OTHER,), (OTHER, DID))),
    embeds=some(EMBEDS, most=2),
    alts=st.lists(TEXTS, max_size=2).map(tuple),
    card=st.lists(TEXTS, max_size=2).map(tuple),
    quote=st.sampled_from(POSTS_OF),
    reply_root=st.sampled_from(POSTS_OF),
    reply_parent=st.sampled_from(POSTS_OF),
)
