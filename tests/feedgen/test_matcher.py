"""The matcher: which feeds a post enters, and why. Its index must never know better than the rules themselves."""

from collections.abc import Sequence

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.feed import Feed
from feedgen.languages import can_recognise
from feedgen.matcher import Admission, Matcher, explain, nobody
from feedgen.rules import Resolve, Rule, Words, load
from feedgen.text import shown
from models.post import Post
from tests.support.ruling import DID, FEEDS, HANDLES, OTHER, POSTS, feed

keyword, hashtag, language, regex = (load(kind) for kind in ("keyword", "hashtag", "language", "regex"))


def entered(feeds: Sequence[Feed], post: Post, did: str = DID, resolve: Resolve = nobody) -> list[tuple[int, str, str, Words]]:
    """What the matcher says, by feed."""
    admissions = Matcher(feeds, resolve).match(did, post)
    return sorted((number, one.rule, one.kind, one.words) for one in admissions for number in one.feeds)


def test_a_post_enters_when_it_matches_an_include_and_every_require_and_no_exclude() -> None:
    only = feed(
        keyword(any=("fox",)),
        hashtag(any=("fox",)),
        require=(language(any=("en",)), load("reply")(which="roots")),
        exclude=(keyword(any=("dog",)), load("author")(any=(OTHER,))),
    )
    post = Post("A fox", langs=("en",))

    assert entered([only], post) == [(0, "include[0]", "keyword", ("fox",))]
    assert entered([only], Post("#fox", langs=("en",))) == [(0, "include[0]", "keyword", ("fox",))]
    assert entered([only], Post("A cat", langs=("en",))) == []
    assert entered([only], Post("A fox", langs=("nl",))) == []
    assert entered([only], Post("A fox", langs=("en",), reply_parent="at://x")) == []
    assert entered([only], Post("A fox, a dog", langs=("en",))) == []
    assert entered([only], post, did=OTHER) == []


def test_the_reason_is_the_first_include_that_holds_with_all_its_words_in_its_order() -> None:
    feeds = [
        feed(hashtag(any=("x",)), keyword(any=("Dog", "Fox")), keyword(any=("fox",))),
        feed(keyword(any=("fox",)), keyword(any=("dog",))),
        feed(hashtag(any=("x",)), load("all")(rules=(keyword(any=("fox",)), keyword(any=("dog",))))),
    ]

    assert entered(feeds, Post("The fox and the dog")) == [
        (0, "include[1]", "keyword", ("Dog", "Fox")),
        (1, "include[0]", "keyword", ("fox",)),
        (2, "include[1]", "all", ("fox", "dog")),
    ]


@pytest.mark.parametrize("several", [1, 2, 30], ids=["one feed", "two feeds", "many feeds"])
def test_feeds_that_want_several_of_a_posts_words_stand_in_an_admission_of_their_own(several: int) -> None:
    both = [feed(keyword(any=("fox", "dog")), keyword(any=("cat",))) for _ in range(several)]
    feeds = [feed(keyword(any=("fox",))), *both, feed(keyword(any=("dog",))), feed(keyword(any=("cat", "dog")))]

    assert entered(feeds, Post("A cat, a dog, a fox")) == [
        (0, "include[0]", "keyword", ("fox",)),
        *((number, "include[0]", "keyword", ("fox", "dog")) for number in range(1, several + 1)),
        (several + 1, "include[0]", "keyword", ("dog",)),
        (several + 2, "include[0]", "keyword", ("cat", "dog")),
    ]


def test_the_same_post_is_told_the_same_way_every_time() -> None:
    feeds = [feed(keyword(any=(f"word{number}", f"word{number + 1}"))) for number in range(50)]
    post = Post(" ".join(f"word{number}" for number in range(50)))

    assert Matcher(feeds).match(DID, post) == Matcher(feeds).match(DID, post)


def test_words_fit_into_a_reason() -> None:
    many = tuple(f"word{number}" for number in range(20))
    feeds = [feed(keyword(any=many)), feed(keyword(any=("a|b",))), feed(regex(pattern=r"(?s)x.*"))]

    (first, second, third) = (one[3] for one in entered(feeds, Post(" ".join(many) + " a|b x\n\u202e|" + "y" * 200)))
    assert first == many[:8]
    assert second == ("a¦b",)
    assert third == ("x  ¦" + "y" * 96,)


def test_handles_nobody_knows_are_listed_and_match_nobody() -> None:
    author = load("author")
    nested = load("any")(rules=(author(any=("alice.example.org", "ghost.example.org")),))
    matcher = Matcher([feed(nested), feed(keyword(any=("x",)), exclude=(author(any=("ghost.example.org",)),))], HANDLES.get)

    assert matcher.unresolved == ("ghost.example.org",)
    assert sorted(one.feeds for one in matcher.match(DID, Post("x"))) == [(0,), (1,)]


def test_an_include_that_only_says_what_is_absent_is_asked_for_every_post() -> None:
    feeds = [feed(load("none")(rules=(keyword(any=("dog",)),)))]

    assert entered(feeds, Post("")) == [(0, "include[0]", "none", ())]
    assert entered(feeds, Post("a dog")) == []


def test_a_kind_without_an_index_of_its_own_is_simply_asked() -> None:
    @frozen
    class Long(Rule):
        """A kind that knows only its truth."""

        least: int

        def match(self, did: str, post: Post) -> Words | None:
            return (f"{len(post.text)} characters",) if len(post.text) >= self.least else None

        def plain_words(self) -> str:
            return f"has {self.least} characters"

    feeds = [
        feed(Long(3)),
        feed(keyword(any=("fox",)), exclude=(Long(5),)),
        feed(load("all")(rules=(Long(3), keyword(any=("fox",))))),
    ]

    assert [(number, words) for number, _, _, words in entered(feeds, Post("fox"))] == [
        (0, ("3 characters",)),
        (1, ("fox",)),
        (2, ("3 characters", "fox")),
    ]
    assert [number for number, *_ in entered(feeds, Post("a fox"))] == [0, 2]


