"""Reports and appeals as the app sends them, and what people make of them: report, queue, decision, label, appeal, negation."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from labeler.signals.gtube import TEST_STRING
from tests.support.labeler_operator import Operator
from tests.support.lexicons import assert_valid_output
from tests.support.network import Net, Ref, XrpcRefused
from tests.support.programs import Service, wait_until
from tests.support.terminal import Terminal

OLD, NEW = "com.atproto.moderation.defs#reason", "tools.ozone.report.defs#reason"
NSID = "com.atproto.moderation.createReport"
PROMPT = r"q quit\n> "


@pytest.fixture
def operator(net: Net, service: Callable[..., Service], tmp_path: Path) -> Callable[[str], Operator]:
    """A published labeler that the AppView reads, with two moderators: ann, and ben, who is a lead."""

    def start(name: str) -> Operator:
        us = Operator(net, service, name, tmp_path)
        us.published()
        net.subscribe_labeler(us.did)
        for who, role in (("ann", "moderator"), ("ben", "lead")):
            assert us.plainsky("moderators", "add", who, "--role", role, "--config", str(us.service.config)).returncode == 0
        return us

    return start


def review(us: Operator, who: str) -> Terminal:
    return Terminal("review", str(us.service.config), "--as", who)


def refused(net: Net, us: Operator, who: str, subject: Ref | str, reason_type: str, **more: str) -> tuple[int, str]:
    """Status and error of a report that is not taken."""
    with pytest.raises(XrpcRefused) as caught:
        net.report(who, us.did, subject, reason_type, **more)
    return caught.value.status, caught.value.body["error"]


def shown(us: Operator, post: Ref, labels: list[str]) -> None:
    wait_until(lambda: us.seen(post) == labels, 15, f"the AppView shows {labels}")


def test_from_a_report_to_a_label_in_the_appview_and_by_an_appeal_back(net: Net, operator: Callable[[str], Operator]) -> None:
    us = operator("plcreport")
    net.account("rita")
    post = net.post("rita", "The vote is on Tuesday the 4th.", langs=["en"])
    net.process()

    answer = net.report("bob", us.did, post, f"{NEW}MisleadingElections", reason="it is on Sunday")
    assert_valid_output(NSID, answer)
    assert (answer["reportedBy"], answer["subject"]["uri"], answer["reason"]) == (net.did("bob"), post.uri, "it is on Sunday")
    assert net.report("bob", us.did, post, f"{NEW}MisleadingElections")["id"] == answer["id"]
    assert net.report("carol", us.did, post, f"{OLD}Misleading")["id"] == answer["id"] + 1

    with review(us, "ann") as terminal:
        screen = terminal.until(PROMPT)
        assert "| The vote is on Tuesday the 4th." in screen
        assert "reports: 2\n" in screen
        assert re.search(rf"MisleadingElections by {net.did('bob')}: it is on Sunday", screen)
        terminal.press("y")
        terminal.until("Decided.")
        terminal.until("Nothing waits.")
        assert terminal.ended() == 0
    shown(us, post, ["network-test"])

    assert refused(net, us, "bob", post, f"{OLD}Appeal") == (403, "Forbidden")
    assert_valid_output(NSID, net.report("rita", us.did, post, f"{OLD}Appeal", reason="it was moved to Tuesday"))
    assert refused(net, us, "rita", post, f"{NEW}Appeal") == (403, "AlreadyAppealed")
    with review(us, "ben") as terminal:
        screen = terminal.until(PROMPT)
        assert "it was moved to Tuesday" in screen
        assert "labels on it: network-test (ours)" in screen
        assert "ann: label network-test (issued)" in screen
        terminal.press("y")
        terminal.until("may read: ")
        terminal.press("the vote was moved\n")
        terminal.until("Nothing waits.")
    shown(us, post, [])

    (label,) = us.service.get(f"/labels.json?uri={post.uri}")[1]["labels"]
    assert (label["state"], label["takenBack"]["role"], label["appeals"][0]["state"]) == ("negated", "appeal", "upheld")
    labels = [label for line in net.labels_as_read_by("official", us.did) for label in line.get("labels", [])]
    assert [(label["cid"], label.get("neg", False), label["sig_ok"]) for label in labels] == [
        (post.cid, False, True),
        (post.cid, True, True),
    ]
    assert [who for who in (net.did("bob"), net.did("carol")) if who in us.service.logs] == []


def test_an_upheld_appeal_against_the_machine_bars_the_text_and_a_rejected_one_tells_why(
    net: Net, operator: Callable[[str], Operator]
) -> None:
    us = operator("plcappeal")
    net.account("sam")
    right, wrong = net.post("sam", f"satire {TEST_STRING}"), net.post("sam", f"a lie {TEST_STRING}")
    for post in (right, wrong):
        shown(us, post, ["network-test"])
        net.report("sam", us.did, post, f"{NEW}Appeal", reason=post.rkey)

    with review(us, "ben") as terminal:
        for _ in range(2):
            upheld = "| satire" in terminal.until(PROMPT)
            terminal.press("y" if upheld else "n")
            terminal.until("may read: ")
            terminal.press("satire\n" if upheld else "it repeats the claim\n")
        terminal.until("Nothing waits.")
    shown(us, right, [])
    shown(us, wrong, ["network-test"])

    with pytest.raises(XrpcRefused, match="Your appeal was rejected: it repeats the claim"):
        net.report("sam", us.did, wrong, f"{NEW}Appeal")
    net.account("tom")
    again, other = net.post("tom", f"satire  {TEST_STRING}"), net.post("tom", f"another {TEST_STRING}")
    shown(us, other, ["network-test"])
    assert us.seen(again) == []


def test_what_cannot_be_judged_is_refused_through_the_pds_too(net: Net, operator: Callable[[str], Operator]) -> None:
    us = operator("plcrefuse")
    net.account("uma")
    post = net.post("uma", "here today")
    gone = net.post("uma", "gone tomorrow")
    net.delete("uma", gone)
    net.process()

    assert refused(net, us, "bob", post, f"{OLD}Rude") == (400, "InvalidRequest")
    assert refused(net, us, "bob", gone, f"{OLD}Misleading") == (400, "InvalidRequest")
    assert refused(net, us, "bob", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", f"{OLD}Misleading") == (400, "InvalidRequest")
    assert refused(net, us, "uma", post, f"{OLD}Appeal") == (400, "InvalidRequest")
    assert net.report("bob", us.did, net.did("uma"), f"{OLD}Misleading")["subject"]["did"] == net.did("uma")
