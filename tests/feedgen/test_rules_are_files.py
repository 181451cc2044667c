"""A word in the config is the name of a file, and the example in each file works."""

import textwrap
import tomllib
from importlib import import_module
from typing import Any

import attrs
import pytest

from feedgen.rules import Rule, UnknownKind, kinds, load


def made(table: dict[str, Any]) -> Rule:
    """A rule from a TOML table, as plainly as can be."""
    values = {key: value for key, value in table.items() if key != "kind"}
    nested = {key: tuple(map(made, value)) if key == "rules" else value for key, value in values.items()}
    return load(table["kind"])(**{key: tuple(value) if isinstance(value, list) else value for key, value in nested.items()})


def example(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """(part, table) of every rule in the module's docstring."""
    text = import_module(f"feedgen.rules.{kind}").__doc__ or ""
    feeds = tomllib.loads("[[feeds]]\n" + textwrap.dedent(text[text.index("[[feeds.") :].replace("\n    ", "\n")))["feeds"]
    return [(part, table) for part, tables in feeds[0].items() for table in tables]


def test_the_kinds_are_the_files_of_the_folder() -> None:
    assert " ".join(kinds()) == (
        "all any author embed hashtag keyword label language link_domain list mention none quote regex reply starter_pack topic"
    )


@pytest.mark.parametrize("kind", kinds())
def test_the_example_of_each_kind_loads_and_says_what_it_does(kind: str) -> None:
    tables = [table for _, table in example(kind)]

    assert str({"kind": kind})[:-1] in str(tables)
    assert all(made(table).plain_words() for table in tables)


@pytest.mark.parametrize("kind", kinds())
def test_a_file_defines_one_class_with_a_docstring_for_its_fields(kind: str) -> None:
    cls = load(kind)

    assert all(field.name in (cls.__doc__ or "") for field in attrs.fields(cls))


def test_an_unknown_kind_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownKind, match="'hashtags' is no kind of rule, expected one of all, any, author"):
        load("hashtags")


def test_a_private_file_is_no_kind() -> None:
    with pytest.raises(UnknownKind):
        load("_places")


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("keyword", {"any": ()}, "at least one"),
        ("keyword", {"any": ("fine", "  ")}, "expected text"),
        ("keyword", {"any": ("\u00ad",)}, "expected text"),
        ("keyword", {"any": ("two\nlines",)}, "line breaks"),
        ("keyword", {"any": ("x" * 101,)}, "at most 100 characters, found 101"),
        ("keyword", {"any": ("x",), "where": ("body",)}, "expected one of text, alt, link"),
        ("hashtag", {"any": ("#",)}, "expected a hashtag"),
        ("hashtag", {"any": ("two words",)}, "one word"),
        ("language", {"any": ("Dutch, please",)}, "expected a language tag"),
        ("author", {"any": ("someone",)}, "expected a DID like"),
        ("author", {"any": ("did:plc:",)}, "expected a DID like"),
        ("link_domain", {"any": ("https://example.org/",)}, "without https://"),
        ("link_domain", {"any": ("localhost",)}, "expected a domain"),
        ("embed", {"any": ("picture",)}, "expected one of image, gallery"),
        ("reply", {"which": "some"}, "expected one of replies, roots"),
        ("regex", {"pattern": ""}, "expected a regular expression"),
        ("regex", {"pattern": "(unclosed"}, "missing \\)"),
        ("regex", {"pattern": "(?=ahead)"}, "invalid perl operator"),
        ("regex", {"pattern": r"\pL{900}"}, "too large"),
        ("regex", {"pattern": "x" * 1001}, "at most 1000 characters"),
        ("all", {"rules": ()}, "at least one"),
        ("any", {"rules": ()}, "at least one"),
        ("none", {"rules": ()}, "at least one"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused_with_what_was_expected(kind: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load(kind)(**fields)


@pytest.mark.parametrize(
    ("table", "plain"),
    [
        ({"kind": "hashtag", "any": ["a", "#b"]}, "has one of the hashtags #a, #b"),
        ({"kind": "keyword", "any": ["klimaat"]}, "says the word “klimaat”"),
        (
            {"kind": "keyword", "any": ["a", "b c"], "where": ["alt", "link"]},
            "says one of the words “a”, “b c” in an alt text or a link card",
        ),
        ({"kind": "language", "any": ["nl"]}, "declares the language nl"),
        ({"kind": "author", "any": ["a.example.org"]}, "is by a.example.org"),
        ({"kind": "reply"}, "is a reply"),
        ({"kind": "reply", "which": "roots"}, "starts a thread (is no reply)"),
        ({"kind": "embed", "any": ["image", "none"]}, "embeds an image or nothing"),
        ({"kind": "embed", "any": ["video"], "alt": True}, "embeds a video, with an alt text on every picture and video"),
        ({"kind": "link_domain", "any": ["example.org"]}, "links to the website example.org"),
        ({"kind": "regex", "pattern": "[0-9]+"}, "fits the regular expression [0-9]+"),
        (
            {"kind": "all", "rules": [{"kind": "reply"}, {"kind": "none", "rules": [{"kind": "language", "any": ["nl"]}]}]},
            "(is a reply and not (declares the language nl))",
        ),
    ],
)
def test_a_rule_says_in_plain_words_what_it_does(table: dict[str, Any], plain: str) -> None:
    assert made(table).plain_words() == plain
