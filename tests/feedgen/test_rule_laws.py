"""Laws of all rules that look at one post alone: the same post, however it is spelt or sent, is judged alike, and the reason says why."""

import json
from typing import Any
from unicodedata import normalize

import libipld
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedgen.languages import can_recognise
from feedgen.rules import Rule, load
from feedgen.text import hashtags, tag_of, unaccented
from models.post import Post, parse
from models.text import fold, without_addresses
from tests.support.ruling import DID, OTHER, POSTS, SIMPLE, TAGS, URLS, WORDS, post_of, some

keyword, hashtag = load("keyword"), load("hashtag")

# No ı: a capital I would be an i. No letter whose capital is another word to Unicode.
LETTERS = "fox oüßéñç ΣσςΩάϊ Ёжй İ 気候 がぎ 한국 हिन्दी ﬁ Ǆ ５ ０ａ"
PUNCTUATION = "#＃@./:…、！'’_-\n\u00ad\u200b\u0301"
texts = st.text(st.sampled_from(LETTERS + PUNCTUATION), max_size=25)
forms = st.sampled_from(("NFC", "NFD", "NFKC", "NFKD"))
accents = st.sampled_from(("keep", "fold"))


def spelt_otherwise(text: str, form: Any, case: str) -> str:
    return normalize(form, getattr(text, case)())


@given(
    texts,
    some(("fox*", "é", "ß", "*ς", "気", "한국", "fi", "0a", "हिन्दी", "ж"), 1),
    forms,
    st.sampled_from(("lower", "upper", "casefold")),
    accents,
)
def test_a_keyword_is_found_in_whatever_case_and_normal_form(text: str, words: tuple[str, ...], form: str, case: str, accents: str) -> None:
    other = spelt_otherwise(text, form, case)
    found = keyword(any=words, accents=accents).match(DID, Post(text))

    assert keyword(any=words, accents=accents).match(DID, Post(other)) == found
    asked = tuple(spelt_otherwise(word, form, case) for word in words)
    if len(set(map(fold, asked))) == len(words):
        assert (keyword(any=asked, accents=accents).match(DID, Post(text)) is None) == (found is None)


@given(texts, st.sampled_from(("lower", "upper", "casefold")), forms)
@example("İ#f", "lower", "NFC")
def test_the_hashtags_of_a_text_are_the_same_in_whatever_case_and_normal_form(text: str, case: str, form: str) -> None:
    assert set(map(tag_of, hashtags(spelt_otherwise(text, form, case)))) == set(map(tag_of, hashtags(text)))


@given(st.text() | texts)
@example("U\xad\u0300")  # a letter and its accent, with a soft hyphen in between
@example("I\u2060\u0307")
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert unaccented(unaccented(fold(text))) == unaccented(fold(text))
    assert without_addresses(without_addresses(fold(text))) == without_addresses(fold(text))


def facet(kind: str, key: str, value: str) -> dict[str, Any]:
    feature = {"$type": f"app.bsky.richtext.facet#{kind}", key: value}
    return {"index": {"byteStart": 0, "byteEnd": 1}, "features": [feature]}


REF = {"uri": post_of(OTHER), "cid": "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"}
facets = st.one_of(
    st.builds(facet, st.just("tag"), st.just("tag"), st.sampled_from(TAGS)),
    st.builds(facet, st.just("link"), st.just("uri"), st.sampled_from(URLS)),
    st.builds(facet, st.just("mention"), st.just("did"), st.sampled_from((DID, OTHER))),
)
embeds = st.one_of(
    st.builds(lambda alt: {"$type": "app.bsky.embed.images", "images": [{"alt": alt}]}, st.sampled_from(("", *WORDS))),
    st.builds(
        lambda uri, title: {"$type": "app.bsky.embed.external", "external": {"uri": uri, "title": title, "description": ""}},
        st.sampled_from(URLS),
        st.sampled_from(WORDS),
    ),
    st.just({"$type": "app.bsky.embed.record", "record": REF}),
)
records = st.fixed_dictionaries(
    {"$type": st.just("app.bsky.feed.post"), "text": st.lists(st.sampled_from((*WORDS, " ", "#")), min_size=1).map("".join)},
    optional={
        "createdAt": st.just("2026-08-20T10:00:00Z"),
        "langs": st.lists(st.sampled_from(("en", "nl", "und")), max_size=2),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2),
        "facets": st.lists(facets, max_size=3),
        "embed": embeds,
        "reply": st.just({"root": REF, "parent": REF}),
    },
)


