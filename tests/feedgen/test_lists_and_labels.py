"""Rules about lists, starter packs and labels, and how authors opt out (feedgen/rules/{list,starter_pack,label}.py, feedgen/opt_out.py)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedgen.matcher import Matcher, explain, handles_of, lists_of
from feedgen.opt_out import OptOut
from feedgen.rules import Rule, load
from models.post import OURS, Post, label_of
from tests.support.garden import did
from tests.support.ruling import feed

LIST, PACK = "app.bsky.graph.list", "app.bsky.graph.starterpack"
KEEPER, LABELER = did(6), did(7)
HANDLES = {"keeper.example.org": KEEPER, "labels.example.org": LABELER}


def on_list(*any: str) -> Rule:
    return load("list")(any=any)


def read(kind: str, written: str) -> set[str]:
    """The lists that a rule with one link asks for."""
    return set(lists_of(feed(load(kind)(any=(written,))), HANDLES.get))


@pytest.mark.parametrize(
    ("kind", "written", "uri"),
    [
        ("list", f"at://{KEEPER}/{LIST}/3k", f"at://{KEEPER}/{LIST}/3k"),
        ("list", f"at://keeper.example.org/{LIST}/3k", f"at://{KEEPER}/{LIST}/3k"),
        ("list", "https://bsky.app/profile/keeper.example.org/lists/3k", f"at://{KEEPER}/{LIST}/3k"),
        ("list", f"https://bsky.app/profile/{KEEPER}/lists/3k/", f"at://{KEEPER}/{LIST}/3k"),
        ("list", " https://bsky.app/profile/Keeper.Example.org/lists/3k", f"at://{KEEPER}/{LIST}/3k"),
        ("starter_pack", "https://bsky.app/starter-pack/keeper.example.org/3k", f"at://{KEEPER}/{PACK}/3k"),
        ("starter_pack", f"https://bsky.app/start/{KEEPER}/3k", f"at://{KEEPER}/{PACK}/3k"),
        ("starter_pack", f"at://{KEEPER}/{PACK}/3k", f"at://{KEEPER}/{PACK}/3k"),
    ],
)
def test_a_list_is_named_by_its_link_or_its_at_uri(kind: str, written: str, uri: str) -> None:
    assert read(kind, written) == {uri}


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("list", "Friends"),
        ("list", "https://bsky.app/profile/keeper.example.org"),
        ("list", "https://bsky.app/profile/keeper/lists/3k"),
        ("list", "https://go.bsky.app/AbCdEf"),
        ("list", f"at://{KEEPER}/{PACK}/3k"),
        ("list", f"at://{KEEPER}/{LIST}"),
        ("starter_pack", f"at://{KEEPER}/{LIST}/3k"),
        ("starter_pack", "https://go.bsky.app/AbCdEf"),
        ("starter_pack", "https://bsky.app/starter-pack/keeper.example.org/a b"),
    ],
)
def test_what_is_no_list_is_refused_with_an_example(kind: str, written: str) -> None:
    with pytest.raises(ValueError, match=r'expected a (list|starter pack), like "https://bsky.app/'):
        load(kind)(any=(written,))


def test_a_list_whose_keeper_cannot_be_found_has_nobody_on_it() -> None:
    unknown = feed(on_list("https://bsky.app/profile/nobody.example.org/lists/3k"))

    assert lists_of(unknown) == set()
    assert handles_of([unknown]) == ("nobody.example.org",)
    assert Matcher([unknown], HANDLES.get, lambda _: {did(0)}).match(did(0), Post("x")) == []


def test_the_reason_is_the_list_as_written() -> None:
    written = "https://bsky.app/profile/keeper.example.org/lists/3k"
    matcher = Matcher([feed(on_list(written))], HANDLES.get, {f"at://{KEEPER}/{LIST}/3k": {did(0)}}.__getitem__)

    (admission,) = matcher.match(did(0), Post("x"))
    assert (admission.rule, admission.kind, admission.words) == ("include[0]", "list", (written,))
    assert matcher.match(did(1), Post("x")) == []


def test_nested_and_negated_it_holds_too() -> None:
    alone = feed(load("all")(rules=(load("language")(any=("en",)), load("none")(rules=(on_list(f"at://{KEEPER}/{LIST}/3k"),)))))
    matcher = Matcher([alone], HANDLES.get, {f"at://{KEEPER}/{LIST}/3k": {did(0)}}.__getitem__)

    assert matcher.match(did(1), Post("x", langs=("en",)))
    assert matcher.match(did(0), Post("x", langs=("en",))) == []


NAMES = ["a", "b", "c"]
URIS = st.sampled_from([f"at://{KEEPER}/{LIST}/{name}" for name in NAMES])
MEMBERS = st.dictionaries(URIS, st.frozensets(st.integers(0, 3)), max_size=3)
LISTS = st.lists(URIS, min_size=1, max_size=3).map(lambda uris: on_list(*uris))


@given(st.lists(LISTS, min_size=1, max_size=3), st.lists(LISTS, max_size=1), MEMBERS, st.integers(0, 3))
def test_the_index_says_what_the_rules_say(include: list[Rule], exclude: list[Rule], on: dict[str, frozenset[int]], author: int) -> None:
    one = feed(*include, exclude=tuple(exclude))

    def members(uri: str) -> set[str]:
        return {did(number) for number in on.get(uri, ())}

    found = Matcher([one], HANDLES.get, members).match(did(author), Post("x"))
    truth = explain(one, did(author), Post("x"), HANDLES.get, members)
    assert [admission.rule for admission in found] == ([truth.by] if truth.enters else [])


# labels

SELF_LABELLED = Post("x", self_labels=("spam", "rude"))


def told(on: str, src: str, val: str = "spam") -> Post:
    return Post("x", labels=(label_of(on, src, val),))


@pytest.mark.parametrize(
    ("fields", "post", "found"),
    [
        pytest.param({}, SELF_LABELLED, ("spam",), id="the author's own"),
        pytest.param({}, told("post", OURS), ("spam",), id="ours"),
        pytest.param({}, told("account", OURS), ("spam",), id="ours, on the account"),
        pytest.param({}, told("post", LABELER), None, id="of a labeler that is not named"),
        pytest.param({"by": (LABELER,)}, told("post", LABELER), ("spam",), id="of a labeler that is named"),
        pytest.param({"by": ("labels.example.org",)}, told("post", LABELER), ("spam",), id="by handle"),
        pytest.param({"by": (LABELER,)}, told("post", LABELER, "rude"), None, id="another value"),
        pytest.param({"by": (LABELER,)}, SELF_LABELLED, None, id="the author's own, which do not count"),
        pytest.param({"by": (LABELER,), "on": ("account",)}, told("post", LABELER), None, id="on the post only"),
        pytest.param({"by": (LABELER,), "on": ("post",)}, told("account", LABELER), None, id="on the account only"),
        pytest.param({"any": ("rude", "spam")}, SELF_LABELLED, ("rude", "spam"), id="in the order of the rule"),
        pytest.param({"any": ("Spam",)}, SELF_LABELLED, None, id="case matters"),
        pytest.param(
            {"by": ("self", LABELER)},
            Post("x", self_labels=("spam",), labels=(label_of("post", LABELER, "spam"), label_of("account", LABELER, "spam"))),
            ("spam",),
            id="from everywhere, once",
        ),
    ],
)
def test_a_label_is_found_where_and_from_whom_the_rule_says(fields: dict[str, Any], post: Post, found: tuple[str, ...] | None) -> None:
    rule = load("label")(**{"any": ("spam",), **fields}).resolved(HANDLES.get)

    assert rule.match(did(0), post) == found
    admitted = Matcher([feed(rule)], HANDLES.get).match(did(0), post)
    assert [admission.words for admission in admitted] == ([found] if found else [])


def test_the_labelers_that_rules_need_are_told_with_the_values() -> None:
    rules = [load("label")(any=("spam",), by=("self", "ours", "labels.example.org")), load("label")(any=("rude",), by=(LABELER,))]
    matcher = Matcher([feed(rules[0]), feed(load("none")(rules=(rules[1],)))], HANDLES.get)

    assert matcher.labelers == {OURS: {"spam"}, LABELER: {"spam", "rude"}}
    assert Matcher([feed(rules[0])]).labelers == {OURS: {"spam"}}, "a handle that cannot be resolved is nobody"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"any": ()}, "at least one"),
        ({"any": ("x",), "by": ("someone",)}, 'expected a DID .* or "self" or "ours"'),
        ({"any": ("x",), "by": ()}, "at least one"),
        ({"any": ("x",), "on": ("profile",)}, "expected one of post, account"),
        ({"any": ("x",), "by": ("self",), "on": ("account",)}, 'expected "post"'),
    ],
)
def test_a_label_rule_that_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load("label")(**fields)


@pytest.mark.parametrize(
    ("kind", "fields", "plain"),
    [
        ("list", {"any": (f"at://{KEEPER}/{LIST}/3k",)}, f"is by somebody on the list at://{KEEPER}/{LIST}/3k"),
        ("starter_pack", {"any": (f"at://{KEEPER}/{PACK}/3k",)}, f"is by somebody in the starter pack at://{KEEPER}/{PACK}/3k"),
        ("label", {"any": ("spam", "rude")}, "has the label “spam” or “rude” from its author or this service's labeler"),
        ("label", {"any": ("spam",), "by": (LABELER,), "on": ("account",)}, f"has the label “spam” from {LABELER} on its author's account"),
    ],
)
def test_in_plain_words(kind: str, fields: dict[str, Any], plain: str) -> None:
    assert load(kind)(**fields).plain_words() == plain


# opting out


@pytest.mark.parametrize(
    ("post", "marks"),
    [
        pytest.param(Post("please #NoFeeds!"), {"#nofeeds"}, id="typed"),
        pytest.param(Post("x", tags=("nofeeds",)), {"#nofeeds"}, id="as a link"),
        pytest.param(Post("x", extra_tags=("NOFEEDS",)), {"#nofeeds"}, id="in the tags field"),
        pytest.param(Post("x", self_labels=("no-feeds",)), {"label no-feeds"}, id="as a self-label"),
        pytest.param(Post("#nofeeds", self_labels=("no-feeds", "porn")), {"#nofeeds", "label no-feeds"}, id="both"),
        pytest.param(Post("nofeeds", self_labels=("porn",)), set(), id="neither"),
        pytest.param(Post("#nofeedsatall"), set(), id="a longer hashtag"),
    ],
)
def test_a_post_asks_with_the_hashtags_and_self_labels_of_the_config(post: Post, marks: set[str]) -> None:
    asks = OptOut(hashtags=("#NoFeeds",), self_labels=("no-feeds",))

    assert set(asks.asks(did(0), post)) == marks
    assert asks.marks == {"#nofeeds", "label no-feeds"}


def test_the_operator_names_authors_and_lists_by_handle_or_did() -> None:
    asks = OptOut(
        authors=(did(0), "@Keeper.Example.org", "nobody.example.org"), lists=("https://bsky.app/profile/keeper.example.org/lists/3k",)
    )

    assert asks.handles == ("keeper.example.org", "nobody.example.org")
    assert asks.dids(HANDLES.get) == {did(0), KEEPER}
    assert asks.list_uris(HANDLES.get) == {f"at://{KEEPER}/{LIST}/3k"}
    assert asks.list_uris({}.get) == set()
    assert (OptOut().marks, OptOut().handles) == (set(), ())


@pytest.mark.parametrize("fields", [{"authors": ("x",)}, {"lists": ("x",)}, {"hashtags": ("two words",)}, {"self_labels": ("",)}], ids=str)
def test_an_opt_out_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        OptOut(**fields)
