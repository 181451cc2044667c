"""Training and measuring the text model, on texts made up for it: the same bytes twice, figures that hold, errors that help."""

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from labeler.drift import Baseline
from labeler.training import TrainingError, kinds
from labeler.training.data import fold_of, read, search_words
from labeler.training.report import Report, Table, as_html, as_json, as_text
from models.cleaning import words
from models.masking import NEUTRAL
from models.text_model import TextModel, run_of
from models.weights import BadWeights, Weights, dumps
from tests.support.rated import rated_data

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rated_data(tmp_path_factory.mktemp("training") / "data")


@pytest.fixture(scope="module", name="trained")
def _trained(data: Path) -> Weights:
    return kinds.load("text-model").train(data, "plainsky train text-model --data data", quiet)


@pytest.fixture(scope="module", name="file")
def _file(trained: Weights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "text.json"
    path.write_bytes(dumps(trained))
    return path


@pytest.fixture(scope="module", name="report")
def _report(data: Path, file: Path) -> Report:
    return kinds.load("text-model").evaluate(data, file, quiet)


def table(report: Report, title: str) -> Table:
    """The report's table whose title begins so."""
    (found,) = [one for one in report.tables if one.title.startswith(title)]
    return found


def test_training_twice_gives_the_same_bytes(data: Path, trained: Weights) -> None:
    again = kinds.load("text-model").train(data, "plainsky train text-model --data data", quiet)

    assert dumps(again) == dumps(trained)


def test_the_model_learns_what_the_made_up_rumours_say(trained: Weights) -> None:
    model = TextModel(trained)

    assert model.score("The radio proves the moon is cheese").value > 0 > model.score("My tomatoes are ripe today").value


def test_no_weight_holds_a_masked_word_an_address_or_more_than_two_words(trained: Weights) -> None:
    terms = list(trained.weights)

    assert terms
    assert [term for term in terms if re.search(r"example|alice|muslim|german|polish|_", term)] == []
    assert max(term.count(" ") for term in terms) <= 1
    assert max(len(run_of(term)) for term in terms if "*" in term) <= 5
    assert NEUTRAL in TextModel(trained).words("A German nurse")


def test_every_term_stands_in_at_least_ten_texts(data: Path, trained: Weights) -> None:
    texts = read(data, TextModel(trained).words).texts
    whole = [term for term in trained.weights if "*" not in term]

    assert min(sum(f" {term} " in f" {' '.join(text.words)} " for text in texts) for term in whole) >= 10


def test_the_card_says_how_the_file_was_made_and_how_good_it_is(trained: Weights) -> None:
    card = trained.card

    assert [source["file"] for source in card["data"]] == ["text/letters.csv", "text/village.csv", "posts/everyday.csv"]
    assert all(re.fullmatch("[0-9a-f]{64}", source["sha256"]) and source["used"] <= source["rows"] for source in card["data"])
    assert card["training"]["command"] == "plainsky train text-model --data data"
    assert {"python", "scikit-learn", "numpy", "scipy"} == set(card["training"]["versions"])
    assert {found["tried"] for found in card["negative_results"]} >= {"without everyday posts", "without masking"}
    assert {"intended_use", "out_of_scope", "factors", "ethics", "caveats", "data_sheet", "metrics"} <= set(card)
    assert Baseline.from_plain(trained.features["everyday"]).coverage > 0.5


def test_the_report_measures_sets_and_topics_that_the_model_has_not_seen(report: Report) -> None:
    assert [row[0] for row in table(report, "Ranking").rows] == ["letters", "village"]
    assert all(0 <= row[3] <= row[2] <= row[4] <= 1 for row in table(report, "Ranking").rows)  # type: ignore[operator]
    assert [row[0] for row in table(report, "Everyday").rows] == ["garden", "music", "all"]


def test_the_report_says_what_is_caught_at_what_price(report: Report) -> None:
    rows = table(report, "Precision against flags").rows

    assert [row[0] for row in rows] == sorted({row[0] for row in rows})
    thresholds = [float(row[1]) for row in rows]
    assert thresholds == sorted(thresholds, reverse=True)


def test_the_report_shows_that_swaps_change_nothing_and_what_the_file_has_seen(report: Report) -> None:
    assert {row[3] for row in table(report, "Swap").rows} == {0.0}
    assert {row[1] for row in table(report, "This file").rows} == {"yes"}
    assert "µs of CPU a text" in table(report, "This file").note


def test_calibration_counts_every_text_once(data: Path, report: Report) -> None:
    assert sum(int(row[1]) for row in table(report, "Calibration").rows) == len(read(data, words).texts)


def test_the_text_report_has_every_table(report: Report) -> None:
    text = as_text(report)

    assert all(one.title in text for one in report.tables)
    assert "letters" in text


def test_the_json_report_has_every_figure(report: Report) -> None:
    found = json.loads(as_json(report))

    assert [one["title"] for one in found["tables"]] == [one.title for one in report.tables]
    assert found["tables"][0]["rows"] == [list(row) for row in report.tables[0].rows]


def test_the_html_report_has_pictures_and_asks_for_nothing(report: Report) -> None:
    page = as_html(report)
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)

    titles = [ET.fromstring(picture).findtext("{http://www.w3.org/2000/svg}title") for picture in pictures]
    assert titles == ["Calibration", "Precision against flags per 10,000 everyday posts", "Strongest weights"]
    assert re.findall(r"(?:src|href|@import|url\()", page) == []
    assert set(re.findall(r"https?://[^\"\s]+", page)) == {"http://www.w3.org/2000/svg"}  # a name space: nobody goes there
    assert "<script" not in page


