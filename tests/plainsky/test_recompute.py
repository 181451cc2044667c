"""`plainsky recompute`: decisions follow from their own numbers, by plain arithmetic; altered ones do not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labeler.claims import seed
from labeler.claims.bank import Bank, in_force
from labeler.issuer import Judged
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from labeler.signals import Given
from models import decisions
from models.database import Database
from models.post import Post
from plainsky.cli import main
from tests.support.commands import Said
from tests.support.labels import AUTHOR, CIDS, apply, uri

CONFIG = """
[service]
hostname = "feeds.example.org"
[labeler]
[[labels]]
value = "likely-disinformation"
signals = ["claim_match"]
mode = "review"
"""
POSTS = 100
Run = Callable[..., Said]


@pytest.fixture(scope="module", name="judge")
def _judge() -> Judge:
    policy = LabelPolicy("likely-disinformation", ("claim_match",), "review", threshold=0.2)
    return Judge([policy], given=Given(Bank(in_force(seed.claims(0)))))


@pytest.fixture(name="decided")
def _decided(database: Database, judge: Judge) -> Database:
    """A database with a decision on each of a hundred posts, in four languages."""
    wordings = [wording for claim in seed.claims(0) for wording in claim.wordings]
    posts = [Post(f"{wording.text} #{number}", langs=(wording.lang,)) for number, wording in enumerate(wordings[:: len(wordings) // 130])]
    verdicts = [(post, found) for post in posts if (found := judge.judge(AUTHOR, post))][:POSTS]
    apply(database, *[Judged(uri(f"post{number:03}"), CIDS[0], found, post) for number, (post, found) in enumerate(verdicts)])
    return database


@pytest.fixture(name="recompute")
def _recompute(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    monkeypatch.setenv("PLAINSKY_STORE_URL", database_url)

    def run(*words: str) -> Said:
        code = main(["recompute", "--config", str(config), *words])
        return Said(code, *capsys.readouterr())

    return run


def by_hand(finding: dict[str, Any]) -> float:
    """The sum, from the JSON alone."""
    card = finding["details"]["scorecard"]
    return float(card["intercept"] + sum(row["value"] * row["weight"] for row in card["features"]))


def test_a_hundred_decisions_recomputed_by_hand_from_their_json_are_equal(decided: Database) -> None:
    rows = decided.read_now(lambda session: session.execute("SELECT evidence FROM decision ORDER BY id"))
    stored = [json.loads(row[0]) for row in rows]

    assert len(stored) == POSTS
    for evidence in stored:
        (finding,) = evidence["findings"]
        card = finding["details"]["scorecard"]
        assert abs(by_hand(finding) - card["sum"]) <= 1e-9
        at_threshold = 1 / (1 + 2.718281828459045 ** -card["threshold"])
        assert abs(1 / (1 + 2.718281828459045 ** -by_hand(finding)) / at_threshold - evidence["score"]) <= 1e-9


def test_the_command_recomputes_a_decision_by_its_number_and_by_its_post(decided: Database, recompute: Run) -> None:
    number = decided.read_now(decisions.last_id)

    told = recompute(str(number))

    assert (told.code, told.err) == (0, "")
    assert "similarity" in told.out
    assert told.out.endswith("All of it follows.\n")
    assert recompute(uri(f"post{POSTS - 1:03}")) == told


@pytest.mark.usefixtures("decided")
def test_a_decision_that_is_none_is_refused(recompute: Run) -> None:
    assert recompute("99999").code == 2
    assert "nothing to recompute" in recompute(uri("unheard")).err
    assert "takes a decision's number" in recompute().err


def test_evidence_in_a_file_is_recomputed_and_an_altered_one_is_found(decided: Database, recompute: Run, tmp_path: Path) -> None:
    decision = decided.read_now(decisions.by_id, 1)
    assert decision
    file = tmp_path / "evidence.json"
    for as_printed in (decision.evidence, {"evidence": decision.evidence}, {"labels": [{"evidence": decision.evidence}]}):
        file.write_text(json.dumps(as_printed))
        assert recompute("--file", str(file)).code == 0

    decision.evidence["findings"][0]["details"]["scorecard"]["features"][0]["weight"] += 0.5
    file.write_text(json.dumps(decision.evidence))
    told = recompute("--file", str(file))

    assert told.code == 1
    assert "WRONG" in told.out


@pytest.mark.parametrize("content", ["no json", "[]", '{"labels": "x"}', '{"findings": [{}]}', '{"findings": 3}'])
def test_a_file_that_is_no_evidence_is_refused(recompute: Run, tmp_path: Path, content: str) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(content)

    assert recompute("--file", str(file)).code == 2
    assert recompute("--file", str(tmp_path / "absent.json")).code == 2


@pytest.mark.usefixtures("decided")
def test_a_tampered_model_file_is_refused(recompute: Run, tmp_path: Path) -> None:
    file = tmp_path / "stance.json"
    file.write_bytes(Path("labeler/models/stance.json").read_bytes().replace(b'"similarity": 2', b'"similarity": 3'))

    told = recompute("1", "--model", str(file))

    assert told.code == 2
    assert "changed after it was written" in told.err


def test_when_a_post_is_deleted_its_words_go_and_the_numbers_stay(decided: Database, recompute: Run) -> None:
    decided.write_now(decisions.purge, [(uri("post000"), 10_000)])

    decision = decided.read_now(decisions.by_id, 1)
    assert decision
    (finding,) = decision.evidence["findings"]
    assert (finding["text"], finding["details"]["shared"]) == ("", [])
    assert recompute("1").code == 0
