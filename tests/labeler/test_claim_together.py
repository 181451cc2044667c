"""What shared words tell together: names count once, what always comes together tells little, order and nearness count."""

import math
from itertools import pairwise

import pytest

from labeler.claims import seed
from labeler.claims.features import OF_NO_SUMMARY
from labeler.claims.index import Index, built
from labeler.claims.matching import Matcher
from labeler.claims.together import densest, groups, in_order, longest_run, near_pairs, neighbours, surprises
from labeler.claims.vocabulary import background
from models.claims import Wording
from tests.support.claims import claim

WEIGHTS = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([], [4.0, 3.0, 2.0]),
        ([(1, 2)], [4.0, 3.0]),
        ([(3, 2), (2, 1)], [4.0]),
        ([(1, 5)], [4.0, 3.0, 2.0]),
    ],
)
def test_the_words_of_a_name_are_one_group_by_their_rarest(pairs: list[tuple[int, int]], found: list[float]) -> None:
    assert groups([1, 2, 3], pairs, WEIGHTS) == found


def bank(*texts: str) -> tuple[Index, dict[str, int]]:
    """An index of claims in the order of their texts before those of the seed, and the numbers of the words."""
    index = built([*[claim(text, id=str(n)) for n, text in enumerate(texts)], *seed.claims(0)], background())
    return index, {term: number for number, term in enumerate(index.vocabulary.terms)}


def test_a_word_that_always_comes_with_a_rarer_one_tells_little_beside_it() -> None:
    index, term = bank("Zorglub met Quixnar", "Quixnar sued Zorglub", "Quixnar and Zorglub danced", "Zorglub ate mustard")

    together = surprises([term["zorglub"], term["quixnar"]], [], index, range(3, 4))
    apart = surprises([term["mustard"], term["danc"]], [], index, range(3, 4))

    weights = index.vocabulary.weights
    assert max(together.values()) == pytest.approx(weights[term["quixnar"]])
    assert min(together.values()) == pytest.approx(max(0.0, -math.log(3.02 / 3.5)))
    assert sum(apart.values()) > sum(together.values())


def test_what_comes_together_in_the_claims_own_wordings_alone_is_no_habit() -> None:
    wordings = tuple(Wording(text, "en") for text in ("Zorglub met Quixnar", "Quixnar met Zorglub", "Zorglub saw Quixnar"))
    index = built([claim(wordings[0].text, wordings=wordings), *seed.claims(0)], background())
    terms = [number for number, term in enumerate(index.vocabulary.terms) if term in ("zorglub", "quixnar")]

    assert surprises(terms, [], index, range(3)) == {term: index.vocabulary.weights[term] for term in terms}
    assert min(surprises(terms, [(terms[0], terms[1])], index, range(3)).values()) == 1.5


@pytest.mark.parametrize(
    ("post", "claimed", "found"),
    [
        ([1, 2, 3], [1, 2, 3], 9.0),
        ([3, 2, 1], [1, 2, 3], 4.0),
        ([1, -1, 3], [1, 2, 3], 6.0),
        ([], [1], 0.0),
        ([1], [], 0.0),
        ([1, 1], [1], 2.0),
    ],
)
def test_weight_in_the_same_order_is_that_of_the_longest_common_subsequence(post: list[int], claimed: list[int], found: float) -> None:
    assert in_order(post, claimed, WEIGHTS) == found


def test_near_pairs_are_at_most_four_words_apart_in_their_order() -> None:
    assert near_pairs([1, 0, 0, 0, 2, 3], {1, 2, 3}) == {(1, 2), (2, 3)}


def test_the_densest_window_counts_each_word_once() -> None:
    assert densest([1, 1, *[0] * 7, 2, 0, 0, 3], {1, 2, 3}, WEIGHTS) == 7.0
    assert densest([1, 1, 0, 2, 0, 0, 3], {1, 2, 3}, WEIGHTS) == 9.0
    assert densest([], {1}, WEIGHTS) == 0.0


@pytest.mark.parametrize(
    ("post", "claimed", "run"),
    [
        ("a b c d", "x b c y", 2),
        ("a b a b c", "a b c", 3),
        ("a x b", "b y a", 1),
        ("a", "b", 0),
        ("a b c d e", "a b c d e", 4),
        ("", "a", 0),
    ],
)
def test_the_longest_run_is_of_words_in_a_row_in_both(post: str, claimed: str, run: int) -> None:
    said = post.split()

    assert longest_run(said, frozenset(pairwise(said)), claimed.split(), 4) == run


def test_neighbours_stand_side_by_side_with_no_unknown_word_between() -> None:
    assert neighbours([1, 2, -1, 3]) == {(1, 2)}


def test_a_name_alone_is_less_like_a_claim_than_what_is_said_of_it() -> None:
    matcher = Matcher(
        [claim("Actress Zara Lee Quixnar was born with two hearts", title="Has Zara Lee Quixnar two hearts?"), *seed.claims(0)]
    )

    named = matcher.search("Zara Lee Quixnar ❤️")[0]
    told = matcher.search("Did you know Zara Lee Quixnar was born with two hearts?")[0]

    assert named.features["second_group"] == 0
    assert told.features["second_group"] > 0
    assert named.similarity < told.similarity


@pytest.mark.parametrize(
    ("post", "least", "most"),
    [
        pytest.param("Professor Zorglub was born with two hearts", 0.9, 1.0, id="both"),
        pytest.param("Professor Zorglub 1912", 0.0, 0.0, id="names and numbers alone"),
        pytest.param("somebody was born with two hearts", 0.0, 0.0, id="deeds alone"),
        pytest.param("Zorglub born", 0.3, 0.8, id="some of both"),
    ],
)
def test_a_name_counts_only_with_what_is_said_of_it(post: str, least: float, most: float) -> None:
    matcher = Matcher([claim("Professor Zorglub was born with two hearts in 1912"), *seed.claims(0)])

    found = matcher.search(post)[0].features

    assert least <= found["names_and_deeds"] <= most


def test_what_the_title_has_too_is_as_surprising_as_it_is_at_all() -> None:
    said = "Zorglub was born with two hearts"
    titles = {title: Matcher([claim(said, title=title), *seed.claims(0)]).search(said)[0].features for title in (said, "Zorglub's birth")}

    assert titles[said]["title_surprise"] == pytest.approx(titles[said]["surprise"])
    assert 0 < titles["Zorglub's birth"]["title_surprise"] < titles["Zorglub's birth"]["surprise"]


@pytest.mark.parametrize(
    ("summary", "least", "most"),
    [("", OF_NO_SUMMARY, OF_NO_SUMMARY), ("Umbrellas are older than glass", 0, 0), ("Zorglub was born with two hearts", 0.9, 1.0)],
    ids=["none", "of something else", "of the same"],
)
def test_a_claim_without_a_summary_is_taken_to_have_an_average_one(summary: str, least: float, most: float) -> None:
    said = "Zorglub was born with two hearts"

    found = Matcher([claim(said, summary=summary), *seed.claims(0)]).search(said)[0].features

    assert least <= found["summary_coverage"] <= most