def test_what_a_term_says_cannot_break_the_page() -> None:
    report = Report("<b>", ("a & b",), (Table("t", ("<i>",), (("<script>",),)),))

    assert "<script>" not in as_html(report)
    assert "<b>" not in as_html(report).split("<body>")[1]


def test_a_row_that_does_not_fit_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 cells"):
        Table("t", ("a", "b"), ((1,),))


def write(folder: Path, **files: str) -> Path:
    """A folder of data with these files."""
    for name, text in files.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(exist_ok=True)
        file.with_suffix(".csv").write_text(text, encoding="utf-8")
    return folder


POSTS = "text,topic\nlovely cats,cats\nmy cats sleep,cats\ndogs,pets\n"


def test_copies_count_once_and_texts_with_both_labels_not_at_all(tmp_path: Path) -> None:
    rated = "text,label\nThe moon is cheese,1\nthe MOON is cheese! https://example.org,1\nRain,0\nrain.,1\n"
    data = read(write(tmp_path, text__a=rated, text__b="text,label\nThe moon is cheese,1\nnew one,0\n", posts__p=POSTS), words)

    assert [" ".join(text.words) for text in data.texts] == ["the moon is cheese", "new one", "lovely cats", "my cats sleep", "dogs"]
    assert [(source.rows, source.used) for source in data.sources] == [(4, 1), (2, 1), (3, 3)]


def test_the_words_by_which_posts_were_found_are_known(tmp_path: Path) -> None:
    data = read(write(tmp_path, text__a="text,label\nThe moon,1\n", posts__p=POSTS), words)

    assert search_words(data) == {"cats"}


def test_a_text_is_always_in_the_same_fold(data: Path) -> None:
    texts = read(data, words).texts

    assert {fold_of(text, 5) for text in texts} == {0, 1, 2, 3, 4}
    assert [fold_of(text, 5) for text in texts] == [fold_of(text, 5) for text in read(data, words).texts]


BAD = {
    "no folder": ({}, "expected text/*.csv (columns text, label) and posts/*.csv (columns text, topic)"),
    "no posts": ({"text__a": "text,label\na,1\n"}, "expected text/*.csv"),
    "no label": ({"text__a": "text\na\n", "posts__p": POSTS}, "a.csv: column 'label' is missing"),
    "no topic": ({"text__a": "text,label\na,1\n", "posts__p": "text\na\n"}, "p.csv: column 'topic' is missing"),
    "a third label": ({"text__a": "text,label\na,1\nb,maybe\n", "posts__p": POSTS}, "a.csv, line 3: label 'maybe': expected 1"),
    "too few": ({"text__a": "text,label\na,1\nb,0\n", "posts__p": POSTS}, "too few texts to learn from"),
}


@pytest.mark.parametrize(("files", "said"), BAD.values(), ids=BAD)
def test_data_that_cannot_be_learned_from_are_a_clear_error(files: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=re.escape(said)):
        kinds.load("text-model").train(write(tmp_path, **files), "", quiet)


def test_data_that_are_no_utf_8_are_a_clear_error(tmp_path: Path) -> None:
    write(tmp_path, text__a="text,label\na,1\n", posts__p=POSTS)
    (tmp_path / "text/a.csv").write_bytes(b"text,label\n\xff\xfe,1\n")

    with pytest.raises(TrainingError, match="no CSV in UTF-8"):
        read(tmp_path, words)


def test_a_kind_that_is_none_is_told_those_there_are() -> None:
    with pytest.raises(TrainingError, match=r"'gpt' is nothing that can be trained: expected one of .*text-model"):
        kinds.load("gpt")


@pytest.mark.parametrize("kind", kinds.kinds())
def test_every_kind_trains_evaluates_and_names_its_file(kind: str) -> None:
    found = kinds.load(kind)

    assert callable(found.train)
    assert callable(found.evaluate)
    assert found.default.parent == kinds.SHIPPED


def test_a_missing_scikit_learn_is_told_with_what_to_install(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)

    with pytest.raises(
        TrainingError, match=re.escape("training needs scikit-learn, which is not installed: pip install 'plainsky[train]'")
    ):
        kinds.load("text-model").train(data, "", quiet)


def test_a_file_of_another_kind_cannot_be_evaluated(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "topic.json"
    file.write_bytes(dumps(Weights(kind="topic", name="t", weights={"a": 1.0})))

    with pytest.raises(TrainingError, match=r'topic.json: kind: "topic": expected "text"'):
        kinds.load("text-model").evaluate(data, file, quiet)
    with pytest.raises(BadWeights):
        TextModel.read(file)
