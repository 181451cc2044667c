"""`/why?uri=`: for each feed in or out, by which rule, at which place; and nothing of what may not be told."""

from typing import Any
from urllib.parse import quote

import attrs
import msgspec
import pytest

from feedgen.feed import Edition, Feed, Quota
from feedgen.opt_out import OptOut
from feedgen.rules import load
from models import cursors, entries, known_labels
from models.database import Database
from models.duration import duration
from plainsky.config.schema import Labeler
from tests.support.garden import account, at, created, deleted, did, record, rkey, updated, uri
from tests.support.kept import FEEDS, LABELS, SRC, Kept, feed
from tests.support.pages import CONFIG, reading
from tests.support.public import Public

GARDEN = FEEDS[0]


async def told(kept: Kept, post: str, language: str = "en", public: str | None = None) -> Any:
    """The answer for programs."""
    async with reading(kept, public=public) as reader:
        got = await reader.get(f"/why.json?uri={post}", language)
    return msgspec.json.decode(got.body)


def of(answer: Any, rkey: str) -> Any:
    """What it says of a feed."""
    return next(one for one in answer["feeds"] if one["rkey"] == rkey)


def later(kept: Kept, seconds: int) -> None:
    """The log goes on."""
    kept.database.write_now(cursors.save, "wss://relay.example", 9, at(seconds))


async def test_a_post_in_a_feed_has_its_place_its_rule_and_the_words_marked(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, number, number, "My Garden is #Garden here") for number in range(40)])

    answer = await told(kept, uri(1, 3))
    garden, cats = of(answer, "garden"), of(answer, "cats")

    assert answer["state"] == "stored"
    assert answer["post"]["text"] == [["My Garden is ", False], ["#Garden", True], [" here", False]]
    assert (garden["isIn"], garden["state"], garden["position"], garden["by"]) == (True, "shown", 37, "include[0]")
    assert garden["onPage"] == {"page": 2, "number": 7}
    assert garden["rules"] == [
        {
            "rule": "include[0]",
            "part": "include",
            "depth": 0,
            "kind": "hashtag",
            "sentence": "has the hashtag #garden",
            "language": "en",
            "holds": True,
            "words": ["garden"],
        }
    ]
    assert (cats["isIn"], cats["state"], cats["position"]) == (False, "rules", None)
    assert [one["isIn"] for one in answer["feeds"]] == [True, False, False]


async def test_the_page_says_the_same_in_the_readers_language(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1, "my #garden")])

    async with reading(kept) as reader:
        got = await reader.get(f"/why?uri={uri(1, 1)}", "nl")

    assert got.status == 200
    assert got.texts("mark") == ["#garden"]
    assert got.texts(".verdict.in h2") == ["Erin garden", "Erin quiet"]
    assert got.texts(".verdict.in p")[0].startswith("Het staat in de feed, op plaats 1.")
    assert got.texts(".says li")[0] == "ja Laat binnen heeft de hashtag #garden gevonden: garden Dit is de regel die het binnenlaat."
    assert got.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"per_author": Quota(1, duration("1d"))}, "held_author"),
        ({"per_author": Quota(1, duration("1d"), "none")}, "held_author"),
        ({"per_thread": Quota(1, duration("1d"))}, "held_thread"),
    ],
)
async def test_a_post_that_is_held_back_says_by_which_limit(database: Database, fields: dict[str, Any], state: str) -> None:
    kept = Kept(database, (attrs.evolve(GARDEN, **fields),))
    reply = {**record("my #garden", 2), "reply": {"root": {"uri": uri(1, 1)}, "parent": {"uri": uri(1, 1)}}}
    kept.store([created(1, 1, 1), msgspec.structs.replace(created(1, 2, 2), record=reply)])

    garden = of(await told(kept, uri(1, 2)), "garden")

    assert (garden["isIn"], garden["state"], garden["by"]) == (False, state, "include[0]")


async def test_a_post_beyond_the_window_is_too_old_whether_or_not_it_was_pruned(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1)])
    later(kept, 15 * 86_400)

    before = of(await told(kept, uri(1, 1)), "garden")
    database.write_now(entries.prune, kept.ids[0])
    after = of(await told(kept, uri(1, 1)), "garden")

    assert (before["isIn"], before["state"]) == (after["isIn"], after["state"]) == (False, "too_old")


async def test_an_edition_is_to_come_is_out_and_is_over(database: Database) -> None:
    edition = attrs.evolve(GARDEN, order="edition", edition=Edition(("13:00",)), window=duration("1d"))
    kept = Kept(database, (edition,))
    kept.store([created(1, 1, 1)])

    states = []
    for hours in (0.5, 2, 50):
        later(kept, int(hours * 3600))
        states.append(of(await told(kept, uri(1, 1)), "garden")["state"])

    assert states == ["edition_to_come", "shown", "edition_over"]


