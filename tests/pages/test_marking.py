"""What rules found is marked where it stands in the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedgen.rules import Rule, load
from models.post import Post
from plainsky.pages.marking import Found, pieces
from tests.support.ruling import ACCENTS, DID, POSTS, SIMPLE, TAGS, some

keyword, hashtag, regex, topic, link = (load(kind) for kind in ("keyword", "hashtag", "regex", "topic", "link_domain"))


def marked(text: str, rule: Rule, post: Post | None = None) -> list[str]:
    """What is marked in a text that the rule looks at."""
    found = rule.match(DID, post or Post(text))
    return [piece.text for piece in pieces(text, "text", [Found(rule, found)] if found else []) if piece.found]


@pytest.mark.parametrize(
    ("text", "rule", "found"),
    [
        ("The Climate, a climate.", keyword(any=("climate",)), ["Climate", "climate"]),
        ("climates of climate", keyword(any=("climate",)), ["climate"]),
        ("climates of climate", keyword(any=("climate*",)), ["climate", "climate"]),
        ("auf der STRASSE, Straße", keyword(any=("straße",)), ["STRASSE", "Straße"]),
        ("a general \n strike", keyword(any=("general strike",)), ["general \n strike"]),
        ("ＮＡＴＯ and e\u0301te\u0301", keyword(any=("nato", "été")), ["ＮＡＴＯ", "e\u0301te\u0301"]),
        ("cœur, coeur", keyword(any=("coeur",), accents="fold"), ["cœur", "coeur"]),
        ("see climate.example/climate, climate", keyword(any=("climate",)), ["climate"]),
        ("気候変動", keyword(any=("気候",)), ["気候"]),
        ("red fox fox", keyword(any=("red fox", "fox fox")), ["red fox fox"]),
        ("#Klimaat! and #klimaatcrisis, ＃klimaat", hashtag(any=("klimaat",)), ["#Klimaat", "＃klimaat"]),
        ("#solidarite", hashtag(any=("solidarité",), accents="fold"), ["#solidarite"]),
        ("30 °C, 40 °C", regex(pattern="[0-9]+ °C"), ["30 °C"]),
        ("a sea level, weather", topic(terms={"sea level": 3.0, "weather": -1.0}, at_least=1.0), ["sea level"]),
        ("nothing", keyword(any=("climate",)), []),
    ],
)
def test_found_words_are_marked_as_they_were_written(text: str, rule: Rule, found: list[str]) -> None:
    assert marked(text, rule) == found


def test_a_domain_is_marked_where_the_text_shows_it() -> None:
    assert marked("read Example.org/a…", link(any=("example.org",)), Post(links=("https://example.org/a",))) == ["Example.org"]


def test_a_tag_that_no_text_shows_is_marked_nowhere() -> None:
    assert marked("my garden", hashtag(any=("garden",)), Post(tags=("garden",))) == []


@given(POSTS, st.lists(SIMPLE, max_size=4))
def test_whatever_is_found_the_pieces_are_the_text(post: Post, rules: list[Rule]) -> None:
    found = [Found(rule, words) for rule in rules if (words := rule.match(DID, post))]

    for place, texts in (("text", (post.text,)), ("alt", post.alts), ("link", post.card)):
        for text in texts:
            assert "".join(piece.text for piece in pieces(text, place, found)) == text


@given(
    st.lists(st.sampled_from(("Fox", "STRASSE", "e\u0301", "red fox", "氣候", ", ", " ", "\n", "_", "x")), max_size=10).map("".join),
    ACCENTS,
)
def test_a_keyword_that_is_found_in_the_text_is_marked_in_it(text: str, accents: str) -> None:
    rule = keyword(any=("fox", "straße", "é", "red fox", "候"), accents=accents)

    assert bool(marked(text, rule)) == (rule.match(DID, Post(text)) is not None)


@given(
    st.lists(st.sampled_from((*(f"#{tag}" for tag in TAGS), "# ", " ", "a#fox", "(", "!")), max_size=8).map(" ".join),
    some(TAGS, 1),
    ACCENTS,
)
def test_a_hashtag_that_is_found_in_the_text_is_marked_in_it(text: str, tags: tuple[str, ...], accents: str) -> None:
    rule = hashtag(any=tags, where=("text",), accents=accents)

    assert bool(marked(text, rule)) == (rule.match(DID, Post(text)) is not None)
