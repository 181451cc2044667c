"""`/` and `/feeds/<rkey>`: what a feed is, in the reader's language, and nothing that could follow the reader."""

import re
from pathlib import Path

import attrs
import feedparser
import jsonschema
import msgspec
import pytest

from feedgen.feed import Edition, Feed, Locale, Quota, TopicOrder
from feedgen.opt_out import OptOut
from feedgen.rules import load
from models import cursors
from models.cursors import Gap
from models.database import Database
from models.duration import duration
from plainsky.changing import in_force
from plainsky.config.schema import Config
from plainsky.pages.answering import calm
from plainsky.pages.facts import FeedFacts, because
from plainsky.pages.languages import languages
from plainsky.pages.site import FEW
from tests.support.garden import account, at, created, deleted, uri
from tests.support.kept import FEEDS, Kept, feed
from tests.support.pages import CONFIG, Reader, assert_safe, reading

SCHEMA = Path(__file__).parents[1] / "data" / "schemas" / "feed-facts.json"
DOCS = Path(__file__).parents[2] / "docs" / "pages.md"
PAGES = ("/", "/feeds/garden", "/why", "/changes", "/status", "/feeds/none", f"/why?uri={uri(1, 1)}", "/why?uri=nonsense")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}{% x %}&amp;\u202e #garden"
ODD = Feed(
    "od.d:1~x",
    '<b>"Odd"\'s',
    (load("keyword")(any=("<i>{{ 7*7 }}</i>", "</script>")), load("regex")(pattern="<[a-z]+>&")),
    description="</p><script>1</script>",
    locales={"nl": Locale("<u>Raar</u>", "&lt;")},
    window=duration("2w"),
)


def kept(database: Database, *feeds: Feed) -> Kept:
    """Six posts on gardens: four by one author."""
    made = Kept(database, (*FEEDS, *feeds))
    made.store([created(author, number, number) for number, author in enumerate((1, 1, 2, 1, 3, 1))])
    return made


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "nl", "fr"])
async def test_a_page_is_well_formed_loads_nothing_from_elsewhere_and_cannot_run_a_script(
    database: Database, path: str, language: str
) -> None:
    async with reading(kept(database, ODD)) as reader:
        got = await reader.get(path, language)

    assert_safe(got)
    assert got.html.query_one("html").attrs["lang"] == got.headers["Content-Language"] == language


async def test_posts_and_configs_that_mean_harm_are_shown_as_they_are_written(database: Database) -> None:
    made = kept(database, ODD)
    made.store([created(4, 50, 50, HOSTILE), created(4, 51, 51, "<i>{{ 7*7 }}</i> </script> <b>& \x00\x07")])

    async with reading(made) as reader:
        pages = [await reader.get(path, "nl") for path in ("/", "/feeds/garden", "/feeds/od.d:1~x", f"/why?uri={uri(4, 51)}")]
        start, garden, odd, why = pages

    for got in pages:
        assert_safe(got)
    assert HOSTILE.split("\u202e")[0].strip() in " ".join(start.texts(".text"))
    assert HOSTILE.split("\u202e")[0].strip() in " ".join(garden.texts(".text"))
    assert odd.texts("h1") == ["<u>Raar</u>"]
    assert "“<i>{{ 7*7 }}</i>” of “</script>”" in " ".join(odd.texts(".rules"))
    assert why.texts("mark") == ["<i>{{ 7*7 }}</i>", "</script>", "<b>&"]


async def test_the_page_of_a_feed_says_in_each_language_what_enters_and_what_is_never_looked_at(database: Database) -> None:
    async with reading(kept(database)) as reader:
        pages = {language: await reader.get("/feeds/garden", language) for language in ("en", "nl", "fr")}

    assert pages["en"].texts(".rules li") == ["has the hashtag #garden"]
    assert pages["nl"].texts(".rules li") == ["heeft de hashtag #garden"]
    assert pages["fr"].texts(".rules li") == ["porte le hashtag #garden"]
    assert "likes" in pages["en"].texts(".label dd")[1]
    assert "Nothing: no account, no address, no click." in " ".join(pages["en"].texts(".label"))


