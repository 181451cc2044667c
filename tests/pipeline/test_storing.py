"""What a batch does to feeds, labels and cursor (docs/invariants.md 1, 2, 3, 6)."""

import pytest

from labeler.signals.gtube import TEST_STRING
from models import accounts, feeds, posts
from models.database import Database
from models.events import Event
from tests.support.garden import account, at, created, deleted, did, reset, rev, rkey, updated, uri
from tests.support.kept import Kept


@pytest.fixture
def kept(database: Database) -> Kept:
    return Kept(database)


def test_a_post_enters_the_feeds_whose_rules_it_matches_with_the_reason(kept: Kept) -> None:
    outcome = kept.store([created(0, 1, 1), created(1, 2, 2, "no tag"), created(1, 3, 3, "#Cats and #garden")])

    assert kept.shown("garden") == [uri(1, 3), uri(0, 1)]
    assert kept.shown("cats") == [uri(1, 3)]
    assert kept.page("garden")[1].why == "include[0] hashtag: garden"
    assert outcome.feeds == frozenset(kept.ids)


def test_the_cursor_is_stored_with_the_batch(kept: Kept) -> None:
    kept.store([created(0, 1, 1)], cursor=77)

    assert kept.position() == ("wss://relay.example", 77, at(1))


def test_a_batch_that_fails_leaves_nothing_behind(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.store([created(0, 1, 1)], cursor=1)
    monkeypatch.setattr("models.cursors.save", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        kept.store([created(2, 2, 2, f"#garden {TEST_STRING}"), deleted(0, 1, 3)], cursor=2)

    assert kept.shown() == [uri(0, 1)]
    assert kept.labels() == []
    monkeypatch.undo()
    kept.storer.forget()
    kept.store([created(2, 2, 2)], cursor=2)
    assert kept.shown() == [uri(2, 2), uri(0, 1)]


def test_a_deleted_post_is_gone_with_the_batch_that_tells_of_it_and_its_text_too(kept: Kept) -> None:
    kept.store([created(0, 1, 1), created(0, 2, 2)])

    kept.store([deleted(0, 1, 3)])

    assert kept.shown() == [uri(0, 2)]
    assert kept.database.read_now(posts.by_uri, did(0), rkey(1)) is None


def test_an_edit_that_no_longer_matches_takes_the_post_out_and_one_that_matches_again_brings_it_back_to_its_place(kept: Kept) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2)])

    kept.store([updated(0, 1, 5, "nothing")])
    assert kept.shown() == [uri(1, 2)]

    kept.store([updated(0, 1, 6, "again #garden")])
    assert kept.shown() == [uri(1, 2), uri(0, 1)]


def test_an_edit_that_leaves_no_post_behind_takes_the_old_one_out(kept: Kept) -> None:
    kept.store([created(0, 1, 1)])
    broken = updated(0, 1, 2, "x")
    broken.record["text"] = 7

    outcome = kept.store([broken])

    assert kept.shown() == []
    assert outcome.dropped == {"malformed_record": 1}


@pytest.mark.parametrize("status", ["deactivated", "suspended", "takendown", None])
def test_an_inactive_account_is_hidden_and_a_reactivated_one_comes_back(kept: Kept, status: str | None) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2)])

    kept.store([account(0, 3, active=False, status=status), created(0, 3, 4)])
    assert kept.shown() == [uri(1, 2)]

    kept.store([account(0, 5, active=True)])
    assert kept.shown() == [uri(0, 3), uri(1, 2), uri(0, 1)]


@pytest.mark.parametrize("status", ["desynchronized", "throttled"])
def test_an_account_that_is_active_is_shown_whatever_its_status_says(kept: Kept, status: str) -> None:
    kept.store([created(0, 1, 1), account(0, 2, active=True, status=status)])

    assert kept.shown() == [uri(0, 1)]


def test_nothing_is_kept_of_a_deleted_account(kept: Kept) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2)])

    outcome = kept.store([account(0, 3, active=False, status="deleted"), created(0, 3, 4)])

    assert kept.shown() == [uri(1, 2)]
    assert kept.database.read_now(posts.by_uri, did(0), rkey(1)) is None
    assert outcome.dropped == {"account_deleted": 1}


GONE, TAKEN = account(0, 3, active=False, status="deleted"), account(0, 5, active=False, status="takendown")


