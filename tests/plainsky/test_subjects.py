"""Whether what is reported exists: as it is stored, else as the AppView and the DID directory say."""

from collections.abc import AsyncIterator

import attrs
import pytest

from labeler.reports import Subject
from models.database import Database
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.subjects import Subjects
from plainsky.config.schema import AppView, Config, Identity, Service
from tests.support.garden import created, deleted, did, uri
from tests.support.kept import Kept
from tests.support.labels import CIDS
from tests.support.public import Public
from tests.support.tokens import KEY, Directory, document

CONFIG = Config(service=Service("feeds.example.org"))


@pytest.fixture
async def public() -> AsyncIterator[Public]:
    async with Public() as server:
        yield server


@pytest.fixture
async def directory() -> AsyncIterator[Directory]:
    async with Directory() as server:
        server.documents[did(1)] = document(did(1), KEY)
        yield server


def subjects(database: Database, public: str, directory: str) -> Subjects:
    config = attrs.evolve(CONFIG, appview=AppView(public), identity=Identity(public, directory))
    return Subjects(config, database, DidDocuments(directory))


def post(author: int, number: int) -> Subject:
    return Subject(uri(author, number), CIDS[0])


async def test_a_stored_post_exists_and_a_deleted_one_does_not_and_nobody_is_asked(
    database: Database, public: Public, directory: Directory
) -> None:
    Kept(database).store([created(1, 1, 1), created(1, 2, 2), deleted(1, 2, 3)])
    asked = subjects(database, public.url, directory.url)

    assert [await asked.exists(post(1, number)) for number in (1, 2)] == [True, False]
    assert public.asked == directory.asked == []


async def test_the_appview_is_asked_once_for_a_post_that_is_not_stored(database: Database, public: Public, directory: Directory) -> None:
    public.records[did(1), uri(1, 1).rpartition("/")[2]] = {
        "$type": "app.bsky.feed.post",
        "text": "hello",
        "createdAt": "2026-01-01T12:00:00Z",
    }
    asked = subjects(database, public.url, directory.url)

    assert [await asked.exists(post(1, number)) for number in (1, 1, 9, 9)] == [True, True, False, False]
    assert len(public.asked) == 2


async def test_when_nobody_answers_nothing_is_said(database: Database, directory: Directory) -> None:
    asked = subjects(database, "http://127.0.0.1:1", "http://127.0.0.1:1")

    assert await asked.exists(post(1, 1)) is None
    assert await asked.exists(Subject(did(1))) is None


async def test_an_account_exists_as_its_directory_says_and_of_other_records_only_that_is_known(
    database: Database, public: Public, directory: Directory
) -> None:
    asked = subjects(database, public.url, directory.url)

    assert await asked.exists(Subject(did(1))) is True
    assert await asked.exists(Subject(did(2))) is False
    assert await asked.exists(Subject(f"at://{did(1)}/app.bsky.graph.list/x", CIDS[0])) is None
    assert await asked.exists(Subject(f"at://{did(2)}/app.bsky.graph.list/x", CIDS[0])) is False
    assert public.asked == []
