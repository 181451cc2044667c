"""Lists, labels of others and opting out: the feeds follow what becomes known, whenever it becomes known (invariants 1, 2, 4)."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedgen.opt_out import OptOut
from labeler.signals.gtube import TEST_STRING
from models import cursors, known_labels, lists, opt_outs, posts
from models.database import Database
from models.events import Event, PostCreated, PostDeleted, PostUpdated
from models.known_labels import KnownLabel
from models.lists import Copy
from models.opt_outs import CONFIG
from plainsky.knowing.known import Known
from plainsky.pipeline.learning import learn, list_read, look_through, opted_out
from tests.support.garden import account, at, created, deleted, did, updated, uri
from tests.support.kept import SRC
from tests.support.learning import ASKING, ASKS, FRIENDS, PACK, Learning, asking, label
from tests.support.neighbours import LABELER

END = 1_000


@pytest.fixture
def kept(database: Database) -> Learning:
    return Learning(database)


# lists


def test_the_posts_of_who_is_put_on_a_list_come_in_backwards_too_and_go_when_he_is_taken_off(kept: Learning) -> None:
    kept.store([created(0, 1, 1, "hello"), created(1, 2, 2, "hello")])

    kept.read_list(FRIENDS, 0, 2)
    kept.store([created(2, 3, 3, "hello")])
    assert kept.shown("friends") == [uri(2, 3), uri(0, 1)]
    assert kept.page("friends")[0].why == f"include[0] list: {FRIENDS}"

    kept.read_list(FRIENDS, 1)
    assert kept.shown("friends") == [uri(1, 2)]


def test_a_list_in_an_exclude_takes_posts_out_and_gives_them_back(kept: Learning) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2)])
    kept.read_list(FRIENDS, 0)
    assert kept.shown("garden") == [uri(1, 2)]

    kept.read_list(FRIENDS)
    assert kept.shown("garden") == [uri(1, 2), uri(0, 1)]


def test_a_list_that_was_read_counts_from_the_start_on(kept: Learning) -> None:
    kept.read_list(PACK, 1)
    known = Known(lists=kept.database.read_now(lists.known))

    again = Learning(kept.database, known=known)
    again.store([created(1, 1, 1, "hello")])
    assert again.shown("pack") == [uri(1, 1)]


async def test_when_the_transaction_is_lost_the_old_list_counts(kept: Learning, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.store([created(0, 1, 1, "hello")])
    before = kept.storer.rooms
    copy = Copy(FRIENDS, "Friends", 1, frozenset({did(0)}))
    monkeypatch.setattr("models.feeds.bump", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await learn(kept.database, kept.storer, list_read, copy, before.with_list(copy), opts_out=False)
    monkeypatch.undo()

    assert kept.storer.rooms is before
    assert kept.database.read_now(lists.known) == {}
    kept.store([created(0, 2, 2, "hello")])
    assert kept.shown("friends") == []
    outcome = await learn(kept.database, kept.storer, list_read, copy, before.with_list(copy), opts_out=False)
    assert kept.shown("friends") == [uri(0, 2), uri(0, 1)]
    assert outcome.feeds == {kept.ids[0]}


# labels


def test_a_label_takes_a_post_out_and_its_negation_brings_it_back(kept: Learning) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2)])

    kept.hear(label(uri(0, 1)))
    assert kept.shown("clean") == [uri(1, 2)]
    assert kept.shown("flagged") == [uri(0, 1)]
    assert kept.page("flagged")[0].why == "include[0] label: spam"

    kept.hear(label(uri(0, 1), second=2, seq=2, neg=True))
    assert kept.shown("clean") == [uri(1, 2), uri(0, 1)]
    assert kept.shown("flagged") == []


def test_a_label_on_one_version_is_gone_with_the_next(kept: Learning) -> None:
    post = created(0, 1, 1)
    kept.hear(label(uri(0, 1), cid=post.cid))
    kept.store([post])
    assert kept.shown("clean") == []

    kept.store([updated(0, 1, 2, "another #garden")])
    assert kept.shown("clean") == [uri(0, 1)]


def test_a_label_ends_when_the_log_passes_its_time(kept: Learning) -> None:
    kept.store([created(0, 1, 1)])
    kept.hear(label(uri(0, 1), exp=5))
    assert kept.shown("clean") == []

    kept.pass_time(4)
    assert kept.shown("clean") == []
    kept.pass_time(5)
    assert kept.shown("clean") == [uri(0, 1)]


def test_a_label_on_an_account_is_on_all_its_posts_also_those_to_come(kept: Learning) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2)])
    kept.hear(label(did(0)))
    kept.store([created(0, 3, 3)])

    assert kept.shown("spammers") == [uri(0, 3), uri(0, 1)]
    assert kept.shown("clean") == [uri(1, 2)]
    assert kept.shown("flagged") == []


def test_labels_of_other_labelers_and_other_values_are_nothing_to_the_rules(kept: Learning) -> None:
    kept.store([created(0, 1, 1)])
    kept.hear(label(uri(0, 1), src=did(5)), label(uri(0, 1), val="rude"), label(uri(0, 1), src=SRC))

    assert kept.shown("clean") == [uri(0, 1)]


def test_our_own_labels_and_those_of_the_author_count(kept: Learning) -> None:
    flagged = created(0, 1, 1, f"#garden {TEST_STRING}")
    kept.store([flagged, asking(created(1, 2, 2), "spam"), created(2, 3, 3)])
    assert kept.shown("clean") == [uri(2, 3)]

    kept.store([updated(0, 1, 4, "#garden")])
    assert kept.shown("clean") == [uri(2, 3), uri(0, 1)]


def test_a_label_of_ours_that_runs_out_counts_no_more(kept: Learning) -> None:
    kept.store([created(0, 1, 1, f"#garden {TEST_STRING}")])
    assert kept.shown("clean") == []

    kept.pass_time(29 * 86_400)
    assert kept.shown("clean") == []
    kept.pass_time(31 * 86_400)
    assert kept.shown("clean") == [uri(0, 1)]


def test_a_late_repeat_of_a_label_does_not_undo_its_negation(kept: Learning) -> None:
    kept.store([created(0, 1, 1)])
    kept.hear(label(uri(0, 1), second=3, seq=9, neg=True))
    kept.hear(label(uri(0, 1), second=2, seq=8))

    assert kept.shown("clean") == [uri(0, 1)]


def test_labels_are_stored_with_their_cursor_or_not_at_all(kept: Learning, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.store([created(0, 1, 1)])
    monkeypatch.setattr("models.feeds.bump", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        kept.hear(label(uri(0, 1)), cursor=7)
    monkeypatch.undo()

    assert kept.database.read_now(cursors.of_host, "labels x") is None
    assert kept.shown("clean") == [uri(0, 1)]
    kept.hear(label(uri(0, 1)), cursor=7)
    assert kept.database.read_now(cursors.of_host, "labels x") == (7, 0)


def test_old_labels_on_posts_are_forgotten_and_those_on_accounts_stay(database: Database) -> None:
    told = [label(uri(0, 1), second=1), label(uri(0, 2), second=9), label(did(0), second=1)]
    database.write_now(known_labels.keep, told)

    assert database.write_now(known_labels.prune, at(5), 10) == 1
    left = database.read_now(known_labels.standing, [uri(0, 1), uri(0, 2), did(0)], 0)
    assert {one.uri for one in left} == {uri(0, 2), did(0)}


def test_what_no_rule_asks_for_any_more_is_forgotten(database: Database) -> None:
    told = [label(did(0)), label(did(0), val="rude"), label(did(0), src=did(5))]
    database.write_now(known_labels.keep, told)
    database.write_now(known_labels.forget, {LABELER: {"spam"}})

    assert [one[1:3] for one in database.read_now(known_labels.standing, [did(0)], 0)] == [(LABELER, "spam")]


# opting out

WAYS = {
    "by a hashtag": lambda: created(0, 9, 9, "please #nofeeds"),
    "by a self-label": lambda: asking(created(0, 9, 9, "please")),
    "by a post that is an import": lambda: created(0, 9, 9, "please #nofeeds", written=-90_000),
}


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
def test_an_author_who_asks_by_a_post_is_in_no_feed_at_once_and_backwards_until_she_deletes_it(
    kept: Learning, ask: Callable[[], PostCreated]
) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2)])

    kept.store([ask(), created(0, 3, 10)])
    kept.store([created(0, 4, 11)])
    assert kept.shown("clean") == [uri(1, 2)]
    assert kept.out() == {did(0)}

    kept.store([deleted(0, 9, 12)])
    assert kept.shown("clean") == [uri(0, 4), uri(0, 3), uri(1, 2), uri(0, 1)]
    assert kept.out() == set()


def test_an_edit_takes_back_too_and_so_does_one_of_two_reasons_not(kept: Learning) -> None:
    kept.store([created(0, 1, 1), created(0, 2, 2, "#nofeeds"), created(0, 3, 3, "#NoFeeds")])
    kept.store([updated(0, 2, 4, "#garden")])
    assert kept.out() == {did(0)}

    kept.store([updated(0, 3, 5, "nothing")])
    assert kept.shown("clean") == [uri(0, 2), uri(0, 1)]


@pytest.mark.parametrize("take_back", [deleted(0, 9, 20), updated(0, 9, 20, "changed my mind")], ids=["a deletion", "an edit"])
@pytest.mark.parametrize("late", [20, 90_000], ids=["soon", "after a day, when it counts as an import"])
def test_what_was_asked_is_taken_back_also_when_the_post_is_not_stored_any_more(kept: Learning, take_back: Event, late: int) -> None:
    kept.store([created(0, 1, 1), created(0, 9, 9, "#nofeeds")])
    kept.database.write_now(lambda session: session.execute("DELETE FROM post WHERE rkey = ?", (created(0, 9, 9).rkey,)))
    assert kept.out() == {did(0)}

    last = deleted(0, 9, late) if take_back == deleted(0, 9, 20) else updated(0, 9, late, "changed my mind")
    kept.store([last])
    kept.store([created(0, 9, 9, "#nofeeds")])

    assert kept.out() == set()
    assert uri(0, 1) in kept.shown("clean")


def test_a_deleted_account_asks_for_nothing_any_more(kept: Learning) -> None:
    kept.store([created(0, 1, 1, "#nofeeds")])
    kept.store([account(0, 2, active=False, status="deleted")])
    assert kept.out() == set()

    kept.store([account(0, 3, active=True), created(0, 4, 4)])
    assert kept.shown("clean") == [uri(0, 4)]


@pytest.mark.parametrize("size", [1, 9], ids=["one by one", "at once"])
def test_what_a_deleted_account_asked_for_does_not_count_when_it_comes_back(database: Database, size: int) -> None:
    kept = Learning(database)
    gone, asked = account(0, 2, active=False, status="deleted"), created(0, 3, 3, "please #nofeeds")
    story = [created(0, 1, 1, "please #nofeeds"), gone, asked, account(0, 4, active=True), created(0, 5, 5)]
    for _ in range(2):
        for first in range(0, len(story), size):
            kept.store(story[first : first + size])

        assert (kept.out(), kept.shown("clean")) == (set(), [uri(0, 5)])


def test_an_inactive_account_that_asks_stays_away_when_it_returns(kept: Learning) -> None:
    kept.store([created(0, 1, 1), account(0, 2, active=False, status="deactivated"), created(0, 3, 3, "#nofeeds")])
    kept.store([account(0, 4, active=True)])

    assert kept.shown("clean") == []


def test_the_operator_writes_authors_down_or_keeps_them_on_a_list(kept: Learning) -> None:
    kept.store([created(0, 1, 1), created(1, 2, 2), created(2, 3, 3)])
    kept.write_down(0)
    kept.read_list(ASKING, 1, 3, opts_out=True)
    kept.store([created(3, 4, 4)])
    assert kept.shown("clean") == [uri(2, 3)]

    kept.read_list(ASKING, 0, opts_out=True)
    assert kept.shown("clean") == [uri(3, 4), uri(2, 3), uri(1, 2)]
    kept.write_down()
    assert kept.out() == {did(0)}, "the list still says so"
    kept.database.write_now(opted_out, kept.storer, {CONFIG: ()})
    assert kept.out() == set(), "a list that is configured no more says nothing"


def test_a_post_cannot_pass_for_the_operators_word(kept: Learning) -> None:
    kept.write_down(0)
    post = created(0, 1, 1, "#nofeeds")
    kept.store([PostCreated(post.did, "config", post.rev, post.cid, post.time_us, post.record)])
    kept.write_down()

    assert kept.out() == {did(0)}


def test_a_mark_that_is_new_counts_backwards_and_one_that_is_configured_no_more_counts_no_more(database: Database) -> None:
    kept = Learning(database, opt_out=None)
    kept.store([created(0, 1, 1, "#nofeeds"), created(1, 2, 2, "#leaveme"), asking(created(2, 3, 3))])
    assert kept.out() == set()

    look_through(database, kept.storer, ASKS)
    assert kept.out() == {did(0), did(2)}
    database.write_now(lambda session: session.execute("DELETE FROM post WHERE id = 3"))
    look_through(database, kept.storer, OptOut(hashtags=("leaveme",), self_labels=("no-feeds",)))
    assert kept.out() == {did(1), did(2)}, "what a post asked that is stored no more is remembered"
    look_through(database, kept.storer, OptOut())
    assert kept.out() == set()


# the laws

TEXTS = ("#garden", "#garden #nofeeds", f"#garden {TEST_STRING}", "nothing")
Step = tuple[str, tuple[Any, ...]]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """What three accounts did: each second something else."""
    alive: list[tuple[int, int]] = []
    events: list[Event] = []
    for second in range(1, draw(st.integers(2, 12))):
        author = draw(st.integers(0, 2))
        choice = draw(st.sampled_from(["create"] * 4 + ["update", "delete", "account"]))
        mine = [post for owner, post in alive if owner == author]
        if choice == "account":
            events.append(account(author, second, draw(st.booleans()), draw(st.sampled_from([None, "deactivated"]))))
        elif choice == "create" or not mine:
            alive.append((author, second))
            written = draw(st.sampled_from([None, None, -90_000]))
            events.append(created(author, second, second, draw(st.sampled_from(TEXTS)), written))
        elif choice == "update":
            events.append(updated(author, draw(st.sampled_from(mine)), second, draw(st.sampled_from(TEXTS))))
        else:
            post = draw(st.sampled_from(mine))
            alive.remove((author, post))
            events.append(deleted(author, post, second))
    return events


SUBJECTS = [*map(did, range(3)), *[uri(author, post) for author in (0, 1) for post in (1, 2)]]
KNOWN_LABELS = st.builds(
    lambda of, second, seq, neg, exp, cid: KnownLabel(of, LABELER, "spam", cid, neg, at(second), seq, exp and at(exp)),
    st.sampled_from(SUBJECTS),
    st.integers(1, 12),
    st.integers(1, 99),
    st.sampled_from([False, False, True]),
    st.sampled_from([None, 5, END - 1, 2 * END]),
    st.sampled_from(["", "", "", *[f"bafyrei{post}v{post}" for post in (1, 2, 3)]]),
)
WRITTEN = st.lists(st.frozensets(st.integers(0, 2)), max_size=2)
READINGS = st.tuples(st.sampled_from([FRIENDS, PACK, ASKING]), st.frozensets(st.integers(0, 2), max_size=3))


def facts(labels: Sequence[KnownLabel], readings: Sequence[Any], written: Sequence[Any]) -> list[Step]:
    """What becomes known; of one list or of the config the last word counts."""
    found: list[Step] = [("hear", (one,)) for one in labels]
    found += [("read_list", (where, *sorted(on))) for where, on in readings]
    return found + [("write_down", tuple(sorted(numbers))) for numbers in written]


def in_order(steps: Sequence[Step], shuffled: Sequence[Step]) -> list[Step]:
    """The shuffled steps, of which those that read a list or the config come in their own order."""
    words: dict[Any, list[Step]] = {}
    for step in steps:
        words.setdefault(_about(step), []).append(step)
    return [step if step[0] == "hear" else words[_about(step)].pop(0) for step in shuffled]


def _about(step: Step) -> Any:
    return step[1][0] if step[0] == "read_list" else step[0]


def play(kept: Learning, step: Step) -> None:
    name, values = step
    if name == "read_list":
        kept.read_list(*values, opts_out=values[0] == ASKING)
    else:
        getattr(kept, name)(*values)


def wiped(database: Database) -> Database:
    tables = "entry entry_group post account feed cursor label decision list list_member known_label opt_out setting"
    for table in tables.split():
        database.write_now(lambda session, name: session.execute(f"DELETE FROM {name}"), table)
    return database


def asking_to_be_out(history: Sequence[Event], readings: Sequence[Any], written: Sequence[Any]) -> set[str]:
    """By brute force: who has a post that asks and still stands, or is listed, or was written down."""
    texts: dict[tuple[str, str], str] = {}
    for event in history:
        if isinstance(event, PostDeleted):
            texts.pop((event.did, event.rkey), None)
        elif isinstance(event, PostCreated | PostUpdated):
            texts[event.did, event.rkey] = str(event.record["text"])
    listed = [on for where, on in readings if where == ASKING][-1:]
    numbers = frozenset().union(*listed, *written[-1:])
    return {of for (of, _), text in texts.items() if "#nofeeds" in text} | {did(number) for number in numbers}


def unique(labels: Sequence[KnownLabel]) -> list[KnownLabel]:
    """A labeler gives each seq once."""
    return list({one.seq: one for one in labels}.values())


@settings(max_examples=20)
@given(histories(), st.lists(KNOWN_LABELS, max_size=6), st.lists(READINGS, max_size=5), WRITTEN, st.data())
def test_the_feeds_are_a_function_of_log_lists_labels_and_config_whatever_the_order(
    database: Database, history: list[Event], labels: list[KnownLabel], readings: list[Any], written: list[Any], data: st.DataObject
) -> None:
    steps = facts(unique(labels), readings, written)
    shaken = data.draw(st.permutations(history + data.draw(st.lists(st.sampled_from(history), max_size=3))))
    cuts = sorted({0, len(shaken), *data.draw(st.lists(st.integers(0, len(shaken)), max_size=4))})
    batches: list[Step] = [("store", (shaken[start:end],)) for start, end in pairwise(cuts)]
    learned = in_order(steps, data.draw(st.permutations(steps)))
    repeated = [("hear", (one,)) for one in data.draw(st.lists(st.sampled_from(labels), max_size=2))] if labels else []
    mixed = _merged(data, [*learned, *[one for one in repeated if one in steps]], batches)

    kept = Learning(wiped(database))
    for step in mixed:
        play(kept, step)
    kept.pass_time(END)
    told, out = kept.everything(), kept.out()
    assert out == asking_to_be_out(history, readings, written)
    known = Known(lists=database.read_now(lists.known))
    assert Learning(database, known=known, again="!").everything() == told, "a fresh start finds the same"

    other = Learning(wiped(database))
    for step in steps:
        play(other, step)
    other.store(history)
    other.pass_time(END)
    assert (other.everything(), other.out()) == (told, out)


def _merged(data: st.DataObject, first: list[Step], second: list[Step]) -> list[Step]:
    """Both, each in its own order."""
    first, second, merged = [*first], [*second], []
    while first and second:
        merged.append((first if data.draw(st.booleans()) else second).pop(0))
    return [*merged, *first, *second]


def test_nothing_in_the_tables_of_opting_out_is_left_without_a_reason(kept: Learning) -> None:
    kept.store([created(0, 1, 1, "#nofeeds"), created(1, 2, 2, "#nofeeds")])
    kept.store([deleted(0, 1, 3), updated(1, 2, 4, "fine")])

    assert kept.database.read_now(lambda session: session.execute("SELECT * FROM opt_out")) == []
    assert kept.database.read_now(opt_outs.lists) == set()
    assert kept.database.read_now(posts.by_uri, did(1), created(1, 2, 2).rkey) is not None
