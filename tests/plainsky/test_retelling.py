"""The log of changes in the reader's language: every line has values, and every language says them (plainsky/pages/retelling.py)."""

import json
from pathlib import Path

import pytest

from feedgen.feed import Feed, Quota, TopicOrder
from feedgen.rules import kinds, load
from labeler.policy import LabelPolicy
from models import changes, settings
from models.changes import Change
from models.database import Database
from models.duration import duration
from plainsky.changing.changes import InForce, in_force_of, record
from plainsky.config.describe import feed_described, label_described
from plainsky.config.loading import parse
from plainsky.config.schema import Config, Service
from plainsky.config.values import feed_values, label_values
from plainsky.pages.languages import languages
from plainsky.pages.retelling import lines, retold
from plainsky.pages.sentences import in_one_line, sentence
from plainsky.pipeline.rebuilding import Plan
from tests.feedgen.test_rules_are_files import example, made
from tests.support.garden import at
from tests.support.kept import Kept
from tests.support.pages import assert_safe, reading

OTHERS = [lang for code, lang in languages().items() if code != "en"]
EXAMPLE = parse((Path(__file__).parents[2] / "config.example.toml").read_text(), "example.toml", {})
RICH = Feed(
    "rich",
    "Rich",
    (load("hashtag")(any=("rose",)), load("keyword")(any=("tulip",))),
    "Two\n lines.",
    order="topic",
    topic=TopicOrder(duration("1h"), {"rose": 2.5, "weed": -1.0}),
    per_author=Quota(3, duration("6h")),
    per_thread=Quota(1, duration("1h"), "none"),
    followed=True,
    pinned="at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3n2rcvze7a22t",
    ending="at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3n2rcw2ab7k2t",
    require=(load("language")(any=("nl",)),),
    exclude=(load("reply")(which="replies"), load("embed")(any=("video",))),
)
LABEL = LabelPolicy("doubtful", ("gtube", "claim_match"), "review", languages=("nl", "fr"), abstain=("claim_match",))


@pytest.mark.parametrize("feed", [*EXAMPLE.feeds, RICH], ids=lambda feed: feed.rkey)
def test_every_line_of_a_feeds_description_has_its_values_which_every_language_says(feed: Feed) -> None:
    described, values = feed_described(feed, 1_000_000), feed_values(feed)

    assert len(described) == len(values)
    for lang in OTHERS:
        told = [retold(value, lang) for value in values]
        assert [json.loads(value)["key"] for value, text in zip(values, told, strict=True) if text is None] in ([], ["text"])


@pytest.mark.parametrize("policy", [*EXAMPLE.labels, LABEL], ids=lambda policy: policy.value)
def test_every_line_of_a_labels_description_too(policy: LabelPolicy) -> None:
    assert len(label_described(policy, 1_000_000)) == len(label_values(policy))
    assert all(retold(value, lang) for lang in OTHERS for value in label_values(policy))


@pytest.mark.parametrize("kind", kinds())
def test_a_rule_is_told_as_on_the_feeds_page(kind: str) -> None:
    for _, table in example(kind):
        rule = made(table)
        (value,) = [value for value in feed_values(Feed("x", "X", (rule,))) if json.loads(value)["key"] == "rule"]
        for lang in OTHERS:
            assert retold(value, lang) == in_one_line(sentence(rule, "include[0]", lang))


@pytest.mark.parametrize(
    "value",
    ["", "{", "[]", "null", '{"key":"gone"}', '{"key":"rule","between":"or","rule":{"kind":"gone"}}', '{"key":"order","order":"x"}'],
)
def test_what_cannot_be_told_is_told_as_it_was_written(value: str) -> None:
    logged = changes.Logged(1, "", "", "feed", "f", "changed", None, None, ("- it was so",), None, "", "", (value,))

    assert [lines(logged, lang) for lang in OTHERS] == [[("-", "it was so", "en")]] * len(OTHERS)


def config(*words: str) -> Config:
    feed = Feed("garden", "Garden", tuple(load("hashtag")(any=(word,)) for word in words))
    return Config(Service("feeds.example.org"), feeds=(feed,))


def changed(database: Database, holds: InForce) -> None:
    database.write_now(record, holds, Plan({}, {}, {}), "Because.", at(0))


async def test_readers_see_the_difference_in_their_language_and_the_chain_holds(database: Database) -> None:
    kept = Kept(database)
    changed(database, in_force_of(config("rose", "oak"), {}))
    changed(database, in_force_of(config("tulip", "oak"), {}))

    async with reading(kept) as reader:
        pages = {code: await reader.get("/changes", code) for code in ("en", "nl", "fr")}

    assert [pages[code].texts(".diff li")[:2] for code in ("en", "nl", "fr")] == [
        ["No more: − has the hashtag #rose", "From now on: + has the hashtag #tulip"],
        ["Niet meer: − heeft de hashtag #rose", "Voortaan: + heeft de hashtag #tulip"],
        ["Ne vaut plus : − porte le hashtag #rose", "Vaut désormais : + porte le hashtag #tulip"],
    ]
    for got in pages.values():
        assert_safe(got)
    assert not pages["nl"].html.query(".diff [lang]")
    log = database.read_now(changes.all_of)
    assert changes.broken(log) is None
    assert changes.broken([{**log[0], "said": []}, *log[1:]]) is not None, "the values are hashed as well"


async def test_entries_and_settings_of_before_there_were_values_are_told_in_english(database: Database) -> None:
    """A service that is brought up to date writes no entry because of that."""
    kept, now_holds = Kept(database), in_force_of(config("rose"), {})
    old = {key: without_values(told) for key, told in (("feeds", now_holds.feeds), ("labels", now_holds.labels))}
    database.write_now(settings.put, "in force", json.dumps(old))
    database.write_now(changes.append, [Change("feed", "garden", "added", None, "aa", ("+ has the hashtag #rose",), None)], "", at(0))

    changed(database, now_holds)
    assert database.read_now(changes.head).seq == 1
    changed(database, in_force_of(config("tulip"), {}))

    async with reading(kept) as reader:
        got = await reader.get("/changes", "nl")
    assert got.texts(".diff li") == [
        "Niet meer: − heeft de hashtag #rose",
        "Voortaan: + heeft de hashtag #tulip",
        "Voortaan: + has the hashtag #rose",
    ]
    assert [each.attrs["lang"] for each in got.html.query(".diff [lang]")] == ["en"]


def without_values(told: object) -> dict[str, object]:
    assert isinstance(told, dict)
    return {name: {"hash": each.hash, "lines": list(each.lines), "window": each.window} for name, each in told.items()}
