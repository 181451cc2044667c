"""`plainsky demo`: feeds fill before one's eyes, without key, account or network, and nothing is left behind."""

import re
import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from plainsky.cli import main
from plainsky.commands.demo import demo_config, example, free_port
from plainsky.config.loading import parse
from plainsky.errors import OperatorError
from tests.support import programs
from tests.support.programs import Program, get_json, wait_until

RKEYS = [feed.rkey for feed in parse(example(), "config.example.toml", {}).feeds]


class Demo:
    """`plainsky demo` under way, with a temporary folder of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.port = programs.free_port()
        self.url = f"http://localhost:{self.port}"
        command = [sys.executable, "-m", "plainsky", "demo", "--port", str(self.port), *options]
        # Behind a proxy that is not there, no machine reaches the network.
        environment = {
            "PYTHONPATH": str(programs.ROOT),
            "TMPDIR": str(self.temporary),
            "https_proxy": f"http://127.0.0.1:{programs.free_port()}",
        }
        self.program = Program(command, folder / "log", environment, cwd=folder)
        self.folder = folder

    def wait(self) -> None:
        """Until it answers."""
        self.program.wait_ready(self.answers, 20)

    def answers(self) -> bool:
        try:
            return get_json(f"{self.url}/_health")[0] == 200
        except OSError:
            return False

    def get(self, path: str) -> Any:
        """An answer's JSON."""
        return get_json(self.url + path)[1]

    def feed(self, rkey: str) -> list[Any]:
        """The first page of a feed."""
        uri = quote(f"at://did:web:localhost%3A{self.port}/app.bsky.feed.generator/{rkey}")
        return list(self.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={uri}")["feed"])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"), "--sample")
    demo.wait()
    yield demo
    demo.program.kill()


@pytest.mark.parametrize("rkey", RKEYS)
def test_every_feed_of_the_example_config_holds_posts_within_seconds(demo: Demo, rkey: str) -> None:
    wait_until(lambda: len(demo.feed(rkey)) >= 2, 5, f"posts are in {rkey}")


def test_a_label_stands_within_seconds(demo: Demo) -> None:
    wait_until(lambda: bool(demo.get("/xrpc/com.atproto.label.queryLabels?uriPatterns=*")["labels"]), 10, "there is a label")


def test_it_says_what_it_plays_and_where_to_look_and_all_these_addresses_answer(demo: Demo) -> None:
    told = demo.program.log
    addresses = re.findall(r"http://\S+", told)

    assert told.startswith("Playing the bundled sample: fictional accounts, made-up posts.\n")
    assert len(addresses) == 5
    for address in addresses:
        assert address.startswith(demo.url)
        with urllib.request.urlopen(address) as answer:
            assert answer.status == 200


def test_nothing_is_published(demo: Demo) -> None:
    assert demo.get("/.well-known/did.json")["id"] == f"did:web:localhost%3A{demo.port}"


def test_the_folder_where_it_was_started_is_left_alone(demo: Demo) -> None:
    assert sorted(path.name for path in demo.folder.iterdir()) == ["log", "tmp"]


def test_after_a_signal_it_ends_well_and_nothing_is_left_behind(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--sample")
    demo.wait()
    assert [path.name.startswith("plainsky-demo-") for path in demo.temporary.iterdir()] == [True]

    assert demo.program.stop(5) == 0
    assert list(demo.temporary.iterdir()) == []
    assert "Traceback" not in demo.program.log


def test_without_network_it_says_in_one_line_that_it_plays_the_sample(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.wait()

    assert demo.program.log.splitlines()[0] == (
        "The live network cannot be reached from here, so this plays the bundled sample: fictional accounts, made-up posts."
    )
    assert demo.program.stop(5) == 0


def test_a_taken_port_is_stepped_over(demo: Demo) -> None:
    assert free_port(demo.port) != demo.port


def test_the_demos_config_is_the_example_in_a_folder_of_its_own(tmp_path: Path) -> None:
    config = demo_config(tmp_path, 3000)

    assert [feed.rkey for feed in config.feeds] == RKEYS
    assert config.store.url == f"sqlite:///{tmp_path}/plainsky.sqlite"
    assert (tmp_path / "labeler.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("port", ["0", "65536", "99999999999", "-1", "٣", "x"])
def test_a_port_that_is_none_is_told(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", f"--port={port}"])

    assert ended.value.code == 2
    assert "expected a whole number from 1 to 65535" in capsys.readouterr().err


def test_where_no_port_is_free_it_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65_535))
        taken.listen()
        with pytest.raises(OperatorError, match="no port from 65535 on"):
            free_port(65_535)
