"""A label whose time has come, as the AppView sees it: gone, though nobody negated it."""

from collections.abc import Callable
from pathlib import Path

from models.duration import duration
from models.protocol.syntax import parse_datetime
from tests.support.labeler_operator import Operator
from tests.support.network import Net
from tests.support.programs import Service, wait_until


def test_a_label_is_gone_when_its_time_has_come_and_nobody_negated_it(net: Net, service: Callable[..., Service], tmp_path: Path) -> None:
    us = Operator(net, service, "plcexpiry", tmp_path)
    us.published()
    net.subscribe_labeler(us.did)
    net.account("sven")
    post = net.post("sven", "good morning")

    issue = ["--config", str(us.service.config), "--cid", post.cid, "--expires", "8s", "--reason", "for a while", "--yes"]
    assert us.plainsky("labels", "issue", post.uri, "network-test", *issue).returncode == 0
    wait_until(lambda: us.seen(post) == ["network-test"], 7, "the AppView shows the label")
    wait_until(lambda: us.seen(post) == [], 30, "its time has come")

    (label,) = us.service.get(f"/xrpc/com.atproto.label.queryLabels?uriPatterns={post.uri}")[1]["labels"]
    assert (label["cid"], "neg" in label) == (post.cid, False)
    assert parse_datetime(label["exp"]) == (parse_datetime(label["cts"]) or 0) + duration("8s")
