"""`plainsky train-topic`: from example posts to a file that says all there is to know, and scores as scikit-learn does."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from models.post import Post
from models.topic import Topic, said
from plainsky.cli import main
from plainsky.examples import groups, read

ROOT = Path(__file__).parents[2]
ABOUT = ("climate", "sea", "level", "heat", "drought", "ice", "emissions", "carbon", "glacier", "été", "sécheresse", "気候変動", "🌍")
OTHER = ("football", "cup", "goal", "match", "film", "music", "recipe", "bread", "cat", "garden", "train", "concert", "映画", "fête")
ANY = ("the", "a", "of", "and", "is", "we", "today", "very", "much", "about", "in", "to", "de", "la", "het", "een")


def posts(topic: tuple[str, ...], count: int, seed: int) -> list[str]:
    """Made-up posts with some words of a topic among words of any."""
    random = Random(seed)
    return [" ".join(random.choices(topic, k=2) + random.choices(ANY, k=6) + random.choices(topic + OTHER, k=1)) for _ in range(count)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with examples, where the command is called."""
    monkeypatch.chdir(tmp_path)
    Path("yes.txt").write_text("\n".join(posts(ABOUT, 60, 1)), encoding="utf-8")
    Path("no.txt").write_text("\n".join(posts(OTHER, 80, 2)), encoding="utf-8")
    return tmp_path


def train(*options: str) -> int:
    return main(["train-topic", "climate", "--yes", "yes.txt", "--no", "no.txt", "--date", "2026-11-20", *options])


def test_scores_are_those_of_scikit_learn(here: Path) -> None:
    """An independent pipeline on the same examples: counts, TF-IDF, logistic regression."""
    # A second to import, in each of the run's workers: only where it judges.
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    assert train() == 0
    topic = Topic.read("climate.json")
    yes, no = (Path(name).read_text(encoding="utf-8").split("\n") for name in ("yes.txt", "no.txt"))
    judge = make_pipeline(
        CountVectorizer(analyzer=lambda text: said(Post(text)), binary=True, min_df=2),
        TfidfTransformer(norm=None),
        LogisticRegression(C=0.03, class_weight="balanced", tol=1e-8, max_iter=10_000),
    ).fit(yes + no, [1] * len(yes) + [0] * len(no))

    unseen = [*posts(ABOUT, 100, 3), *posts(OTHER, 100, 4), "", "never seen", " ".join(ABOUT + OTHER + ANY)]
    for text, expected in zip(unseen, judge.decision_function(unseen), strict=True):
        assert topic.score(Post(text)).sum == pytest.approx(expected, abs=1e-9, rel=0)
    assert len(topic.weights) > 50


def test_a_model_tells_the_topic_from_the_rest_and_its_card_says_how_well(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train() == 0
    told = capsys.readouterr().out
    topic = Topic.read("climate.json")

    assert topic.score(Post("The glacier melts, emissions rise")).value > 0.5 > topic.score(Post("A goal in the cup match")).value
    assert "climate.json: " in told
    assert "learned from 60 posts of yes.txt and 80 of no.txt" in told
    (row,) = [line for line in told.splitlines() if line.startswith("  0.5 ")]
    value, low, high = topic.card["measured"]["at_least 0.5"]["recall"]
    assert f"{value:.0%} ({low:.0%} to {high:.0%})" in row
    assert 0.8 < low < value <= high <= 1
    assert "For: " in told
    assert any(word in told.partition("For: ")[2].partition("Against: ")[0] for word in ABOUT)
    assert any(word in told.partition("Against: ")[2] for word in OTHER)


def test_the_card_says_what_went_in(here: Path) -> None:
    assert train("--seed", "7") == 0
    card = Topic.read("climate.json").card

    assert (card["date"], card["seed"]) == ("2026-11-20", 7)
    assert card["command"] == "plainsky train-topic climate --yes yes.txt --no no.txt --seed 7"
    assert card["examples"]["yes"] == {
        "file": "yes.txt",
        "sha256": hashlib.sha256(Path("yes.txt").read_bytes()).hexdigest(),
        "posts": 60,
        "left_out": {"repeated": 0, "in_both": 0, "without_words": 0},
    }
    assert set(card["versions"]) == {"plainsky", "python", "scikit-learn", "numpy", "scipy"}
    assert len(card["limits"]) >= 4


def test_the_same_examples_give_the_same_bytes(here: Path) -> None:
    command = [sys.executable, "-m", "plainsky", "train-topic", "climate", "--yes", "yes.txt", "--no", "no.txt", "--date", "2026-11-20"]
    assert train() == 0
    first = Path("climate.json").read_bytes()
    subprocess.run([*command, "--force"], cwd=here, env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}, check=True, capture_output=True)

    assert Path("climate.json").read_bytes() == first


def test_a_file_that_is_there_is_replaced_only_when_told_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("climate.json").write_text("mine")

    assert train() == 2
    assert "climate.json: there is a file already: give --force" in capsys.readouterr().err
    assert Path("climate.json").read_text() == "mine"
    assert train("--force") == 0
    assert sorted(path.name for path in here.iterdir()) == ["climate.json", "no.txt", "yes.txt"]


