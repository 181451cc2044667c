"""Another config while the service runs (plainsky/changing/reloading.py, plainsky/pipeline/switching.py; issue: reload)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from labeler import keys
from labeler.signals.gtube import TEST_STRING
from models import changes
from models.changes import Effect
from models.database import Database, Session
from models.events import Event
from plainsky.changing.reloading import Reloader
from plainsky.config.loading import load, parse
from plainsky.errors import OperatorError
from plainsky.ingest import Position, Sink
from plainsky.pipeline import rebuilding
from plainsky.service import Service
from tests.support.garden import created, deleted, did, updated, uri
from tests.support.neighbours import LABELER, Neighbours, label, list_uri, members

HEAD = """
[service]
hostname = "localhost:3000"
port = 0

[ingest]
source = "replay"
path = "nowhere"
batch_size = 20
batch_age = "1ms"
"""
FEED = """
[[feeds]]
rkey = "{rkey}"
name = "{rkey}"
window = "2w"
{more}
[[feeds.include]]
kind = "keyword"
any = [{words}]
"""
LABEL = """
[labeler]
key_file = "{folder}/labeler.key"
[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "{mode}"
"""
WORDS = ("rose", "tulip", "weed", "oak", "fern")


def feed(rkey: str, *words: str, more: str = "") -> str:
    return FEED.format(rkey=rkey, more=more, words=", ".join(f'"{word}"' for word in words))


class Telling:
    """A source that tells events as fast as they are taken; after `more` of them it waits until it is asked for further ones."""

    kind = "replay"

    def __init__(self, events: Iterator[Event], more: int = 10**9) -> None:
        self._events, self.told, self._more = events, list[Event](), asyncio.Semaphore(more)
        self.received = 0

    def go_on(self, more: int) -> None:
        """Tell more."""
        for _ in range(more):
            self._more.release()

    async def run(self, host: str, start: Position | None, sink: Sink) -> None:
        for event in self._events:
            await self._more.acquire()
            self.told.append(event)
            self.received += 1
            sink.put(event, self.received)
            await asyncio.sleep(0)
            await sink.room()


def garden_events() -> Iterator[Event]:
    """Posts about gardens, some of them edited or deleted later."""
    for number in range(600):
        yield created(number % 5, number, number, f"a {WORDS[number % 5]} and a {WORDS[number * 7 % 3]}")
        if number % 6 == 5:
            yield updated((number - 3) % 5, number - 3, number, f"no {WORDS[number % 4]}")
        if number % 7 == 6:
            yield deleted((number - 2) % 5, number - 2, number)


class House:
    """A service in this process, its config in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.toml"

    def write(self, *tables: str) -> None:
        """The config."""
        self.file.write_text(HEAD + "".join(tables))

    async def start(self, *tables: str) -> Service:
        self.write(*tables)
        self.service = Service(load(self.file))
        await self.service.start()
        self.reloader = Reloader(self.service, self.file)
        return self.service

    async def reload(self, *tables: str, reason: str = "") -> str:
        self.write(*tables)
        return await self.reloader.reload(reason)

    async def get(self, path: str) -> Any:
        async with aiohttp.ClientSession() as session, session.get(self.service.url + path) as answer:
            return await answer.json()

    async def shown(self, rkey: str) -> list[str]:
        """What a reader gets."""
        at = f"at://did:web:localhost%253A3000/app.bsky.feed.generator/{rkey}"
        answer = await self.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?limit=100&feed={at}")
        return [item["post"] for item in answer.get("feed", ())] if "feed" in answer else [answer["error"]]

    async def comes(self, rkey: str, posts: list[str]) -> None:
        """Wait until readers get exactly these."""
        async with asyncio.timeout(10):
            while await self.shown(rkey) != posts:  # noqa: ASYNC110 only an answer tells
                await asyncio.sleep(0.02)

    def log(self) -> list[changes.Logged]:
        return self.service.database.read_now(changes.read)

    async def store(self, *events: Event) -> None:
        source = Telling(iter(events))
        await self.service.ingest(source)


@pytest.fixture
async def house(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setenv("PLAINSKY_STORE_URL", database_url)
    made = House(tmp_path)
    yield made
    await made.service.stop()


def everything(session: Session, service: Service) -> tuple[object, dict[str, list[Any]]]:
    """How many posts there are, and all entries of each feed in whatever state, without the numbers that the database gives."""
    layout = service.storer.rooms.layout
    sql = "SELECT state, sort_at, tie, item FROM entry WHERE feed_id = ? ORDER BY state, sort_at, tie"
    rows = {feed.rkey: session.execute(sql, (feed_id,)) for feed, feed_id in zip(layout.feeds, layout.feed_ids, strict=True)}
    return session.execute("SELECT count(*), count(body) FROM post"), rows


def nth(number: int) -> tuple[str, ...]:
    """A config that differs from the one before."""
    quota = 'per_author = { posts = 2, every = "1m" }' if number % 3 == 0 else ""
    wild = feed("wild", WORDS[number % 5], WORDS[(number * 2 + 1) % 5], more=quota)
    topic = f'order = "topic"\ntopic = {{ bucket = "1h", terms = {{ rose = {number % 4 + 1}.0 }} }}'
    calm = 'per_thread = { posts = 1, every = "1h" }'
    other = feed("sorted", "rose", "weed", more=topic) if number % 2 else feed("calm", "fern", more=calm)
    return wild, other, feed("stays", "oak")


@pytest.mark.long
async def test_a_hundred_reloads_under_full_load_lose_no_event_and_end_with_the_feeds_of_a_fresh_start(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "STEP", 400)
    service = await house.start(*nth(0))
    source = Telling(garden_events(), 200)
    reading = asyncio.create_task(service.ingest(source))
    told_meanwhile = 0
    for number in range(1, 101):
        source.go_on(6)
        before = len(source.told)
        await house.reload(*nth(number))
        told_meanwhile += len(source.told) > before
    source.go_on(10**5)
    await reading

    stored = service.database.read_now(everything, service)
    assert stored == await afresh(f"sqlite:///{tmp_path}/fresh.sqlite", source.told, *nth(100))
    assert all(stored[1].values())
    assert told_meanwhile > 50  # it goes on reading meanwhile, how often depends on the machine


async def afresh(url: str, events: Sequence[Event], *tables: str) -> object:
    """`everything` of a service that had this config from the start."""
    fresh = Service(parse(HEAD + "".join(tables), "fresh.toml", {"PLAINSKY_STORE_URL": url}))
    try:
        await fresh.start()
        await fresh.ingest(Telling(iter(events)))
        return fresh.database.read_now(everything, fresh)
    finally:
        await fresh.stop()


async def test_what_readers_get_is_another_feed_from_one_answer_to_the_next(house: House) -> None:
    await house.start(feed("garden", "rose"), feed("gone", "oak"))
    await house.store(created(0, 1, 1, "a rose"), created(1, 2, 2, "a tulip"), created(1, 3, 3, "an oak"))
    rose, tulip = f"at://{did(0)}", f"at://{did(1)}"
    assert [post[: len(rose)] for post in await house.shown("garden")] == [rose]

    await house.reload(feed("garden", "tulip"), feed("new", "rose"))

    assert [post[: len(rose)] for post in await house.shown("garden")] == [tulip]
    assert [post[: len(rose)] for post in await house.shown("new")] == [rose]
    assert await house.shown("gone") == ["UnknownFeed"]
    described = await house.get("/xrpc/app.bsky.feed.describeFeedGenerator")
    assert [one["uri"].rpartition("/")[2] for one in described["feeds"]] == ["garden", "new"]


async def test_the_log_tells_what_changed_why_and_what_came_of_it(house: House) -> None:
    await house.start(feed("garden", "rose"))
    await house.store(created(0, 1, 1, "a rose"), created(1, 2, 2, "a tulip"), created(1, 3, 3, "a tulip"), created(2, 4, 4, "an oak"))

    said = await house.reload(feed("garden", "tulip"), reason="Tulips are roses, too.")

    last, first = house.log()
    assert (last.reason, last.what, last.name, last.action) == ("Tulips are roses, too.", "feed", "garden", "changed")
    assert last.effect == Effect(added=2, removed=1, authors=2)
    assert [line for line in last.diff if "rose" in line or "tulip" in line] == list(last.diff)
    assert (first.action, last.previous) == ("added", first.hash)
    assert last.before == first.after != last.after
    assert "Feed garden changed: +2, -1 of the stored posts, by 2 authors" in said


async def test_a_restart_writes_down_what_was_changed_meanwhile_and_nothing_otherwise(house: House) -> None:
    service = await house.start(feed("garden", "rose"))
    await house.store(created(0, 1, 1, "a rose and a tulip"), created(1, 2, 2, "a tulip"))
    await service.stop()
    service = await house.start(feed("garden", "rose"))
    assert len(house.log()) == 1
    await service.stop()

    await house.start(feed("garden", "tulip"))

    assert next((entry.action, entry.effect) for entry in house.log()) == ("changed", Effect(1, 0, 1))


async def test_a_window_that_is_another_is_in_the_log_with_what_it_shuts_out(house: House) -> None:
    await house.start(feed("garden", "rose"))
    await house.store(created(0, 1, 1, "a rose"), created(1, 7200, 7200, "a rose"))

    await house.reload(feed("garden", "rose").replace('"2w"', '"1h"'))

    assert house.log()[0].effect == Effect(0, 1, 1)
    assert len(await house.shown("garden")) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('kind = "keyword"', 'kind = "keywrod"'), "feeds[0].include[0].kind"),
        (lambda text: text.replace("port = 0", "port = 3001"), "service.port: takes effect at a restart only"),
        (lambda text: text + '[identity]\nplc = "https://plc.example.org"\n', "identity.plc: takes effect at a restart only"),
        (lambda text: text + "[labeler]\n", "labeler: takes effect at a restart only"),
    ],
    ids=["wrong", "port", "directory", "labeler"],
)
async def test_a_config_that_is_wrong_or_needs_a_restart_changes_nothing_and_says_why(
    house: House, change: Callable[[str], str], told: str
) -> None:
    await house.start(feed("garden", "rose"))
    await house.store(created(0, 1, 1, "a rose"))
    before = house.service.config
    house.file.write_text(change(house.file.read_text()))

    with pytest.raises(OperatorError, match=told.replace("[", r"\[").replace(".", r"\.")):
        await house.reloader.reload("")

    assert house.service.config is before
    assert len(await house.shown("garden")) == 1
    assert len(house.log()) == 1


