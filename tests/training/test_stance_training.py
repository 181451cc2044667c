"""Learning a scorecard: the same weights as scikit-learn's where no sign binds, signs kept, no claim on both sides, a threshold above all
that asserts nothing; on made-up examples and on a made-up folder."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labeler.stance.features import FUNCTIONS
from labeler.stance.judging import shipped, shipped_text_model
from labeler.training import TrainingError, kinds, library, one_thread, stance_figures
from labeler.training.pictures import svg
from labeler.training.stance_data import EVERYDAY, GOLD, JUDGED, Example, Examples, read_examples
from labeler.training.stance_figures import swapped
from labeler.training.stance_fitting import (
    ABSTAIN,
    SIGNS,
    calibrated,
    calibration,
    crossed,
    fit,
    fold_of,
    minimum,
    nested,
    threshold,
)
from labeler.training.stance_trade import FLAGS, TITLE, trade_picture, traded
from models.scorecard import Scorecard
from models.weights import Weights, dumps, loads
from tests.support.claimed import THINGS, TOPICS, claimed_data
from tests.support.sharing import made_once

pytestmark = pytest.mark.long
LOOKED_AT = {"garden": 1_000}


@pytest.fixture(scope="module", autouse=True)
def _few_claims_in_swap_tests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stance_figures, "EACH", 60)
        yield


def example(chance: random.Random, number: int, kind: str = JUDGED) -> Example:
    """A pair whose similarity says what it is, more or less."""
    asserting = number % 3 == 0
    values = dict.fromkeys(SIGNS, 0.0) | {
        "similarity": min(1.0, max(0.0, chance.gauss(0.8 if asserting else 0.3, 0.2))),
        "correction": float(not asserting and chance.random() < 0.4),
        "length": chance.random(),
    }
    label = "garden" if kind == EVERYDAY else "" if kind == GOLD else "ASSERTS" if asserting else "REBUTS"
    return Example(kind, f"claim{number % 40}", label, True, values)


@pytest.fixture(scope="module", name="examples")
def _examples() -> list[Example]:
    chance = random.Random(3)
    return [example(chance, number) for number in range(240)] + [example(chance, 1 + 3 * number, EVERYDAY) for number in range(60)]


def test_without_binding_signs_the_weights_are_those_of_scikit_learn() -> None:
    numpy: Any = library("numpy")
    chance = numpy.random.default_rng(5)
    table = chance.normal(size=(300, 4))
    wanted = table @ [1.0, -2.0, 0.5, 0.0] + chance.normal(size=300) > 0
    counts = chance.uniform(0.1, 1.0, size=300)

    ours = minimum(table, wanted, counts, [0, 0, 0, 0])

    judge = library("sklearn.linear_model").LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(table, wanted, counts)
    assert ours == pytest.approx([judge.intercept_[0], *judge.coef_[0]], abs=1e-4)


def test_a_sign_that_the_meaning_demands_holds_whatever_the_examples_say(examples: list[Example]) -> None:
    wrong = [one._replace(values={**one.values, "similarity": 1 - one.values["similarity"]}) for one in examples]

    found = dict(zip(SIGNS, fit(wrong).weights, strict=True))

    assert found["similarity"] == 0
    assert all(weight * SIGNS[name] >= 0 for name, weight in found.items())
    assert dict(zip(SIGNS, fit(examples).weights, strict=True))["similarity"] > 0


def test_examples_of_one_claim_are_never_learned_from_and_judged_by(examples: list[Example]) -> None:
    held = 2
    others = [one for one in examples if fold_of(one.claim) != held]

    found = crossed(examples)

    alone = fit(others)
    assert {one.claim for one in others}.isdisjoint({one.claim for one in examples if fold_of(one.claim) == held})
    for one, total in zip(examples, found.sums, strict=True):
        if fold_of(one.claim) == held:
            assert total == alone.sum(one.values)


def test_the_threshold_lies_above_every_judged_pair_that_asserts_nothing_and_speaks(examples: list[Example]) -> None:
    found = crossed(examples)

    bound = threshold(examples, found, LOOKED_AT)

    above = [one for one, total, silent in zip(examples, *found, strict=True) if total >= bound and not silent and one.kind == JUDGED]
    assert above
    assert {one.label for one in above} == {"ASSERTS"}
    silent = [one for one, is_silent in zip(examples, found.silent, strict=True) if is_silent]
    assert silent
    assert all(one.values["correction"] for one in silent)


def test_everyday_posts_may_pass_the_threshold_twice_in_ten_thousand(examples: list[Example]) -> None:
    loud = Example(EVERYDAY, "claim1", "garden", True, dict.fromkeys(SIGNS, 0.0) | {"similarity": 1.0})
    with_alarms = [*examples, loud, loud, loud]
    found = crossed(with_alarms)

    strict, lenient = (threshold(with_alarms, found, {"garden": posts}) for posts in (5_000, 20_000))

    assert strict > max(found.sums[-3:]) > lenient or strict > lenient


def test_chosen_without_a_pairs_claim_the_threshold_judges_every_pair_once(examples: list[Example]) -> None:
    found = nested(examples, LOOKED_AT)

    assert len(found) == sum(one.kind == JUDGED for one in examples)
    assert any(labels for _, labels in found)


def test_calibration_moves_sums_and_changes_no_order(examples: list[Example]) -> None:
    found = crossed(examples)
    slope, shift = calibration(examples, found.sums)
    before = fit(examples)
    after = calibrated(before, slope, shift)

    first, last = (examples[at].values for at in (0, 1))
    assert slope > 0
    assert (before.sum(first) > before.sum(last)) == (after.sum(first) > after.sum(last))
    assert after.sum(first) == pytest.approx(slope * before.sum(first) + shift, abs=0.01)


def test_pairs_that_all_say_the_same_teach_nothing(examples: list[Example]) -> None:
    with pytest.raises(TrainingError, match="same label"):
        fit([one for one in examples if one.label == "ASSERTS"])


def test_the_shipped_scorecard_knows_the_features_there_are_and_keeps_the_signs() -> None:
    weights = shipped().weights

    assert weights.weights.keys() == FUNCTIONS.keys() == SIGNS.keys()
    assert all(weight * SIGNS[name] >= 0 for name, weight in weights.weights.items())
    assert shipped().abstain == dict(ABSTAIN)


def test_the_shipped_scorecards_swap_spread_is_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stance_figures, "EACH", 12)
    table = swapped(shipped(), shipped_text_model())

    assert {row[-1] for row in table.rows} == {0.0}
    assert len(table.rows) == 20


def test_the_shipped_card_tells_data_metrics_limits_and_what_did_not_help() -> None:
    card = shipped().weights.card

    assert {"intended_use", "out_of_scope", "factors", "ethics", "caveats", "data_sheet", "negative_results", "training"} <= card.keys()
    assert all(len(source["sha256"]) == 64 and source["bytes"] for source in card["data"])
    titles = {table["title"] for table in card["metrics"]}
    assert {"Labelling judged pairs, cross-validated by claim", "Which features carry it", "Calibration on judged pairs"} <= titles
    assert len(card["negative_results"]) >= 5


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "stance-data", lambda into: claimed_data(into / "data")) / "data"


@pytest.fixture(scope="module", name="trained")
def _trained(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Weights:
    def make(into: Path) -> None:
        made = kinds.load("stance").train(data, "plainsky train stance --data data", lambda _: None)
        (into / "stance.json").write_bytes(dumps(made))

    return loads((made_once(tmp_path_factory, "stance-trained", make) / "stance.json").read_bytes(), "scorecard")


def test_training_twice_gives_the_same_bytes_and_a_scorecard(data: Path, trained: Weights) -> None:
    again = kinds.load("stance").train(data, "plainsky train stance --data data", lambda _: None)

    assert dumps(again) == dumps(trained)
    assert Scorecard.loads(dumps(trained)).threshold == trained.features["threshold"]


def test_no_text_of_the_data_is_in_the_file(trained: Weights) -> None:
    assert not any(thing in dumps(trained).decode() for thing in (*TOPICS, *THINGS))


def test_evaluating_tells_what_the_card_tells_and_how_fast(data: Path, trained: Weights, tmp_path: Path) -> None:
    file = tmp_path / "stance.json"
    file.write_bytes(dumps(trained))

    report = kinds.load("stance").evaluate(data, file, lambda _: None)

    told = {table["title"]: table for table in trained.card["metrics"]}
    assert [table.title for table in report.tables if table.title != TITLE] == list(told)
    assert [list(row) for row in report.tables[0].rows] == [list(row) for row in told[report.tables[0].title]["rows"]]
    assert "µs" in " ".join(report.about)
    assert [picture.title for picture in report.pictures] == ["Calibration", TITLE, "Weights"]


def test_data_and_files_that_are_not_as_needed_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"ct22|claims"):
        read_examples(tmp_path, shipped_text_model(), lambda _: None)
    with pytest.raises(TrainingError, match="kind"):
        kinds.load("stance").evaluate(data, Path("labeler/models/text.json"), lambda _: None)


def test_a_lower_threshold_flags_no_more_everyday_posts_than_allowed_and_finds_more(examples: list[Example]) -> None:
    found = Examples(examples, {"garden": 2_000}, [])
    table = traded(found)

    assert [row[0] for row in table.rows] == list(FLAGS)
    labelled, recall = [row[2] for row in table.rows], [float(row[7]) for row in table.rows]
    assert labelled == sorted(labelled)
    assert recall == sorted(recall)
    assert all(row[3] <= row[2] for row in table.rows)  # type: ignore[operator]
    sums = crossed(examples)
    slope, shift = calibration(examples, sums.sums)
    everyday = [
        slope * total + shift
        for one, total, silent in zip(examples, sums.sums, sums.silent, strict=True)
        if one.kind == EVERYDAY and not silent
    ]
    for flags, bound, *_ in table.rows:
        assert bound == "none" or sum(total > float(bound) + 0.001 for total in everyday) <= int(flags) * 2_000 // 10_000
    assert svg(trade_picture(table)).count("<polyline") == 2


def test_libraries_compute_in_one_thread_so_that_sums_have_one_order() -> None:
    info = library("threadpoolctl").threadpool_info

    with one_thread():
        assert {pool["num_threads"] for pool in info()} == {1}
