"""`plainsky publish labeler`, from a config to record and DID document, against a small PDS and directory on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from labeler.keys import did_key
from plainsky.cli import main
from plainsky.publishing import plc
from tests.support.commands import Said
from tests.support.labeler_pds import ACCOUNT_KEY, CODE, OWN_PASSWORD, LabelerPds, has_signed, signed
from tests.support.lexicons import assert_valid_record
from tests.support.pds import PASSWORD, PUBLISHER

CONFIG = """
[service]
hostname = "localhost:{port}"

[identity]
plc = "http://127.0.0.1:{port}"
resolver = "http://127.0.0.1:{port}"

[appview]
url = "http://127.0.0.1:{port}"

[labeler]
did = "{did}"
key_file = "{key_file}"

[[labels]]
value = "claim"
signals = ["gtube"]
"""


Publish = Callable[..., Awaitable[Said]]


@pytest.fixture
async def pds(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LabelerPds]:
    monkeypatch.setattr("plainsky.publishing.labeler_checks.QUIET_SECONDS", 0.05)
    async with LabelerPds() as server:
        yield server


@pytest.fixture
def publish(pds: LabelerPds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Publish:
    """`await publish("--yes")`: the command, with the account's own password in the environment unless another is given."""
    key_file = tmp_path / "labeler.key"
    key_file.touch(0o600)
    key_file.write_text(pds.key.to_hex())

    async def run(*options: str, password: str = OWN_PASSWORD, more: str = "", did: str = PUBLISHER) -> Said:
        monkeypatch.setenv("PLAINSKY_LABELER_PASSWORD", password)
        file = tmp_path / "config.toml"
        file.write_text(CONFIG.format(port=pds.port, did=did, key_file=key_file) + more)
        code = await asyncio.to_thread(main, ["publish", "labeler", str(file), *options])
        return Said(code, *capsys.readouterr())

    return run


async def published(pds: LabelerPds, publish: Publish) -> None:
    said = await publish("--yes", "--token", CODE)
    assert (said.code, said.err) == (0, ""), said.out


async def test_service_and_key_go_into_the_document_and_everything_else_stays(pds: LabelerPds, publish: Publish) -> None:
    before = pds.log[-1]
    await published(pds, publish)

    after = pds.log[-1]
    assert len(pds.log) == 2
    assert after["verificationMethods"] == {**before["verificationMethods"], "atproto_label": did_key(pds.key.public_key)}
    assert after["services"] == {**before["services"], "atproto_labeler": {"type": "AtprotoLabeler", "endpoint": pds.endpoint}}
    assert (after["rotationKeys"], after["alsoKnownAs"]) == (before["rotationKeys"], before["alsoKnownAs"])
    assert pds.mails == 0  # the code was there already


async def test_the_record_says_what_the_config_says(pds: LabelerPds, publish: Publish) -> None:
    await published(pds, publish)

    record = pds.records["self"]
    assert_valid_record(record)
    assert record["policies"]["labelValues"] == ["claim"]
    assert [locale["lang"] for locale in record["policies"]["labelValueDefinitions"][0]["locales"]] == ["en", "nl", "fr"]


async def test_a_second_run_changes_nothing_and_needs_no_password(pds: LabelerPds, publish: Publish) -> None:
    await published(pds, publish)
    repo, calls = dict(pds.repo), list(pds.calls)

    said = await publish("--yes", password="")

    assert (said.code, said.out.endswith("Nothing to do.\n"), pds.repo, pds.calls, len(pds.log)) == (0, True, repo, calls, 2)


async def test_an_update_of_the_record_takes_an_app_password_and_keeps_createdat_and_what_is_not_ours(
    pds: LabelerPds, publish: Publish
) -> None:
    await published(pds, publish)
    cid, record = pds.repo["self"]
    record |= {"createdAt": "2024-01-01T00:00:00.000Z", "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": []}}

    said = await publish("--yes", password=PASSWORD, more='severity = "inform"\n')

    assert (said.code, said.err) == (0, "")
    assert '    claim, severity\n        - "alert"\n        + "inform"\n' in said.out
    written = pds.records["self"]
    assert (written["createdAt"], written["labels"]["values"]) == ("2024-01-01T00:00:00.000Z", [])
    assert pds.repo["self"][0] != cid


