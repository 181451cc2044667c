"""A followed feed through the real network: each reader sees the posts of those he follows, by the tokens that his own PDS signs."""

from collections.abc import Callable

import pytest

from tests.support.network import Net, XrpcRefused, now
from tests.support.programs import Service, wait_until

WITHIN_SECONDS = 15.0

TABLES = """
[log]
level = "debug"

[[feeds]]
rkey = "near"
name = "Near"
followed = true
[[feeds.include]]
kind = "keyword"
any = ["nearby"]
"""


def follow(net: Net, who: str, whom: str) -> None:
    net.record(who, "app.bsky.graph.follow", {"subject": net.did(whom), "createdAt": now()})


def test_bob_and_dan_each_see_whom_they_follow_and_nobody_is_written_down(net: Net, service: Callable[..., Service]) -> None:
    follow(net, "bob", "carol")
    follow(net, "dan", "alice")
    net.process()
    plainsky = service(net.config(TABLES, f'publisher = "{net.did("alice")}"'))
    feed = net.publish_feed("alice", "near", plainsky.did)
    by_carol, by_alice = net.post("carol", "nearby, a fox"), net.post("alice", "nearby, a heron")
    net.post("carol", "far away")
    net.process()

    def shown(viewer: str) -> list[str]:
        return [item["post"]["uri"] for item in net.get_feed(feed, viewer)["feed"]]

    wait_until(lambda: shown("bob") == [by_carol.uri], WITHIN_SECONDS, "bob sees carol's post")
    assert shown("dan") == [by_alice.uri]

    with pytest.raises(XrpcRefused, match="log in"):
        net.get_feed(feed)

    net.delete("carol", by_carol)
    wait_until(lambda: shown("bob") == [], WITHIN_SECONDS, "the deleted post is gone")
    written = plainsky.logs + "".join(path.read_bytes().decode(errors="replace") for path in plainsky.folder.glob("plainsky.sqlite*"))
    assert net.did("bob") not in written
    assert net.did("dan") not in written
