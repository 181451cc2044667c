"""What becomes of a post that keeps a distance from a claim that ships with the project, in sentences of our own (tests/data/distance.txt).

Each was a candidate once: "-" tells of a claim, denies, asks or mocks it, or says something that is true; "+" asserts it; "=" is
true, and no wording of a claim may be so wide that it covers it.
"""

from functools import cache
from pathlib import Path

import pytest

from labeler.claims import seed
from labeler.claims.bank import Bank, in_force
from labeler.signals import Given, Signal, load
from models.post import Post

SENTENCES = Path(__file__).parents[1] / "data" / "distance.txt"
REASON = 0.7
"""The threshold of docs/labels.md."""


@cache
def signal() -> Signal:
    return load("claim_match", Given(Bank(in_force(seed.claims(0)))))


def sentences(kind: str) -> list[tuple[str, str]]:
    lines = [line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    return [(lang, text.replace("\\n", "\n")) for sign, lang, text in lines if sign == kind]


@pytest.mark.parametrize(("lang", "text"), sentences("-"))
def test_a_post_that_keeps_a_distance_from_a_claim_is_no_candidate(lang: str, text: str) -> None:
    post = Post(text, langs=(lang,))

    assert signal().look(post) is None
    assert signal().why_not(post).reason == "abstains"


@pytest.mark.parametrize(("lang", "text"), sentences("+"))
def test_a_post_that_asserts_a_claim_is_a_candidate(lang: str, text: str) -> None:
    found = signal().look(Post(text, langs=(lang,)))

    assert found
    assert found.weight >= REASON


@pytest.mark.parametrize(("lang", "text"), sentences("="))
def test_no_claim_is_worded_so_that_it_covers_what_is_true(lang: str, text: str) -> None:
    assert signal().look(Post(text, langs=(lang,))) is None
