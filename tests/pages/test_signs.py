"""`/why`: what the labeler makes of a post, and why nothing follows."""

import json
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import msgspec
import pytest

from labeler.judge import Judge
from labeler.policy import LabelPolicy
from labeler.signals.gtube import TEST_STRING
from models.database import Database
from models.events import PostCreated
from tests.support.garden import created, deleted, uri
from tests.support.kept import Kept
from tests.support.pages import Reader, assert_safe, reading
from tests.support.stance import all_given

VALUE = "likely-disinformation"
POLICIES = (
    LabelPolicy(VALUE, ("claim_match",), "review", threshold=0.5, languages=("en", "nl", "fr", "de")),
    LabelPolicy("plainsky-test", ("gtube",), "auto"),
)


@cache
def judging() -> Judge:
    return Judge(POLICIES, given=all_given())


ASSERTS = "Look! Windmills poison our drinking water with copper everywhere"
SILENT = {
    "denies": ("Windmills do not poison drinking water with copper", "abstains", "negated"),
    "asks": ("Do windmills poison drinking water with copper?", "abstains", "question"),
    "holds": ("Bicycles outnumber residents of Copenhagen", "not_false", None),
    "breakfast": ("Good morning to everybody, here is my breakfast", "no_claim", None),
}


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[Reader]:
    kept = Kept(database)
    kept.storer.rooms = msgspec.structs.replace(kept.storer.rooms, judge=judging())
    said = [ASSERTS, f"testing {TEST_STRING}", *(text for text, _, _ in SILENT.values())]
    kept.store([post(number, text) for number, text in enumerate(said)])
    async with reading(kept) as reader:
        yield reader


def post(number: int, text: str) -> PostCreated:
    event = created(0, number, number, text)
    return msgspec.structs.replace(event, record={**event.record, "langs": ["en"]})


async def labels(reader: Reader, number: int, lang: str = "en") -> list[dict[str, Any]]:
    got = await reader.get(f"/why.json?uri={uri(0, number)}&lang={lang}")
    assert got.status == 200
    return list(json.loads(got.body)["labels"])


async def test_of_a_post_that_asserts_a_claim_why_tells_the_claim_and_what_follows(reader: Reader) -> None:
    (label,) = await labels(reader, 0)

    assert (label["value"], label["state"]) == (VALUE, "review")
    assert label["said"] == "There is a reason for this label: a person decides."
    (signal,) = label["signals"]
    assert signal["found"]["claim"]["text"] == "Windmills poison drinking water with copper"
    assert signal["found"]["scorecard"]["features"]
    page = await reader.get(f"/why?uri={uri(0, 0)}")
    assert_safe(page)
    assert "Rated “False” by Ghent Checks." in " ".join(page.texts("main p"))


@pytest.mark.parametrize(("number", "reason", "doubt"), [(2 + n, *row[1:]) for n, row in enumerate(SILENT.values())], ids=SILENT)
async def test_of_one_that_does_not_it_tells_why_nothing_follows(reader: Reader, number: int, reason: str, doubt: str | None) -> None:
    (label,) = await labels(reader, number)

    assert label["state"] == "silent"
    (signal,) = label["signals"]
    assert (signal["found"], signal["silence"]) == (None, reason)
    assert (doubt in signal["doubts"]) if doubt else signal["doubts"] == []
    assert bool(signal["claim"]) == (reason != "no_claim")
    for lang in ("en", "nl", "fr"):
        page = await reader.get(f"/why?uri={uri(0, number)}&lang={lang}")
        assert_safe(page)
        assert (await labels(reader, number, lang))[0]["signals"][0]["said"] in " ".join(page.texts("main li"))


async def test_a_label_for_tests_is_told_of_only_where_it_fires(reader: Reader) -> None:
    assert [(label["value"], label["state"]) for label in await labels(reader, 1)] == [(VALUE, "silent"), ("plainsky-test", "auto")]


@pytest.mark.parametrize(
    ("options", "state"),
    [({"threshold": 50.0}, "below"), ({"languages": ("nl",)}, "language"), ({"mode": "shadow"}, "shadow"), ({"mode": "auto"}, "review")],
    ids=["too little", "in another language", "shadow", "not measured"],
)
async def test_a_reason_that_is_not_enough_is_told_as_such(database: Database, options: dict[str, Any], state: str) -> None:
    policy = LabelPolicy(VALUE, ("claim_match",), **{"mode": "review", "threshold": 0.5, **options})
    kept = Kept(database)
    judge = Judge([policy], given=all_given())
    kept.storer.rooms = msgspec.structs.replace(kept.storer.rooms, judge=judge)
    kept.store([post(0, ASSERTS)])
    async with reading(kept) as reader:
        (label,) = await labels(reader, 0)

    assert label["state"] == state


async def test_of_a_post_that_is_gone_nothing_is_told(database: Database) -> None:
    kept = Kept(database)
    kept.storer.rooms = msgspec.structs.replace(kept.storer.rooms, judge=judging())
    kept.store([post(0, ASSERTS), deleted(0, 0, 5)])
    async with reading(kept) as reader:
        assert await labels(reader, 0) == []


async def test_to_ask_is_not_counted_as_judging(database: Database) -> None:
    seen = []
    kept = Kept(database)
    judge = Judge(POLICIES, saw=lambda post, _: seen.append(post.text))
    kept.storer.rooms = msgspec.structs.replace(kept.storer.rooms, judge=judge)
    kept.store([post(0, ASSERTS)])
    async with reading(kept) as reader:
        await labels(reader, 0)

    assert seen == [ASSERTS]
