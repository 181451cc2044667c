"""`/labels/ID` and `/labels?uri=`: why a post has a label, for people and programs."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest

from labeler.declaration import Reports
from labeler.desk import Desk, Item
from labeler.gate import Gate, Judged, Key
from labeler.issuer import Judged as Told
from labeler.judge import Judge
from labeler.persons import By, Persons
from labeler.policy import LabelPolicy
from labeler.reporting import take_appeal
from labeler.reports import Reported, Subject
from labeler.stance.features import FUNCTIONS
from labeler.stance.judging import shipped
from models import decisions, matters, moderators
from models.database import Database
from models.duration import duration
from models.moderators import Moderator
from models.post import Post
from models.scorecard import recomputed
from plainsky.config.schema import Labeler
from plainsky.pages.languages import languages
from tests.support.kept import Kept
from tests.support.labels import AUTHOR, CIDS, FLAGGED, HARMLESS, NOON, SRC, apply, deleted, issuer, judge, judged, uri
from tests.support.pages import CONFIG, Reader, assert_safe, reading
from tests.support.stance import all_given

POLICIES = (LabelPolicy("plainsky-test", ("gtube",), "auto"), LabelPolicy("person", ("gtube",), "review"))
PERSONS, DESK, BEN = Persons(SRC, POLICIES), Desk(SRC, POLICIES), Moderator("ben-the-lead", "lead", NOON, None)
LABELER = attrs.evolve(CONFIG, labeler=Labeler(did=SRC), labels=POLICIES)


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[Reader]:
    database.write_now(moderators.add, BEN.name, "lead", NOON)
    async with reading(Kept(database), LABELER, clock=lambda: NOON / 1e6 + 60) as reader:
        yield reader


async def told(reader: Reader, path: str, status: int = 200) -> Any:
    got = await reader.get(path)
    assert (got.status, got.headers["Content-Type"]) == (status, "application/json")
    return json.loads(got.body)


def persons(database: Database, what: Callable[..., Any], *args: Any) -> Any:
    """A person's decision, and the issuer's turn after it."""
    done = database.write_now(what, *args, NOON)
    database.write_now(issuer().issue, NOON)
    return done


def appeal(database: Database) -> Item:
    asked = Reported("com.atproto.moderation.defs#reasonAppeal", Subject(uri("post"), CIDS[0]), "mine is a secret reason")
    database.write_now(take_appeal, SRC, Reports(), asked, AUTHOR, True, NOON)
    (matter,) = database.read_now(matters.waiting, 9)
    return Item("appeal", matter.id, matter.uri, matter.cid, "", NOON, 0)


async def test_a_machines_label_tells_rule_signals_weights_threshold_versions_and_expiry(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0], by=Judge(POLICIES[:1], versions={"config": "abc123"})))

    label = await told(reader, "/labels/1.json")

    hash = label["rule"].pop("hash")
    assert label == {
        "id": 1,
        "src": SRC,
        "uri": uri("post"),
        "cid": CIDS[0],
        "val": "plainsky-test",
        "state": "in_force",
        "since": "2026-01-01T12:00:00.000Z",
        "until": "2026-01-31T12:00:00.000Z",
        "rule": {"mode": "auto", "score": 1.0, "threshold": 1.0, "doubts": [], "versions": {"gtube": 1, "config": "abc123"}},
        "signals": [{"kind": "gtube", "text": FLAGGED.text.removeprefix("look: "), "weight": 1.0}],
        "said": [{"role": "machine", "reason": None, "at": "2026-01-01T12:00:00.000Z"}],
        "takenBack": None,
        "appeals": [],
        "wordsHidden": False,
        "post": {"text": FLAGGED.text, "alts": [], "card": []},
        "howToAppeal": {
            "method": "com.atproto.moderation.createReport",
            "service": f"{SRC}#atproto_labeler",
            "reasonType": "tools.ozone.report.defs#reasonAppeal",
        },
    }
    assert len(hash) == 64


async def test_who_confirmed_is_told_by_role_and_never_by_name(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0], by=judge("review", "person")))
    (candidate,) = database.read_now(decisions.waiting, "person")
    first = database.write_now(PERSONS.confirm, candidate.id, By("moderator", "checked", "ann-the-first"), NOON, wide=True)
    persons(database, PERSONS.confirm, first.id, By("moderator", "I agree", BEN.name))

    got = await reader.get(f"/labels.json?uri={uri('post')}")
    (label,) = json.loads(got.body)["labels"]
    assert [(word["role"], word["reason"]) for word in label["said"]] == [
        ("machine", None),
        ("moderator", "checked"),
        ("moderator", "I agree"),
    ]
    page = await reader.get("/labels/1")
    assert [name for name in ("ann-the-first", BEN.name) if name in got.body + page.body] == []


async def test_an_appeal_is_told_with_its_outcome_and_reason_and_counted(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0]))
    item = appeal(database)
    assert [one["state"] for one in (await told(reader, "/labels/1.json"))["appeals"]] == ["open"]

    done = persons(database, DESK.keep, item, BEN, "it repeats the claim as true")
    label = await told(reader, "/labels/1.json")
    assert [(one["state"], one["reason"]) for one in label["appeals"]] == [("rejected", "it repeats the claim as true")]

    database.write_now(DESK.undo, done, BEN, "slip", NOON)
    persons(database, DESK.uphold, item, BEN, "satire")
    answer = await told(reader, f"/labels.json?uri={uri('post')}")
    (label,) = answer["labels"]
    assert (label["id"], label["state"], label["takenBack"]["role"], label["takenBack"]["reason"]) == (1, "negated", "appeal", "satire")
    assert answer["appeals"] == {"open": 0, "upheld": 1, "rejected": 0}
    page = await reader.get(f"/labels?uri={uri('post')}")
    assert "secret reason" not in page.body
    assert "The author has appealed, and was right: satire" in page.texts("main p")
    assert "0 wait, 1 were upheld, 0 were rejected." in page.texts("main p")


async def test_of_a_deleted_post_no_word_is_shown(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0], Post(FLAGGED.text, alts=("a picture of me",))))
    assert "a picture of me" in (await reader.get("/labels/1")).body
    apply(database, deleted("post"))

    got, page = await reader.get("/labels/1.json"), await reader.get("/labels/1")
    label = json.loads(got.body)
    assert (label["state"], label["takenBack"]["reason"], label["post"], label["wordsHidden"]) == ("negated", "deleted", None, True)
    assert label["signals"] == [{"kind": "gtube", "text": "", "weight": 1.0}]
    assert [words for words in ("a picture of me", "GTUBE") if words in got.body + page.body] == []
    assert "The post is deleted or hidden: its words are not shown." in page.texts("main p")
    assert (await told(reader, "/labels/2.json"))["id"] == 1


ASSERTS = Post("Look! Windmills poison our drinking water with copper everywhere", langs=("en",))
CLAIMS = (LabelPolicy("likely-disinformation", ("claim_match",), "auto", threshold=0.5),)


def on_claims() -> Judge:
    """Labels by claims, which people have found right often enough."""
    rules = Judge(CLAIMS).rules[CLAIMS[0].value]
    gate = Gate({Key(CLAIMS[0].value, rules, "en"): Judged(right=300)})
    return Judge(CLAIMS, gate, given=all_given())


async def test_a_label_on_a_claim_names_it_its_fact_check_the_words_in_common_and_every_number(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0], ASSERTS, on_claims()))

    label = await told(reader, "/labels/1.json")
    (signal,) = label["signals"]
    assert signal["claim"] == {
        "id": "wires",
        "text": "Windmills poison drinking water with copper",
        "rating": "False",
        "publisher": "Ghent Checks",
        "reviewedOn": None,
        "url": "https://checks.example.org/windmills-copper",
    }
    assert signal["shared"] == ["windmills", "poison", "drinking", "water", "copper"]
    card = signal["scorecard"]
    assert recomputed({**card, "abstentions": []}, shipped()) == []
    assert abs(card["intercept"] + sum(row["value"] * row["weight"] for row in card["features"]) - card["sum"]) < 1e-9
    assert signal["models"]["scorecard"] == shipped().hash
    assert signal["models"].keys() == {"scorecard", "text_model", "claims"}
    assert label["rule"]["versions"]["claim_match"] == 2

    page = await reader.get("/labels/1")
    assert_safe(page)
    text = " ".join(page.texts("main"))
    for words in ("Windmills poison drinking water with copper", "Rated “False” by Ghent Checks.", "windmills, poison, drinking"):
        assert words in text
    (link,) = [element.attrs for element in page.html.query("main a") if "checks.example.org" in (element.attrs.get("href") or "")]
    assert link["rel"] == "noreferrer nofollow"
    rows = {
        cells[0].split()[-1]: cells[1:]
        for row in page.html.query("tbody tr")
        if (cells := [cell.to_text() for cell in row.query("th, td")])
    }
    assert rows["similarity"][1] == f"{shipped().weights.weights['similarity']:.3f}"
    assert shipped().hash[:16] in text


async def test_of_a_claim_all_is_told_when_the_post_is_deleted_but_the_posts_own_words(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0], ASSERTS, on_claims()))
    apply(database, deleted("post"))

    (signal,) = (await told(reader, "/labels/1.json"))["signals"]
    assert (signal["text"], signal.get("shared"), signal["claim"]["id"]) == ("", None, "wires")
    assert signal["scorecard"]["features"]
    page = await reader.get("/labels/1")
    assert "Words in common" not in page.body
    assert "everywhere" not in page.body


@pytest.mark.parametrize("lang", ["nl", "fr"])
async def test_every_feature_has_a_name_in_every_language(database: Database, reader: Reader, lang: str) -> None:
    apply(database, judged("post", CIDS[0], ASSERTS, on_claims()))
    page = await reader.get(f"/labels/1?lang={lang}")

    assert_safe(page)
    assert [name for name in FUNCTIONS if not languages()[lang].has(f"feature.{name}")] == []


async def test_a_fact_check_that_is_no_web_address_is_not_linked(database: Database, reader: Reader) -> None:
    verdict = on_claims().judge(AUTHOR, ASSERTS)[0]
    verdict.evidence["findings"][0]["details"]["claim"]["url"] = "javascript:alert(1)"
    apply(database, Told(uri("post"), CIDS[0], [verdict], ASSERTS))

    page = await reader.get("/labels/1")
    assert_safe(page)
    assert "javascript:" not in page.body
    assert "No fact-check is linked to it." in " ".join(page.texts("main p"))


async def test_words_of_hidden_accounts_are_not_shown(database: Database, reader: Reader) -> None:
    from models import accounts
    from models.accounts import Account

    apply(database, judged("post", CIDS[0]))
    database.write_now(accounts.add, [Account(1, AUTHOR, active=False, status="deactivated")])

    label = await told(reader, "/labels/1.json")
    assert (label["post"], label["signals"][0]["text"]) == (None, "")

    apply(database, judged("other", CIDS[0], ASSERTS, on_claims()))
    assert "shared" not in (await told(reader, "/labels/2.json"))["signals"][0]


async def test_a_label_on_an_account_has_a_persons_word_and_no_post(database: Database, reader: Reader) -> None:
    account = LabelPolicy("account", ("gtube",), "review", targets=("post", "account"))
    on_accounts = Persons(SRC, [account])
    first = database.write_now(on_accounts.label, AUTHOR, None, "account", By("moderator", "an impostor", "ann"), NOON)
    persons(database, on_accounts.confirm, first.id, By("moderator", "yes", BEN.name))

    (label,) = (await told(reader, f"/labels.json?uri={AUTHOR}"))["labels"]
    assert (label["rule"], label["signals"], label["wordsHidden"], label["cid"]) == (None, [], False, None)
    assert [word["reason"] for word in label["said"]] == ["an impostor", "yes"]
    page = await reader.get(f"/labels?uri={AUTHOR}")
    assert_safe(page)
    assert "deleted or hidden" not in page.body
    assert "on the own profile, tap the label" in page.body


async def test_how_to_appeal_is_told_of_labels_in_force_alone(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0]), judged("gone", CIDS[0]), deleted("gone"))

    assert "on the post, tap the label" in (await reader.get(f"/labels?uri={uri('post')}")).body
    assert "tap the label" not in (await reader.get(f"/labels?uri={uri('gone')}")).body


async def test_an_edit_ends_a_label_and_its_end_does_too(database: Database, reader: Reader) -> None:
    apply(database, judged("post", CIDS[0]), judged("post", CIDS[1], HARMLESS))
    assert (await told(reader, "/labels/1.json"))["takenBack"]["reason"] == "edited"

    long_ago = NOON - duration("31d")
    apply(database, judged("old", CIDS[0]), by=issuer(long_ago))
    assert (await told(reader, "/labels/3.json"))["state"] == "expired"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/labels/7", 404, ""),
        ("/labels/999999999999999999", 404, ""),
        ("/labels?uri=https://example.org", 400, "This is not the link of a post."),
        (f"/labels?uri={uri('none')}", 200, "We have put no label on this."),
        (f"/labels?uri={AUTHOR}", 200, "We have put no label on this."),
        ("/labels", 200, "0 wait, 0 were upheld, 0 were rejected."),
    ],
)
async def test_what_is_not_there_is_said(reader: Reader, path: str, status: int, words: str) -> None:
    got = await reader.get(path)

    assert got.status == status
    assert words in " ".join(got.texts("main p"))
    assert_safe(got)


@pytest.mark.parametrize("lang", ["en", "nl", "fr"])
async def test_the_page_is_safe_in_every_language(database: Database, reader: Reader, lang: str) -> None:
    apply(database, judged("post", CIDS[0], Post(f"<script>x</script> {FLAGGED.text}")))
    got = await reader.get(f"/labels?uri={uri('post')}&lang={lang}")

    assert got.status == 200
    assert_safe(got)


async def test_without_a_labeler_there_is_no_such_page(database: Database) -> None:
    async with reading(Kept(database)) as reader:
        assert (await reader.get("/labels/1")).status == 404
