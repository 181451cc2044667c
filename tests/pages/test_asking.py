"""Posts that were never stored are read from the public network: seldom, bounded, and nothing else through it."""

import asyncio
import logging
from collections.abc import Iterator

import attrs
import pytest

from models import accounts
from models.database import Database
from plainsky.config.schema import AppView, Identity
from plainsky.pages.asking import A_MINUTE, BYTES, KEPT, KEPT_SECONDS, Asked, Asking, Cannot, asked
from tests.support.garden import did, record, rkey
from tests.support.pages import CONFIG
from tests.support.public import Public

DID = did(1)
POST = f"at://{DID}/app.bsky.feed.post/3abc"


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """Which database it is makes no difference here."""
    database = Database(sqlite_url)
    yield database
    database.close()


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 6_000.0

    def __call__(self) -> float:
        return self.now


def asking(public: Public, database: Database, clock: Clock | None = None) -> Asking:
    config = attrs.evolve(CONFIG, appview=AppView(public.url), identity=Identity(public.url))
    return Asking(config, database, clock or Clock())


@pytest.mark.parametrize(
    ("written", "actor", "key"),
    [
        (POST, DID, "3abc"),
        (f"  {POST}\n", DID, "3abc"),
        (f"https://bsky.app/profile/{DID}/post/3abc", DID, "3abc"),
        ("https://bsky.app/profile/Name.Example.org/post/3abc?ref=x#y", "name.example.org", "3abc"),
        ("bsky.app/profile/@name.example.org/post/3abc/", "name.example.org", "3abc"),
        ("http://www.bsky.app/profile/did%3Aplc%3Abbbbbbbbbbbbbbbbbbbbbbbb/post/3abc", DID, "3abc"),
        ("at://name.example.org/app.bsky.feed.post/3abc", "name.example.org", "3abc"),
    ],
)
def test_a_post_is_named_by_its_at_uri_or_its_link(written: str, actor: str, key: str) -> None:
    assert asked(written) == Asked(actor, key)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "hello",
        "https://example.org/profile/name.example.org/post/3abc",
        "https://bsky.app.example.org/profile/name.example.org/post/3abc",
        "https://bsky.app/profile/name.example.org",
        "https://bsky.app/profile/localhost/post/3abc",
        "https://bsky.app/profile/127.0.0.1/post/3abc",
        "https://bsky.app/profile/name.example.org/post/..",
        "https://bsky.app/profile/name.example.org/post/a%2Fb",
        f"at://{DID}/app.bsky.feed.like/3abc",
        f"at://{DID}",
        "at://did:web:evil.example/../app.bsky.feed.post/3abc",
        POST + "x" * 3_000,
        "\x00",
    ],
)
def test_what_names_no_post_is_refused_without_a_question(written: str) -> None:
    with pytest.raises(Cannot, match="not_a_post"):
        asked(written)


async def test_a_post_and_a_handle_are_asked_for_once_in_some_minutes(sqlite_database: Database) -> None:
    clock = Clock()
    async with Public() as public:
        public.handles["name.example.org"], public.records[DID, "3abc"] = DID, record("hello", 0)
        ask = asking(public, sqlite_database, clock)

        for _ in range(3):
            assert await ask.did("name.example.org") == DID
            assert (await ask.post(DID, "3abc")).post.text == "hello"
        assert len(public.asked) == 2
        clock.now += KEPT_SECONDS + 1
        await ask.post(DID, "3abc")
        assert len(public.asked) == 3


async def test_that_there_is_none_is_kept_as_well(sqlite_database: Database) -> None:
    async with Public() as public:
        ask = asking(public, sqlite_database)

        for _ in range(3):
            with pytest.raises(Cannot, match="gone"):
                await ask.post(DID, "3abc")
            with pytest.raises(Cannot, match="unknown_handle"):
                await ask.did("name.example.org")
    assert len(public.asked) == 2


async def test_all_readers_together_cause_a_bounded_number_of_questions_a_minute(sqlite_database: Database) -> None:
    clock = Clock()
    async with Public() as public:
        ask = asking(public, sqlite_database, clock)
        found = await asyncio.gather(*(ask.post(DID, rkey(number)) for number in range(A_MINUTE + 40)), return_exceptions=True)

        assert [str(error) for error in found].count("busy") == 40
        assert len(public.asked) == A_MINUTE
        clock.now += 60
        with pytest.raises(Cannot, match="gone"):
            await ask.post(DID, "3new")


async def test_what_is_kept_is_bounded(sqlite_database: Database) -> None:
    clock = Clock()
    async with Public() as public:
        ask = asking(public, sqlite_database, clock)
        for number in range(KEPT + 20):
            clock.now += 1.1
            with pytest.raises(Cannot):
                await ask.post(DID, rkey(number))

    assert len(ask._kept) == KEPT


@pytest.mark.parametrize("answer", [(500, {}), (502, {}), (302, {"Location": "http://127.0.0.1:1/"})])
async def test_a_network_that_is_away_is_asked_again_the_next_time(sqlite_database: Database, answer: tuple[int, dict[str, str]]) -> None:
    async with Public() as public:
        public.records[DID, "3abc"] = record("hello", 0)
        ask = asking(public, sqlite_database)
        public.answer = answer
        with pytest.raises(Cannot, match="away"):
            await ask.post(DID, "3abc")
        public.answer = None

        assert (await ask.post(DID, "3abc")).post.text == "hello"


@pytest.mark.parametrize("body", [b"[", b"{}", b"[" * 100_000, b'{"value":1}', b'{"value":{"text":"' + b"x" * BYTES + b'"}}', b"\xff"])
async def test_whatever_is_answered_it_ends_as_an_answer_that_is_none(sqlite_database: Database, body: bytes) -> None:
    async with Public() as public:
        public.records[DID, "3abc"], public.body = record("hello", 0), body

        with pytest.raises(Cannot, match="away"):
            await asking(public, sqlite_database).post(DID, "3abc")


async def test_a_record_that_is_no_post_is_as_good_as_gone(sqlite_database: Database) -> None:
    async with Public() as public:
        public.records[DID, "3abc"] = {"$type": "app.bsky.feed.like", "text": "x"}

        with pytest.raises(Cannot, match="gone"):
            await asking(public, sqlite_database).post(DID, "3abc")


async def test_a_handle_that_was_heard_on_the_stream_is_not_asked_for(sqlite_database: Database) -> None:
    sqlite_database.write_now(accounts.learn, {"name.example.org": DID})
    async with Public() as public:
        assert await asking(public, sqlite_database).did("name.example.org") == DID
    assert public.asked == []


async def test_who_is_asked_for_stands_in_no_log(sqlite_database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Public() as public:
        public.answer = (500, {})
        with pytest.raises(Cannot):
            await asking(public, sqlite_database).did("name.example.org")

    ours = [line.getMessage() for line in caplog.records if line.name != "aiohttp.access"]  # that of the network in this test
    assert "name.example.org" not in "".join(ours)
