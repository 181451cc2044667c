"""The law of the label log, for any story of posts: who stands, who does not, in which order, and why."""

import itertools
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.issuer import Deleted, Judged
from models.database import Database
from models.post import Post
from tests.support.labels import CIDS, FLAGGED, HARMLESS, apply, deleted, judge, judged, log_rows, uri

ONE, BOTH = judge("auto", "one"), judge("auto", "one", "two")
# What a version of a post says: its cid is the hash of it.
CONTENT: dict[str, tuple[Post, frozenset[str]]] = {
    CIDS[0]: (FLAGGED, frozenset({"one"})),
    CIDS[1]: (HARMLESS, frozenset()),
    CIDS[2]: (FLAGGED, frozenset({"one", "two"})),
    CIDS[3]: (HARMLESS, frozenset()),
}
POSTS = ("a", "b", "c")
EVENT = st.tuples(st.sampled_from(POSTS), st.sampled_from([*CIDS, None]), st.integers(1, 2))
runs = itertools.count()


def item(rkey: str, cid: str | None) -> Judged | Deleted:
    if cid is None:
        return deleted(rkey)
    post, values = CONTENT[cid]
    return judged(rkey, cid, post, BOTH if "two" in values else ONE)


@settings(max_examples=30)
@given(batches=st.lists(st.lists(EVENT, min_size=1, max_size=4), max_size=6))
def test_after_any_story_exactly_the_reasons_of_the_present_versions_stand(
    database: Database, batches: list[list[tuple[str, str | None, int]]]
) -> None:
    run = next(runs)
    before = len(log_rows(database))
    now: dict[str, str | None] = {}
    for batch in batches:
        apply(database, *[item(f"{rkey}{run}", cid) for rkey, cid, repeats in batch for _ in range(repeats)])
        now.update((f"{rkey}{run}", cid) for rkey, cid, _ in batch)

    rows = log_rows(database)[before:]
    states: dict[tuple[str, str, str], list[tuple[bool, str]]] = defaultdict(list)
    for _, at, cid, val, neg, cts, *_ in rows:
        states[at, cid, val].append((bool(neg), cts))
    standing = {key for key, said in states.items() if not said[-1][0]}
    wanted = {(uri(rkey), cid, val) for rkey, cid in now.items() if cid for val in CONTENT[cid][1]}

    assert standing == wanted
    assert [row[0] for row in rows] == list(range(before + 1, before + len(rows) + 1))
    assert all(neg is bool(number % 2) for said in states.values() for number, (neg, _) in enumerate(said)), "label and negation take turns"
    assert all(row[6] == ("negate" if row[4] else "label") and row[8] for row in rows), "every label has its decision"
    by_post: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_post[row[1]].append(row[5])
    assert all(cts == sorted(set(cts)) for cts in by_post.values()), "cts rises on each post"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@settings(max_examples=20)
@given(events=st.lists(EVENT, max_size=10), cuts=st.sets(st.integers(0, 10)))
def test_the_log_is_the_same_however_the_story_is_cut_into_batches(
    database: Database, events: list[tuple[str, str | None, int]], cuts: set[int]
) -> None:
    def log(rkeys: str, edges: list[int]) -> list[tuple[str, ...]]:
        before = len(log_rows(database))
        for start, end in itertools.pairwise(edges):
            apply(database, *[item(rkey + rkeys, cid) for rkey, cid, _ in events[start:end]])
        return [(row[1].removesuffix(rkeys), *row[2:]) for row in log_rows(database)[before:]]

    run = next(runs)
    together = log(f"x{run}", [0, len(events)])
    apart = log(f"y{run}", [0, *sorted(cut for cut in cuts if 0 < cut < len(events)), len(events)])

    assert together == apart
