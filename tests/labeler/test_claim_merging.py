"""Reports of one claim become one claim, and nothing that was read is lost."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from labeler.claims.merging import merged
from models.claims import Claim, Wording, wording_key
from tests.support.claims import claim

TEXTS = ("Cheese from Ghent cures hiccups", "Ghent cheese stops hiccups!", "Mustard makes you taller", "MUSTARD makes you taller.")
URLS = (None, "https://checks.example/a", "https://checks.example/b")


def test_the_same_wording_of_one_publisher_is_one_claim() -> None:
    (one,) = merged([], [claim(title="First"), claim("CHEESE from Ghent cures hiccups.", title="Second", url=URLS[1])])

    assert (len(one.wordings), one.url) == (1, URLS[1])


def test_two_publishers_of_one_wording_stay_two() -> None:
    assert len(merged([], [claim(), claim(publisher="Bruges Checks")])) == 2


def test_one_page_with_one_rating_is_one_claim_with_several_wordings() -> None:
    (one,) = merged([], [claim(url=URLS[1]), claim("Gentse kaas geneest de hik", "nl", url=URLS[1])])

    assert [wording.lang for wording in one.wordings] == ["en", "nl"]


def test_true_and_false_claims_of_one_page_stay_apart() -> None:
    assert len(merged([], [claim(url=URLS[1]), claim(TEXTS[2], url=URLS[1], rating="True")])) == 2


def test_the_later_fact_check_counts() -> None:
    old, new = claim(rating="False", reviewed_on="2020-01-01"), claim(rating="True", reviewed_on="2021-01-01")

    assert [one.rating for one in merged([old], [new])] == ["True"]
    assert merged([new], [old]) == []


def test_a_retired_claim_stays_retired() -> None:
    known = msgspec.structs.replace(claim(), status="retired")

    (one,) = merged([known], [claim(title="New title")])

    assert (one.status, one.title) == ("retired", "New title")


reports = st.lists(
    st.builds(
        # Nobody calls one wording true and false on the same day.
        lambda text, publisher, url: claim(
            text, publisher=publisher, url=url, rating="True" if (publisher, text[0]) == ("B", "C") else "False"
        ),
        st.sampled_from(TEXTS),
        st.sampled_from(("A", "B")),
        st.sampled_from(URLS),
    ),
    max_size=8,
)


def after(known: list[Claim], new: list[Claim]) -> list[Claim]:
    bank = {one.id: one for one in known} | {one.id: one for one in merged(known, new)}
    return list(bank.values())


@given(reports)
def test_merging_again_changes_nothing(new: list[Claim]) -> None:
    once = after([], new)

    twice = after(once, new)

    assert {one.id for one in twice} == {one.id for one in once}
    assert [one.wordings for one in twice] == [one.wordings for one in once]


@given(reports)
def test_no_wording_is_lost_and_none_stands_twice_in_a_claim(new: list[Claim]) -> None:
    bank = after([], new)

    assert {wording_key(w.text) for one in bank for w in one.wordings} == {wording_key(w.text) for one in new for w in one.wordings}
    for one in bank:
        assert len({wording_key(wording.text) for wording in one.wordings}) == len(one.wordings)


@given(reports)
def test_each_id_comes_once(new: list[Claim]) -> None:
    ids = [one.id for one in merged([], new)]

    assert len(ids) == len(set(ids))


def test_a_language_that_is_told_later_is_kept() -> None:
    (one,) = merged([claim(wordings=(Wording(TEXTS[0], ""),))], [claim()])

    assert one.wordings == (Wording(TEXTS[0], "en"),)