async def test_a_reader_picks_a_language_by_a_link_and_keeps_it_in_every_link(database: Database) -> None:
    async with reading(kept(database)) as reader:
        got = await reader.get("/feeds/garden?lang=fr", "nl")
        unknown = await reader.get("/feeds/garden?lang=xx", "nl")

    own = [element.attrs["href"] for element in got.html.query(".menu a, .because a")]
    assert got.html.query_one("html").attrs["lang"] == "fr"
    assert own
    assert all("lang=fr" in link for link in own)
    assert [element.attrs["lang"] for element in got.html.query(".languages a")] == ["en", "fr", "nl"]
    assert unknown.html.query_one("html").attrs["lang"] == "nl"
    assert all("lang=" not in element.attrs["href"] for element in unknown.html.query(".menu a"))


async def test_names_and_descriptions_come_in_the_readers_language_where_the_config_has_them(database: Database) -> None:
    made = Kept(database, (attrs.evolve(feed("garden", "garden"), description="All gardens.", locales={"nl": Locale("Tuinen")}),))

    async with reading(made) as reader:
        dutch, french = await reader.get("/feeds/garden", "nl"), await reader.get("/feeds/garden", "fr")

    assert (dutch.texts("h1"), french.texts("h1")) == (["Tuinen"], ["garden"])
    assert "lang" not in dutch.html.query_one("h1").attrs
    assert french.html.query_one("h1").attrs["lang"] == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"order": "oldest_first"}, "Oldest first"),
        ({"order": "edition", "edition": Edition(("07:00", "18:30"), "Europe/Brussels")}, "come out at 07:00 and 18:30 (Europe/Brussels)"),
        ({"order": "topic", "topic": TopicOrder(duration("6h"), {"rose": 2.0})}, "In stretches of 6 hours, the newest stretch first."),
        ({"per_author": Quota(2, duration("6h"))}, "At most 2 posts by one author in each stretch of 6 hours"),
        ({"per_author": Quota(1, duration("1d"), "none")}, "Authors with more than 1 post in a stretch of 1 day are left out"),
        ({"per_thread": Quota(1, duration("1d"))}, "At most 1 post of one thread"),
        ({"pinned": uri(1, 1)}, "One post is pinned to the top, the same for everybody:"),
        ({"ending": uri(1, 1)}, "The last entry says that you are caught up:"),
        ({"followed": True}, "kept in memory for up to 30 minutes, and never written down"),
    ],
    ids=str,
)
async def test_the_label_says_order_limits_and_what_is_put_in_by_hand(database: Database, fields: dict[str, object], said: str) -> None:
    made = Kept(database, (attrs.evolve(feed("garden", "garden"), **fields),))

    async with reading(made) as reader:
        got = await reader.get("/feeds/garden")

    assert said in " ".join(got.texts(".label"))


async def test_each_entry_tells_its_reason_and_leads_to_the_whole_of_it(database: Database) -> None:
    async with reading(kept(database)) as reader:
        got = await reader.get("/feeds/garden")
        link = got.html.query_one(".because a").attrs["href"]
        why = await reader.get(str(link))

    assert got.texts(".because")[0] == "Why it is here hashtags: garden Why?"
    assert why.texts(".verdict.in h2") == ["In garden"]


async def test_a_reason_that_is_no_word_of_the_post_is_told_by_the_rules_sentence(database: Database) -> None:
    made = Kept(database, (Feed("roots", "Roots", (load("reply")(which="roots"),)),))
    made.store([created(1, 1, 1)])

    async with reading(made) as reader:
        got = await reader.get("/feeds/roots", "nl")

    assert got.texts(".because") == ["Waarom het hier staat begint een draad (is geen antwoord) Waarom?"]


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("include[0] hashtag: tuin", "hashtags: tuin"),
        ("include[0] all: Brussel, gemeente", "verschillende regels samen: Brussel, gemeente"),
        ("include[0] hashtag: tuin; topic 2.50: rose 3, weed -0.5", "hashtags: tuin; onderwerp 2,50 (rose 3, weed -0.5)"),
        ("include[0] hashtag: tuin; topic 0.00", "hashtags: tuin; onderwerp 0,00"),
        ("include[0] keyword: ; topic x", "woorden: ; topic x"),
        ("something else", "something else"),
    ],
)
def test_a_served_reason_is_told_in_the_readers_language(why: str, told: str) -> None:
    assert because(FEEDS[0], why, languages()["nl"]) == told


