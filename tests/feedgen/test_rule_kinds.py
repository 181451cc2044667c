"""What each kind of rule finds in a post, and what it leaves alone."""

from typing import Any

import pytest

from feedgen.rules import Words, load
from models.post import Post
from tests.support.ruling import DID, OTHER, post_of


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
        pytest.param("europe", "#Europe", True, id="a hashtag is a word"),
        pytest.param("fox", "🦊fox🦊", True, id="emoji set free"),
        pytest.param("👍", "ok👍🏽!", True, id="an emoji of another colour"),
        pytest.param("fox", "fox\u200bhunt", True, id="an invisible space sets free"),
        pytest.param("solidar*", "Solidarität!", True, id="a star leaves the end open"),
        pytest.param("solidar*", "solidar", True, id="an open end may be the end"),
        pytest.param("solidar*", "unsolidarisch", False, id="the other end is not open"),
        pytest.param("*crisis", "de klimaatcrisis", True, id="a star leaves the beginning open"),
        pytest.param("*crisis", "crisissen", False, id="the end is not open then"),
        pytest.param("*art*", "a party", True, id="open at both ends"),
        pytest.param("sea level*", "sea levels", True, id="a phrase with an open end"),
        pytest.param("हिन्दी*", "हिन्दीभाषा", True, id="a star behind a vowel sign"),
        pytest.param("気候*", "気候変動", True, id="a star where all ends are open"),
        pytest.param("f**k", "f**k this", True, id="stars within a word are stars"),
        pytest.param("f**k", "firetruck", False, id="and nothing else"),
        pytest.param("s***", "sail", False, id="a star behind a star is a star"),
        pytest.param("fox", "read https://example.org/the-fox now", False, id="not in an address"),
        pytest.param("fox", "read www.fox.example now", False, id="not in an address without a scheme"),
        pytest.param("fox", "example.org/fox-hunts-...", False, id="not in an address cut short"),
        pytest.param("fox", "thanks @fox.example.org!", False, id="not in a handle"),
        pytest.param("fox", "write to info@fox.example", False, id="not in an e-mail address"),
        pytest.param("fox", "cat/fox, 8.5/10 and/or fox.", True, id="a slash makes no address"),
        pytest.param("fox", "@fox", True, id="an @ alone makes no handle"),
        pytest.param("読んだ", "https://example.org/a読んだ", True, id="Japanese goes on right behind an address"),
    ],
)
def test_a_keyword_is_found_as_a_word_of_its_script(word: str, text: str, found: bool) -> None:
    assert words("keyword", Post(text), any=(word,)) == ((word,) if found else None)


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        pytest.param("cote", "CÔTÉ", True, id="French"),
        pytest.param("côté", "cote", True, id="accents of the rule are left out, too"),
        pytest.param("coeur", "Cœur", True, id="two letters in one"),
        pytest.param("isik", "IŞIK ışık", True, id="Turkish has one i then"),
        pytest.param("smorrebrod", "smørrebrød", True, id="Danish"),
        pytest.param("lodz", "Łódź", True, id="Polish"),
        pytest.param("benevol*", "les bénévoles", True, id="with an open end"),
        pytest.param("ελλαδα", "Ελλάδα", True, id="Greek"),
        pytest.param("احمد", "أَحْمَد", True, id="Arabic without vowel signs"),
        pytest.param("か", "が", False, id="a Japanese voicing mark makes another letter"),
        pytest.param("हिन्द", "हिन्दी", False, id="an Indian vowel sign is a letter"),
        pytest.param("각", "가", False, id="Korean"),
        pytest.param("cote", "coter", False, id="another word"),
    ],
)
def test_accents_do_not_count_where_they_are_folded(word: str, text: str, found: bool) -> None:
    assert words("keyword", Post(text), any=(word,), accents="fold") == ((word,) if found else None)
    assert words("hashtag", Post("x", tags=(text.split()[-1],)), any=(word.strip("*"),), accents="fold") == (
        (word,) if found and "*" not in word else None
    )


