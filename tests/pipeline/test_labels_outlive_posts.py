"""A label may outlive its post in our store: what becomes of the post is told to the issuer all the same."""

import pytest

from labeler.signals.gtube import TEST_STRING
from models.database import Database
from models.events import Event
from tests.support.garden import account, created, deleted, updated
from tests.support.kept import Kept


@pytest.mark.parametrize(
    "event",
    [deleted(1, 1, 9), updated(1, 1, 9, "edited"), account(1, 9, False, "deleted")],
    ids=["deleted", "edited", "the account deleted"],
)
@pytest.mark.parametrize("pruned", [False, True], ids=["stored", "not stored any more"])
def test_a_label_is_negated_when_its_post_goes_also_when_the_post_is_not_stored_any_more(
    database: Database, event: Event, pruned: bool
) -> None:
    kept = Kept(database)
    kept.store([created(1, 1, 1, f"look: {TEST_STRING}")])
    assert [neg for *_, neg in kept.labels()] == [0]
    if pruned:
        database.write_now(lambda session: session.execute("DELETE FROM entry") or session.execute("DELETE FROM post"))
        kept.storer.forget()

    assert kept.store([event]).labelled

    labels = kept.labels()
    assert [neg for *_, neg in labels] == [0, 1]
    assert labels[0][1:3] == labels[1][1:3], "the same uri and cid"