def test_the_empty_lines_of_a_post_are_not_given_room() -> None:
    assert calm("a\n\n\n \t\n\nb\nc\n\nd") == "a\n\nb\nc\n\nd"


@pytest.mark.parametrize("form", ["", ".json", ".atom", "/feed.json"])
async def test_a_deleted_post_and_one_of_a_hidden_account_is_gone_from_every_form_at_once(database: Database, form: str) -> None:
    made = kept(database)
    made.store([created(5, 60, 60, "dahlia #garden"), created(6, 61, 61, "tulip #garden")])

    async with reading(made) as reader:
        before = await reader.get(f"/feeds/garden{form}")
        made.store([deleted(5, 60, 70), account(6, 71, False, "deactivated")])
        after = await reader.get(f"/feeds/garden{form}", If_None_Match=before.headers["ETag"])

    assert ("dahlia" in before.body, "tulip" in before.body) == (True, True)
    assert (after.status, "dahlia" in after.body, "tulip" in after.body) == (200, False, False)


@pytest.mark.parametrize("path", ["/", "/feeds/garden", "/feeds/garden.json", "/feeds/garden.atom", "/feeds/garden/feed.json"])
async def test_what_a_reader_has_already_is_not_sent_again(database: Database, path: str) -> None:
    async with reading(kept(database)) as reader:
        first = await reader.get(path)
        same = await reader.get(path, If_None_Match=first.headers["ETag"])
        since = await reader.get(path, If_Modified_Since=first.headers["Last-Modified"])
        french = await reader.get(path, "fr", If_None_Match=first.headers["ETag"])

    assert (same.status, same.body, since.status) == (304, "", 304)
    assert "no-cache" in first.headers["Cache-Control"]
    assert "Accept-Language" in first.headers["Vary"]
    assert (french.status == 200) == (french.body != first.body)


async def test_the_start_page_shows_every_feed_and_only_lists_them_when_they_are_many(database: Database) -> None:
    many = Kept(database, [feed(f"f{number}", "garden") for number in range(31)])

    async with reading(kept(database)) as reader:
        few = await reader.get("/")
    async with reading(many) as reader:
        all_ = await reader.get("/")

    assert few.texts("section.feed h2") == ["garden", "quiet", "cats"]
    assert len(all_.html.query(".index li")) == 31


async def test_a_feed_is_told_as_json_by_the_documented_schema(database: Database) -> None:
    made = kept(database)
    database.write_now(in_force.remember, {"garden": repr(made.feeds[0])}, at(0))
    database.write_now(cursors.add_gaps, [Gap("wss://relay.example", at(-100), at(-50), "OutdatedCursor")])

    async with reading(made) as reader:
        body = (await reader.get("/feeds/garden.json", "nl")).body
    told = msgspec.json.decode(body)
    jsonschema.validate(told, msgspec.json.decode(SCHEMA.read_bytes()))

    assert [one["text"] for one in told["rules"]["include"]] == ["heeft de hashtag #garden"]
    assert [entry["uri"] for entry in told["newest"]][:2] == [uri(1, 5), uri(3, 4)]
    assert told["figures"]["shown"] == 6
    assert told["figures"]["authors"] == 3
    assert told["figures"]["topAuthorShare"] == pytest.approx(4 / 6)
    assert told["figures"]["gini"] == pytest.approx(1 / 3)
    assert told["figures"]["languages"] == [{"lang": "en", "posts": 6, "share": 1.0}]
    assert told["storedAboutReaders"] == []
    assert told["inForce"]["since"] == "2026-11-20T12:00:00.000Z"
    assert [gap["cause"] for gap in told["gaps"]] == ["OutdatedCursor"]


