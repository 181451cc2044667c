"""The project itself keeps its promises: locks in step, scripts that run, files that name no machine."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-postgres.lock", "requirements-dev.lock"]


def pinned(lock: str) -> dict[str, str]:
    """Name -> exact version."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def wanted(lock: str) -> Iterator[Requirement]:
    """What pyproject.toml asks for, as far as this lock serves it."""
    groups, extras = PROJECT["dependency-groups"], PROJECT["project"]["optional-dependencies"]
    texts = [*PROJECT["project"]["dependencies"], *groups["build"]]
    texts += extras["postgres"] if lock != "requirements.lock" else []
    texts += groups["dev"] if lock == "requirements-dev.lock" else []
    return map(Requirement, texts)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_that_pyproject_asks_for(lock: str) -> None:
    versions = pinned(lock)

    stale = [str(wish) for wish in wanted(lock) if not wish.specifier.contains(versions.get(wish.name.lower(), "0"))]
    assert stale == [], "make lock"


def test_each_lock_holds_the_one_before_it_in_the_same_versions() -> None:
    small, middle, large = (pinned(lock).items() for lock in LOCKS)

    assert small < middle < large


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_hash_for_each_package_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()

    # One package may stand there in several versions, each for its own versions of Python.
    named = len(re.findall(r"^[A-Za-z0-9][^\s=]*==", text, re.MULTILINE))
    assert len(re.findall(r"==\S+(?: ; .*)? \\\n    --hash=sha256:", text)) == named >= len(pinned(lock)) > 20
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


def make(*arguments: str) -> str:
    """What make prints, called as from a shell even when these tests run under a make."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout


def test_make_alone_prints_every_documented_target() -> None:
    documented = re.findall(r"^([a-z0-9]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert {"demo", "test", "check", "e2e"} <= set(documented)
    assert re.findall(r"make (\w+)", make()) == documented


@pytest.mark.parametrize("command", re.findall(r"`make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text()))
def test_the_targets_that_contributing_names_exist(command: str) -> None:
    make("--dry-run", command)


@pytest.mark.parametrize(
    "script",
    [path.relative_to(ROOT) for path in (*ROOT.glob("scripts/*"), ROOT / ".ci/run", *(ROOT / "tests").glob("*/*.sh"))],
    ids=str,
)
def test_a_script_is_executable_and_its_shell_can_read_it(script: Path) -> None:
    path = ROOT / script
    shell = path.read_text().split("\n", 1)[0].split("/")[-1].removeprefix("env ")

    assert path.stat().st_mode & 0o111
    subprocess.run([shell, "-n", path], check=True)


def test_a_python_without_ensurepip_and_without_a_way_to_get_it_is_told_what_to_do(tmp_path: Path) -> None:
    """As Debian's python3 is without the package python3-venv."""
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *version_info*) exit 0 ;; *) exit 1 ;; esac\n')
    python.chmod(0o755)
    for name in ("sh", "dirname", "rm", "cat"):
        (tmp_path / name).symlink_to(Path("/bin") / name if (Path("/bin") / name).exists() else Path("/usr/bin") / name)

    done = subprocess.run([ROOT / "scripts/make-venv", tmp_path / "venv"], env={"PATH": str(tmp_path)}, capture_output=True, text=True)

    assert done.returncode == 1
    assert "sudo apt-get install python3-venv" in done.stderr.splitlines()[-1]


def test_a_machine_without_a_new_enough_python_is_told_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "scripts/make-venv", tmp_path / "venv"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr.startswith("Plainsky needs Python 3.11 or newer")) == (1, True)


def test_a_database_that_cannot_be_had_is_a_skip_here_and_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support import cannot_run

    monkeypatch.delenv("PLAINSKY_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="NOT TESTED: there is no PostgreSQL"):
        cannot_run("there is no PostgreSQL")
    monkeypatch.setenv("PLAINSKY_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="there is no PostgreSQL"):
        cannot_run("there is no PostgreSQL")