def test_repeated_shared_and_wordless_posts_do_not_count(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yes, no = Path("yes.txt"), Path("no.txt")
    yes.write_text("\n".join([*posts(ABOUT, 60, 1), posts(ABOUT, 1, 1)[0].upper() + "!", "in both files", "🎉🎉", "", "   "]))
    no.write_text("\n".join([*posts(OTHER, 80, 2), "In both files.", *posts(OTHER, 2, 2)]))

    assert train() == 0
    told = capsys.readouterr().out
    assert "learned from 60 posts of yes.txt and 80 of no.txt" in told
    assert "Note: 1 line of yes.txt repeated another post and counted once." in told
    assert "Note: 2 lines of no.txt repeated another post and counted once." in told
    assert "Note: 1 line of yes.txt had no words and did not count." in told
    assert "Note: 1 in both files did not count: decide for one file." in told
    assert Topic.read("climate.json").card["examples"]["yes"]["left_out"] == {"repeated": 1, "in_both": 1, "without_words": 1}


def test_lopsided_examples_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("yes.txt").write_text("\n".join(posts(ABOUT, 20, 1)))

    assert train() == 0
    assert "Note: no.txt has far more posts than yes.txt." in capsys.readouterr().out


def test_examples_may_be_lines_records_or_both(tmp_path: Path) -> None:
    record = {"$type": "app.bsky.feed.post", "text": "two", "embed": {"$type": "app.bsky.embed.images", "images": [{"alt": "sea"}]}}
    file = tmp_path / "yes.txt"
    file.write_bytes(f'\ufeffone\r\n\r\n{{"text": "four\\nlines"}}\n{json.dumps(record)}\n  five \u2028 six'.encode())

    assert [example.post for example in read(file).posts] == [
        Post("one"),
        Post("four\nlines"),
        Post("two", embeds=("image",), alts=("sea",)),
        Post("five \u2028 six"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"text": "x"', "yes.txt line 61: this is no JSON"),
        (b"{curly}", 'a post that begins with { must be written as {"text": "..."}'),
        (b'{"body": "x"}', 'yes.txt line 61: expected a post, like {"text": "..."}'),
        (b'{"text": 3}', "yes.txt line 61: expected a post"),
        (b'{"$type": "app.bsky.feed.like", "text": "x"}', "yes.txt line 61: expected a post"),
        (b'{"a":' * 100_000, "yes.txt line 61: this is no JSON"),
        (b"\xe9t\xe9", "yes.txt line 61: this is no UTF-8"),
    ],
    ids=["cut off", "no json", "no text", "a number", "a like", "too deep", "latin-1"],
)
def test_a_line_that_makes_no_sense_is_told_with_its_number(here: Path, capsys: pytest.CaptureFixture[str], line: bytes, said: str) -> None:
    Path("yes.txt").write_bytes(Path("yes.txt").read_bytes() + b"\n" + line)

    assert train() == 2
    assert said in capsys.readouterr().err
    assert not Path("climate.json").exists()


def copies(count: int) -> str:
    """One sentence in many posts."""
    return "\n".join(f"Sign the climate petition now, everyone {'x' * number}" for number in range(count))


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda yes: yes.write_text("\n".join(posts(ABOUT, 19, 1))), "yes.txt: 19 different posts: expected at least 20"),
        (lambda yes: yes.write_text(copies(40)), "yes.txt: nearly all posts share sentences, only 1 do not"),
        (lambda yes: yes.unlink(), "yes.txt: no such file"),
        (lambda yes: yes.write_text(""), "yes.txt: 0 different posts"),
    ],
    ids=["too few", "all alike", "none", "empty"],
)
def test_examples_that_teach_nothing_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str], prepare: Callable[[Path], object], told: str
) -> None:
    prepare(Path("yes.txt"))

    assert train() == 2
    assert told in capsys.readouterr().err


def test_examples_without_a_word_in_common_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("yes.txt").write_text("\n".join(f"yes{chr(97 + number)}" for number in range(20)))
    Path("no.txt").write_text("\n".join(f"no{chr(97 + number)}" for number in range(20)))

    assert train() == 2
    assert "the examples have no words in common" in capsys.readouterr().err


def test_posts_that_share_a_sentence_are_measured_together(tmp_path: Path) -> None:
    lines = [
        "one two three four five six",
        "well, one two three four five",
        "alone here is this very post",
        "seven one two three four six five",
    ]
    file = tmp_path / "yes.txt"
    file.write_text("\n".join([*lines, "five six is this very post, alone here is this very much"]))

    first, second, third, fourth, fifth = groups(list(read(file).posts))
    assert first == second
    assert third == fifth
    assert len({first, third, fourth}) == 3


def test_who_has_no_scikit_learn_is_told_how_to_get_it(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)

    assert train() == 2
    assert "pip install 'plainsky[train]'" in capsys.readouterr().err


def test_nothing_is_loaded_to_learn_before_there_is_something_to_learn_from() -> None:
    program = "import sys, plainsky.training, plainsky.commands.train_topic, feedgen.rules.topic; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


@pytest.mark.parametrize("words", [["../climate"], ["a b"], [""], ["climate", "--date", "yesterday"]], ids=str)
def test_a_name_or_date_that_is_none_is_refused(words: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train-topic", *words, "--yes", "yes.txt", "--no", "no.txt"])

    assert ended.value.code == 2
    assert "expected" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("climate.json.part").mkdir()

    assert train() == 2
    assert "climate.json: cannot be written: Is a directory" in capsys.readouterr().err