def test_the_schema_is_that_of_what_is_told_and_the_docs_name_every_field() -> None:
    document = DOCS.read_text()

    assert msgspec.json.decode(SCHEMA.read_bytes()) == msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(FeedFacts)))
    assert [name for name in msgspec.structs.fields(FeedFacts) if f"`{name.encode_name}`" not in document] == []


async def test_held_back_posts_are_counted(database: Database) -> None:
    async with reading(kept(database)) as reader:
        told = msgspec.json.decode((await reader.get("/feeds/quiet.json")).body)

    assert (told["figures"]["shown"], told["figures"]["heldAuthor"]) == (3, 3)


async def test_a_feed_is_an_atom_feed_that_a_reader_of_news_understands(database: Database) -> None:
    made = kept(database)
    made.store([created(4, 50, 50, "<b>bold</b> & \x07 #garden ]]>")])

    async with reading(made) as reader:
        got = await reader.get("/feeds/garden.atom")
    parsed = feedparser.parse(got.body.encode())

    assert (bool(parsed.bozo), parsed.version, parsed.feed.title) == (False, "atom10", "garden")
    assert len(parsed.entries) == 7
    assert len({entry.id for entry in parsed.entries}) == 7
    assert parsed.entries[0].content[0].value == "<b>bold</b> & \ufffd #garden ]]>"
    assert parsed.entries[0].summary == "hashtags: garden"
    assert all(entry.updated_parsed and entry.author and entry.link.startswith("https://bsky.app/") for entry in parsed.entries)
    assert [link.rel for link in parsed.feed.links] == ["self", "alternate"]


async def test_a_feed_is_a_json_feed(database: Database) -> None:
    async with reading(kept(database)) as reader:
        got = await reader.get("/feeds/garden/feed.json")
    told = msgspec.json.decode(got.body)

    assert got.headers["Content-Type"] == "application/feed+json"
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert told["feed_url"] == "https://feeds.example.org/feeds/garden/feed.json"
    assert len({item["id"] for item in told["items"]}) == 6
    assert all(item["content_text"] and item["url"] and item["authors"][0]["name"] for item in told["items"])
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", item["date_published"]) for item in told["items"])


async def test_a_feed_whose_name_ends_like_a_form_is_served_as_itself(database: Database) -> None:
    made = Kept(database, (feed("a.json", "garden"), feed("a", "cats")))

    async with reading(made) as reader:
        page, data, other = [await reader.get(path) for path in ("/feeds/a.json", "/feeds/a.json.json", "/feeds/a.atom")]

    assert (page.headers["Content-Type"], page.texts("h1")) == ("text/html; charset=utf-8", ["a.json"])
    assert msgspec.json.decode(data.body)["rkey"] == "a.json"
    assert feedparser.parse(other.body).feed.title == "a"


@pytest.mark.parametrize("path", ["/feeds/none", "/feeds/%2e%2e%2f", "/feeds/\u202e"])
async def test_an_unknown_feed_is_a_page_that_says_so(database: Database, path: str) -> None:
    async with reading(kept(database)) as reader:
        got = await reader.get(path)

    assert (got.status, got.texts("h1")) == (404, ["There is no such feed here"])


async def test_authors_are_told_how_to_get_out(database: Database) -> None:
    config = Config(CONFIG.service, opt_out=OptOut(hashtags=("nofeeds",), self_labels=("no-feeds",)))

    async with reading(kept(database), config) as reader:
        got = await reader.get("/feeds/garden")
    async with reading(kept(database)) as reader:
        without = await reader.get("/feeds/garden")

    assert "Put #nofeeds on any post of yours." in got.texts(".label dd")[-1]
    assert "no-feeds" in got.texts(".label dd")[-1]
    assert without.texts(".label dd")[-1].endswith("Ask the operator, who can take you out.")


