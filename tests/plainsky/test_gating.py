"""The precision gate of a running service: it follows what people judge, and says so in log, metrics, on /labels and in commands."""

import json
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path

import attrs
import msgspec
import pytest

from labeler.claims.bank import Bank
from labeler.gate import Gate, Judged, Key
from labeler.judge import Judge
from labeler.policy import LabelPolicy
from labeler.training.kinds import SHIPPED
from models import blind
from models.blind import Answer
from models.database import Database
from plainsky.cli import main
from plainsky.config.loading import parse
from plainsky.config.schema import Labeler
from plainsky.labeling import judge_of
from plainsky.labeling.banking import given_of
from plainsky.labeling.gating import GateKeeper
from plainsky.metrics import Metrics
from tests.support.kept import Kept
from tests.support.labels import NOON, SRC, uri
from tests.support.pages import CONFIG as PAGES
from tests.support.pages import assert_safe, reading
from tests.support.programs import Service, wait_until

VALUE = "likely-disinformation"
CONFIG = f"""
[service]
hostname = "localhost:3000"
[labeler]
did = "{SRC}"
[[labels]]
value = "{VALUE}"
signals = ["claim_match"]
mode = "auto"
languages = ["nl", "fr"]
promise = {{ precision = 0.8, judgements = 20 }}
"""
POLICIES = parse(CONFIG).labels


@cache
def rules() -> str:
    """The rules of today."""
    return Judge(POLICIES).rules[VALUE]


def answer(database: Database, count: int, said: blind.Given, start: int = 0) -> None:
    """Blind judgements of Dutch posts that the rules of today found."""
    for number in range(start, start + count):
        row = Answer(uri(f"p{number}"), "cid", VALUE, "ann", number + 1, said, NOON, rules(), "nl")
        database.write_now(blind.add, row)


async def test_the_gate_follows_what_people_judge_and_tells_of_each_turn_once(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "plainsky.labeling.gating")
    gate, metrics = Gate(), Metrics()
    judge = Judge(POLICIES, gate)
    keeper = GateKeeper(database, gate, lambda: judge, metrics)

    await keeper.once()
    await keeper.once()
    assert [(record.levelname, record.message.partition(": ")[0]) for record in caplog.records] == [
        ("WARNING", 'the label falls back to "review", and what was issued stays')
    ] * 2  # French and Dutch, once each
    caplog.clear()

    answer(database, 20, "yes")
    await keeper.once()
    assert judge.policies[0].mode_in(("nl",), rules(), gate) == "auto"
    assert f'plainsky_label_gate_open{{label="{VALUE}",language="nl"}} 1.0' in metrics.text().decode()
    assert f'plainsky_label_judgements{{label="{VALUE}",language="nl"}} 20.0' in metrics.text().decode()
    assert f'plainsky_label_precision_low{{label="{VALUE}",language="nl"}} 0.838' in metrics.text().decode()
    (record,) = caplog.records
    assert (record.levelname, record.message.partition(": ")[0]) == ("INFO", "the machine gives the label by itself")
    caplog.clear()

    answer(database, 10, "no", start=20)
    await keeper.once()
    assert judge.policies[0].mode_in(("nl",), rules(), gate) == "review"
    assert f'plainsky_label_gate_open{{label="{VALUE}",language="nl"}} 0.0' in metrics.text().decode()
    assert "promised are at least 80%, so people decide" in caplog.text


async def test_only_test_labels_are_not_looked_at(database: Database) -> None:
    judge, metrics = Judge([LabelPolicy("plainsky-test", ("gtube",), "auto")]), Metrics()
    keeper = GateKeeper(database, judge.gate, lambda: judge, metrics)
    answer(database, 1, "yes")

    await keeper.prepare()
    await keeper.once()

    assert judge.gate.sample == {}
    assert 'label="plainsky-test"' not in metrics.text().decode()


