"""Pages speak the reader's language; another language is another file."""

import functools
import re
from importlib.resources import files

import pytest

from feedgen.rules import kinds
from models.duration import duration
from plainsky.pages.languages import Language, chosen, languages

ALL = languages()
OTHERS = [code for code in ALL if code != "en"]


def sentences(language: Language) -> set[str]:
    return {key.removeprefix("rules.") for key in language.keys if key.startswith("rules.")}


def test_english_dutch_and_french_are_there() -> None:
    assert {"en", "nl", "fr"} <= set(ALL)


@pytest.mark.parametrize("code", OTHERS)
def test_every_language_says_all_there_is_to_say(code: str) -> None:
    assert {key for key in ALL[code].keys if not key.startswith("rules.")} == ALL["en"].keys


@pytest.mark.parametrize("code", OTHERS)
def test_every_language_has_a_sentence_for_every_rule_kind_that_is_no_nest(code: str) -> None:
    assert sentences(ALL[code]) == set(kinds()) - {"all", "any", "none"}


def test_a_text_takes_the_same_values_in_every_language() -> None:
    for code in OTHERS:
        for key in ALL["en"].keys:
            assert values(code, key) <= values("en", key) | {"lang", "n"}, (code, key)


def values(code: str, key: str) -> set[str]:
    text = raw(code)[key]
    inside = " ".join(re.findall(r"\{\{(.*?)\}\}|\{%(.*?)%\}", text)[0]) if "{{" in text or "{%" in text else ""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|\.[a-z_]+|\| *[a-z_]+", "", inside)
    return set(re.findall(r"\b[a-z_]+\b", bare)) - {"if", "else", "in", "not", "for"}


@functools.cache
def raw(code: str) -> dict[str, str]:
    import tomllib

    from plainsky.pages.languages import _flat

    return dict(_flat(tomllib.loads((files("plainsky.pages") / "texts" / f"{code}.toml").read_text("utf-8"))))


def test_what_a_language_leaves_out_is_said_in_english() -> None:
    partial = Language("xx", {"language": "X", "decimal": ","}, ALL["en"])

    assert partial("why.title") == "Why this post?"
    with pytest.raises(KeyError):
        partial("no.such.text")


@pytest.mark.parametrize(
    ("picked", "header", "code"),
    [
        (None, "", "en"),
        (None, "nl", "nl"),
        (None, "nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        (None, "de,fr;q=0.5,nl;q=0.7", "nl"),
        (None, "FR-ca", "fr"),
        (None, "nl;q=0, fr;q=0.1", "fr"),
        (None, "*", "en"),
        (None, "tlh", "en"),
        (None, ";;;,q=,nl;q=x,\x00", "en"),
        (None, "nl;q=2", "en"),
        ("fr", "nl", "fr"),
        ("xx", "nl", "nl"),
        ("", "nl", "nl"),
        (None, "x," * 10_000 + "nl", "en"),
    ],
)
def test_the_language_is_the_one_picked_or_else_the_first_of_the_browsers_that_there_is(picked: str | None, header: str, code: str) -> None:
    assert chosen(picked, header).code == code


@pytest.mark.parametrize(
    ("code", "value", "decimals", "said"),
    [("en", 1234567, 0, "1 234 567"), ("en", 1234.5, 1, "1 234.5"), ("nl", 0.42, 2, "0,42"), ("fr", 12, 0, "12")],
)
def test_numbers_are_written_as_the_language_writes_them(code: str, value: float, decimals: int, said: str) -> None:
    assert ALL[code].number(value, decimals) == said.replace(" ", "\u202f")


def test_lengths_of_time_are_said_in_the_largest_whole_unit() -> None:
    assert ALL["en"].length(duration("3d")) == "3 days"
    assert ALL["nl"].length(duration("1w")) == "1 week"
    assert ALL["fr"].length(duration("36h")) == "36 heures"
    assert ALL["en"].length(duration("250ms")) == "250 ms"
    assert ALL["en"].about(4_000) == "1 hour"
    assert ALL["en"].about(0.2) == "0 seconds"


@pytest.mark.parametrize(("share", "said"), [(0.0, "0%"), (0.004, "<\u202f1%"), (0.4, "40%"), (1.0, "100%")])
def test_a_share_that_is_not_nothing_is_not_said_to_be(share: float, said: str) -> None:
    assert ALL["en"].share(share) == said