async def test_a_deleted_post_shows_no_text_and_is_not_asked_for_elsewhere(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1, "secret #garden"), deleted(1, 1, 2), deleted(1, 2, 3)])

    async with Public() as public:
        public.records[did(1), rkey(2)] = record("secret", 2)
        async with reading(kept, public=public.url) as reader:
            pages = [await reader.get(f"/why?uri={uri(1, number)}") for number in (1, 2)]
        answer = await told(kept, uri(1, 1), public=public.url)

    assert all("secret" not in page.body and "This post was deleted." in page.body for page in pages)
    assert (answer["state"], answer["post"], answer["feeds"]) == ("deleted", None, [])
    assert public.asked == []


@pytest.mark.parametrize(
    ("event", "state"),
    [(account(1, 5, False, "deactivated"), "inactive"), (created(1, 9, 5, "#nofeeds"), "opted_out")],
    ids=["deactivated", "opted out"],
)
async def test_a_hidden_authors_post_says_that_it_is_hidden_and_shows_no_text(database: Database, event: Any, state: str) -> None:
    kept = Kept(database, opt_out=OptOut(hashtags=("nofeeds",)))
    kept.store([created(1, 1, 1, "secret #garden"), event])

    async with Public() as public:
        public.records[did(1), rkey(7)] = record("secret #garden", 2)
        answer, other = [await told(kept, uri(1, number), public=public.url) for number in (1, 7)]

    assert "secret" not in str(answer)
    assert (answer["state"], of(answer, "garden")["state"], of(answer, "cats")["state"]) == (state, f"hidden_{state}", "rules")
    assert (other["state"], other["post"]) == (state, None)
    assert public.asked == []


async def test_an_edited_post_is_told_as_it_is_now(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1, "my #garden"), updated(1, 1, 2, "my #cats")])

    answer = await told(kept, uri(1, 1))

    assert [one["rkey"] for one in answer["feeds"] if one["isIn"]] == ["cats"]
    assert [text for text, found in answer["post"]["text"] if found] == ["#cats"]


async def test_a_post_that_was_never_stored_is_read_once_and_judged(database: Database) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1)])

    async with Public() as public:
        public.handles["name.example.org"] = did(2)
        public.records[did(2), rkey(9)] = record("a #garden elsewhere", 0)
        async with reading(kept, public=public.url) as reader:
            got = [await reader.get(f"/why?uri=https://bsky.app/profile/name.example.org/post/{rkey(9)}") for _ in range(3)][-1]
        answer = await told(kept, f"at://{did(2)}/app.bsky.feed.post/{rkey(9)}", public=public.url)

    assert got.texts("mark") == ["#garden"]
    assert (answer["state"], of(answer, "garden")["state"], of(answer, "cats")["state"]) == ("fetched", "not_met", "rules")
    assert answer["author"] == did(2)
    assert len(public.asked) == 3  # the handle and the post; and the post for another process


async def test_a_post_from_before_the_window_that_was_never_stored_is_too_old(database: Database) -> None:
    kept = Kept(database)
    later(kept, 30 * 86_400)

    async with Public() as public:
        public.records[did(2), rkey(9)] = record("a #garden", 0)
        answer = await told(kept, uri(2, 9), public=public.url)

    assert of(answer, "garden")["state"] == "too_old"


@pytest.mark.parametrize(
    ("written", "status", "state"),
    [
        ("", 400, "not_a_post"),
        ("nonsense", 400, "not_a_post"),
        ("https://bsky.app/profile/nobody.example.org/post/3abc", 404, "unknown_handle"),
        (uri(2, 2), 404, "gone"),
    ],
)
async def test_what_cannot_be_answered_is_said_so(database: Database, written: str, status: int, state: str) -> None:
    async with Public() as public, reading(Kept(database), public=public.url) as reader:
        data, page = await reader.get(f"/why.json?uri={written}"), await reader.get(f"/why?uri={written}")

    told = msgspec.json.decode(data.body)
    assert (data.status, told["state"]) == (status, state)
    assert page.status == (status if written else 200)
    assert page.texts(".said") == ([told["said"]] if written else [])


async def test_a_network_that_is_away_is_an_answer_to_come_back_to(database: Database) -> None:
    async with reading(Kept(database)) as reader:
        got = await reader.get(f"/why.json?uri={uri(2, 2)}")

    assert (got.status, got.headers["Retry-After"]) == (503, "60")


async def test_pinned_and_ending_posts_are_in_by_hand(database: Database) -> None:
    kept = Kept(database, (attrs.evolve(GARDEN, pinned=uri(1, 1), ending=uri(1, 2)),))
    kept.store([created(1, 1, 1, "no tag"), created(1, 2, 2), created(1, 3, 3)])

    states = [of(await told(kept, uri(1, number)), "garden") for number in (1, 2, 3)]

    assert [(one["isIn"], one["state"], one["position"]) for one in states] == [
        (True, "pinned", None),
        (True, "ending", None),
        (True, "shown", 2),
    ]


