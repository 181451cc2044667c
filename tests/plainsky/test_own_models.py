"""Models of an operator's own: named in the config, refused when they are none, part of the rules, taken on by a reload."""

from pathlib import Path

import attrs
import pytest

from labeler.claims.bank import Bank
from labeler.stance.judging import shipped
from labeler.training.kinds import SHIPPED
from models.weights import Weights, dumps
from plainsky.changing.reloading import check
from plainsky.config.errors import ConfigErrors
from plainsky.config.hashing import config_hash
from plainsky.config.loading import parse
from plainsky.labeling import judge_of
from plainsky.labeling.banking import given_of

HEAD = '[service]\nhostname = "x.example.org"\n[[labels]]\nvalue = "claim"\nsignals = ["claim_match"]\n[labeler]\n'


def written(folder: Path, intercept: float = 0.0, kind: str = "scorecard", **more: float) -> Path:
    """A scorecard like the one that comes with the project, but for the intercept."""
    made = shipped().weights
    file = folder / f"{kind}.json"
    file.write_bytes(dumps(attrs.evolve(made, kind=kind, intercept=intercept, weights={**made.weights, **more})))
    return file


def rules(text: str) -> str:
    config = parse(HEAD + text)
    judge = judge_of(config, given_of(config, Bank()))
    assert judge
    return judge.rules["claim"]


def test_the_configs_models_decide_and_the_same_files_make_the_same_rules(tmp_path: Path) -> None:
    file = written(tmp_path, intercept=-1.0)

    assert rules(f'scorecard = "{file}"') != rules("")
    assert rules(f'scorecard = "{SHIPPED}/stance.json"\ntext_model = "{SHIPPED}/text.json"') == rules("")
    assert config_hash(parse(HEAD + f'scorecard = "{file}"')) != config_hash(parse(HEAD))


def test_another_file_is_taken_on_while_the_service_runs(tmp_path: Path) -> None:
    file = written(tmp_path)
    running = parse(HEAD + f'scorecard = "{file}"')
    assert running == parse(HEAD + f'scorecard = "{file}"')
    written(tmp_path, intercept=-2.0)

    new = parse(HEAD + f'scorecard = "{file}"')
    assert running != new
    check(running, new, "config.toml")  # OperatorError would say that it takes a restart


@pytest.mark.parametrize("key", ["scorecard", "text_model"])
def test_a_file_that_is_changed_or_of_another_kind_is_refused(tmp_path: Path, key: str) -> None:
    changed = tmp_path / "changed.json"
    shipped_file = SHIPPED / f"{'stance' if key == 'scorecard' else 'text'}.json"
    changed.write_text(shipped_file.read_text().replace('"intercept": -', '"intercept": -9'))
    for file, said in (
        (changed, "changed after it was written"),
        (written(tmp_path, kind="topic"), 'kind: "topic": expected'),
        (tmp_path / "none.json", "no such file: `plainsky train"),
    ):
        with pytest.raises(ConfigErrors) as told:
            parse(HEAD + f'{key} = "{file}"')
        assert f"labeler.{key}: " in str(told.value)
        assert said in str(told.value)


def test_a_scorecard_that_weighs_what_is_not_computed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as told:
        parse(HEAD + f'scorecard = "{written(tmp_path, phase_of_the_moon=1.0)}"')

    assert "'phase_of_the_moon' is no feature that this Plainsky computes: train it anew" in str(told.value)


def test_files_are_equal_when_they_say_the_same() -> None:
    one, other = shipped(), type(shipped()).read(SHIPPED / "stance.json")

    assert one is not other
    assert one == other
    assert len({one, other}) == 1
    assert one != Weights(kind="scorecard", name="x", weights={})
