"""Which hashtags a post has: those its author's app marked, those of its tags, and those that only stand in a text."""

from typing import Any

import pytest

from feedgen.rules import Words, load
from models.post import Post
from tests.support.ruling import DID

rule = load("hashtag")


def words(post: Post, **fields: Any) -> Words | None:
    return rule(**fields).match(DID, post)


@pytest.mark.parametrize(
    ("post", "found"),
    [
        pytest.param(Post("x", tags=("Klimaat",)), True, id="a tag, whatever its case"),
        pytest.param(Post("x", extra_tags=("Klimaat",)), True, id="in the tags field"),
        pytest.param(Post("x", tags=("klimaat!",)), True, id="a tag with punctuation behind it"),
        pytest.param(Post("Lees #KLIMAAT!"), True, id="in the text, without a facet"),
        pytest.param(Post("Lees ＃ｋlimaat"), True, id="in full width"),
        pytest.param(Post("(#klimaat)"), True, id="in brackets"),
        pytest.param(Post("#klimaat/#weer"), True, id="followed by a slash"),
        pytest.param(Post("#klimaat,#weer"), True, id="followed by a comma"),
        pytest.param(Post("#weer#klimaat"), False, id="within a word"),
        pytest.param(Post("#klimaat’s gevolgen"), True, id="followed by an apostrophe"),
        pytest.param(Post("#klimaat…"), True, id="followed by dots"),
        pytest.param(Post("#klimaat\u200bzaak"), True, id="followed by an invisible space"),
        pytest.param(Post("#klimaat https://example.org/"), True, id="beside an address"),
        pytest.param(Post("#klimaatcrisis"), False, id="a longer tag"),
        pytest.param(Post("#klimaat🌍"), False, id="a tag that ends in an emoji is another tag, as it is in the app"),
        pytest.param(Post("x", tags=("klimaatcrisis",)), False, id="a longer tag with a facet"),
        pytest.param(Post("klimaat"), False, id="the word without the sign"),
        pytest.param(Post("https://example.org/page#klimaat"), False, id="part of a link"),
        pytest.param(Post("https://example.org/?q=#klimaat"), False, id="part of a query"),
        pytest.param(Post("की#klimaat"), False, id="behind a letter that is written as a mark"),
        pytest.param(Post("❤️#klimaat"), True, id="behind an emoji"),
        pytest.param(Post("&#klimaat"), False, id="like a character reference"),
        pytest.param(Post("x", alts=("#klimaat",)), False, id="in an alt text"),
    ],
)
def test_a_hashtag_is_found_in_tags_and_text(post: Post, found: bool) -> None:
    assert words(post, any=("#klimaat",)) == (("#klimaat",) if found else None)


@pytest.mark.parametrize(
    ("asked", "text", "found"),
    [
        pytest.param("don't", "#don't", True, id="as the app takes it"),
        pytest.param("don", "#don't", True, id="and as a reader may"),
        pytest.param("R&D", "#R&D", True, id="an ampersand"),
        pytest.param("R", "#R&D", False, id="does not end a tag"),
        pytest.param("c++", "#C++", True, id="a sign that is no punctuation"),
        pytest.param("2024", "#2024", False, id="a number alone is no tag"),
        pytest.param("1", "we are #1", False, id="one"),
        pytest.param("F1", "#F1", True, id="with a letter it is"),
        pytest.param("covid-19", "#COVID-19.", True, id="a hyphen"),
        pytest.param("a_b", "#a_b", True, id="an underscore"),
        pytest.param("気候", "#気候、天気", True, id="Japanese punctuation"),
        pytest.param("हिन्दी", "#हिन्दी", True, id="Hindi"),
        pytest.param("solidarité", "#solidarite\u0301", True, id="an accent typed as a mark of its own"),
        pytest.param("straße", "#STRASSE", True, id="sharp s"),
        pytest.param("istanbul", "#İSTANBUL", True, id="a Turkish capital İ is an i"),
        pytest.param("ışık", "#IŞIK", False, id="a capital I is no ı, or English would not be found"),
        pytest.param("keycap", "#️⃣keycap", False, id="a key with a # on it"),
    ],
)
def test_a_typed_hashtag_is_what_the_app_would_link_and_what_a_reader_sees(asked: str, text: str, found: bool) -> None:
    assert words(Post(text), any=(asked,), where=("text",)) == ((asked,) if found else None)


def test_where_to_look_is_a_choice() -> None:
    post = Post("#text", tags=("facet",), extra_tags=("tags",), alts=("#alt", "none"))
    every = ("facet", "tags", "text", "alt")

    assert words(post, any=every) == ("facet", "tags", "text")
    assert words(post, any=every, where=every) == every
    assert [words(post, any=every, where=(place,)) for place in every] == [(place,) for place in every]


def test_the_hashtags_found_come_as_the_rule_writes_them_and_in_its_order() -> None:
    post = Post("#b #solidarité", tags=("A", "covid-19"))

    assert words(post, any=("a", "A", "B", "c", "Solidarité", "solidarite", "COVID-19")) == ("a", "B", "Solidarité", "COVID-19")