@pytest.mark.parametrize("word", ["*", "**", " * ", "\xad", "\u3000"])
def test_a_keyword_holds_more_than_a_star(word: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        load("keyword")(any=("fine", word))


def test_a_keyword_is_looked_for_in_the_text_unless_told_otherwise() -> None:
    post = Post("nothing", alts=("A red fox", "on a hill"), card=("Title", "a fox hunt"))

    assert words("keyword", post, any=("fox",)) is None
    assert words("keyword", post, any=("fox",), where=("alt",)) == ("fox",)
    assert words("keyword", post, any=("hunt", "fox", "hill"), where=("text", "alt", "link")) == ("hunt", "fox", "hill")


def test_a_phrase_does_not_reach_from_one_alt_text_into_the_next() -> None:
    assert words("keyword", Post(alts=("a red", "fox")), any=("red fox",), where=("alt",)) is None


def test_an_author_is_known_by_did_and_by_a_handle_once_it_is_resolved() -> None:
    rule = load("author")(any=("@Alice.example.org", "bob.example.org"))
    known = {"alice.example.org": DID}

    assert rule.match(DID, Post("x")) is None
    assert rule.resolved(known.get).match(DID, Post("x")) == (DID,)
    assert rule.resolved(known.get).match("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", Post("x")) is None


@pytest.mark.parametrize(
    ("root", "parent", "kinds"),
    [
        pytest.param(None, None, {"roots"}, id="no reply"),
        pytest.param(post_of(OTHER), post_of(OTHER), {"replies"}, id="to somebody else"),
        pytest.param(post_of(DID), post_of(DID, "3jzfcijpj2z2b"), {"replies", "self-threads"}, id="to himself, in his own thread"),
        pytest.param(post_of(OTHER), post_of(DID), {"replies"}, id="to himself, in somebody else's thread"),
        pytest.param(post_of(DID), post_of(OTHER), {"replies"}, id="to somebody else, in his own thread"),
        pytest.param(None, post_of(DID), {"replies"}, id="without a beginning"),
        pytest.param(post_of(DID + "x"), post_of(DID + "x"), {"replies"}, id="to somebody whose DID begins alike"),
    ],
)
def test_a_reply_has_a_parent_and_a_self_thread_is_ones_own(root: str | None, parent: str | None, kinds: set[str]) -> None:
    post = Post("x", reply_root=root, reply_parent=parent)

    assert {which for which in ("replies", "roots", "self-threads") if words("reply", post, which=which) == (which,)} == kinds


def test_a_quote_is_known_by_whose_post_it_quotes() -> None:
    own, others, none = Post("x", quote=post_of(DID)), Post("x", quote=post_of(OTHER)), Post("x", embeds=("record",))

    assert [words("quote", post) for post in (own, others, none)] == [("quote",), ("quote",), None]
    assert [words("quote", post, whose="self") for post in (own, others, none)] == [("quote",), None, None]
    assert [words("quote", post, whose="others") for post in (own, others, none)] == [None, ("quote",), None]
    assert [words("quote", post, any=(OTHER,)) for post in (own, others, none)] == [None, (OTHER,), None]


def test_a_mention_is_of_the_account_and_not_of_its_name() -> None:
    rule = load("mention")(any=("@Alice.example.org", OTHER)).resolved({"alice.example.org": DID}.get)

    assert rule.match(OTHER, Post("hello", mentions=(DID, OTHER))) == (DID, OTHER)
    assert rule.match(OTHER, Post("hello @alice.example.org")) is None
    assert rule.match(DID, Post("hello")) is None


@pytest.mark.parametrize("kind", ["author", "mention", "quote"])
def test_accounts_are_resolved_in_every_kind_that_names_them(kind: str) -> None:
    rule = load(kind)(any=("alice.example.org", "ghost.example.org"))
    post = Post("x", mentions=(DID,), quote=post_of(DID))

    assert rule.match(DID, post) is None
    assert rule.resolved({"alice.example.org": DID}.get).match(DID, post) == (DID,)


@pytest.mark.parametrize(
    ("post", "fields", "found"),
    [
        (Post("x"), {"any": ("none",)}, ("none",)),
        (Post("x", embeds=("link",)), {"any": ("none",)}, None),
        (Post("x", embeds=("image", "quote"), alts=("",)), {"any": ("quote", "image")}, ("quote", "image")),
        (Post("x", embeds=("image",), alts=("a fox",)), {"any": ("image",), "alt": True}, ("image",)),
        (Post("x", embeds=("image",), alts=("a fox", " ")), {"any": ("image",), "alt": True}, None),
        (Post("x", embeds=("image",), alts=("a fox", " ")), {"any": ("image",), "alt": False}, ("image",)),
        (Post("x", embeds=("link",)), {"any": ("link", "image"), "alt": True}, None),
        (Post("x", embeds=("link",)), {"any": ("link", "image"), "alt": False}, None),
        (Post("x", embeds=("gif",), alts=("a cat dances",)), {"any": ("gif", "video"), "alt": True}, ("gif",)),
        (Post("x", embeds=("gif",)), {"any": ("video",)}, None),
        (Post("x", embeds=("image", "record"), alts=("a fox",)), {"any": ("record",), "alt": True}, ("record",)),
        (Post("x", embeds=("unknown",)), {"any": ("none",)}, None),
    ],
)
def test_an_embed_is_known_by_its_kind_and_its_alt_texts(post: Post, fields: dict[str, Any], found: Words | None) -> None:
    assert words("embed", post, **fields) == found


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
