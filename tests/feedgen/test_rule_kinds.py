"""What each kind of rule finds in a post, and what it leaves alone."""

from typing import Any

import pytest

from feedgen.rules import Words, load
from models.post import Post

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"


def words(kind: str, post: Post, **fields: Any) -> Words | None:
    """What a rule says of a post."""
    return load(kind)(**fields).match(DID, post)


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        pytest.param("straße", "Die STRASSE ist leer", True, id="sharp s and its capitals"),
        pytest.param("STRASSE", "auf der straße", True, id="and the other way round"),
        pytest.param("NATO", "ＮＡＴＯの会議", True, id="full width"),
        pytest.param("istanbul", "İSTANBUL'da", True, id="a capital İ is an i"),
        pytest.param("ΐ", "Ϊ́", True, id="a capital whose accents have no composed form"),
        pytest.param("café", "cafe\u0301!", True, id="an accent typed as a mark of its own"),
        pytest.param("cafe", "café", False, id="accents are kept"),
        pytest.param("cafe", "cafe\u0301", False, id="also those typed apart"),
        pytest.param("art", "party", False, id="a word stands free"),
        pytest.param("art", "state-of-the-art.", True, id="punctuation sets free"),
        pytest.param("art", "my_art_", False, id="an underscore does not"),
        pytest.param("art", "(art)", True, id="brackets"),
        pytest.param("art", "start art", True, id="the first hit is no word, the second is"),
        pytest.param("кот", "Мой кот!", True, id="Cyrillic"),
        pytest.param("кот", "который", False, id="Cyrillic within a word"),
        pytest.param("हिन्द", "हिन्दी", False, id="a vowel sign belongs to the word"),
        pytest.param("気候", "世界の気候変動", True, id="Japanese is found anywhere"),
        pytest.param("NATO", "日本NATO加盟", True, id="a Latin word between kanji stands free"),
        pytest.param("Tシャツ", "白Tシャツを", True, id="half Latin, half kana"),
        pytest.param("Tシャツ", "ATシャツ", False, id="free at its Latin end"),
        pytest.param("한국", "한국은 지금", True, id="Korean with a particle"),
        pytest.param("น้ำ", "ดื่มน้ำเย็น", True, id="Thai"),
        pytest.param("general strike", "General\n  Strike now", True, id="a phrase over a line break"),
        pytest.param("general strike", "general, strike", False, id="a phrase has nothing else between its words"),
        pytest.param("general  strike", "general\u00a0strike", True, id="any space is a space"),
        pytest.param("aujourd'hui", "Aujourd’hui", True, id="typographic apostrophe"),
        pytest.param("europe", "l’Europe", True, id="an elided article"),
        pytest.param("zusammen", "zu\u00adsam\u00admen", True, id="soft hyphens are not seen"),
        pytest.param("c++", "C++ is fun", True, id="a word that ends in punctuation"),
        pytest.param("c++", "abc++", False, id="but begins with a letter"),
        pytest.param("☕", "morning ☕\ufe0f", True, id="an emoji with a variation selector"),
        pytest.param("a|b", "a|b", True, id="a bar"),
        pytest.param("word", "", False, id="no text"),
    ],
)
def test_a_keyword_is_found_as_a_word_of_its_script(word: str, text: str, found: bool) -> None:
    assert words("keyword", Post(text), any=(word,)) == ((word,) if found else None)


def test_a_keyword_is_looked_for_in_the_text_unless_told_otherwise() -> None:
    post = Post("nothing", alts=("A red fox", "on a hill"), card=("Title", "a fox hunt"))

    assert words("keyword", post, any=("fox",)) is None
    assert words("keyword", post, any=("fox",), where=("alt",)) == ("fox",)
    assert words("keyword", post, any=("hunt", "fox", "hill"), where=("text", "alt", "link")) == ("hunt", "fox", "hill")


def test_a_phrase_does_not_reach_from_one_alt_text_into_the_next() -> None:
    assert words("keyword", Post(alts=("a red", "fox")), any=("red fox",), where=("alt",)) is None


@pytest.mark.parametrize(
    ("post", "found"),
    [
        pytest.param(Post("x", tags=("Klimaat",)), True, id="a tag, whatever its case"),
        pytest.param(Post("Lees #KLIMAAT!"), True, id="in the text, without a facet"),
        pytest.param(Post("Lees ＃klimaat"), True, id="with a full-width sign"),
        pytest.param(Post("#klimaat/#weer"), True, id="followed by a slash"),
        pytest.param(Post("#klimaatcrisis"), False, id="a longer tag"),
        pytest.param(Post("x", tags=("klimaatcrisis",)), False, id="a longer tag with a facet"),
        pytest.param(Post("klimaat"), False, id="the word without the sign"),
        pytest.param(Post("https://example.org/page#klimaat"), False, id="part of a link"),
        pytest.param(Post("&#klimaat"), False, id="like a character reference"),
    ],
)
def test_a_hashtag_is_found_in_tags_and_text(post: Post, found: bool) -> None:
    assert words("hashtag", post, any=("#klimaat",)) == (("#klimaat",) if found else None)


def test_the_hashtags_found_come_as_the_rule_writes_them_and_in_its_order() -> None:
    post = Post("#b #solidarité", tags=("A", "covid-19"))

    assert words("hashtag", post, any=("a", "A", "B", "c", "Solidarité", "solidarite", "COVID-19")) == ("a", "B", "Solidarité", "COVID-19")


