"""`plainsky publish labeler` on a real network: a did:plc account becomes a labeler, its labels are seen, its key is changed."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from labeler import keys
from labeler.signals.gtube import TEST_STRING
from tests.support.labeler_operator import Operator
from tests.support.network import Net, node
from tests.support.programs import Service, wait_until


@pytest.fixture
def operator(net: Net, service: Callable[..., Service], tmp_path: Path) -> Callable[..., Operator]:
    return lambda name, **look: Operator(net, service, name, tmp_path, **look)


def test_an_account_becomes_a_labeler_whose_subscribers_see_its_labels(net: Net, operator: Callable[..., Operator]) -> None:
    us = operator("plcnew")
    before = us.data()

    shown = us.publish("--dry-run")
    assert shown.returncode == 0
    assert "update      the DID document" in shown.stdout
    assert f"AtprotoLabeler at {us.service.url}" in shown.stdout
    assert "create      the record app.bsky.labeler.service" in shown.stdout
    assert us.data() == before

    assert "updated the DID document\ncreated the record app.bsky.labeler.service" in us.published()
    after = us.data()
    assert after["verificationMethods"] == {
        **before["verificationMethods"],
        "atproto_label": keys.did_key(keys.load(us.key_file).public_key),
    }
    assert after["services"] == {**before["services"], "atproto_labeler": {"type": "AtprotoLabeler", "endpoint": us.service.url}}
    assert (after["rotationKeys"], after["alsoKnownAs"]) == (before["rotationKeys"], before["alsoKnownAs"])

    net.subscribe_labeler(us.did)
    post = net.post("carol", f"look: {TEST_STRING}")
    wait_until(lambda: us.seen(post) == ["network-test"], 10, "a subscriber sees the label")
    assert us.seen(post, subscribed=False) == []
    assert net.labelers()[us.did]["rejected"] == []

    checked = us.publish("--check")
    # The report stage has its own tests; until reports are taken, that check tells so.
    assert [line for line in checked.stdout.splitlines() if line.startswith("FAILED") and "createReport" not in line] == []
    assert us.publish("--yes", password="appPassword").stdout.endswith("Nothing to do.\n")

    text = us.service.config.read_text()
    us.service.config.write_text(text.replace('name = "Proef"', 'name = "Toets"'))
    created = us.record()["createdAt"]
    changed = us.publish("--yes", password="appPassword")
    assert (changed.returncode, '        - "Proef"\n        + "Toets"' in changed.stdout) == (0, True)
    assert us.record()["createdAt"] == created


def test_an_app_password_changes_no_did_document_and_a_wrong_code_neither(operator: Callable[..., Operator]) -> None:
    us = operator("plcapp")
    before = us.data()

    refused = us.publish("--yes", password="appPassword")
    assert (refused.returncode, "lets no app password change the DID document" in refused.stderr) == (1, True)
    wrong = us.publish("--yes", "--token", "AAAAA-BBBBB")
    assert (wrong.returncode, "The code from the mail is not accepted" in wrong.stderr) == (1, True)
    assert us.data() == before


def test_a_changed_key_is_in_the_document_and_later_labels_are_seen(net: Net, operator: Callable[..., Operator]) -> None:
    us = operator("plckey")
    us.published()
    net.subscribe_labeler(us.did)
    first = net.post("carol", f"first {TEST_STRING}")
    wait_until(lambda: us.seen(first) == ["network-test"], 10, "the label is seen")

    us.service.stop()
    assert us.plainsky("keys", "rotate", str(us.service.config)).returncode == 0
    shown = us.publish("--dry-run", "--stopped")
    (old,) = keys.retired(us.key_file)
    assert f"key #atproto_label         {keys.did_key(old.key)}\n" in shown.stdout
    us.published("--stopped")
    assert us.data()["verificationMethods"]["atproto_label"] == keys.did_key(keys.load(us.key_file).public_key)
    us.service.start()
    net.control("/did/refresh", did=us.did)

    second = net.post("carol", f"second {TEST_STRING}")
    # Bluesky's client waits ever longer between its attempts while the service stands still.
    wait_until(lambda: us.seen(second) == ["network-test"], 90, "a label by the new key is seen")
    assert us.seen(first) == ["network-test"]
    assert net.labelers()[us.did]["rejected"] == []
    checked = us.publish("--check")
    assert "every signature is the key's" in checked.stdout


def test_a_rotation_key_of_the_operators_own_signs_the_change(net: Net, operator: Callable[..., Operator], tmp_path: Path) -> None:
    us = operator("plcown")
    own = keys.create(tmp_path / "rotation.key")
    refused = us.publish("--yes", "--rotation-key", str(tmp_path / "rotation.key"))
    assert (refused.returncode, "none of the rotation keys" in refused.stderr) == (2, True)

    net.call("com.atproto.identity.requestPlcOperationSignature", us.name, method="POST")
    rotation = [keys.did_key(own.public_key), *us.data()["rotationKeys"]]
    signed = net.call("com.atproto.identity.signPlcOperation", us.name, {"token": us.code(), "rotationKeys": rotation})
    net.call("com.atproto.identity.submitPlcOperation", us.name, signed)
    before = us.data()

    done = us.publish("--yes", "--rotation-key", str(tmp_path / "rotation.key"), password="appPassword")
    assert (done.returncode, done.stderr) == (0, "")
    assert us.data() == {
        **before,
        "verificationMethods": {**before["verificationMethods"], "atproto_label": keys.did_key(keys.load(us.key_file).public_key)},
        "services": {**before["services"], "atproto_labeler": {"type": "AtprotoLabeler", "endpoint": us.service.url}},
    }
    assert us.record()["policies"]["labelValues"] == ["network-test"]


@pytest.mark.parametrize(
    ("look", "setting", "decision"),
    [
        ({"severity": "alert", "blurs": "none"}, "", {"contentList": "alert", "contentView": "alert"}),
        ({"severity": "inform", "blurs": "none"}, "", {"contentList": "inform", "contentView": "inform"}),
        ({"severity": "alert", "blurs": "content"}, "", {"contentList": "blur", "contentView": "alert"}),
        ({"severity": "alert", "blurs": "content"}, "network-test=hide", {"contentList": "filter+blur", "contentView": "alert"}),
        ({"severity": "alert", "blurs": "content", "setting": "ignore"}, "", {"contentList": "", "contentView": ""}),
    ],
    ids=["alert", "inform", "blur", "blur, hidden by the reader", "ignored by default"],
)
def test_a_real_client_decides_as_the_config_says(
    net: Net, operator: Callable[..., Operator], look: Mapping[str, str], setting: str, decision: Mapping[str, str], request: Any
) -> None:
    number = request.node.callspec.indices["look"]
    us = operator(f"plcsee{number}", **look)
    us.published()
    net.subscribe_labeler(us.did)
    author, reader = f"author{number}", f"reader{number}"
    net.account(author)
    net.account(reader)
    post = net.post(author, f"see {TEST_STRING}")
    wait_until(lambda: us.seen(post) == ["network-test"], 10, "the label is seen")

    ui = decided(net, us.did, reader, author, *([setting] if setting else []))
    assert {key: ui[key] for key in decision} == decision


def test_a_canary_tells_how_soon_labels_reach_readers(net: Net, operator: Callable[..., Operator]) -> None:
    post = net.post("carol", "a canary's post")
    us = operator("plccanary", more=f'\n[canary]\npost = "{post.uri}"\nvalue = "network-test"\nevery = "1m"\n')
    us.published()
    net.subscribe_labeler(us.did)

    wait_until(lambda: "Labels reach readers within" in page(us.service.url), 60, "the canary is seen")
    assert us.seen(post) == ["network-test"]
    assert "plainsky_canary_missed 0.0" in page(f"{us.service.url}/metrics")


def page(address: str) -> str:
    with urllib.request.urlopen(address) as answer:
        return str(answer.read().decode())


def decided(net: Net, labeler: str, *words: str) -> dict[str, str]:
    """What @atproto/api decides about the author's only post: by place, "blur", "alert" and the like."""
    folder = net.folder
    command = [str(node(folder)), "moderate.mjs", labeler, *words]
    done = subprocess.run(
        command, cwd=folder / "app", env={**os.environ, "NETBOX_DIR": str(folder)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return dict(json.loads(done.stdout.splitlines()[-1])["ui"])