async def test_rules_within_rules_and_those_that_keep_out_are_told_one_by_one(database: Database) -> None:
    rules = load("all")(rules=(load("keyword")(any=("rose",)), load("none")(rules=(load("keyword")(any=("weed",)),))))
    kept = Kept(database, (Feed("roses", "Roses", (rules,), exclude=(load("language")(any=("en",)),)),))
    kept.store([created(1, 1, 1, "a rose, no weed")])

    roses = of(await told(kept, uri(1, 1), "fr"), "roses")

    assert [(one["rule"], one["depth"], one["holds"], one["words"]) for one in roses["rules"]] == [
        ("include[0]", 0, False, []),
        ("include[0].rules[0]", 1, True, ["rose"]),
        ("include[0].rules[1]", 1, False, []),
        ("include[0].rules[1].rules[0]", 2, True, ["weed"]),
        ("exclude[0]", 0, True, ["en"]),
    ]
    assert {one["language"] for one in roses["rules"]} == {"fr"}


async def test_what_labelers_say_of_a_post_counts_as_it_does_in_the_feed(database: Database) -> None:
    labeler = did(7)
    spam = load("label")(any=("spam",), by=(labeler,))
    kept = Kept(database, (Feed("clean", "Clean", GARDEN.include, exclude=(spam,)),))
    database.write_now(known_labels.keep, [known_labels.KnownLabel(uri(1, 1), labeler, "spam", "", False, at(0), 1, None)])
    kept.store([created(1, 1, 1), created(1, 2, 2)])

    labelled, other = [of(await told(kept, uri(1, number)), "clean") for number in (1, 2)]

    assert (labelled["isIn"], labelled["state"], labelled["rules"][1]["words"]) == (False, "rules", ["spam"])
    assert (other["isIn"], other["rules"][1]["holds"]) == (True, False)


async def test_alt_texts_and_link_cards_are_shown_with_what_was_found_in_them(database: Database) -> None:
    kept = Kept(database, (Feed("roses", "Roses", (load("keyword")(any=("rose",), where=("alt", "link")),)),))
    embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "a red rose"}, {"alt": ""}]}
    kept.store([msgspec.structs.replace(created(1, 1, 1, "rose"), record={**record("rose", 1), "embed": embed})])

    async with reading(kept) as reader:
        got = await reader.get(f"/why?uri={uri(1, 1)}")

    assert got.texts(".beside") == ["Alt text a red rose"]
    assert got.texts("mark") == ["rose"]
    assert got.texts(".text mark") == []


async def test_with_more_entries_before_it_than_are_counted_the_place_says_more(database: Database) -> None:
    kept = Kept(database, (feed("garden", "garden"),))
    kept.store([created(1, 1, 1)])
    rows = [(kept.ids[0], entries.SHOWN, at(2) + number, number, 0, "{}") for number in range(10_001)]
    database.write_now(entries.add_new, rows)
    later(kept, 60)

    garden = of(await told(kept, uri(1, 1)), "garden")

    assert garden["said"] == "It stands in the feed, at place 10\u202f001+."
    assert garden["onPage"] is None


async def test_where_there_is_a_labeler_every_page_and_every_answer_links_to_its_labels(database: Database) -> None:
    kept_ = Kept(database)
    kept_.store([created(1, 1, 1)])
    labels = attrs.evolve(CONFIG, labeler=Labeler(did=SRC), labels=LABELS)
    asked = f"/why?lang=nl&uri={quote(uri(1, 1))}"

    async with reading(kept_, labels) as reader:
        pages = [await reader.get(path) for path in ("/?lang=nl", "/feeds/garden?lang=nl", "/changes?lang=nl", "/status?lang=nl", asked)]
        there = await reader.get(f"/labels?lang=nl&uri={quote(uri(1, 1))}")
    async with reading(kept_) as reader:
        without = [await reader.get(path) for path in ("/", asked)]

    assert all("Labels" in page.texts(".menu a") for page in pages)
    assert f"/labels?uri={quote(uri(1, 1), safe='')}&lang=nl" in [link.attrs["href"] for link in pages[-1].html.query("main a")]
    assert there.status == 200
    assert not any("/labels" in page.body for page in without)


async def test_what_somebody_asked_is_not_told_back_at_any_length(database: Database) -> None:
    async with reading(Kept(database)) as reader:
        got = await reader.get("/why?uri=" + "x" * 7_000)

    assert got.status == 400
    assert "x" * 2_048 in got.body
    assert "x" * 2_049 not in got.body