async def test_a_reload_that_breaks_half_way_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.start(feed("garden", "rose"))
    await house.store(created(0, 1, 1, "a rose"))

    def break_down(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(rebuilding, "apply_quotas", break_down)
        with pytest.raises(RuntimeError):
            await house.reload(feed("garden", "tulip"))

    await house.store(created(1, 2, 2, "a rose and a tulip"))
    assert len(await house.shown("garden")) == 2
    await house.reload(feed("garden", "tulip"))
    assert len(await house.shown("garden")) == 1


async def test_labels_go_by_the_new_policies(house: House, tmp_path: Path) -> None:
    keys.create(tmp_path / "labeler.key")
    shadow, auto = (LABEL.format(folder=tmp_path, mode=mode) for mode in ("shadow", "auto"))
    await house.start(shadow)
    await house.store(created(0, 1, 1, f"a rose {TEST_STRING}"))

    await house.reload(auto, feed("garden", "rose"))
    await house.store(created(0, 2, 2, f"a tulip {TEST_STRING}"))

    answer = await house.get("/xrpc/com.atproto.label.queryLabels?uriPatterns=*")
    assert len(answer["labels"]) == 1
    entry = next(entry for entry in house.log() if entry.what == "label" and entry.action == "changed")
    assert entry.effect == Effect(0, 0, 0)


async def test_a_process_that_only_serves_has_the_new_feeds_when_it_reloads_too(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAINSKY_STORE_URL", postgresql_url)
    writer = House(tmp_path)
    await writer.start(feed("garden", "rose"))
    await writer.store(created(0, 1, 1, "a rose"), created(1, 2, 2, "a tulip"), created(1, 3, 3, "a tulip"))
    serving = Service(load(writer.file))
    try:
        await serving.start(writes=False)
        writer.write(feed("garden", "tulip"))
        with pytest.raises(OperatorError, match="reload it first"):
            await Reloader(serving, writer.file).reload("")
        await writer.reload(feed("garden", "tulip"))
        await Reloader(serving, writer.file).reload("")

        writer.service, kept = serving, writer.service
        assert len(await writer.shown("garden")) == 2
        writer.service = kept
    finally:
        await serving.stop()
        await writer.service.stop()


def test_the_chain_holds_and_any_change_of_an_entry_is_found(database: Database) -> None:
    change = changes.Change("feed", "garden", "added", None, "ab", ("+ é \u2028 \x7f",), Effect(1, 2, 3))
    for number in range(4):
        database.write_now(changes.append, [change], f"reason {number}", number)
    whole = database.read_now(changes.all_of)

    assert changes.broken(whole) is None
    assert msgspec.json.decode(msgspec.json.encode(whole)) == whole
    assert "entry 2 was changed" in str(changes.broken([whole[0], {**whole[1], "reason": "another"}, *whole[2:]]))
    assert "entry 2 says that it is number 3" in str(changes.broken([whole[0], *whole[2:]]))
    forged = {**whole[1], "reason": "another"}
    forged["hash"] = changes._hash(changes.canonical({key: value for key, value in forged.items() if key != "hash"}))
    assert "entry 3 does not follow" in str(changes.broken([whole[0], forged, *whole[2:]]))


async def test_lists_labelers_handles_and_opt_outs_of_the_new_config_count_for_what_was_stored_before(house: House) -> None:
    async with Neighbours() as others:
        others.lists[list_uri()] = ("Gardeners", members([1, 2]))
        others.handles["anna.example.org"] = did(3)
        await others.tell(label(uri(0, 1)))
        network = f'[appview]\nurl = "{others.url}"\n[identity]\nplc = "{others.url}"\nresolver = "{others.url}"\n'
        await house.start(network, feed("garden", "rose"))
        await house.store(*(created(author, author, author, "a rose") for author in range(5)), created(0, 1, 6, "a rose"))

        rules = {
            "listed": f'kind = "list"\nany = ["{list_uri()}"]',
            "named": 'kind = "author"\nany = ["anna.example.org"]',
            "told": f'kind = "label"\nby = ["{LABELER}"]\nany = ["spam"]',
        }
        tables = [f'[[feeds]]\nrkey = "{rkey}"\nname = "x"\nwindow = "2w"\n[[feeds.include]]\n{rule}\n' for rkey, rule in rules.items()]
        await house.reload(network, f'[opt_out]\nauthors = ["{did(2)}"]\n', *tables)

        assert await house.shown("named") == [uri(3, 3)]
        await house.comes("listed", [uri(1, 1)])
        await house.comes("told", [uri(0, 1)])
        await house.reload(network, *tables)
        assert await house.shown("listed") == [uri(2, 2), uri(1, 1)]
        assert await house.shown("told") == [uri(0, 1)]