@given(SIMPLE, records)
def test_a_record_is_judged_alike_as_json_and_as_cbor(rule: Rule, record: dict[str, Any]) -> None:
    from_json, from_cbor = parse(json.loads(json.dumps(record))), parse(libipld.decode_dag_cbor(libipld.encode_dag_cbor(record)))

    assert from_json is not None
    assert from_cbor is not None
    assert rule.match(DID, from_json) == rule.match(DID, from_cbor)


@given(SIMPLE, POSTS)
def test_the_plain_words_of_a_rule_name_what_it_found(rule: Rule, post: Post) -> None:
    found = rule.match(DID, post)

    if found is not None and rule.kind not in ("regex", "reply", "quote"):
        assert [word for word in found if word.lstrip("#") not in rule.plain_words().replace("nothing", "none")] == []


@pytest.mark.parametrize(
    ("table", "plain"),
    [
        (keyword(any=("solidar*",), accents="fold"), "says the word “solidar*”, with or without accents"),
        (hashtag(any=("a",), where=("text", "facet")), "has the hashtag #a as a link or in the text"),
        (hashtag(any=("a",), where=("text", "tags", "facet"), accents="fold"), "has the hashtag #a, with or without accents"),
        (load("mention")(any=("a.example.org",)), "mentions the account a.example.org"),
        (load("quote")(), "quotes a post"),
        (load("quote")(whose="others"), "quotes a post of somebody else"),
        (load("quote")(any=("a.example.org", "b.example.org")), "quotes one of the accounts a.example.org, b.example.org"),
        (
            load("reply")(which="self-threads"),
            "goes on with a thread of its own author (answers him in a thread that he began)",
        ),
        (
            load("language")(any=("nl", "fr"), detect=can_recognise()),
            "declares one of the languages nl, fr" + ", or declares none and is recognised as such" * can_recognise(),
        ),
        (load("link_domain")(any=("example.org/check",)), "links to the website example.org/check"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_option_stands_in_the_plain_words(table: Rule, plain: str) -> None:
    assert table.plain_words() == plain


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("keyword", {"any": ("\u200bfox",)}, "200B: type the word anew"),
        ("keyword", {"any": ("fox", "سلام\u200f")}, "200F: type the word anew"),
        ("hashtag", {"any": ("#\u200eשלום",)}, "200E: type the word anew"),
        ("hashtag", {"any": ("fox\u200b ",)}, "200B: type the word anew"),
        ("keyword", {"any": ("example.org/fox",)}, 'take kind = "link_domain"'),
        ("keyword", {"any": ("@fox.example.org",)}, '"mention" for an @handle'),
        ("keyword", {"any": ("\u0640",), "accents": "fold"}, "more than accents"),
        ("keyword", {"any": ("x",), "accents": "none"}, "expected one of keep, fold"),
        ("hashtag", {"any": ("x",), "where": ("body",)}, "expected one of facet, tags, text, alt"),
        ("hashtag", {"any": ("#!",)}, "expected a hashtag"),
        ("hashtag", {"any": ("\u0640",), "accents": "fold"}, "more than accents"),
        ("embed", {"any": ("link", "none"), "alt": True}, "nothing else has an alt text"),
        ("quote", {"any": ()}, "at least one"),
        ("quote", {"any": ("someone",)}, "expected a DID like"),
        ("quote", {"any": ("a.example.org",), "whose": "self"}, 'either any or whose = "self"'),
        ("quote", {"whose": "mine"}, "expected one of anyone, self, others"),
        ("mention", {"any": ("someone",)}, "expected a DID like"),
        ("reply", {"which": "self"}, "expected one of replies, roots, self-threads"),
        ("regex", {"pattern": "no(?=pe)"}, r"\(\?= \(at character 3\); there is no looking around"),
        ("regex", {"pattern": r"(a)\1"}, r"at character 4\); there are no back-references"),
        ("regex", {"pattern": "a++"}, r"at character 2\); there is nothing to go back to"),
        ("regex", {"pattern": r"x\u00e9"}, r"at character 2\); write \\x\{1F600\}"),
        ("regex", {"pattern": r"x\p{Emoji}"}, r"at character 2\); known are categories and scripts"),
        ("regex", {"pattern": r"\pL{900}"}, "too large .*; ask for fewer repetitions"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(kind: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load(kind)(**fields)
