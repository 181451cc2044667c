"""How a label looks to readers: the texts and definitions of its record, within the lexicon."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.declaration import Reports, service_record
from labeler.definitions import Appearance, Locale, definition, locales_of, untold
from labeler.policy import LabelPolicy
from labeler.texts import texts
from models.graphemes import graphemes
from tests.support.lexicons import assert_valid_record

VALUES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=100)


@given(VALUES)
def test_a_label_without_texts_gets_some_in_three_languages_that_fit_the_lexicon(value: str) -> None:
    told = locales_of(value, Appearance())

    assert [locale.lang for locale in told] == ["en", "nl", "fr"]
    assert all(0 < graphemes(locale.name) <= 64 for locale in told)


@pytest.mark.parametrize("value", ["likely-disinformation", "plainsky-test", "anything-else"])
def test_every_text_says_that_a_post_without_the_label_has_not_been_checked(value: str) -> None:
    en, nl, fr = (text.description for text in texts(value))

    assert "has not been checked" in en
    assert "niet nagekeken" in nl
    assert "n’a pas été vérifiée" in fr


def test_a_value_that_nobody_knows_is_named_in_its_text() -> None:
    assert [text.name for text in texts("old-photo")] == ["Old photo"] * 3
    assert all("old-photo" in text.description for text in texts("old-photo"))


def test_texts_of_the_config_take_the_place_of_all_of_ours() -> None:
    look = Appearance(locales=(Locale("de", "Behauptung", "Gezeigt."),))

    assert definition("claim", look)["locales"] == [{"lang": "de", "name": "Behauptung", "description": "Gezeigt."}]


def test_a_definition_says_what_the_config_says() -> None:
    look = Appearance(severity="inform", blurs="media", default_setting="hide", adult_only=True)

    assert {key: value for key, value in definition("claim", look).items() if key != "locales"} == {
        "identifier": "claim",
        "severity": "inform",
        "blurs": "media",
        "defaultSetting": "hide",
        "adultOnly": True,
    }


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"lang": "nederlands!"}, "expected a language tag"),
        ({"name": " "}, "expected some words"),
        ({"name": "é" * 65}, "at most 64 characters"),
        ({"name": "🧑‍🧑‍🧒" * 40}, r"640 bytes"),
        ({"description": ""}, "expected some words"),
        ({"description": "x" * 10_001}, "at most 10,000 characters"),
    ],
    ids=["no language", "blank", "65 graphemes", "more bytes than allowed", "no description", "too long"],
)
def test_texts_beyond_the_lexicon_are_refused(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Locale(**{"lang": "nl", "name": "Naam", "description": "Wat het zegt.", **wrong})


def test_64_graphemes_are_a_name_however_many_bytes_each_has() -> None:
    assert Locale("fr", "é" * 64, "x").name == "é" * 64


@pytest.mark.parametrize("wrong", [{"severity": "loud"}, {"blurs": "all"}, {"default_setting": "show"}])
def test_words_that_clients_do_not_know_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be in"):
        Appearance(**wrong)


def test_two_texts_of_one_language_are_refused() -> None:
    with pytest.raises(ValueError, match="more in nl"):
        Appearance(locales=(Locale("nl", "Eén", "x"), Locale("nl", "Twee", "y")))


def test_languages_without_a_text_are_told_and_variants_share_one() -> None:
    told = (Locale("nl", "Naam", "x"), Locale("pt-BR", "Boato", "y"))

    assert untold(told, ["nl", "nl-BE", "fr", "pt", "fr", "en"]) == ["fr", "en"]


def test_the_record_declares_every_label_and_which_reports_are_taken() -> None:
    policies = [LabelPolicy(value="claim", signals=("gtube",)), LabelPolicy(value="plainsky-test", signals=("gtube",), mode="auto")]
    record = {**service_record(policies, Reports()), "createdAt": "2026-11-21T00:00:00.000Z"}

    assert_valid_record(record)
    assert record["policies"]["labelValues"] == ["claim", "plainsky-test"]
    assert [entry["identifier"] for entry in record["policies"]["labelValueDefinitions"]] == ["claim", "plainsky-test"]
    assert {"com.atproto.moderation.defs#reasonAppeal", "tools.ozone.report.defs#reasonAppeal"} <= set(record["reasonTypes"])
    assert (record["subjectTypes"], record["subjectCollections"]) == (["account", "record"], ["app.bsky.feed.post"])


def test_a_labeler_that_takes_no_reports_says_so_with_an_empty_list() -> None:
    record = service_record([], Reports(reason_types=()))

    assert record["reasonTypes"] == []


@pytest.mark.parametrize("wrong", [{"reason_types": ("spam",)}, {"subject_types": ("chat",)}, {"subject_collections": ("posts",)}])
def test_reports_of_no_known_kind_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|must be in"):
        Reports(**wrong)