async def test_a_dry_run_shows_both_differences_and_writes_nothing(pds: LabelerPds, publish: Publish) -> None:
    said = await publish("--dry-run", password="")

    key = did_key(pds.key.public_key)
    assert said.code == 0
    assert said.out.split("\n\n")[1].splitlines()[:9] == [
        f"update      the DID document, in http://127.0.0.1:{pds.port}",
        "    service #atproto_labeler   none",
        f"                            -> AtprotoLabeler at {pds.endpoint}",
        "    key #atproto_label         none",
        f"                            -> {key}",
        "    stays                      service #atproto_pds, service #bsky_fg, key #atproto, key #other, at://news.example.org, 2 rotation"
        " keys",
        "create      the record app.bsky.labeler.service",
        "    labels",
        '        + ["claim"]',
    ]
    assert said.out.endswith("Nothing was published: this was a dry run.\n")
    assert (len(pds.log), pds.calls, pds.mails) == (1, [], 0)


async def test_labels_that_leave_the_config_are_told_to_be_negated(pds: LabelerPds, publish: Publish) -> None:
    await published(pds, publish)
    pds.records["self"]["policies"]["labelValues"].append("older")

    said = await publish("--dry-run")

    assert "clients will ignore the labels older that stand" in said.out


async def test_without_a_code_a_mail_is_asked_for_and_nothing_changes(pds: LabelerPds, publish: Publish) -> None:
    said = await publish("--yes")

    assert (said.code, pds.mails, len(pds.log), pds.repo) == (1, 1, 1, {})
    assert said.err == (
        "A code was mailed to the account's address, to allow the change of its DID document. Run this again with --token CODE.\n"
    )


async def test_at_a_terminal_it_asks_whether_to_publish_and_for_the_code(
    pds: LabelerPds, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"Publish this?": "yes", "A code was mailed": f" {CODE} "}
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(next(start for start in answers if question.strip().startswith(start)))
        return answers[asked[-1]]

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", answer)
    said = await publish()

    assert (said.code, said.err, pds.mails, len(pds.log)) == (0, "", 1, 2)
    assert asked == list(answers)


class Terminal:
    def isatty(self) -> bool:
        return True


async def test_a_no_publishes_nothing(pds: LabelerPds, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda _: "")

    said = await publish()

    assert (said.code, said.out.endswith("Nothing was published.\n"), len(pds.log), pds.repo) == (1, True, 1, {})


async def test_an_account_with_a_second_factor_is_asked_for_its_code(
    pds: LabelerPds, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    pds.fail("createSession", 401, "AuthFactorTokenRequired")
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda question: "99999-88888" if "to log in" in question else "x")

    said = await publish("--yes", "--token", CODE)

    assert (said.code, said.err) == (0, "")
    assert pds.factors == ["99999-88888"]


async def test_a_wrong_code_changes_nothing(pds: LabelerPds, publish: Publish) -> None:
    said = await publish("--yes", "--token", "AAAAA-BBBBB")

    assert (said.code, len(pds.log), pds.repo) == (1, 1, {})
    assert said.err.startswith("The code from the mail is not accepted")


async def test_an_app_password_is_told_not_to_be_enough_and_is_not_shown(pds: LabelerPds, publish: Publish) -> None:
    said = await publish("--yes", "--token", CODE, password=PASSWORD)

    assert (said.code, len(pds.log), pds.repo) == (1, 1, {})
    assert "lets no app password change the DID document" in said.err
    assert PASSWORD not in said.out + said.err


async def test_a_pds_that_signs_something_else_is_not_obeyed(pds: LabelerPds, publish: Publish) -> None:
    pds.signs = {"rotationKeys": [did_key(pds.rotation.public_key)]}

    said = await publish("--yes", "--token", CODE)

    assert (said.code, len(pds.log), pds.repo) == (1, 1, {})
    assert "signed something else than it was asked to" in said.err


