"""`plainsky train`, `evaluate` and `models`: what they print and write, and what they say of wrong input."""

import json
from pathlib import Path

import pytest

from labeler.training import inspecting
from labeler.training.kinds import SHIPPED
from models.weights import Weights, dumps
from plainsky.cli import main
from tests.support.rated import rated_data

ROOT = Path(__file__).parents[2]
CARD = ROOT / "docs/model-card.md"
TEXT = str(SHIPPED / "text.json")


def small(folder: Path, name: str, **weights: float) -> str:
    """A file of a few weights."""
    features = {"mask": {}, "run_lengths": [3, 5]}
    file = folder / name
    file.write_bytes(dumps(Weights(kind="text", name="small", weights=weights, features=features)))
    return str(file)


def test_train_writes_a_file_that_evaluate_reads_and_both_show_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, model, page = rated_data(tmp_path / "data"), tmp_path / "text.json", tmp_path / "report.html"

    assert main(["train", "text-model", "--data", str(data), "--output", str(model)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"Wrote {model}: ")
    assert " s  cross-validation, part 1 of 5\n" in told.err

    figures = tmp_path / "report.json"
    outputs = ["--output", str(page), "--output", str(figures)]
    assert main(["evaluate", "text-model", "--data", str(data), "--model", str(model), *outputs]) == 0
    told = capsys.readouterr()
    assert told.out == f"Wrote {page}.\nWrote {figures}.\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(figures.read_text(encoding="utf-8"))["title"] == "Text model"
    assert str(tmp_path) not in model.read_text(encoding="utf-8")  # where the data lie is nobody's business


WRONG = {
    "no data": (["train", "text-model", "--data", "nowhere"], "nowhere: expected text/*.csv"),
    "no folder to write to": (["train", "text-model", "--data", "x", "--output", "no/t.json"], "no/t.json: there is no folder no"),
    "no folder for a report": (["evaluate", "text-model", "--data", "x", "--output", "no/r.html"], "no/r.html: there is no folder no"),
    "no model": (["evaluate", "text-model", "--data", "x", "--model", "none.json"], "none.json: no such file"),
    "nothing to show": (["models", "show"], "plainsky models show takes one FILE"),
    "one to compare": (["models", "diff", "a.json"], "plainsky models diff takes two FILEs, the old one first"),
    "no such file": (["models", "show", "none.json"], "none.json: cannot be read: No such file or directory"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_wrong_input_ends_with_2_and_says_what_to_do(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "data", ["", "[]", "{}", '{"kind": 1}', "[" * 100_000, "\x80\x04"], ids=["empty", "list", "object", "kind", "deep", "pickle"]
)
def test_a_file_that_is_none_is_refused(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.json"
    file.write_text(data, encoding="latin-1")

    assert main(["models", "show", str(file)]) == 2
    assert f"{file}: " in capsys.readouterr().err


def test_a_kind_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "oracle", "--data", "x"])

    assert ended.value.code == 2
    assert "oracle" in capsys.readouterr().err


def test_list_names_what_comes_with_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["file", "kind", "name", "weights", "SHA-256", "begins"]
    assert any(line.split()[:4] == ["text.json", "text", "text", "model"] for line in told)


def test_show_tells_the_strongest_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", TEXT]) == 0

    told = capsys.readouterr().out
    assert "Made by: plainsky train text-model --data data" in told
    assert "Weights for:\n" in told
    assert "Weights against:\n" in told


def test_show_takes_the_name_of_what_comes_with_the_project_and_says_how_a_scorecard_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", "stance"]) == 0

    told = capsys.readouterr().out
    weights = inspecting.read(SHIPPED / "stance.json")
    assert f"threshold {weights.features['threshold']:g}: the sum that is needed" in told
    assert "says nothing above: negated 0, " in told
    assert "Not for:\n  Telling true from false" in told
    assert main(["models", "show", "stance", "--card"]) == 0
    assert "### Data sheet" in capsys.readouterr().out


def test_a_file_of_ones_own_goes_before_one_of_that_name_that_comes_with_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small(tmp_path, "text", cure=2.0)

    assert main(["models", "show", "text"]) == 0
    assert capsys.readouterr().out.startswith("text: small, kind text, 1 weights")


def test_show_scores_a_text_term_by_term(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", small(tmp_path, "a.json", cure=2.0, water=-1.0), "--text", "Cure water, cure moon"]) == 0

    told = capsys.readouterr().out
    assert "seen as: cure water cure moon" in told
    assert "score +0.707107 (log-odds), coverage 75% of the words" in told
    assert "+1.414214 = +2.000 / root of terms   cure" in told


def test_only_a_text_model_scores_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "t.json"
    file.write_bytes(dumps(Weights(kind="topic", name="t", weights={"a": 1.0})))

    assert main(["models", "show", str(file), "--text", "a"]) == 0
    assert "only a text model scores a text by itself" in capsys.readouterr().out


def test_diff_tells_what_came_went_and_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = small(tmp_path, "old.json", cure=2.0, water=-1.0), small(tmp_path, "new.json", cure=2.5, moon=4.0)
    assert main(["models", "diff", old, new]) == 0

    told = capsys.readouterr().out
    assert "1 terms came, 1 went." in told
    assert told.index("+0.000 ->   +4.000  moon") < told.index("-1.000 ->   +0.000  water") < told.index("+2.000 ->   +2.500  cure")


def test_diff_of_scorecards_tells_the_threshold_and_figures_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def scorecard(name: str, threshold: float, right: int) -> str:
        table = {"title": "Labelling", "columns": ["which", "lang", "right"], "rows": [["all", "en", right], ["all", "nl", 3]], "note": ""}
        features = {"threshold": threshold, "abstain": {}}
        file = tmp_path / name
        file.write_bytes(dumps(Weights(kind="scorecard", name="s", weights={"a": 1.0}, features=features, card={"metrics": [table]})))
        return str(file)

    assert main(["models", "diff", scorecard("a.json", 0.5, 12), scorecard("b.json", 0.7, 11)]) == 0
    told = capsys.readouterr().out
    assert "threshold 0.5 -> 0.7\n" in told
    assert "1 figures of the card differ:\n  Labelling, all en: right 12 -> 11\n" in told


def test_files_for_different_things_are_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "diff", "stance", "text"]) == 2
    assert "one is of kind scorecard, the other of kind text: there is nothing to compare" in capsys.readouterr().err


def test_diff_of_a_file_with_itself_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "diff", TEXT, TEXT]) == 0
    assert capsys.readouterr().out == "The files say the same.\n"


def test_the_committed_model_card_is_what_the_files_say(tmp_path: Path) -> None:
    page = tmp_path / "model-card.md"

    assert main(["models", "card", "--output", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == CARD.read_text(encoding="utf-8"), "plainsky models card"


@pytest.mark.parametrize(
    "heading",
    ["Intended use", "What it is not for", "Factors", "Metrics", "Training", "Data sheet", "Ethics", "Caveats", "Negative results"],
)
def test_the_model_card_has_every_section(heading: str) -> None:
    assert f"### {heading}\n" in CARD.read_text(encoding="utf-8")


def test_a_card_that_cannot_be_written_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "card", "--output", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err