async def test_figures_are_counted_anew_once_a_minute_of_the_log_and_once_a_second_where_entries_are_few(database: Database) -> None:
    made = kept(database)

    async def shown(reader: Reader) -> int:
        return int(msgspec.json.decode((await reader.get("/feeds/garden.json")).body)["figures"]["shown"])

    async with reading(made) as reader:
        assert await shown(reader) == 6
        made.store([created(4, number, 7) for number in range(FEW)])
        assert await shown(reader) == 6 + FEW
        made.store([created(5, 8, 50)])
        assert await shown(reader) == 6 + FEW
        made.store([created(5, 9, 70)])
        assert await shown(reader) == 8 + FEW


async def test_the_chart_is_told_in_words_and_as_a_table(database: Database) -> None:
    async with reading(kept(database)) as reader:
        got = await reader.get("/feeds/garden")

    chart = got.html.query_one("svg.chart")
    assert chart.attrs["role"] == "img"
    assert {f"#{name}" for name in str(chart.attrs["aria-labelledby"]).split()} == {"#chart-title", "#chart-text"}
    assert got.texts("#chart-text")[0].startswith("6 posts between 2026-11-20")
    assert sum(int(cell) for cell in got.texts("figure details td.number")) == 6


async def test_a_followed_feed_says_whom_each_reader_sees(database: Database) -> None:
    made = Kept(database, (attrs.evolve(feed("garden", "garden"), followed=True),))
    made.store([created(1, 1, 1)])

    async with reading(made) as reader:
        told = msgspec.json.decode((await reader.get("/feeds/garden.json")).body)

    assert "follows" not in told["signals"]["never"]
    assert "your_follows" in told["signals"]["used"]
    assert told["followed"]


async def test_the_rules_are_in_force_since_the_start_that_brought_them(database: Database) -> None:
    database.write_now(in_force.remember, {"garden": "one", "gone": "x"}, at(1))
    database.write_now(in_force.remember, {"garden": "one"}, at(2))

    assert database.read_now(in_force.since, "garden", "one") == at(1)
    database.write_now(in_force.remember, {"garden": "two"}, at(3))
    assert database.read_now(in_force.since, "garden", "two") == at(3)
    assert database.read_now(in_force.since, "garden", "one") is None
    assert database.read_now(in_force.since, "gone", "x") is None


@pytest.mark.parametrize("path", ["/style.css", "/icon.svg"])
async def test_what_stands_still_may_be_kept_for_good_and_names_nothing_elsewhere(database: Database, path: str) -> None:
    async with reading(kept(database)) as reader:
        got = await reader.get(path)

    assert "immutable" in got.headers["Cache-Control"]
    assert re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", got.body) == []


async def test_a_program_that_asks_for_an_unknown_feed_gets_json(database: Database) -> None:
    async with reading(kept(database)) as reader:
        answers = [await reader.get(f"/feeds/{path}", "fr") for path in ("nowhere.json", "nowhere.atom", "nowhere/feed.json")]
        page = await reader.get("/feeds/nowhere")

    assert [(got.status, msgspec.json.decode(got.body)["error"]) for got in answers] == [(404, "NotFound")] * 3
    assert (page.status, page.html.query_one("main") is not None) == (404, True)


@pytest.mark.parametrize("path", ["/nowhere", "/feeds/", "/status/", "/wp-login.php", "/feeds/garden/x", "/%00", "//elsewhere.example"])
async def test_an_address_without_a_page_is_a_page_that_says_so(database: Database, path: str) -> None:
    async with reading(kept(database)) as reader:
        got = await reader.get(path, "nl")

    assert (got.status, got.texts("h1")) == (404, ["Zo’n pagina is hier niet"])
    assert_safe(got)


async def test_unknown_methods_and_well_known_files_are_no_pages(database: Database) -> None:
    async with reading(kept(database)) as reader:
        method, file = await reader.get("/xrpc/com.example.unknown"), await reader.get("/.well-known/atproto-did")

    assert (method.status, msgspec.json.decode(method.body)["error"]) == (501, "MethodNotImplemented")
    assert (file.status, file.body) == (404, "Not Found")
