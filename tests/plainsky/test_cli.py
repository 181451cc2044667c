"""The command line: help that a newcomer understands, exit codes, and nothing imported that is not needed."""

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plainsky import __version__
from plainsky.cli import COMMANDS, main
from plainsky.commands import check
from plainsky.ingest.recording import Recorder

ROOT = Path(__file__).parents[2]


def plainsky(*words: str) -> subprocess.CompletedProcess[str]:
    """`python -m plainsky` in a process of its own."""
    return subprocess.run([sys.executable, "-m", "plainsky", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_names_every_command_with_what_it_does() -> None:
    told = plainsky("--help")

    assert told.returncode == 0
    assert all(command.name in told.stdout and command.help[:30] in told.stdout for command in COMMANDS)


def test_words_that_are_no_utf8_are_refused_before_anything_is_done() -> None:
    said = subprocess.run([sys.executable, "-m", "plainsky", "labels", "log", b"\xe9t\xe9"], cwd=ROOT, capture_output=True, check=False)

    assert (said.returncode, said.stdout) == (2, b"")
    assert said.stderr == b"'\\udce9t\\udce9': these are no letters of UTF-8; is the terminal set to another encoding?\n"


def test_without_a_command_there_is_help() -> None:
    assert plainsky().stdout == plainsky("--help").stdout


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    assert ended.value.code == 0
    assert f"usage: plainsky {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_is_a_module_that_says_what_it_does(name: str) -> None:
    module = importlib.import_module(f"plainsky.commands.{name.replace('-', '_')}")

    assert (module.__doc__ or "").startswith(f"`plainsky {name}")
    assert callable(module.run)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"plainsky {__version__}\n"


def test_a_wrong_command_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["checks"])

    assert ended.value.code == 2
    assert "no such command 'checks', did you mean 'check'?" in capsys.readouterr().err


def test_help_imports_no_room_and_no_library() -> None:
    code = (
        "import sys; from plainsky.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "sys.stderr.write(' '.join(loaded & {'attrs', 'attr', 'cattrs', 'aiohttp', 'peewee', 'feedgen', 'labeler', 'models', 'jinja2'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stderr == ""


def test_check_of_a_good_config_prints_it_and_ends_with_0() -> None:
    told = plainsky("check", "config.example.toml")

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.endswith("config.example.toml has no errors.\n")


def test_check_of_a_bad_config_tells_all_errors_and_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[service]\nhostnam = "a.example"\n[log]\nlevel = "loud"\n')
    told = plainsky("check", str(file))

    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.splitlines() == [
        f"{file} has 4 errors:",
        "  service.hostname: required key is missing",
        "  service.hostnam: unknown key, did you mean 'hostname'?",
        '  log.level: "loud": no such choice (known: debug, error, info, warning)',
        "  nothing to serve: expected at least one [[feeds]] or [[labels]] table",
    ]


def test_check_reads_config_toml_and_the_example_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    assert "config.toml has an error:\n  no such file" in capsys.readouterr().err

    Path("config.example.toml").write_text((ROOT / "config.example.toml").read_text())
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("config.example.toml has no errors.\n")

    Path("config.toml").write_text((ROOT / "config.example.toml").read_text())
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("\nconfig.toml has no errors.\n")


def test_check_tells_of_a_key_that_is_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLAINSKY_LABELER_KEY", raising=False)
    assert main(["check", str(ROOT / "config.example.toml")]) == 0
    assert "Note: there is no labeler.key yet" in capsys.readouterr().out

    monkeypatch.setenv("PLAINSKY_LABELER_KEY", "1" * 64)
    assert main(["check", str(ROOT / "config.example.toml")]) == 0
    said = capsys.readouterr().out
    assert "signing with the key from the environment" in said
    assert "refuse" not in said


def test_check_tells_of_a_key_that_run_would_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAINSKY_LABELER_KEY", "SECRET")
    assert main(["check", str(ROOT / "config.example.toml")]) == 0
    said = capsys.readouterr().out
    assert "would refuse the signing key" in said
    assert "SECRET" not in said

    monkeypatch.delenv("PLAINSKY_LABELER_KEY")
    Path("labeler.key").write_text("1" * 64)
    Path("labeler.key").chmod(0o644)
    assert main(["check", str(ROOT / "config.example.toml")]) == 0
    assert "would refuse the signing key. [labeler]: labeler.key: others on this machine may read" in capsys.readouterr().out


def test_an_interrupt_ends_quietly_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupted)

    assert main(["check"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_it_is_still_loading_is_no_traceback_and_a_reload_asked_too_early_ends_nothing(
    number: signal.Signals,
) -> None:
    code = f"""
import os, sys
from plainsky import cli
def import_module(name):
    os.kill(os.getpid(), {int(number)})
    return module(name)
module, cli.import_module = cli.import_module, import_module
sys.exit(cli.main(["run", "nowhere.toml"]))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert "Traceback" not in ended.stderr
    assert ended.returncode == {signal.SIGINT: 130, signal.SIGHUP: 2}[number]


def test_reload_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.toml"
    feed = '[[feeds]]\nrkey = "a"\nname = "A"\ninclude = [{ kind = "reply" }]'
    file.write_text(f'[service]\nhostname = "localhost:3000"\n[store]\nurl = "sqlite:///{tmp_path}/none.sqlite"\n{feed}\n')

    assert main(["reload", str(file)]) == 2
    assert "no running service answers" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()


def test_a_reader_that_goes_away_is_no_error_to_speak_of() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        run = subprocess.run(
            [sys.executable, "-m", "plainsky", "check", "config.example.toml"],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": ""},  # as in most shells: what is printed waits for the end
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)

    assert (run.returncode, run.stderr) == (1, b"")


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "a", "--recording", "r", "--config", "c", "--limit", "0"],
        ["verify", "a", "--recording", "r", "--config", "c", "--limit", "101"],
        ["verify", "a", "--recording", "r", "--config", "c", "--limit", "١"],
        ["feeds", "show", "a", "--limit", "1e2"],
        ["feeds", "show", "a", "--pages", "0"],
    ],
)
def test_a_number_out_of_bounds_is_told_in_one_line_with_its_bounds(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "expected a whole number from 1" in told
    assert len(told) < 140


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////nowhere/at/all.sqlite", "postgresql://nobody@127.0.0.1:1/x"])
def test_a_database_to_verify_in_that_cannot_be_used_is_told(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = tmp_path / "recording"
    Recorder(recording).close()
    words = ["verify", "solidarity", "--recording", str(recording), "--config", str(ROOT / "config.example.toml"), "--store", url]

    assert main(words) == 2
    assert "--store: the database cannot be used" in capsys.readouterr().err
