"""Those of docs/invariants.md that belong to no single room: engagement, importing, identity terms."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from feedgen.feed import Feed
from feedgen.matcher import Matcher
from feedgen.rules import load
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from labeler.signals.gtube import TEST_STRING
from models.post import Post

ROOT = Path(__file__).parents[1]
ROOMS = ("plainsky", "feedgen", "labeler", "models")

IMPORT_ALL = """
import os, pathlib, sys, threading
before = set(pathlib.Path().rglob("*"))
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
print(threading.active_count(), len(set(pathlib.Path().rglob("*")) - before), len(os.listdir("/proc/self/fd")))
"""


def modules() -> list[str]:
    """Every module of the four rooms, but for `__main__`, which runs, and migrations, which are loaded by path."""
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    names = [str(file.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__") for file in files]
    absent = "k256.libsecp256k1" if find_spec("coincurve") is None else "__main__"
    return [name for name in names if "__main__" not in name and ".migrations." not in name and absent not in name]


def test_importing_any_module_opens_no_file_and_starts_no_thread(tmp_path: Path) -> None:
    def after(names: list[str]) -> list[int]:
        command = [sys.executable, "-c", IMPORT_ALL, *names]
        done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
        return [int(word) for word in done.stdout.split()]

    assert after(modules()) == after([])


TERMS = ("women", "men", "Muslims", "Jews", "Christians", "Black people", "white people", "migrants", "Flemings", "Walloons", "gay people")


@pytest.mark.parametrize("sentence", ["{} met for lunch in the park", "{} say: " + TEST_STRING])
def test_identity_terms_change_no_verdict(sentence: str) -> None:
    judge = Judge([LabelPolicy("plainsky-test", ("gtube",), "auto")])
    verdicts = {len(judge.judge("did:plc:" + "a" * 24, Post(text=sentence.format(term)))) for term in TERMS}

    assert len(verdicts) == 1


def test_a_verdict_does_not_depend_on_the_author() -> None:
    judge = Judge([LabelPolicy("plainsky-test", ("gtube",), "auto")])
    post = Post(text=TEST_STRING)

    assert judge.judge("did:plc:" + "a" * 24, post) == judge.judge("did:plc:" + "b" * 24, post)


def test_the_table_of_posts_and_the_matcher_know_no_engagement() -> None:
    schema = (ROOT / "models" / "migrations" / "0001_first.py").read_text().lower()

    assert not [word for word in ("like_count", "likes", "repost", "follower") if word in schema]
    assert not [name for name in Post.__struct_fields__ if "like" in name or "repost" in name]
    feed = Feed(rkey="f", name="F", include=(load("hashtag")(any=("x",)),))
    assert Matcher([feed]).match("did:plc:" + "a" * 24, Post(tags=("x",)))
