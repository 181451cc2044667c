"""What is typed at a terminal."""

import io
import sys

import pytest

from plainsky import keyboard


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_line_in_another_encoding_is_no_answer_and_that_is_told(
    errors: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("déjà vu\n".encode("latin-1")), "utf-8", errors))

    assert keyboard.line("The reason: ") == ""
    assert "These are no letters of UTF-8" in capsys.readouterr().out


def test_a_line_comes_without_the_white_space_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("  déjà vu \n"))

    assert keyboard.line("> ") == "déjà vu"