@pytest.mark.parametrize(
    ("asked", "declared", "found"),
    [
        ("en", ("en-US",), True),
        ("EN", ("en",), True),
        ("en-GB", ("en",), False),
        ("zh-Hant", ("zh-Hant-TW",), True),
        ("pt-BR", ("pt_br",), True),
        ("nl", ("fr", "nl"), True),
        ("n", ("nl",), None),
        ("nl", ("",), False),
        ("nl", (), False),
    ],
)
def test_a_language_includes_its_variants(asked: str, declared: tuple[str, ...], found: bool | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match="language tag"):
            load("language")(any=(asked,))
    else:
        assert words("language", Post("x", langs=declared), any=(asked,)) == ((asked,) if found else None)


def test_an_author_is_known_by_did_and_by_a_handle_once_it_is_resolved() -> None:
    rule = load("author")(any=("@Alice.example.org", "bob.example.org"))
    known = {"alice.example.org": DID}

    assert rule.match(DID, Post("x")) is None
    assert rule.resolved(known.get).match(DID, Post("x")) == (DID,)
    assert rule.resolved(known.get).match("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", Post("x")) is None


def test_a_reply_has_a_parent() -> None:
    reply = Post("x", reply_root="at://did:web:a.example/app.bsky.feed.post/1", reply_parent="at://did:web:a.example/app.bsky.feed.post/1")

    assert [words("reply", post) for post in (reply, Post("x"))] == [("replies",), None]
    assert [words("reply", post, which="roots") for post in (reply, Post("x"))] == [None, ("roots",)]


@pytest.mark.parametrize(
    ("post", "fields", "found"),
    [
        (Post("x"), {"any": ("none",)}, ("none",)),
        (Post("x", embeds=("link",)), {"any": ("none",)}, None),
        (Post("x", embeds=("image", "quote"), alts=("",)), {"any": ("quote", "image")}, ("quote", "image")),
        (Post("x", embeds=("image",), alts=("a fox",)), {"any": ("image",), "alt": True}, ("image",)),
        (Post("x", embeds=("image",), alts=("a fox", " ")), {"any": ("image",), "alt": True}, None),
        (Post("x", embeds=("image",), alts=("a fox", " ")), {"any": ("image",), "alt": False}, ("image",)),
        (Post("x", embeds=("link",)), {"any": ("link",), "alt": True}, None),
        (Post("x", embeds=("link",)), {"any": ("link",), "alt": False}, None),
    ],
)
def test_an_embed_is_known_by_its_kind_and_its_alt_texts(post: Post, fields: dict[str, Any], found: Words | None) -> None:
    assert words("embed", post, **fields) == found


@pytest.mark.parametrize(
    ("domain", "url", "found"),
    [
        ("example.org", "https://example.org/a?b#c", True),
        ("example.org", "https://WWW.Example.org:8443/", True),
        ("example.org", "https://user:word@news.example.org./", True),
        ("example.org", "https://notexample.org/", False),
        ("example.org", "https://example.org.evil.example/", False),
        ("example.org", "https://evil.example/example.org", False),
        ("example.org", "https://example.org@evil.example/", False),
        ("example.org", "https://evil.example\\@example.org/", False),
        ("news.example.org", "https://example.org/", False),
        ("bücher.example", "https://xn--bcher-kva.example/", True),
        ("xn--bcher-kva.example", "https://BÜCHER.example/", True),
        ("straße.example", "https://strasse.example/", False),
        ("example.org", "https://[::1", False),
        ("example.org", "http://[example.org]/", False),
        ("example.org", "https://xn--\u00ff.example.org/", True),
        ("example.org", "https://xn--99999999999.example.org/", True),
        ("example.org", "mailto:someone@example.org", False),
        ("example.org", "https://" + "a." * 1000 + "example.org", False),
        ("example.org", "", False),
    ],
)
def test_a_link_domain_means_the_host_and_what_is_below_it(domain: str, url: str, found: bool) -> None:
    assert words("link_domain", Post("x", links=(url,)), any=(domain,)) == ((domain,) if found else None)


def test_a_regular_expression_gives_what_it_found() -> None:
    post = Post("It is 38 °C", alts=("12 Degrees",))

    assert words("regex", post, pattern="[0-9]+ ?(°C|degrees)") == ("38 °C",)
    assert words("regex", post, pattern="[0-9]+ ?(°C|degrees)", ignore_case=True, where=("text", "alt")) == ("38 °C", "12 Degrees")
    assert words("regex", post, pattern="degrees") is None
    assert words("regex", post, pattern="^") == ()


def test_nests_say_yes_when_all_any_or_none_of_their_rules_do() -> None:
    fox, dog = load("keyword")(any=("fox",)), load("keyword")(any=("dog",))
    both, one, neither = Post("fox and dog"), Post("dog"), Post("cat")

    assert [words("all", post, rules=(fox, dog)) for post in (both, one, neither)] == [("fox", "dog"), None, None]
    assert [words("any", post, rules=(fox, dog)) for post in (both, one, neither)] == [("fox", "dog"), ("dog",), None]
    assert [words("none", post, rules=(fox, dog)) for post in (both, one, neither)] == [None, None, ()]