def test_patterns_too_many_for_one_filter_are_all_found() -> None:
    feeds = [feed(regex(pattern=f"{'abcdefghij'[number % 10]}{number:05d}{'x' * 60}[0-9]")) for number in range(3000)]
    matcher = Matcher(feeds)

    for number in (0, 1499, 1500, 2999):
        text = f"see {'abcdefghij'[number % 10]}{number:05d}{'x' * 60}7"
        assert [one.feeds for one in matcher.match(DID, Post(text))] == [(number,)]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2999 + "!",
        "ab" * 1500,
        "の" * 1000,
        "\u0301\u0323" * 750,
        "\ufdfa" * 1000,
        "#" * 3000,
        " " * 3000,
        "\u200d" * 1000,
        "#a" * 1500,
        "#" + "!" * 2999,
        "#a" + "/" * 2998,
        "a." * 1500 + "/",
        "@a." * 1000,
        "https://" * 375,
        "www." * 750,
    ],
    ids=[
        "one letter",
        "two letters",
        "kana",
        "marks",
        "expanding",
        "hash signs",
        "spaces",
        "joiners",
        "tags",
        "punctuation",
        "slashes",
        "domain",
        "handles",
        "schemes",
        "hosts",
    ],
)
def test_a_hostile_post_is_matched_like_any_other(text: str) -> None:
    feeds = [
        feed(regex(pattern="(a+)+$")),
        feed(regex(pattern="(.{0,100}a){9}b", ignore_case=True)),
        feed(keyword(any=(*("a" * length for length in range(1, 60)), "の", "のの", "ا"))),
        feed(keyword(any=("*a*", "a*", "*.*"), accents="fold")),
        feed(hashtag(any=("a", "b"))),
        feed(language(any=("en",), detect=can_recognise())),
    ]

    assert entered(feeds, Post(text)) == naive(feeds, DID, Post(text), nobody)


def test_an_explanation_tells_of_every_rule() -> None:
    nested = load("all")(rules=(keyword(any=("fox",)), load("none")(rules=(keyword(any=("hound",)),))))
    only = feed(hashtag(any=("x",)), nested, require=(language(any=("en",)),), exclude=(keyword(any=("dog",)),))

    told = explain(only, DID, Post("A fox", langs=("en",)))
    assert (told.enters, told.by) == (True, "include[1]")
    assert [(one.rule, one.kind, one.words) for one in told.verdicts] == [
        ("include[0]", "hashtag", None),
        ("include[1]", "all", ("fox",)),
        ("include[1].rules[0]", "keyword", ("fox",)),
        ("include[1].rules[1]", "none", ()),
        ("include[1].rules[1].rules[0]", "keyword", None),
        ("require[0]", "language", ("en",)),
        ("exclude[0]", "keyword", None),
    ]
    assert told.verdicts[0].plain_words == "has the hashtag #x"

    told = explain(only, DID, Post("A fox, a dog", langs=("en",)))
    assert (told.enters, told.by) == (False, None)


# The law: the index and the rules, asked one by one, say the same.


def naive(feeds: Sequence[Feed], did: str, post: Post, resolve: Resolve) -> list[tuple[int, str, str, Words]]:
    """Every rule of every feed asked, one after the other."""
    found = []
    for number, one in enumerate(feeds):
        include, require, exclude = (
            [rule.resolved(resolve).match(did, post) for rule in part] for part in (one.include, one.require, one.exclude)
        )
        first = next((index for index, words in enumerate(include) if words is not None), None)
        if first is not None and None not in require and all(words is None for words in exclude):
            found.append((number, f"include[{first}]", one.include[first].kind, shown(include[first] or ())))
    return found


@settings(max_examples=75)
@given(FEEDS, st.lists(POSTS, min_size=1, max_size=5), st.sampled_from((DID, OTHER)))
def test_the_index_says_what_the_rules_say(feeds: list[Feed], posts: list[Post], did: str) -> None:
    matcher = Matcher(feeds, HANDLES.get)

    for post in posts:
        told = sorted((number, one.rule, one.kind, one.words) for one in matcher.match(did, post) for number in one.feeds)
        assert told == naive(feeds, did, post, HANDLES.get)


@settings(max_examples=75)
@given(FEEDS, POSTS)
def test_an_explanation_says_what_the_matcher_says(feeds: list[Feed], post: Post) -> None:
    told = {number: one.rule for one in Matcher(feeds, HANDLES.get).match(DID, post) for number in one.feeds}

    assert told == {number: said.by for number, one in enumerate(feeds) if (said := explain(one, DID, post, HANDLES.get)).enters}


def test_feeds_with_one_reason_stand_in_one_admission() -> None:
    feeds = [feed(keyword(any=("fox", f"cat{number}"))) for number in range(3)]

    assert Matcher(feeds).match(DID, Post("a fox")) == [Admission((0, 1, 2), "include[0]", "keyword", ("fox",))]
    assert sorted(Matcher(feeds).match(DID, Post("a fox, cat1")), key=lambda one: len(one.feeds)) == [
        Admission((1,), "include[0]", "keyword", ("fox", "cat1")),
        Admission((0, 2), "include[0]", "keyword", ("fox",)),
    ]
