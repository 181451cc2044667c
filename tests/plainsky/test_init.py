"""`plainsky init` writes a config that passes `plainsky check`, from flags or from at most five answers, and never overwrites."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainsky.cli import main
from plainsky.config.errors import ConfigErrors
from plainsky.config.loading import load, parse
from plainsky.config.writing import Answers, first_config, record_key

ROOT = Path(__file__).parents[2]
FLAGS = ["--hostname", "feeds.example.org", "--topic", "Solidarité à Gand", "--hashtags", "#solidarité, gent", "--languages", "nl,fr"]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written() -> list[str]:
    """What is in the folder."""
    return sorted(path.name for path in Path().iterdir())


def test_what_it_writes_passes_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *FLAGS, "--labeler", "--source", "firehose"]) == 0
    assert main(["check"]) == 0

    told = capsys.readouterr().out
    assert 'Feed "Solidarité à Gand" (solidarite-a-gand)' in told
    assert "has one of the hashtags #solidarité, #gent" in told
    assert "declares one of the languages nl, fr" in told
    assert "Source: firehose" in told
    assert 'Label "plainsky-test"' in told


def test_the_labelers_key_is_for_its_owner_alone() -> None:
    assert main(["init", *FLAGS, "--labeler"]) == 0

    key = Path("labeler.key")
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text().strip() not in Path("config.toml").read_text()


def test_without_labeler_there_is_no_key() -> None:
    assert main(["init", *FLAGS]) == 0

    assert written() == ["config.toml"]
    assert load("config.toml", {}).labeler is None


def test_a_config_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.toml").write_text("mine")

    assert main(["init", *FLAGS, "--labeler"]) == 2
    assert "config.toml: there is a file already, and it is never overwritten" in capsys.readouterr().err
    assert Path("config.toml").read_text() == "mine"
    assert not Path("labeler.key").exists()


def test_a_key_that_is_there_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *FLAGS, "--labeler"]) == 0
    key = Path("labeler.key").read_text()
    assert main(["init", *FLAGS, "--labeler", "--output", "other.toml"]) == 0

    assert Path("labeler.key").read_text() == key
    assert "Kept the signing key in labeler.key." in capsys.readouterr().out


def test_a_file_that_is_no_key_is_neither_used_nor_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("labeler.key").write_text("shopping list")
    Path("labeler.key").chmod(0o600)

    assert main(["init", *FLAGS, "--labeler"]) == 2
    assert "labeler.key: no k256 private key" in capsys.readouterr().err
    assert written() == ["labeler.key"]


def test_answers_that_make_no_config_are_told_and_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--hostname", "https://feeds.example.org", "--topic", "x" * 30, "--labeler"]) == 2

    told = capsys.readouterr().err
    assert "service.hostname" in told
    assert "feeds[0].name" in told
    assert written() == []


def test_a_folder_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *FLAGS, "--output", "nowhere/config.toml"]) == 2
    assert "nowhere/config.toml: cannot be written" in capsys.readouterr().err


def test_where_nobody_can_answer_it_says_which_flags_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 2
    assert "needed --hostname and --topic or --hashtags" in capsys.readouterr().err
    assert main(["init", "--hostname", "a.example"]) == 2
    assert "needed --topic or --hashtags" in capsys.readouterr().err


def on_a_terminal(answers: str, *flags: str) -> tuple[int, str]:
    """Exit code and standard output of `plainsky init` whose questions a person answers; "\x04" closes the terminal."""
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-m", "plainsky", "init", *flags]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        running = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        os.write(ours, answers.encode())
        told, _ = running.communicate(timeout=30)
    finally:
        os.close(ours)
        os.close(theirs)
    return running.returncode, told


def test_on_a_terminal_it_asks_five_questions_and_enter_takes_what_is_proposed() -> None:
    code, told = on_a_terminal("\nMutual aid\n\nen, nl\nyes\n")
    config = load("config.toml", {})

    assert (code, told.count("?")) == (0, 5)
    assert config.service.hostname == "localhost:3000"
    assert config.feeds[0].name == "Mutual aid"
    assert [rule.plain_words() for rule in config.feeds[0].include] == ["has the hashtag #Mutualaid"]
    assert config.labeler is not None


def test_a_wrong_answer_is_told_and_asked_again() -> None:
    code, told = on_a_terminal(f"https://a.example\na.example\n{'x' * 30}\nMutual aid\n\nen!\nen\nperhaps\nno\n")

    assert (code, told.count("?")) == (0, 9)
    assert "expected a public host name" in told
    assert "expected 1 to 24 characters" in told
    assert 'Please answer "yes" or "no".' in told
    assert load("config.toml", {}).service.hostname == "a.example"


def test_a_local_host_names_port_is_the_one_that_is_listened_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--hostname", "localhost:3500", "--topic", "Aid"]) == 0
    assert load("config.toml", {}).service.port == 3500

    Path("config.toml").write_text(Path("config.toml").read_text().replace("port = 3500", "port = 3501"))
    capsys.readouterr()
    assert main(["check"]) == 0
    assert 'Note: the hostname "localhost:3500" has another port than the one that is listened on, 3501' in capsys.readouterr().out


def test_check_notes_an_edition_without_a_time_zone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *FLAGS]) == 0
    text = Path("config.toml").read_text()
    Path("config.toml").write_text(text.replace('order = "newest"', 'order = "edition"\nedition = { at = ["07:00"] }'))
    capsys.readouterr()

    assert main(["check"]) == 0
    assert 'Note: the feed "Solidarité à Gand" changes by UTC.' in capsys.readouterr().out


def test_what_flags_say_is_not_asked() -> None:
    code, told = on_a_terminal("", *FLAGS, "--no-labeler")

    assert (code, told.count("?")) == (0, 0)


def test_a_question_without_answer_writes_nothing() -> None:
    code, told = on_a_terminal("feeds.example.org\n\x04")

    assert code == 2
    assert "No answer, nothing written." in told
    assert written() == []


@pytest.mark.parametrize(
    ("topic", "rkey"),
    [("Solidarité à Gand", "solidarite-a-gand"), ("  DSA/DMA! ", "dsa-dma"), ("気候", "feed"), ("ＮＡＴＯ", "nato")],
)
def test_a_feeds_rkey_comes_from_its_name(topic: str, rkey: str) -> None:
    assert record_key(topic) == rkey


@settings(max_examples=100)
@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=3), st.lists(st.text(max_size=5), max_size=2))
def test_whatever_is_answered_the_written_text_says_just_that(topic: str, hashtags: list[str], languages: list[str]) -> None:
    text = first_config(Answers("feeds.example.org", topic, tuple(hashtags), tuple(languages), key_file=Path("labeler.key")))
    try:
        feed = parse(text).feeds[0]
    except ConfigErrors as errors:
        refused = {problem.path[:3] for problem in errors.problems}
        assert refused <= {("feeds", 0, "name"), ("feeds", 0, "include"), ("feeds", 0, "require"), ("feeds", 0, "description")}
    else:
        assert feed.name == topic
