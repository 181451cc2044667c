"""Learning how claims are found: the same bytes twice, what serves is what was learned, and thresholds that keep what they promise."""

import random
from pathlib import Path

import pytest

from labeler.claims import features
from labeler.claims.matching import ORDER, Matcher, learned
from labeler.training import TrainingError, evaluate_matching
from labeler.training.abstention import ALARMS, LIMITS, PARTS, PRECISION, Judged, Post, Sides, abstention, at, average, lowest, unseen
from labeler.training.evaluate_matching import evaluate, read, train
from labeler.training.matching import OF_POST, TELLING, unsigned
from labeler.training.matching_variants import VARIANTS
from models.weights import dumps
from tests.support.claimed import THINGS, TOPICS, claimed_data
from tests.support.sharing import made_once

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "stance-data", lambda into: claimed_data(into / "data")) / "data"


def test_training_twice_gives_the_same_bytes_without_a_word_of_the_texts(data: Path) -> None:
    made, figures = train(data, lambda _: None)
    again, _ = train(data, lambda _: None)

    files = [dumps(weights) for weights in made]
    assert files == [dumps(weights) for weights in again]
    assert not any(thing in file.decode() for file in files for thing in (*TOPICS, *THINGS))
    assert [table.title for table in figures.tables] == [table.title for table in evaluate(data, lambda _: None).tables]


def test_what_was_learned_finds_the_claims_it_was_learned_from(data: Path) -> None:
    made, _ = train(data, lambda _: None)
    known = read(data)
    matcher = Matcher(known.bank, made)

    assert all(matcher.search(pair.text)[0].claim.id in pair.claims for pair in known.pairs)


def test_every_variant_is_measured_on_both_forms_of_the_posts(data: Path) -> None:
    _, figures = train(data, lambda _: None)

    (table,) = [table for table in figures.tables if table.title.startswith("Variants")]

    assert [row[0] for row in table.rows] == list(VARIANTS)
    assert all(0 <= share <= 100 for row in table.rows for share in row[2:])  # type: ignore[operator]


def test_the_shipped_weights_are_of_the_features_there_are() -> None:
    by = learned()

    assert by.order.weights.keys() == set(features.NAMES) - set(OF_POST)
    assert by.similarity.weights.keys() == set(TELLING) <= {*features.NAMES, ORDER}
    assert {"metrics", "versions", "folds"} <= by.order.card.keys()


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Cheese cures — Ann Ghent (@ann) October 3, 2019", "Cheese cures"),
        ('"Cheese cures — Ann (@ann_g) May 3, 19"', '"Cheese cures'),
        ("Cheese — a gift (really) in May 2019", "Cheese — a gift (really) in May 2019"),
    ],
)
def test_the_signature_of_an_embedded_tweet_is_cut_off(text: str, bare: str) -> None:
    assert unsigned(text) == bare


def sides(seed: int) -> Sides:
    """Similar ones are right more often, and everyday posts are mostly unlike any claim."""
    chance = random.Random(seed)
    pairs = [(Judged(value := chance.random(), chance.random() < 0.7 + value / 3, True), n % 10) for n in range(400)]
    posts = [
        Post(Judged(chance.random() ** 3, False, n % 3 > 0), chance.randrange(10), n % 4 == 0, n % 50 == 0) if n % 9 == 0 else NOTHING
        for n in range(8_000)
    ]
    return Sides(pairs, posts)


NOTHING = Post(Judged(0.0, False, False), 0, False, False)


@pytest.mark.parametrize("alarm", ALARMS)
def test_the_lowest_threshold_keeps_the_promise_and_none_below_it_does(alarm: str) -> None:
    found, limits = sides(3), (40.0, 40.0)
    of_vaccines = sum(post.of_vaccines for post in found.everyday)

    threshold = lowest(found, limits, ALARMS[alarm])

    def kept(bound: float) -> bool:
        counts = at(bound, found, ALARMS[alarm])
        few = counts.alarms <= 40 * (len(found.everyday) - of_vaccines) / 1e4 and counts.vaccine_alarms <= 40 * of_vaccines / 1e4
        return few and counts.right >= PRECISION * counts.matched

    assert kept(threshold)
    assert not any(kept(one.similarity) for one, _ in found.pairs if one.similarity < threshold)


def test_where_no_threshold_keeps_it_nothing_is_matched() -> None:
    loud = Sides([(Judged(0.5, True, True), 0)], [Post(Judged(0.9, False, True), 0, False, False)])

    assert lowest(loud, LIMITS[0], ALARMS["any claim"]) > 1
    assert unseen(loud, LIMITS[0], ALARMS["any claim"]) == (0, 0, 0, 0)
    assert "none" in str(abstention("made up", loud).rows)


@pytest.mark.parametrize("parts", [PARTS // 2, PARTS])
def test_judged_by_thresholds_of_the_others_each_pair_counts_once(parts: int) -> None:
    found = sides(4)

    assert unseen(found, (1e4, 1e4), lambda _: False, parts).matched <= len(found.pairs)
    assert unseen(found, LIMITS[1], ALARMS["any claim"], parts).right <= at(0.0, found, ALARMS["any claim"]).right


def test_nine_tenths_of_the_posts_may_have_two_alarms_where_four_fifths_may_have_one() -> None:
    """24,000 posts, 1 of 10,000: two loud posts in one part leave the other parts a threshold below them, or above."""
    pairs = [(Judged(0.8, True, True), n) for n in range(PARTS)]
    loud = [Post(Judged(0.9, False, True), 0, False, False)] * 2
    found = Sides(pairs, loud + [Post(Judged(0.0, False, False), n % PARTS, False, False) for n in range(23_998)])

    shares = {parts: unseen(found, (1.0, 0.0), lambda _: True, parts) for parts in (PARTS // 2, PARTS)}

    assert shares[PARTS // 2] == (2, 2, 2, 0)
    assert shares[PARTS] == (10, 10, 2, 0)


def test_the_average_share_is_over_thresholds_that_let_so_many_posts_pass() -> None:
    pairs = [(Judged(similarity, True, True), 0) for similarity in (0.95, 0.85, 0.75, 0.65)]
    posts = [Post(Judged(similarity, False, True), 0, False, False) for similarity in (0.9, 0.8, 0.7)]

    assert average(Sides(pairs, posts), lambda _: True, 1) == 0.5
    assert average(Sides(pairs, posts), lambda _: True, 2) == (0.5 + 0.75) / 2
    assert average(Sides([], []), lambda _: True, 2) == 0


def test_a_folder_without_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="ct22"):
        evaluate_matching.read(tmp_path)
