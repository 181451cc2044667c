"""`plainsky claims`: what it brings in, shows, adds and retires, and what it says of wrong input."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from labeler.claims import seed
from plainsky.cli import main

CONFIG = """
[service]
hostname = "feeds.example.org"
[store]
url = "sqlite:///{folder}/plainsky.sqlite"
[claims]
ratings = {{ false = ["Broodje kaas"] }}
[labeler]
"""
REVIEWS = [
    {"@type": "ClaimReview", "claimReviewed": "Cheese cures hiccups", "reviewRating": {"alternateName": rating}, "author": "Ghent Checks"}
    for rating in ("Broodje kaas", "")
]
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def claims(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`claims("list", "cheese")`: the exit code and what was printed."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(folder=tmp_path))

    def run(what: str, *words: str) -> tuple[int, str]:
        code = main(["claims", what, "--config", str(config), *words])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_a_file_is_imported_once_however_often_it_is_read(claims: Run, tmp_path: Path) -> None:
    (tmp_path / "reviews.json").write_text(json.dumps(REVIEWS))

    first, again = (claims("import", str(tmp_path / "reviews.json")) for _ in range(2))

    assert first[0] == again[0] == 0
    assert "1 claims read" in first[1]
    assert "1 new or changed, 0 known" in first[1]
    assert "1 no rating" in first[1]
    assert "0 new or changed, 1 known" in again[1]


def test_a_list_shows_ratings_with_what_the_config_makes_of_them(claims: Run, tmp_path: Path) -> None:
    (tmp_path / "reviews.json").write_text(json.dumps(REVIEWS))
    claims("import", str(tmp_path / "reviews.json"), "--language", "en")

    _, told = claims("list", "CHEESE")

    assert "'Broodje kaas' (false)  Ghent Checks" in told
    assert "en  Cheese cures hiccups" in told
    assert "0 claims." in claims("list", "mustard")[1]


def test_the_seed_is_imported_by_name(claims: Run) -> None:
    code, told = claims("import", "seed")

    assert code == 0
    assert f"{len(seed.claims(0))} claims read from seed" in told
    assert f"false {len(seed.claims(0))}, mixed 0" in claims("stats")[1]


def test_a_claim_is_added_worded_anew_and_retired(claims: Run) -> None:
    added = claims("add", "Mosterd maakt je lang", "--language", "nl", "--rating", "Onwaar", "--url", "https://checks.example/mosterd")[1]
    id = added.split(":")[0]
    claims("add", "Van mosterd groei je", "--language", "nl", "--rating", "Onwaar", "--url", "https://checks.example/mosterd")

    assert "added; 'Onwaar' means false" in added
    assert f"{id}  'Onwaar' (false)  checks.example" in claims("list", "groei")[1]
    assert claims("retire", id) == (0, "1 retired.\n")
    assert claims("list", "mosterd")[1] == "0 claims.\n"
    assert "(retired)" in claims("list", "mosterd", "--status", "any")[1]
    assert "1 more retired" in claims("stats")[1]
    again = claims("add", "Mosterd laat je groeien", "--language", "nl", "--rating", "Onwaar", "--url", "https://checks.example/mosterd")[1]
    assert f"retired and does not count; `plainsky claims retire --undo {id}`" in again
    assert claims("retire", id, "--undo") == (0, "1 taken back.\n")


def test_a_rating_that_means_nothing_is_told_with_what_to_do(claims: Run) -> None:
    assert "[claims.ratings] false" in claims("add", "Mustard makes you taller", "--language", "en", "--rating", "Nope nope")[1]
    assert "Nope nope 1" in claims("stats")[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(("import", "nothing.json"), "nothing.json: No such file", id="no file"),
        pytest.param(("import", "http://checks.example/claims.json"), "https://", id="no https"),
        pytest.param(("import", "ftp://checks.example/x"), "https://", id="another scheme"),
        pytest.param(("retire", "0000"), "no such claim: 0000", id="no such claim"),
        pytest.param(("add", "Cheese", "--language", "en", "--rating", "False"), "at least two words", id="one word"),
        pytest.param(("add", "Cheese cures", "--language", "Klingonese", "--rating", "False"), "--language", id="no language"),
        pytest.param(("add", "Cheese cures", "--language", "en", "--rating", "False", "--url", "x"), "--url", id="no address"),
        pytest.param(("add", "Cheese cures", "--language", "en", "--rating", "False", "--date", "soon"), "--date", id="no date"),
    ],
)
def test_wrong_input_is_told_with_what_to_write_instead(claims: Run, words: tuple[str, ...], told: str) -> None:
    code, said = claims(*words)

    assert (code, told in said) == (2, True), said


def test_a_file_of_another_kind_is_refused(claims: Run, tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("name,size\na,1\n")

    code, told = claims("import", str(tmp_path / "sizes.csv"))

    assert (code, "one of claim, wording" in told) == (2, True)
