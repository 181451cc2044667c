"""`plainsky review` and `plainsky moderators`, in a real terminal."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labeler.declaration import Reports
from labeler.reporting import take_appeal, take_report
from labeler.reports import Reported, Subject
from labeler.signals.gtube import TEST_STRING
from models import accounts, blind, decisions, matters, moderators, posts
from models.accounts import Account
from models.database import Database
from models.post import Post
from plainsky.cli import main
from plainsky.labeling.reviewing import plain
from tests.support.labels import AUTHOR, CIDS, NOON, SRC, apply, issuer, judge, judged, log_rows, uri
from tests.support.terminal import Terminal

CONFIG = f"""
[service]
hostname = "localhost:3000"

[identity]
plc = "http://localhost:1"
resolver = "http://localhost:1"

[appview]
url = "http://localhost:1"

[labeler]
did = "{SRC}"
two_people_above = 0
context = {{ domains = ["example.org"], patterns = ["look"] }}

[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"

[[labels]]
value = "second-label"
signals = ["gtube"]
mode = "review"
"""
REPORTER = "did:plc:reporter22222222222222222"
MISLEADING, APPEAL = "com.atproto.moderation.defs#reasonMisleading", "com.atproto.moderation.defs#reasonAppeal"
QUOTED = uri("quoted")
PROMPT = r"q quit\n?\s?> "
TEXT = f"look:\x1b[2J here\u202e {TEST_STRING}"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    monkeypatch.setenv("PLAINSKY_STORE_URL", sqlite_url)
    return path


@pytest.fixture
def stored(config: Path, sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    database.open()
    for name, rank in (("ann", "moderator"), ("ben", "lead")):
        database.write_now(moderators.add, name, rank, NOON)  # type: ignore[arg-type]
    yield database
    database.close()


def candidate(database: Database, rkey: str = "post", post: Post | None = None) -> None:
    said = post or Post(
        TEXT, embeds=("image", "link"), alts=("a chart",), card=("A title", "and more"), links=("https://example.org/x",), quote=QUOTED
    )
    apply(database, judged(rkey, CIDS[0], said, judge("review", "second-label")))


def report(database: Database, rkey: str) -> None:
    asked = Reported(MISLEADING, Subject(uri(rkey), CIDS[0]), "wrong \x1b]0;date")
    database.write_now(take_report, SRC, Reports(), asked, REPORTER, False, NOON)


def test_a_candidate_is_shown_as_readers_see_it_with_signals_and_labelled_by_one_key(config: Path, stored: Database) -> None:
    candidate(stored)
    with Terminal("review", str(config), "--as", "ann") as terminal:
        screen = terminal.until(PROMPT)
        terminal.press("x y")
        terminal.until("Nobody could say how many follow .*: a second person must agree.")
        terminal.until("Nothing waits.")
        assert terminal.ended() == 0

    for words in (
        'The machine asks: "second-label" · since 2026-01-01 12:00',
        uri("post"),
        "| look: [2J here  ",
        "| picture: a chart",
        "| link card: A title · and more",
        "| -> https://example.org/x",
        "  quotes:",
        "labels on it: none",
        "signal gtube: ",
        "second-label: 1 of the 1 that are needed (review)",
        "context: it links to example.org: example.org is on your list of low credibility",
        "context: your pattern look fits: look",
        "y label it, n do not; Y, N the same with a reason of your own; s skip, u undo the last, q quit",
    ):
        assert words in screen, screen
    assert "\x1b" not in screen
    (second,) = stored.read_now(decisions.waiting, "second")
    assert (second.moderator, second.role, second.reason) == (
        "ann",
        "moderator",
        "A moderator looked at it, and agrees with what was found.",
    )


def test_a_no_is_undone_and_given_again_with_a_reason_of_ones_own(config: Path, stored: Database) -> None:
    candidate(stored)
    candidate(stored, "other", Post(TEXT + " other"))
    with Terminal("review", str(config), "--as", "ann") as terminal:
        terminal.until(PROMPT)
        terminal.press("n")
        terminal.until(PROMPT)
        terminal.press("u")
        assert "Undone" in terminal.until(PROMPT)
        terminal.press("N")
        terminal.until("may read: ")
        terminal.press("satire\n")
        terminal.until(PROMPT)
        terminal.press("s")
        terminal.until("Nothing else waits.")
        assert terminal.ended() == 0

    said = [(one.outcome, one.reason) for one in stored.read_now(decisions.of_uri, uri("post"))]
    assert said[-1] == ("rejected", "satire")


def test_a_report_shows_who_said_what_and_becomes_a_label_of_ones_choice(config: Path, stored: Database) -> None:
    report(stored, "post")
    with Terminal("review", str(config), "--as", "ann") as terminal:
        screen = terminal.until(PROMPT)
        terminal.press("y")
        terminal.until("which label")
        terminal.press("2")
        terminal.until("Decided; a second person must agree.")
        assert terminal.ended() == 0

    assert "reports: 1; nobody could say then whether it exists" in screen
    assert f"Misleading by {REPORTER}: wrong  ]0;date" in screen
    assert "The post is not stored here, and the AppView does not answer." in screen
    assert [one.val for one in stored.read_now(decisions.waiting, "second")] == ["second-label"]


def test_of_what_is_gone_a_report_becomes_no_label(config: Path, stored: Database) -> None:
    report(stored, "post")
    gone: list[posts.NewPost] = [(1, 1, "post", "3l", None, NOON, NOON, None)]
    stored.write_now(lambda session: (accounts.add(session, [Account(1, AUTHOR)]), posts.add(session, gone)))
    with Terminal("review", str(config), "--as", "ann") as terminal:
        assert "The post is gone" in terminal.until(PROMPT)
        terminal.press("y")
        terminal.until("Not done: nobody sees it any more")
        assert terminal.ended() == 0

    assert stored.read_now(decisions.last_id) == 0


def test_an_appeal_is_upheld_by_a_lead_with_a_reason_and_shown_to_nobody_else(config: Path, stored: Database) -> None:
    now = int(time.time() * 1e6)
    apply(stored, judged("post", CIDS[0]), by=issuer(now))
    asked = Reported(APPEAL, Subject(uri("post"), CIDS[0]), "this is satire")
    stored.write_now(take_appeal, SRC, Reports(), asked, AUTHOR, True, now)
    with Terminal("review", str(config), "--as", "ann") as terminal:
        terminal.until("Nothing waits.")
    with Terminal("review", str(config), "--as", "ben") as terminal:
        screen = terminal.until(PROMPT)
        assert "this is satire" in screen
        assert "machine: label plainsky-test (issued)" in screen
        terminal.press("y")
        terminal.until("may read: ")
        terminal.press("\n")
        terminal.until("Nothing was decided.")
        terminal.until(PROMPT)
        terminal.press("y")
        terminal.until("may read: ")
        terminal.press("it is marked as satire\n")
        terminal.until("Nothing waits.")
        assert terminal.ended() == 0

    stored.write_now(issuer(now).issue, now)
    assert [bool(row[4]) for row in log_rows(stored)] == [False, True]
    assert stored.read_now(matters.appeals_in_public)["upheld"] == 1


def test_an_appeal_against_two_labels_is_decided_label_by_label(config: Path, stored: Database) -> None:
    now = int(time.time() * 1e6)
    apply(stored, judged("post", CIDS[0], by=judge("auto", "plainsky-test", "second-label")), by=issuer(now))
    stored.write_now(take_appeal, SRC, Reports(), Reported(APPEAL, Subject(uri("post"), CIDS[0]), "satire"), AUTHOR, True, now)
    with Terminal("review", str(config), "--as", "ben") as terminal:
        terminal.until(PROMPT)
        terminal.press("y")
        terminal.until("may read: ")
        terminal.press("it is marked as satire\n")
        terminal.until('"plainsky-test" not fit?')
        terminal.press("y")
        terminal.until('"second-label" not fit?')
        terminal.press("n")
        terminal.until("may read: ")
        terminal.press("this one holds\n")
        terminal.until("Nothing waits.")
        assert terminal.ended() == 0

    stored.write_now(issuer(now).issue, now)
    assert [(row[3], bool(row[4])) for row in log_rows(stored)][2:] == [("plainsky-test", True)]
    assert stored.read_now(matters.appeals_in_public) == {"open": 0, "upheld": 1, "rejected": 1}


def test_blind_questions_show_the_words_and_nothing_of_what_the_machine_found(config: Path, stored: Database) -> None:
    candidate(stored)
    with Terminal("review", str(config), "--as", "ann", "--sample", "--label", "second-label", "--count", "5") as terminal:
        screen = terminal.until(PROMPT)
        terminal.press("n")
        told = terminal.until("0 not known")
        assert terminal.ended() == 0

    assert "a chart" in screen
    assert "context" not in screen
    assert 'does "second-label" fit?' in screen
    assert [words for words in (uri("post"), "gtube", "signal", "before:") if words in screen] == []
    assert "There is no post left to ask about." in told
    assert "second-label, found by the machine: 0 yes, 1 no" in told
    assert [(one.answer, one.posts) for one in stored.read_now(blind.tallies)] == [("no", 1)]


def test_ctrl_c_leaves_the_terminal_as_it_was(config: Path, stored: Database) -> None:
    candidate(stored)
    with Terminal("review", str(config), "--as", "ann") as terminal:
        terminal.until(PROMPT)
        before = len(stored.read_now(decisions.of_uri, uri("post")))
        terminal.press("\x03")
        assert terminal.ended() == 130
    assert len(stored.read_now(decisions.of_uri, uri("post"))) == before


def test_only_moderators_review_and_only_in_a_terminal(config: Path, stored: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal("review", str(config), "--as", "carl") as terminal:
        terminal.until("carl is no moderator: plainsky moderators add carl")
        assert terminal.ended() == 2
    assert main(["review", str(config), "--as", "ann"]) == 2
    assert "needs a terminal" in capsys.readouterr().err


def test_who_was_removed_during_a_sitting_decides_no_more(config: Path, stored: Database) -> None:
    candidate(stored)
    with Terminal("review", str(config), "--as", "ann") as terminal:
        terminal.until(PROMPT)
        stored.write_now(moderators.remove, "ann", NOON)
        terminal.press("n")
        terminal.until("ann is no moderator")
        assert terminal.ended() == 2
    assert stored.read_now(decisions.count_waiting) == {"person": 1}


def test_moderators_are_added_listed_and_removed(config: Path, stored: Database, capsys: pytest.CaptureFixture[str]) -> None:
    def do(*words: str) -> tuple[int, str]:
        code = main(["moderators", *words, "--config", str(config)])
        return code, "".join(capsys.readouterr())

    assert do("add", "cleo", "--role", "lead") == (0, "cleo is now a lead.\n")
    assert do("add", "cleo", "--role", "lead") == (0, "cleo is already a lead.\n")
    assert [line.split()[:2] for line in do("list")[1].splitlines()] == [["ann", "moderator"], ["ben", "lead"], ["cleo", "lead"]]
    assert do("remove", "ann") == (0, "ann decides no more; what was decided stays.\n")
    assert do("remove", "ann")[0] == 2
    assert do("add", "x y")[0] == 2
    assert do("add", "Cleo") == (2, "Cleo could not be told from cleo: choose another name\n")


def test_a_strangers_words_steer_no_terminal() -> None:
    assert plain("a\x1b[31m\u202eb\x9b\r\nc") == "a [31m b   c"