@pytest.mark.parametrize(
    ("story", "left"),
    [
        ([created(0, 1, 1), GONE, account(0, 6, active=True)], []),
        ([created(0, 1, 1), GONE, TAKEN, account(0, 6, active=True)], []),
        ([created(0, 1, 1), GONE, TAKEN, created(0, 5, 5, written=1), account(0, 6, active=True)], [5]),
        ([created(0, 1, 1), updated(0, 1, 2, "#garden"), GONE, created(0, 4, 4), account(0, 6, active=True), created(0, 7, 7)], [7]),
        ([created(0, 1, 1), GONE, account(0, 6, active=True), updated(0, 1, 7, "#garden")], [1]),
        ([account(0, 6, active=True), created(0, 1, 1), GONE], [1]),
    ],
    ids=["back", "hidden and back", "said while hidden", "said before and after", "written again", "late"],
)
@pytest.mark.parametrize("size", [1, 9], ids=["one by one", "at once"])
def test_a_deleted_account_that_comes_back_has_lost_what_it_said_wherever_batches_are_cut(
    kept: Kept, size: int, story: list[Event], left: list[int]
) -> None:
    for _ in range(2):  # told again, nothing changes
        for first in range(0, len(story), size):
            kept.store(story[first : first + size])
        assert kept.shown() == [uri(0, number) for number in left]


def test_the_labels_of_a_deleted_account_that_comes_back_are_negated(kept: Kept) -> None:
    flagged = created(0, 1, 1, TEST_STRING)
    kept.store([flagged])
    kept.store([GONE, account(0, 6, active=True)])

    assert kept.labels()[1:] == [(2, uri(0, 1), flagged.cid, 1)]


def test_an_account_event_that_comes_late_changes_nothing(kept: Kept) -> None:
    kept.store([created(0, 1, 1), account(0, 5, active=True)])

    kept.store([account(0, 3, active=False, status="deactivated")])

    assert kept.shown() == [uri(0, 1)]


def test_a_repo_reset_changes_no_feed_and_asks_for_a_look_at_what_is_left(kept: Kept) -> None:
    kept.store([created(0, 1, 1), created(0, 2, 9), reset(0, 12), reset(1, 13)])

    assert kept.shown() == [uri(0, 2), uri(0, 1)]
    waiting = kept.database.read_now(accounts.to_recheck, 10)
    assert [(one.did, one.reset_rev) for one in waiting] == [(did(0), rev(12))]


def test_a_post_dated_long_ago_is_an_import_and_kept_out(kept: Kept) -> None:
    outcome = kept.store([created(0, 1, 1, written=-86_402), created(0, 2, 2, written=-86_000)])

    assert kept.shown() == [uri(0, 2)]
    assert outcome.dropped == {"import": 1}


def test_a_delete_promotes_the_next_post_that_the_quota_held_back(kept: Kept) -> None:
    kept.store([created(0, 1, 1), created(0, 2, 2), created(0, 3, 3), created(1, 4, 4)])
    assert kept.shown("quiet") == [uri(1, 4), uri(0, 1)]

    kept.store([deleted(0, 1, 5)])
    assert kept.shown("quiet") == [uri(1, 4), uri(0, 2)]


def test_a_flagged_post_is_labelled_once_and_the_label_is_negated_with_the_same_cid_when_the_reason_is_gone(kept: Kept) -> None:
    flagged = created(0, 1, 1, f"hello {TEST_STRING}")
    kept.store([flagged])
    kept.store([flagged])
    assert kept.labels() == [(1, uri(0, 1), flagged.cid, 0)]

    assert kept.store([updated(0, 1, 2, "nothing to see")]).labelled
    assert kept.labels()[1:] == [(2, uri(0, 1), flagged.cid, 1)]


def test_a_label_is_negated_when_its_post_is_deleted(kept: Kept) -> None:
    flagged = created(0, 1, 1, TEST_STRING)
    kept.store([flagged])
    kept.store([deleted(0, 1, 2)])

    assert kept.labels() == [(1, uri(0, 1), flagged.cid, 0), (2, uri(0, 1), flagged.cid, 1)]


def test_the_labels_of_a_deleted_account_are_negated(kept: Kept) -> None:
    flagged = created(0, 1, 1, TEST_STRING)
    kept.store([flagged])
    assert kept.store([account(0, 2, active=False, status="deleted")]).labelled

    assert kept.labels() == [(1, uri(0, 1), flagged.cid, 0), (2, uri(0, 1), flagged.cid, 1)]


def test_the_versions_of_touched_feeds_rise_for_other_processes(kept: Kept) -> None:
    before = kept.database.read_now(feeds.known)
    kept.store([created(0, 1, 1)])
    after = kept.database.read_now(feeds.known)

    assert {rkey: after[rkey].version - before[rkey].version for rkey in after} == {"garden": 1, "quiet": 1, "cats": 0}
