"""The claims in force follow the bank of the database; and the whole way, from posts to one candidate and three silences."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labeler.claims import seed
from labeler.claims.bank import Bank
from models import claims as table
from models import decisions
from models.database import Database
from models.events import PostCreated
from models.protocol.syntax import format_datetime, tid_of
from plainsky.cli import main
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.ingest.recording import Recorder
from plainsky.labeling.banking import BankKeeper, asks, given_by, index_file
from tests.support.claims import NOW, claim
from tests.support.programs import LABELER_KEY, Service, wait_until

CONFIG = """
[service]
hostname = "{host}"
{port}

[store]
url = "sqlite:///{folder}/plainsky.sqlite"

[ingest]
source = "replay"
path = "{recording}"

[claims]
seed = {seed}

[labeler]

[[labels]]
value = "likely-disinformation"
signals = ["{signal}"]
mode = "review"
threshold = 0.7
"""


@pytest.fixture(name="config")
def _config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Config]:
    monkeypatch.setenv("PLAINSKY_LABELER_KEY", LABELER_KEY["PLAINSKY_LABELER_KEY"])

    def make(signal: str = "claim_match", seed: str = "true") -> Config:
        file = tmp_path / "config.toml"
        values = {"host": "feeds.example.org", "port": "", "folder": tmp_path, "recording": tmp_path}
        file.write_text(CONFIG.format(signal=signal, seed=seed, **values))
        return load(file)

    return make


def keeper(database: Database, config: Config) -> tuple[Bank, BankKeeper]:
    bank = Bank()
    return bank, BankKeeper(database, bank, lambda: config, lambda: NOW / 1e6)


async def test_at_the_start_the_seed_is_put_into_the_bank_once_and_is_in_force(database: Database, config: Callable[..., Config]) -> None:
    bank, keeping = keeper(database, config())

    await keeping.prepare(writes=True)
    version = database.read_now(table.version)
    await keeper(database, config())[1].prepare(writes=True)

    assert bank.state
    assert bank.state.claims == len(seed.claims(0)) == len(database.read_now(table.active))
    assert database.read_now(table.version) == version


async def test_a_bank_that_has_changed_is_read_anew_and_one_that_has_not_is_not(database: Database, config: Callable[..., Config]) -> None:
    bank, keeping = keeper(database, config(seed="false"))
    database.write_now(table.put, [claim("Windmills poison drinking water with copper", id="wires"), claim()], NOW)
    await keeping.prepare(writes=True)
    before = bank.state

    await keeping.once()
    same = bank.state
    database.write_now(table.set_status, "wires", "retired", NOW + 1)
    await keeping.once()

    assert before
    assert same is before
    assert before.claims == 2
    assert bank.state
    assert bank.state.claims == 1
    assert bank.state.hash != before.hash


async def test_without_a_label_on_claims_nothing_is_read_or_put(database: Database, config: Callable[..., Config]) -> None:
    bank, keeping = keeper(database, config(signal="gtube"))

    await keeping.prepare(writes=True)
    await keeping.once()

    assert not asks(config(signal="gtube").labels)
    assert bank.state is None
    assert database.read_now(table.active) == []


async def test_a_process_that_only_serves_puts_nothing_into_the_bank(database: Database, config: Callable[..., Config]) -> None:
    await keeper(database, config())[1].prepare(writes=False)

    assert database.read_now(table.active) == []


def test_a_command_judges_by_the_bank_and_before_there_is_one_by_the_seed(database: Database, config: Callable[..., Config]) -> None:
    by_seed = database.read_now(given_by, config()).bank.state
    database.write_now(table.put, [claim()], NOW)
    by_bank = database.read_now(given_by, config()).bank.state

    assert by_seed
    assert by_bank
    assert (by_seed.claims, by_bank.claims) == (len(seed.claims(0)), 1)
    assert (index_file(config()) or Path()).exists()


ALICE, BOB, CAROL, DAN = (f"did:plc:{name:a<24}" for name in ("alice", "bob", "carol", "dan"))
SAID = {
    ALICE: ("De zendmasten van 5G verspreiden het coronavirus, deel dit met iedereen", "nl"),
    BOB: ("Non, les antennes 5G ne propagent pas le coronavirus, c'est une infox", "fr"),
    CAROL: ("5G masts spread the coronavirus", "en"),
    DAN: ("Do 5G masts spread the coronavirus? Honest question", "en"),
}


def record(did: str, now: int) -> dict[str, object]:
    text, lang = SAID[did]
    made: dict[str, object] = {"$type": "app.bsky.feed.post", "text": text, "createdAt": format_datetime(now), "langs": [lang]}
    if did == CAROL:
        uri = f"at://{ALICE}/app.bsky.feed.post/{tid_of(now, 1)}"
        made["embed"] = {"$type": "app.bsky.embed.record", "record": {"uri": uri, "cid": "bafyreib"}}
    return made


def test_of_four_who_speak_of_a_claim_the_one_who_asserts_it_is_a_candidate(
    service: Callable[..., Service], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int((time.time() - 60) * 1e6)
    recording = tmp_path / "recording"
    with Recorder(recording) as recorder:
        for number, did in enumerate(SAID, 1):
            recorder.put(
                PostCreated(did, tid_of(now, 1), tid_of(now + number, 3), f"bafyrei{number}", now + number, record(did, now)), number
            )
    text = CONFIG.format(
        host="localhost:@PORT@", port="port = @PORT@", folder=tmp_path, recording=recording, seed="true", signal="claim_match"
    )
    running = service(text, env=LABELER_KEY)
    database = Database(f"sqlite:///{tmp_path}/plainsky.sqlite")
    database.open()
    wait_until(lambda: bool(database.read_now(decisions.count_waiting)), 20, "a candidate waits")
    running.stop()

    (candidate,) = database.read_now(decisions.waiting, "person")
    database.close()
    assert candidate.uri.startswith(f"at://{ALICE}/")
    details = candidate.evidence["findings"][0]["details"]
    assert details["claim"]["rating"] == "False"

    monkeypatch.setenv("PLAINSKY_LABELER_KEY", LABELER_KEY["PLAINSKY_LABELER_KEY"])
    file = tmp_path / "config.toml"
    file.write_text(
        CONFIG.format(host="feeds.example.org", port="", folder=tmp_path, recording=recording, seed="true", signal="claim_match")
    )
    for did in SAID:
        post = tmp_path / "post.json"
        post.write_text(json.dumps({"did": did, "record": record(did, now)}))
        assert main(["explain", "--config", str(file), "--offline", str(post)]) == 0
        told = capsys.readouterr().out
        assert ("likely-disinformation: there is a reason; mode review" in told) == (did == ALICE)
        assert ("sum; the threshold is" in told) == (did == ALICE)
        assert ("nothing, for it is close to a claim that was rated false, and does not plainly assert it" in told) == (did != ALICE)
        assert {BOB: "it denies what", CAROL: "it quotes another post", DAN: "it asks"}.get(did, "") in told
