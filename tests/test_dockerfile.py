"""The Dockerfile's steps, taken in a clean folder instead of a container: what it builds runs, from an install that is not editable."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.sharing import made_once

ROOT = Path(__file__).parents[1]
PACKAGES = ["feedgen", "labeler", "models", "plainsky"]
Step = tuple[str, str]


def stages() -> list[list[Step]]:
    """Each stage's instructions as (word, rest), continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    steps = [(word, rest) for word, rest in re.findall(r"^([A-Z]+) (.*)$", text, re.MULTILINE)]
    starts = [n for n, (word, _) in enumerate(steps) if word == "FROM"]
    return [steps[start:end] for start, end in zip(starts, [*starts[1:], len(steps)], strict=True)]


def last(word: str) -> str:
    """The final stage's instruction of that word."""
    return dict(stages()[-1])[word]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage leaves in /app."""
    return made_once(tmp_path_factory, "docker", build) / "app"


def build(folder: Path) -> None:
    shutil.copytree(libraries() / "app", folder / "app", symlinks=True)
    take(build_steps()[1], folder, {"PIP_NO_INDEX": "1"})


def build_steps() -> tuple[list[Step], list[Step]]:
    """The build stage's steps up to the libraries, and those that copy and install what is ours."""
    steps = stages()[0]
    first = next(n for n, (word, rest) in enumerate(steps) if word == "COPY" and "pyproject.toml" in rest)
    return steps[:first], steps[first:]


def take(steps: list[Step], folder: Path, environment: dict[str, str]) -> None:
    """The steps, with /src and /app in a folder."""
    source, app = folder / "src", folder / "app"
    source.mkdir(parents=True)
    for word, rest in steps:
        if word == "COPY":
            copy(rest, source)
        elif word == "RUN":
            command = re.sub(r"^python ", f"{sys.executable} ", rest.replace("/app", str(app))).replace("--no-cache-dir", "--no-compile")
            subprocess.run(command, shell=True, cwd=source, env={**os.environ, **environment}, check=True)


def libraries() -> Path:
    """The stage as far as it is the same for many test runs, kept between them as Docker keeps it: ten seconds of CPU.

    An environment may be copied: whoever is in it finds its libraries by its own place, and pip writes no script of ours before.
    """
    lock = ROOT / "requirements-postgres.lock"
    kind = hashlib.sha256(lock.read_bytes() + repr(build_steps()[0]).encode() + sys.version.encode()).hexdigest()[:16]
    folder = ROOT / ".pytest_cache" / f"libraries-{kind}"
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        take(build_steps()[0], unfinished, {})
        unfinished.rename(folder)
    return folder


def copy(rest: str, folder: Path) -> None:
    *sources, target = rest.split()
    let_in = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(sources) <= set(let_in), f".dockerignore keeps out what the Dockerfile copies: {rest}"
    for name in sources:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / target)


@pytest.mark.long
def test_the_image_brings_the_command_with_all_of_its_help(app: Path, tmp_path: Path) -> None:
    command = [app / "bin" / name for name in json.loads(last("ENTRYPOINT"))]

    printed = subprocess.run([*command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert json.loads(last("CMD"))[0] in printed


def test_the_image_holds_every_file_of_the_packages(app: Path) -> None:
    site = next(app.glob("lib/python3*/site-packages"))
    ours = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]

    missing = [str(path) for path in ours if path.suffix != ".pyc" and not (site / path).exists()]
    assert ours
    assert missing == []


def test_the_image_holds_the_example_config_that_the_demo_runs_on(app: Path, tmp_path: Path) -> None:
    program = "from plainsky.commands.demo import example; print(example(), end='')"

    printed = subprocess.run([app / "bin/python", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert printed == (ROOT / "config.example.toml").read_text()


def test_the_image_can_speak_to_postgresql_and_holds_no_tool_of_development(app: Path, tmp_path: Path) -> None:
    program = "import psycopg, importlib.util as u; print([m for m in ('pytest', 'ruff', 'mypy', 'atproto') if u.find_spec(m)])"

    assert subprocess.run([app / "bin/python", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_service_does_not_run_as_root_and_keeps_its_data_in_one_volume() -> None:
    assert last("USER") not in ("root", "0")
    assert last("WORKDIR") == last("VOLUME") == "/data"
    assert json.loads(last("CMD")) == ["run", "/data/config.toml"]


@pytest.fixture
def health() -> Iterator[tuple[int, list[int]]]:
    """A server on a port that answers the statuses of a list, one after the other."""
    statuses: list[int] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/_health"
            self.send_response(statuses.pop(0))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port, statuses
        server.shutdown()
        thread.join()


def test_the_health_check_fails_when_the_service_is_unwell_or_gone(health: tuple[int, list[int]]) -> None:
    port, statuses = health
    check = json.loads(last("HEALTHCHECK").split(" CMD ")[1].replace(":3000/", f":{port}/"))
    run = [sys.executable, *check[1:]]

    statuses += [200, 503]

    assert [subprocess.run(run, capture_output=True).returncode for _ in range(2)] == [0, 1]
    assert last("EXPOSE") == "3000" == re.findall(r"^port = (\d+)", (ROOT / "config.example.toml").read_text(), re.MULTILINE)[0]
