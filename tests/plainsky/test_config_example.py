"""config.example.toml works as it is and shows every key; the docs' examples load; hashes tell one set of rules from another."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest

from feedgen.feed import Feed, Quota
from feedgen.opt_out import OptOut
from labeler.policy import LabelPolicy
from models.duration import Duration
from plainsky.config import schema
from plainsky.config.describe import described
from plainsky.config.hashing import config_hash, rules_hash
from plainsky.config.loading import from_tables, load, parse

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"
TABLES = {
    "service": schema.Service,
    "store": schema.Store,
    "ingest": schema.Ingest,
    "identity": schema.Identity,
    "appview": schema.AppView,
    "opt_out": OptOut,
    "claims": schema.Claims,
    "log": schema.Log,
    "labeler": schema.Labeler,
    "feeds": Feed,
    "labels": LabelPolicy,
    "canary": schema.Canary,
    "recording": schema.Recording,
}
FEED: dict[str, Any] = {"rkey": "a", "name": "A", "include": [{"kind": "hashtag", "any": ["a"]}]}
MINIMAL: dict[str, Any] = {"service": {"hostname": "a.example"}, "feeds": [FEED]}


def keys(cls: Any) -> list[str]:
    """The TOML keys of a table."""
    return [field.name for field in attrs.fields(cls) if field.metadata != schema.FROM_ENVIRONMENT]


def sections(text: str) -> dict[str, str]:
    """The lines of each table, of all tables of a name together."""
    found: dict[str, str] = {}
    for name, lines in re.findall(r"^(?:# )?\[\[?(\w+)[\w.]*\]\]?(.*\n(?:(?!(?:# )?\[).*\n)*)", text, re.MULTILINE):
        found[name] = found.get(name, "") + lines
    return found


def test_the_example_works_as_it_is() -> None:
    config = load(EXAMPLE, {})

    assert config.store.url.startswith("sqlite:")
    assert config.ingest.source == "jetstream"
    assert [(label.value, label.mode, label.signals) for label in config.labels] == [("plainsky-test", "auto", ("gtube",))]
    assert len(config.feeds) >= 4


@pytest.mark.parametrize("table", TABLES)
def test_the_example_shows_every_key(table: str) -> None:
    lines = sections(EXAMPLE.read_text())[table]
    by_rules = {"include", "require", "exclude"}
    text = EXAMPLE.read_text()
    shown = {key for key in keys(TABLES[table]) if re.search(rf"^(?:# )?{key} = ", lines, re.MULTILINE) or f"[{table}.{key}." in text}
    missing = sorted({*keys(TABLES[table])} - by_rules - shown)

    assert missing == []


def test_the_example_shows_every_table_and_how_rules_include_require_and_exclude() -> None:
    text = EXAMPLE.read_text()

    assert set(keys(schema.Config)) == set(TABLES)
    assert all(f"[[feeds.{part}]]" in text for part in ("include", "require", "exclude"))
    assert all(f"{key} = " in text for key in (*keys(Quota), *keys(schema.Links)))


def test_a_key_that_the_example_shows_commented_is_right_too() -> None:
    text = re.sub(r"^# (\w+ = |\[\w+\])", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)

    assert parse(text) != load(EXAMPLE, {})


def test_what_the_example_says_is_the_default_where_it_shows_one() -> None:
    shown = tomllib.loads(EXAMPLE.read_text())
    config = load(EXAMPLE, {})
    bare = from_tables(
        {**MINIMAL, "service": {"hostname": shown["service"]["hostname"]}, "labels": [{"value": "x-y", "signals": ["gtube"]}]}
    )

    for table in ("service", "store", "ingest", "identity", "appview", "opt_out", "claims", "log", "labeler"):
        assert getattr(config, table) == getattr(bare, table)


def _documented() -> list[Any]:
    blocks = []
    for page in [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]:
        found = re.findall(r"^ *```toml\n(.*?)^ *```", page.read_text() if page.exists() else "", re.MULTILINE | re.DOTALL)
        blocks += [pytest.param(block, id=f"{page.name}-{number}") for number, block in enumerate(found)]
    return blocks


@pytest.mark.parametrize("block", _documented())
def test_an_example_in_the_docs_loads(block: str) -> None:
    """A part of a config is completed with the least that a config needs; rules alone stand in a feed."""
    tables = tomllib.loads(block)
    feeds = tables.get("feeds", MINIMAL["feeds"])
    if isinstance(feeds, dict):
        feeds = [{**FEED, **feeds}]

    assert described(from_tables({**MINIMAL, **tables, "feeds": feeds}))


def test_a_feeds_rules_have_a_hash_of_their_own() -> None:
    feed = from_tables(MINIMAL).feeds[0]
    (other,) = parse(
        'service.hostname = "b.example"\nfeeds = [{ name = "B", include = [{ any = ["a"], kind = "hashtag" }], rkey = "b" }]'
    ).feeds

    renamed = attrs.evolve(feed, name="Other", description="Other", window=Duration(1))

    assert rules_hash(feed) == rules_hash(renamed) == rules_hash(other)
    assert rules_hash(feed) != rules_hash(attrs.evolve(feed, require=feed.include))
    assert rules_hash(feed) != rules_hash(attrs.evolve(feed, exclude=feed.include))
    assert rules_hash(attrs.evolve(feed, require=feed.include)) != rules_hash(attrs.evolve(feed, exclude=feed.include))
    assert rules_hash(feed) != rules_hash(attrs.evolve(feed, per_author=Quota(1, feed.window)))


def test_two_kinds_with_the_same_keys_have_different_hashes() -> None:
    feeds = [{"rkey": kind, "name": kind, "include": [{"kind": kind, "any": ["nl"]}]} for kind in ("hashtag", "language")]
    hashtag, language = from_tables({**MINIMAL, "feeds": feeds}).feeds

    assert rules_hash(hashtag) != rules_hash(language)


def test_hashes_are_the_same_in_every_run() -> None:
    code = (
        "from plainsky.config.loading import load; from plainsky.config.hashing import config_hash, rules_hash\n"
        f"config = load({str(EXAMPLE)!r}, {{}}); print(config_hash(config), *map(rules_hash, config.feeds))"
    )
    config = load(EXAMPLE, {})
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": "77"}, capture_output=True, text=True, check=True)

    assert run.stdout.split() == [config_hash(config), *map(rules_hash, config.feeds)]
    assert len(set(run.stdout.split())) == 1 + len(config.feeds)


def test_a_feed_is_described_rule_by_rule() -> None:
    text = """
    [service]
    hostname = "a.example"
    [ingest]
    source = "replay"
    path = "recording.jsonl.zst"
    pace = 10
    [[feeds]]
    rkey = "a"
    name = "Described"
    window = "7d"
    per_author = { posts = 1, every = "1d" }
    pinned = "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/x"
    include = [{ kind = "hashtag", any = ["x", "y"] }, { kind = "keyword", any = ["z"] }]
    require = [{ kind = "language", any = ["nl"] }]
    exclude = [{ kind = "reply" }]
    [[labels]]
    value = "x-y"
    signals = ["gtube"]
    mode = "review"
    """
    words = described(parse(text))

    for part in (
        "replay of recording.jsonl.zst, 10 times as fast as it happened",
        'Feed "Described" (a)',
        "Newest first",
        "ends after 1 week",
        "has one of the hashtags #x, #y",
        "or says the word",
        "and also",
        "declares the language nl",
        "but not when it",
        "is a reply",
        "At most 1 post by one author every day",
        "Pinned to the top of the first page: at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/x",
        "For a post that sets off gtube: a person decides.",
    ):
        assert part in words