async def test_an_account_that_the_pds_sees_otherwise_is_told_before_a_mail_is_sent(pds: LabelerPds, publish: Publish) -> None:
    last = {name: value for name, value in pds.log[-1].items() if name != "sig"}
    last["verificationMethods"] = {"atproto": did_key(pds.own.public_key)}
    pds.log[-1] = signed(last, pds.rotation)

    said = await publish("--yes")

    assert (said.code, pds.mails) == (1, 0)
    assert "disagree on #atproto" in said.err


@pytest.mark.parametrize("way", ["pds", "own key"])
async def test_an_operation_that_came_between_is_never_taken_back(
    pds: LabelerPds, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (tmp_path / "own.key").touch(0o600)
    (tmp_path / "own.key").write_text(pds.own.to_hex())
    last = plc.last
    asked: list[str] = []

    async def slow(directory: str, did: str) -> Any:
        if asked:  # between the first look and the next, somebody else changes her document
            old = pds.log[-1]
            changed = {**{name: value for name, value in old.items() if name != "sig"}, "alsoKnownAs": ["at://new.example.org"]}
            pds.log.append(signed({**changed, "prev": plc.cid(old)}, pds.rotation))
        asked.append(did)
        return await last(directory, did)

    monkeypatch.setattr(plc, "last", slow)
    said = await publish("--yes", *(["--token", CODE] if way == "pds" else ["--rotation-key", str(tmp_path / "own.key")]))

    assert (said.code, len(pds.log), pds.repo) == (1, 2, {})
    assert "The DID document was changed by somebody else just now" in said.err


@pytest.mark.parametrize("form", ["hexadecimal", "multibase"])
async def test_a_rotation_key_of_ones_own_signs_without_the_pds(pds: LabelerPds, publish: Publish, tmp_path: Path, form: str) -> None:
    (tmp_path / "own.key").touch(0o600)
    secret = bytes.fromhex(pds.own.to_hex())
    (tmp_path / "own.key").write_text(secret.hex() if form == "hexadecimal" else "z" + base58(b"\x81\x26" + secret))

    said = await publish("--yes", "--rotation-key", str(tmp_path / "own.key"), password=PASSWORD)

    assert (said.code, said.err, pds.mails) == (0, "", 0)
    assert has_signed(did_key(pds.own.public_key), pds.log[-1])
    assert pds.log[-1]["services"]["atproto_labeler"]["endpoint"] == pds.endpoint
    assert "self" in pds.records


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    return text


async def test_a_key_that_is_no_rotation_key_is_refused_before_anything_is_written(
    pds: LabelerPds, publish: Publish, tmp_path: Path
) -> None:
    said = await publish("--yes", "--rotation-key", str(tmp_path / "labeler.key"))

    assert (said.code, len(pds.log), pds.repo) == (2, 1, {})
    assert "which is none of the rotation keys of" in said.err


async def test_another_address_or_key_takes_the_place_of_the_old_one_with_a_note(pds: LabelerPds, publish: Publish) -> None:
    last = {name: value for name, value in pds.log[-1].items() if name != "sig"}
    last["services"] = {**last["services"], "atproto_labeler": {"type": "AtprotoLabeler", "endpoint": "https://old.example.org"}}
    last["verificationMethods"] = {**last["verificationMethods"], "atproto_label": ACCOUNT_KEY}
    pds.log[-1] = signed(last, pds.rotation)

    shown = await publish("--dry-run")

    assert "    service #atproto_labeler   AtprotoLabeler at https://old.example.org\n" in shown.out
    assert f"    key #atproto_label         {ACCOUNT_KEY}\n" in shown.out
    assert "Note: until now the labeler is at another address." in shown.out


async def test_what_fails_from_outside_is_mended_before_anything_is_published(pds: LabelerPds, publish: Publish) -> None:
    pds.say("claim", key=pds.own)

    said = await publish("--yes", "--token", CODE)

    assert (said.code, len(pds.log), pds.repo) == (1, 1, {})
    assert "1 signatures that the key for labels did not make" in said.out
    assert "mend what FAILED first" in said.out


async def test_a_service_that_was_stopped_on_purpose_is_not_looked_at(pds: LabelerPds, publish: Publish) -> None:
    pds.say("claim", key=pds.own)

    said = await publish("--yes", "--token", CODE, "--stopped")

    assert (said.code, "Seen from outside" in said.out, len(pds.log)) == (0, False, 2)


@pytest.mark.parametrize("did", ["did:web:localhost%3A{port}", "did:plc:nobody2222222222222222222"[:32]])
async def test_a_labeler_without_an_account_is_told_how_to_get_one(pds: LabelerPds, publish: Publish, did: str) -> None:
    said = await publish("--dry-run", did=did.format(port=pds.port))

    assert said.code == 2
    assert "Make an account for the labeler in the Bluesky app" in said.err


async def test_an_account_of_a_did_web_is_published_once_its_owner_has_written_the_document(pds: LabelerPds, publish: Publish) -> None:
    pds_of = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds.url}
    document: dict[str, Any] = {"alsoKnownAs": ["at://labels.example.org"], "service": [pds_of], "verificationMethod": []}

    async def did_json(_: web.Request) -> web.Response:
        return web.json_response(document)

    app = web.Application()
    app.add_routes([web.get("/.well-known/did.json", did_json)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pds.account = document["id"] = did = f"did:web:localhost%3A{runner.addresses[0][1]}"
    try:
        told = await publish("--yes", did=did)
        assert (told.code, pds.repo) == (1, {})
        parts = json.loads(told.out[told.out.index("{") : told.out.rindex("}") + 1])
        assert parts["service"][0]["serviceEndpoint"] == pds.endpoint

        document["service"] += parts["service"]
        document["verificationMethod"] += parts["verificationMethod"]
        done = await publish("--yes", did=did)
        assert (done.code, done.err, list(pds.repo), len(pds.log)) == (0, "", ["self"], 1), done.out
    finally:
        await runner.cleanup()


async def test_a_tombstone_and_a_document_of_nonsense_are_not_built_upon(pds: LabelerPds, publish: Publish) -> None:
    real = pds.log[-1]
    for last, told in (
        ({"type": "plc_tombstone", "prev": "x", "sig": "y"}, "was given up by its owner"),
        ({**real, "services": ["x"]}, "makes no sense"),
        ({**real, "rotationKeys": []}, "makes no sense"),
    ):
        pds.log[-1] = last
        pds.document = {
            "id": PUBLISHER,
            "service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds.url}],
        }
        said = await publish("--dry-run")
        assert (said.code, told in said.err) == (1, True), said.err


LEGACY = {
    "type": "create",
    "signingKey": ACCOUNT_KEY,
    "recoveryKey": ACCOUNT_KEY,
    "handle": "old.example.org",
    "service": "pds.example.org",
    "prev": None,
    "sig": "x",
}


def test_the_first_operation_of_an_old_did_is_read_in_todays_form() -> None:
    made = plc.with_labeler(LEGACY, "did:key:z", "https://labels.example.org")

    assert made == {
        "type": "plc_operation",
        "rotationKeys": [ACCOUNT_KEY, ACCOUNT_KEY],
        "verificationMethods": {"atproto": ACCOUNT_KEY, "atproto_label": "did:key:z"},
        "alsoKnownAs": ["at://old.example.org"],
        "services": {
            "atproto_pds": {"type": "AtprotoPersonalDataServer", "endpoint": "https://pds.example.org"},
            "atproto_labeler": {"type": "AtprotoLabeler", "endpoint": "https://labels.example.org"},
        },
        "prev": plc.cid(LEGACY),
    }


def test_a_cid_is_that_of_the_directory() -> None:
    """Of an operation as @did-plc/lib made it, named by the next one; a did:plc is the hash of its first."""
    vector = json.loads((Path(__file__).parents[1] / "data" / "plc-operation.json").read_text())

    assert plc.cid(vector["operation"]) == vector["cid"] == vector["next"]["prev"]
    assert any(has_signed(key, vector["next"]) for key in vector["operation"]["rotationKeys"])
