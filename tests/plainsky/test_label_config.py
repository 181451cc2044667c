"""What `plainsky check` says of labels as readers see them, and which texts it refuses."""

from pathlib import Path

import pytest

from plainsky.cli import main
from plainsky.config.errors import ConfigErrors
from plainsky.config.loading import parse

HEAD = '[service]\nhostname = "x.example.org"\n[labeler]\n[[labels]]\nvalue = "claim"\nsignals = ["gtube"]\n'
LOCALE = '[[labels.locales]]\nlang = "{lang}"\nname = "{name}"\ndescription = "Words."\n'
FEED = '[[feeds]]\nrkey = "x"\nname = "X"\n[[feeds.include]]\nkind = "language"\nany = {any}\n'


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as told:
        parse(text)
    return [str(problem) for problem in told.value.problems]


def test_texts_beyond_the_lexicon_are_told_with_their_place_in_the_file() -> None:
    text = HEAD + LOCALE.format(lang="nl", name="Naam") + LOCALE.format(lang="fr", name="é" * 65)

    (told,) = problems(text)
    assert told.startswith('labels[0].locales[1].name: "')
    assert told.endswith("expected at most 64 characters (and 640 bytes), not 65")


def test_words_that_apps_do_not_know_are_told_with_a_guess() -> None:
    assert problems(HEAD + 'severity = "alerts"\n') == [
        'labels[0].severity: "alerts": no such choice, did you mean "alert"? (known: alert, inform, none)'
    ]


def test_two_texts_of_one_language_are_told() -> None:
    (told,) = problems(HEAD + 2 * LOCALE.format(lang="nl", name="Naam"))

    assert told.startswith("labels[0].locales: ")
    assert "there are more in nl" in told


def test_a_reason_that_is_none_is_told() -> None:
    (told,) = problems(HEAD + '[labeler.reports]\nreason_types = ["spam"]\n')

    assert told.startswith('labeler.reports.reason_types[0]: "spam": expected a reason type')


@pytest.mark.parametrize(
    ("languages", "locales", "missing"),
    [
        ('["nl-BE", "fr"]', [], None),
        ('["de", "nl", "es"]', [], "de or es"),
        ('["nl", "fr"]', ["nl"], "fr"),
        ('["fr"]', ["fr-BE"], None),
    ],
    ids=["ours are enough", "not in ours", "not in theirs", "a variant is enough"],
)
def test_a_label_without_words_for_readers_of_a_feed_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], languages: str, locales: list[str], missing: str | None
) -> None:
    text = HEAD + "".join(LOCALE.format(lang=lang, name="Naam") for lang in locales) + FEED.format(any=languages)
    (tmp_path / "config.toml").write_text(text)

    assert main(["check", str(tmp_path / "config.toml")]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "has no text in" in line]
    assert [f'Note: the label "claim" has no text in {missing}, which a feed is for' in line for line in told] == (
        [True] if missing else []
    )


@pytest.mark.parametrize(("did", "is_told"), [("", True), ('did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"', False)])
def test_a_labeler_without_an_account_is_told_since_apps_will_not_find_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], did: str, is_told: bool
) -> None:
    (tmp_path / "config.toml").write_text(HEAD.replace("[labeler]", f"[labeler]\n{did}"))

    assert main(["check", str(tmp_path / "config.toml")]) == 0
    assert ("has no account, so apps find no labeler there" in capsys.readouterr().out) is is_told