async def test_the_labels_page_shows_how_often_each_is_right_and_what_was_promised(database: Database) -> None:
    kept = Kept(database)
    judge = Judge(POLICIES, Gate({Key(VALUE, rules(), "nl"): Judged(24, 5, 1)}))
    kept.storer.rooms = msgspec.structs.replace(kept.storer.rooms, judge=judge)
    async with reading(kept, attrs.evolve(PAGES, labeler=Labeler(did=SRC), labels=POLICIES)) as reader:
        told = json.loads((await reader.get("/labels.json?uri=x")).body)["precision"]
        page = await reader.get("/labels")
        others = [await reader.get(f"/labels?lang={lang}") for lang in ("nl", "fr")]

    dutch = next(one for one in told if one["language"] == "nl")
    assert dutch.pop("reason").startswith(f"{VALUE} in nl: 24 of 30 judged right (80.0%, with 95 % certainty between 62.7% and 90.5%)")
    assert {name: round(dutch.pop(name), 3) for name in ("share", "low", "high")} == {"share": 0.8, "low": 0.627, "high": 0.905}
    assert dutch == {
        "value": VALUE,
        "language": "nl",
        "mode": "auto",
        "inForce": "review",
        "judgements": 30,
        "right": 24,
        "wrong": 5,
        "undecided": 1,
        "promisedPrecision": 0.8,
        "promisedJudgements": 20,
        "rules": rules(),
    }
    assert "30 judged: 24 right, 5 wrong, 1 undecided. 80.0% right, with 95% certainty between 62.7% and 90.5%." in page.texts("main p")
    assert (
        "Promised before the machine labels alone: at least 80% right with that certainty, of 20 judged. That is not so yet, or not any"
        " more. In force: a person decides." in page.texts("main p")
    )
    for got in (page, *others):
        assert_safe(got)


def test_models_show_and_card_tell_what_was_judged_where_a_config_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, card = tmp_path / "config.toml", tmp_path / "card.md"
    config.write_text(CONFIG)
    monkeypatch.setenv("PLAINSKY_STORE_URL", sqlite_url)
    database = Database(sqlite_url)
    database.open()
    answer(database, 19, "yes")
    database.close()

    assert main(["models", "show", str(SHIPPED / "stance.json"), "--config", str(config)]) == 0
    said = f"{VALUE} in nl: 19 of the 20 judgements that are needed; until then people decide"
    assert said in capsys.readouterr().out
    assert main(["models", "card", "--config", str(config), "--output", str(card)]) == 0
    assert card.read_text().endswith(
        f"## Judged blind where it runs\n\n- {VALUE} in fr: 0 of the 20 judgements that are needed; until then people decide.\n- {said}.\n"
    )


def test_check_takes_auto_and_says_what_it_hangs_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)

    assert main(["check", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "in each language where people judged 20 or more blind and found, with 95 % certainty, at least 80% right" in told
    assert f'Note: the label "{VALUE}" is in mode "auto" only where its promise is kept' in told


def test_a_running_service_falls_back_says_so_and_follows_judgements(service: Callable[..., Service], empty_database_url: str) -> None:
    text = CONFIG.replace('"localhost:3000"', '"localhost:@PORT@"\nport = @PORT@') + '[ingest]\nhosts = ["ws://localhost:1"]\n'
    running = service(text, env={"PLAINSKY_LABELER_KEY": "07" * 32, "PLAINSKY_STORE_URL": empty_database_url})

    def nl() -> str:
        told = running.get("/labels.json?uri=x")[1]["precision"]
        return next(str(one["inForce"]) for one in told if one["language"] == "nl")

    assert nl() == "review"
    wait_until(lambda: 'falls back to "review"' in running.logs, 10, "the log says that people decide")
    database = Database(empty_database_url)
    database.open()
    answer(database, 20, "yes")
    database.close()
    wait_until(lambda: nl() == "auto", 10, "the machine may label by itself")
    wait_until(lambda: "the machine gives the label by itself" in running.logs, 10, "the log says so")


def test_commands_and_the_service_judge_by_the_same_rules() -> None:
    config = parse(CONFIG)
    judge = judge_of(config, given_of(config, Bank()))

    assert judge
    assert judge.rules[VALUE] == rules()
