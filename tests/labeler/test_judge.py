"""Signals, policies and verdicts: what a post is judged by, and what no config may say."""

import importlib
import inspect
import json
import textwrap
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler import signals
from labeler.gate import Gate, Judged, Key
from labeler.judge import Judge, text_hash
from labeler.policy import LabelPolicy
from labeler.signals.gtube import TEST_STRING
from models.duration import duration
from models.post import Post
from tests.support.labels import AUTHOR, FLAGGED, HARMLESS, judge


def test_each_kind_is_a_file_and_can_be_loaded() -> None:
    assert "gtube" in signals.kinds()
    for kind in signals.kinds():
        assert signals.load(kind).kind == kind


@pytest.mark.parametrize("kind", signals.kinds())
def test_the_example_in_each_kinds_docstring_is_a_policy_that_uses_it(kind: str) -> None:
    documented = inspect.getdoc(importlib.import_module(f"labeler.signals.{kind}")) or ""
    example = "\n".join(line for line in documented.splitlines() if line.startswith("    "))

    (table,) = tomllib.loads(textwrap.dedent(example))["labels"]

    assert kind in LabelPolicy(**table).signals


@given(before=st.text(), after=st.text())
def test_gtube_points_at_the_test_string_in_bytes(before: str, after: str) -> None:
    text = before + TEST_STRING + after

    finding = signals.load("gtube").look(Post(text=text))

    assert finding == signals.Finding("gtube", TEST_STRING, len(before.encode()))


@pytest.mark.parametrize(
    "post",
    [
        HARMLESS,
        Post(text=TEST_STRING.lower()),
        Post(text=TEST_STRING[:-1]),
        Post(text=TEST_STRING.replace("-", "–")),
        Post(alts=(TEST_STRING,), card=(TEST_STRING,), tags=(TEST_STRING,), links=(f"https://example.org/{TEST_STRING}",)),
    ],
    ids=["another text", "lower case", "cut short", "other dashes", "not in the text"],
)
def test_gtube_looks_for_nothing_but_the_exact_string_in_the_text(post: Post) -> None:
    assert signals.load("gtube").look(post) is None


def test_a_verdict_carries_its_evidence_as_plain_data() -> None:
    (verdict,) = judge("review").judge(AUTHOR, FLAGGED)

    assert (verdict.value, verdict.mode) == ("plainsky-test", "review")
    assert json.loads(json.dumps(verdict.evidence)) == {
        "findings": [{"kind": "gtube", "text": TEST_STRING, "position": 6, "weight": 1.0}],
        "score": 1.0,
        "threshold": 1.0,
        "versions": {"gtube": 1},
    }


def test_a_post_without_a_reason_has_no_verdict() -> None:
    assert judge().judge(AUTHOR, HARMLESS) == []
    assert Judge([]).judge(AUTHOR, FLAGGED) == []


def test_each_value_whose_reason_holds_has_its_own_verdict() -> None:
    assert [verdict.value for verdict in judge("auto", "one", "two").judge(AUTHOR, FLAGGED)] == ["one", "two"]


