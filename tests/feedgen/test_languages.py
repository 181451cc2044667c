"""The language of a post: what its author's app says; where that says nothing, what the text says; and none when it cannot be told."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedgen.languages import declared, recognised
from feedgen.rules import Words, load
from models.post import Post
from tests.support.ruling import DID

ENGLISH = "The volunteers meet on Saturday at the old harbour, bring your gloves"
KOREAN = "오늘은 날씨가 정말 좋네요 산책하러 가요"


def words(post: Post, asked: str, detect: bool = False) -> Words | None:
    return load("language")(any=(asked,), detect=detect).match(DID, post)


@pytest.mark.parametrize(
    ("asked", "langs", "found"),
    [
        ("en", ("en-US",), True),
        ("EN", ("en",), True),
        ("en-GB", ("en",), False),
        ("zh-Hant", ("zh-Hant-TW",), True),
        ("pt-BR", ("pt_br",), True),
        ("nl", ("fr", "nl"), True),
        ("nl", ("",), False),
        ("nl", (), False),
    ],
)
def test_a_language_includes_its_variants(asked: str, langs: tuple[str, ...], found: bool) -> None:
    assert words(Post("x", langs=langs), asked) == ((asked,) if found else None)
    assert words(Post("x", langs=langs), asked, detect=True) == ((asked,) if found else None)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        (ENGLISH, "en"),
        ("de trein heeft weer vertraging", "nl"),
        ("On cherche des bénévoles pour samedi", "fr"),
        ("Der Zug hat schon wieder Verspätung", "de"),
        ("電車がまた遅れている", "ja"),
        (KOREAN, "ko"),
        ("Сьогодні чудова погода у Києві", "uk"),
        ("היום מזג האוויר נהדר", "he"),
        ("湯沒了，人還在聊天。這樣最好。", "zh-hant"),
    ],
)
def test_the_text_is_asked_where_nothing_is_declared(text: str, lang: str) -> None:
    assert lang in recognised(Post(text))
    assert declared(Post(text)) == set()
    assert words(Post(text), lang) is None
    assert words(Post(text), lang, detect=True) == (lang,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "lol 😂",
        "😀😀😀",
        "10/10",
        "Brussels",
        "https://example.org/the/whole/story",
        "@alice.example.org",
        "#photography #nature #birds",
        "\x01\ufffe",
        "x" * 3000,
    ],
    ids=ascii,
)
def test_text_that_is_too_short_or_says_nothing_is_in_no_language(text: str) -> None:
    assert recognised(Post(text)) == set()


@pytest.mark.parametrize("nonsense", ["und", "xx", "jp", "English", "xx-bogus", "e", "", "mul", "zxx", "en--us", "\ufffd"])
def test_nonsense_counts_as_nothing(nonsense: str) -> None:
    assert recognised(Post(ENGLISH, langs=(nonsense,))) == {"en"}


@pytest.mark.parametrize(
    ("text", "langs", "expected"),
    [
        pytest.param(ENGLISH, ("nl",), {"nl"}, id="what is declared counts, also against the words"),
        pytest.param(KOREAN, ("en",), {"ko"}, id="not against the script"),
        pytest.param(KOREAN + " BTS", ("en",), {"ko"}, id="nor against most of it"),
        pytest.param(ENGLISH, ("ja",), {"en"}, id="the other way round"),
        pytest.param(KOREAN, ("en", "ko"), {"en", "ko"}, id="one of those declared has that script"),
        pytest.param(ENGLISH + " 산책", ("ko",), {"en"}, id="a word in the script"),
        pytest.param("산책", ("en",), {"en"}, id="too short to say otherwise"),
        pytest.param("konnichiwa minasan, genki desu ka", ("ja-Latn",), {"ja-latn", "ja"}, id="declared in that script"),
        pytest.param(ENGLISH, ("ain",), {"ain"}, id="a language whose script is not known"),
        pytest.param("草 https://example.org/a/very/long/address", ("ja",), {"ja"}, id="an address is in no script"),
    ],
)
def test_a_declared_language_is_believed_unless_the_script_is_another(text: str, langs: tuple[str, ...], expected: set[str]) -> None:
    assert recognised(Post(text, langs=langs)) == expected


@given(st.text(), st.lists(st.sampled_from(("en", "ja", "ko", "und", "", "zh-Hant", "x")) | st.text(max_size=9), max_size=3).map(tuple))
def test_no_text_and_no_declaration_breaks_it_and_the_answer_stays_the_same(text: str, langs: tuple[str, ...]) -> None:
    post = Post(text.encode("utf-8", "replace").decode(), langs=langs)

    assert recognised(post) == recognised(post)


def test_the_library_is_loaded_when_the_first_post_needs_it() -> None:
    code = """
import sys
from feedgen.matcher import Matcher
from feedgen.feed import Feed
from feedgen.rules import load
from models.post import Post
matcher = Matcher([Feed("a", "A", (load("language")(any=("en",), detect=True),))])
matcher.match("did:plc:x", Post("A post in English, declared as such", langs=("en",)))
assert "pycld2" not in sys.modules
assert matcher.match("did:plc:x", Post("A post in English that is not declared as such"))
assert "pycld2" in sys.modules
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_library_a_rule_that_needs_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedgen.languages.find_spec", lambda name: None)

    with pytest.raises(ValueError, match=r"pip install .plainsky\[detect\]"):
        load("language")(any=("en",), detect=True)
    assert words(Post("x", langs=("en",)), "en") == ("en",)
