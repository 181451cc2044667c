"""`plainsky publish feeds` against a real PDS, seen by a reader through the AppView (docs/publishing.md)."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.network import Net, XrpcRefused
from tests.support.programs import ROOT, Service, wait_until

TABLES = """
[[feeds]]
rkey = "garden"
name = "Jardin 🌷"
description = "Bloemen — fleurs, by @bob.test: https://garden.example/été #Garden"
avatar = "@FOLDER@/garden.png"
content_mode = "video"
self_labels = ["sexual"]
[[feeds.include]]
kind = "hashtag"
any = ["garden"]

[[feeds]]
rkey = "deep"
name = "Deep"
[[feeds.include]]
kind = "hashtag"
any = ["deep"]
"""


class Operator:
    """Who runs the service, and types commands beside it."""

    def __init__(self, net: Net, service: Callable[..., Service], name: str, method: str) -> None:
        self.net, self.name = net, name
        net.account(name)
        did = net.did(name)
        self.service = service(net.config(TABLES, f'publisher = "{did}"' + f'\ndid = "{did}"' * (method == "did:plc")))
        (self.service.folder / "garden.png").write_bytes(png(200))

    def publish(self, *options: str, password: str = "appPassword") -> subprocess.CompletedProcess[str]:
        """`plainsky publish feeds OPTIONS CONFIG`, with a password of the account in the environment."""
        env = {**os.environ, "PLAINSKY_PUBLISHER_PASSWORD": self.net.accounts[self.name].get(password, password)}
        command = [sys.executable, "-m", "plainsky", "publish", "feeds", *options, str(self.service.config)]
        done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        print(f"$ plainsky publish feeds {' '.join(options)}\n{done.stdout}{done.stderr}(exit code {done.returncode})\n")
        self.net.process()
        return done

    def published(self, *options: str) -> str:
        """What it prints when it goes well."""
        done = self.publish("--yes", *options)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout

    def write(self, old: str, new: str) -> None:
        """Edit the config."""
        text = self.service.config.read_text()
        assert old in text
        self.service.config.write_text(text.replace(old, new))

    def uri(self, rkey: str) -> str:
        return f"at://{self.net.did(self.name)}/app.bsky.feed.generator/{rkey}"

    def seen(self, rkey: str) -> dict[str, Any]:
        """The feed as bob sees it in his app, through the AppView."""
        return dict(self.net.get("app.bsky.feed.getFeedGenerator", "bob", feed=self.uri(rkey))["view"])

    def record(self, rkey: str) -> dict[str, Any]:
        """The record as it stands in the repo."""
        asked = {"repo": self.net.did(self.name), "collection": "app.bsky.feed.generator", "rkey": rkey}
        return dict(self.net.get("com.atproto.repo.getRecord", "bob", **asked)["value"])


def png(shade: int) -> bytes:
    """A picture of 8 by 8 pixels, all of one shade."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head, rows = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0), (b"\0" + bytes([shade]) * 8) * 8
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def facets_in(view: dict[str, Any]) -> list[tuple[str, str]]:
    said = view["description"].encode()
    return [
        (said[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(), feature.get("did") or feature.get("uri") or feature["tag"])
        for facet in view["descriptionFacets"]
        for feature in facet["features"]
    ]


def test_a_feed_goes_from_the_config_into_the_app_and_out_of_it_again(net: Net, service: Callable[..., Service]) -> None:
    operator = Operator(net, service, "pubweb", "did:web")

    assert operator.publish("--dry-run").returncode == 0
    with pytest.raises(XrpcRefused):
        operator.seen("garden")

    assert "created garden\ncreated deep\n" in operator.published()
    view = operator.seen("garden")
    assert (view["displayName"], view["did"]) == ("Jardin 🌷", operator.service.did)
    assert view["creator"]["did"] == net.did("pubweb")
    assert (view.get("acceptsInteractions", False), view["contentMode"]) == (False, "app.bsky.feed.defs#contentModeVideo")
    assert facets_in(view) == [
        ("@bob.test", net.did("bob")),
        ("https://garden.example/été", "https://garden.example/été"),
        ("#Garden", "Garden"),
    ]
    avatar = view["avatar"]

    post = net.post("carol", "tulips #garden")
    wait_until(lambda: shown(net, operator.uri("garden")) == [post.uri], 10, "bob sees the post in the feed")

    assert operator.published().endswith("Nothing to do.\n")
    first = operator.record("garden")
    assert first["labels"] == {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "sexual"}]}

    operator.write("Bloemen — fleurs", "Fleurs")
    assert "updated garden\n" in operator.published()
    view = operator.seen("garden")
    assert view["description"].startswith("Fleurs, by @bob.test")
    assert facets_in(view)[0] == ("@bob.test", net.did("bob"))
    assert view["avatar"] == avatar
    second = operator.record("garden")
    assert (second["createdAt"], second["avatar"]) == (first["createdAt"], first["avatar"])

    (operator.service.folder / "garden.png").write_bytes(png(100))
    assert "updated garden\n" in operator.published()
    assert operator.seen("garden")["avatar"] != avatar

    assert "deleted deep\n" in operator.published("--remove", "deep")
    with pytest.raises(XrpcRefused):
        operator.seen("deep")
    assert operator.seen("garden")


def test_the_service_may_be_the_publishers_own_did_plc_once_its_document_says_so(net: Net, service: Callable[..., Service]) -> None:
    operator = Operator(net, service, "pubplc", "did:plc")

    done = operator.publish("--yes")
    assert done.returncode == 1
    assert "the document names no service #bsky_fg" in done.stdout

    endpoint = {"type": "BskyFeedGenerator", "endpoint": operator.service.url}
    net.control("/plc/update", handle="pubplc", services={"bsky_fg": endpoint})
    operator.published()

    assert operator.seen("garden")["did"] == net.did("pubplc")
    assert shown(net, operator.uri("deep")) == []


def test_a_wrong_password_and_a_stopped_service_are_told_and_change_nothing(net: Net, service: Callable[..., Service]) -> None:
    operator = Operator(net, service, "pubwrong", "did:web")

    done = operator.publish("--yes", password="wrong-pass-word-here")
    assert (done.returncode, "refuses the password" in done.stderr, "wrong-pass" in done.stdout + done.stderr) == (1, True, False)

    operator.service.stop()
    done = operator.publish("--yes")
    assert (done.returncode, "The service is not running" in done.stdout) == (1, True)
    with pytest.raises(XrpcRefused):
        operator.seen("garden")


def shown(net: Net, feed: str) -> list[str]:
    """The uris that bob sees in a feed."""
    net.process()
    return [item["post"]["uri"] for item in net.get_feed(feed, "bob")["feed"]]
