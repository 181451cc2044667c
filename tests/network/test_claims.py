"""Four who speak of one claim, on a real network: one candidate in the queue with its evidence, three silences, and why."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from labeler.claims import seed
from plainsky.cli import main
from tests.support.network import Net, Ref
from tests.support.programs import Service, wait_until
from tests.support.terminal import Terminal

TABLES = """
[labeler]
did = "{did}"

[[feeds]]
rkey = "all"
name = "All"
[[feeds.include]]
kind = "language"
any = ["en", "nl", "fr"]

[[labels]]
value = "likely-disinformation"
signals = ["claim_match"]
mode = "review"
threshold = 0.7
"""
ASSERTS = "De zendmasten van 5G verspreiden het coronavirus, deel dit met iedereen"
SILENT = {
    "bob": ("Non, les antennes 5G ne propagent pas le coronavirus, c'est une infox", "fr", "negated"),
    "carol": ("5G masts spread the coronavirus", "en", "quote_post"),
    "dan": ("Do 5G masts spread the coronavirus? Honest question", "en", "question"),
}
CLAIM = next(
    claim.id for claim in seed.claims(0) if any("5G" in wording.text and "coronavirus" in wording.text for wording in claim.wordings)
)
PROMPT = r"q quit\n> "


@pytest.fixture
def posts(net: Net, running: Service) -> Mapping[str, Ref]:
    """alice asserts it in Dutch, bob rebuts it in French, carol quotes her, dan asks."""
    said = {"alice": net.post("alice", ASSERTS, langs=["nl"])}
    for who, (text, lang, _) in SILENT.items():
        embed = {"$type": "app.bsky.embed.record", "record": {"uri": said["alice"].uri, "cid": said["alice"].cid}}
        said[who] = net.post(who, text, langs=[lang], **({"embed": embed} if who == "carol" else {}))
    for post in said.values():
        wait_until(lambda post=post: why(running, post)["state"] == "stored", 30, "the post is stored")  # type: ignore[misc]
    return said


@pytest.fixture(params=["sqlite", "postgresql"])
def running(net: Net, service: Callable[..., Service], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    env = {"PLAINSKY_LABELER_KEY": "07" * 32}
    if request.param == "postgresql":
        env["PLAINSKY_STORE_URL"] = str(request.getfixturevalue("postgresql_url"))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if "claimlab" not in net.accounts:
        net.account("claimlab")
    return service(net.config(TABLES.format(did=net.did("claimlab"))), env=env)


def why(service: Service, post: Ref) -> dict[str, Any]:
    return dict(service.get(f"/why.json?uri={post.uri}")[1])


def page(service: Service, post: Ref, lang: str) -> str:
    with urllib.request.urlopen(f"{service.url}/why?uri={post.uri}&lang={lang}") as answer:
        return str(answer.read().decode())


def test_one_asserts_and_is_a_candidate_with_its_evidence_three_do_not_and_it_is_told_why(
    running: Service, posts: Mapping[str, Ref], capsys: pytest.CaptureFixture[str]
) -> None:
    (label,) = why(running, posts["alice"])["labels"]
    assert (label["state"], label["signals"][0]["found"]["claim"]["id"]) == ("review", CLAIM)
    assert "coronavirus" in label["signals"][0]["found"]["shared"]
    for lang, said in (("en", "a person decides"), ("nl", "een mens beslist"), ("fr", "une personne décide")):
        assert said in page(running, posts["alice"], lang)
    for who, (_, _, doubt) in SILENT.items():
        (label,) = why(running, posts[who])["labels"]
        (signal,) = label["signals"]
        assert (label["state"], signal["found"], signal["silence"], signal["claim"]["id"]) == ("silent", None, "abstains", CLAIM), who
        assert doubt in signal["doubts"]
        assert "has not been checked" in page(running, posts[who], "en")

    for who, post in posts.items():
        assert main(["explain", post.uri, "--config", str(running.config), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["source"] == "database"
        assert [(one["value"], one["mode"]) for one in told["labels"]] == ([("likely-disinformation", "review")] if who == "alice" else [])
        assert main(["explain", post.uri, "--config", str(running.config)]) == 0
        assert ("words in common: " in capsys.readouterr().out) == (who == "alice")

    assert main(["moderators", "add", "ann", "--config", str(running.config)]) == 0
    with Terminal("review", str(running.config), "--as", "ann") as terminal:
        screen = terminal.until(PROMPT)
        terminal.press("s")
        terminal.until("Nothing else waits.")
        assert terminal.ended() == 0
    assert screen.count("The machine asks:") == 1
    for words in (posts["alice"].uri, ASSERTS, f"claim {CLAIM}: ", "sum; the threshold is", "scorecard: SHA-256 "):
        assert words in screen
    assert running.get("/xrpc/com.atproto.label.queryLabels?uriPatterns=*")[1]["labels"] == []
    wait_until(lambda: "\nplainsky_label_decisions_waiting 1.0\n" in metrics(running), 30, "it is counted, which is done now and then")


def metrics(service: Service) -> str:
    with urllib.request.urlopen(f"{service.url}/metrics") as answer:
        return str(answer.read().decode())


def test_what_a_person_confirms_is_a_label_whose_page_names_the_claim(net: Net, running: Service, posts: Mapping[str, Ref]) -> None:
    config = str(running.config)
    main(["moderators", "add", "ann", "--config", config])
    with Terminal("review", config, "--as", "ann") as terminal:
        terminal.until(PROMPT)
        terminal.press("y")
        terminal.until("Nothing waits.")

    def labelled() -> list[dict[str, Any]]:
        return list(running.get(f"/labels.json?uri={posts['alice'].uri}")[1]["labels"])

    wait_until(lambda: bool(labelled()), 10, "the label is issued")
    (label,) = labelled()
    assert (label["val"], label["state"]) == ("likely-disinformation", "in_force")
    assert label["signals"][0]["claim"]["id"] == CLAIM
    assert label["signals"][0]["models"]["scorecard"]
    assert [word["role"] for word in label["said"]][:2] == ["machine", "moderator"]

    net.delete("alice", posts["alice"])
    wait_until(lambda: labelled()[0]["state"] == "negated", 10, "the label is taken back with the post")
    (label,) = labelled()
    assert (label["post"], label["signals"][0].get("shared"), label["signals"][0]["claim"]["id"]) == (None, None, CLAIM)
