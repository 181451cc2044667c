"""Whatever the order, the repeats and the cuts, the same events give the same feeds (docs/invariants.md 2, 4)."""

import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from models.events import Event
from tests.support.garden import account, created, deleted, reset, updated
from tests.support.kept import Kept, migrated

TEXTS = ("#garden", "#cats", "#garden #cats", "nothing")


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """What three accounts did, in the order in which it happened: each second something else."""
    alive: list[tuple[int, int]] = []
    events: list[Event] = []
    for second in range(1, draw(st.integers(2, 16))):
        author = draw(st.integers(0, 2))
        choice = draw(st.sampled_from(["create"] * 4 + ["update", "delete", "account", "reset"]))
        mine = [post for owner, post in alive if owner == author]
        if choice == "create" or (choice in ("update", "delete") and not mine):
            alive.append((author, second))
            events.append(created(author, second, second, draw(st.sampled_from(TEXTS))))
        elif choice == "update":
            events.append(updated(author, draw(st.sampled_from(mine)), second, draw(st.sampled_from(TEXTS))))
        elif choice == "delete":
            post = draw(st.sampled_from(mine))
            alive.remove((author, post))
            events.append(deleted(author, post, second))
        elif choice == "account":
            events.append(account(author, second, draw(st.booleans()), draw(st.sampled_from([None, "deactivated"]))))
        else:
            events.append(reset(author, second))
    return events


@given(histories(), st.data())
def test_events_that_come_twice_late_and_in_any_order_give_the_same_feeds(
    sqlite_template: bytes, history: list[Event], data: st.DataObject
) -> None:
    shaken = data.draw(st.permutations(history + data.draw(st.lists(st.sampled_from(history), max_size=5))))
    cuts = sorted({0, len(shaken), *data.draw(st.lists(st.integers(0, len(shaken)), max_size=6))})

    with tempfile.TemporaryDirectory() as folder:
        orderly, shuffled = (migrated(Path(folder) / name, sqlite_template) for name in ("a.sqlite", "b.sqlite"))
        try:
            one, other = Kept(orderly), Kept(shuffled)
            one.store(history)
            for start, end in pairwise(cuts):
                other.store(shaken[start:end])

            assert one.everything() == other.everything()
        finally:
            orderly.close()
            shuffled.close()