def test_the_rules_hash_changes_with_what_finds_a_reason_and_not_with_what_becomes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def rules_hash(value: str, mode: str, **options: Any) -> str:
        post = Post(TEST_STRING, langs=("nl",))
        return Judge([LabelPolicy(value, ("gtube",), mode, **options)]).judge(AUTHOR, post)[0].rules_hash  # type: ignore[arg-type]

    first = rules_hash("one", "auto")

    assert first == rules_hash("one", "auto")
    assert first == rules_hash("one", "shadow", languages=("nl",), expires=duration("2d"))
    others = {rules_hash("two", "auto"), rules_hash("one", "auto", threshold=0.9), rules_hash("one", "auto", abstain=("claim_match",))}
    assert len({first, *others}) == 4
    monkeypatch.setattr("labeler.signals.gtube.Signal.version", 2)
    assert rules_hash("one", "auto") != first


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("!hide", "orders to every client"),
        ("!takedown", "orders to every client"),
        ("Likely-False", "clients ignore any value but"),
        ("likely_false", "clients ignore any value but"),
        ("false1", "clients ignore any value but"),
        ("", "clients ignore any value but"),
        ("faux\n", "clients ignore any value but"),
        ("a" * 101, "clients ignore any value but"),
        ("porn", "fixed meaning"),
        ("graphic-media", "fixed meaning"),
    ],
)
def test_a_value_that_clients_ignore_or_give_their_own_meaning_is_refused(value: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        LabelPolicy(value, ("gtube",))


@pytest.mark.parametrize("value", ["likely-disinformation", "a" * 100])
def test_a_value_of_ones_own_is_accepted(value: str) -> None:
    assert LabelPolicy(value, ("gtube",)).mode == "shadow"


@pytest.mark.parametrize("kind", ["gtubo", "", "__init__", "..policy"])
def test_an_unknown_signal_is_refused_and_the_known_ones_are_named(kind: str) -> None:
    with pytest.raises(ValueError, match=r"is no signal: expected one of .*gtube"):
        LabelPolicy("one", (kind,))


def test_a_label_without_any_signal_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least one signal: .*gtube"):
        LabelPolicy("one", ())


class Other:
    """A signal that needs to be measured, of the weight that the text names."""

    kind = "other"
    version = 3
    models: Mapping[str, str] = {}

    def look(self, post: Post) -> signals.Finding | None:
        word, _, weight = post.text.partition(" ")
        return signals.Finding("other", word, 0, float(weight)) if word == "other" else None


@pytest.fixture
def _other(monkeypatch: pytest.MonkeyPatch) -> None:
    load = signals.load
    monkeypatch.setattr(signals, "load", lambda kind: Other() if kind == "other" else load(kind))


@pytest.mark.usefixtures("_other")
@pytest.mark.parametrize(
    ("text", "langs", "mode"),
    [
        pytest.param("other 0.6", ("nl",), None, id="below the threshold"),
        pytest.param("other 0.7", ("nl",), "auto", id="at the threshold"),
        pytest.param(f"other -2 {TEST_STRING}", ("nl",), None, id="what speaks against it is added too"),
        pytest.param("other 0.7", ("nl-BE",), "auto", id="a dialect of its language"),
        pytest.param("other 0.7", ("fr",), None, id="another language"),
        pytest.param("other 0.7", (), None, id="no language"),
        pytest.param("other 0.7", ("en",), "review", id="a language in which precision is not measured"),
        pytest.param("other 0.7", ("nl", "en"), "review", id="one of two languages in which it is not"),
    ],
)
def test_a_label_has_its_threshold_its_languages_and_the_gates_leave(text: str, langs: tuple[str, ...], mode: str | None) -> None:
    policy = LabelPolicy("one", ("other",), "auto", threshold=0.7, languages=("nl", "en"))
    gate = Gate({Key("one", Judge([policy]).rules["one"], "nl"): Judged(right=300)})
    text = text.replace(f" {TEST_STRING}", "")

    verdicts = Judge([policy], gate).judge(AUTHOR, Post(text, langs=langs))

    assert [verdict.mode for verdict in verdicts] == ([mode] if mode else [])


@pytest.mark.usefixtures("_other")
def test_a_signal_of_doubt_leaves_it_to_a_person() -> None:
    policy = LabelPolicy("one", ("gtube",), "auto", abstain=("other",))

    def mode(text: str) -> tuple[str, object]:
        (verdict,) = Judge([policy], versions={"config": "abc"}).judge(AUTHOR, Post(text))
        return verdict.mode, verdict.evidence.get("doubts")

    assert mode(TEST_STRING) == ("auto", None)
    monkey = Other.look
    try:
        Other.look = lambda self, post: signals.Finding("other", "", 0, 0.1)  # type: ignore[method-assign]
        assert mode(TEST_STRING) == ("review", ["other"])
    finally:
        Other.look = monkey  # type: ignore[method-assign]


def test_evidence_names_the_versions_of_all_that_decided() -> None:
    (verdict,) = Judge([LabelPolicy("one", ("gtube",))], versions={"config": "abc"}).judge(AUTHOR, FLAGGED)

    assert verdict.evidence["versions"] == {"gtube": 1, "config": "abc"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"threshold": 0}, "above 0"),
        ({"languages": ("Dutch",)}, "language tag"),
        ({"expires": duration("5m")}, "between 1h and 52w"),
        ({"expires": duration("99w")}, "between 1h and 52w"),
        ({"targets": ()}, "post"),
        ({"targets": ("account",)}, "post"),
        ({"abstain": ("gtubo",)}, "is no signal"),
    ],
    ids=str,
)
def test_a_policy_that_cannot_work_is_refused(options: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        LabelPolicy("one", ("gtube",), **options)  # type: ignore[arg-type]


@given(text=st.text(max_size=30))
def test_the_same_words_have_the_same_hash_however_they_are_spaced_and_capitalised(text: str) -> None:
    assert text_hash(Post(f" {text}  \n")) == text_hash(Post(text))
    assert text_hash(Post("Straße IS closed")) == text_hash(Post("STRASSE is  closed"))
    assert text_hash(Post(text)) != text_hash(Post(text + " x"))
