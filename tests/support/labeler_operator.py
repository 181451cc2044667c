"""`Operator`: who runs a labeler beside the network of tests, and types commands."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labeler import keys
from tests.support.network import Net, Ref
from tests.support.programs import ROOT, Service, get_json

TABLES = """
[labeler]
did = "{did}"
key_file = "@FOLDER@/labeler.key"

[[labels]]
value = "network-test"
signals = ["gtube"]
mode = "auto"
severity = "{severity}"
blurs = "{blurs}"
default_setting = "{setting}"

[[labels.locales]]
lang = "en"
name = "Test"
description = "A post with the test string. Without this label it has not been checked."

[[labels.locales]]
lang = "nl"
name = "Proef"
description = "Een bericht met de proeftekst. Zonder dit label is het niet nagekeken."
"""
TOLD_BY_ITSELF = {"severity": "alert", "blurs": "none", "setting": "warn"}


class Operator:
    """Who runs the labeler, and types commands beside it."""

    def __init__(self, net: Net, service: Callable[..., Service], name: str, folder: Path, more: str = "", **look: str) -> None:
        self.net, self.name, self.did = net, name, net.account(name)
        text = net.config(TABLES.format(did=self.did, **{**TOLD_BY_ITSELF, **look}))
        keys.create(folder / "labeler.key")
        self.key_file = folder / "labeler.key"
        self.service = service(text.replace("@FOLDER@/labeler.key", str(self.key_file)) + more)

    def plainsky(self, *words: str, password: str = "password") -> subprocess.CompletedProcess[str]:
        """A command, with a password of the account in the environment, where nobody can answer questions."""
        env = {**os.environ, "PLAINSKY_LABELER_PASSWORD": self.net.accounts[self.name].get(password, password)}
        command = [sys.executable, "-m", "plainsky", *words]
        done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        print(f"$ plainsky {' '.join(words)}\n{done.stdout}{done.stderr}(exit code {done.returncode})\n")
        self.net.process()
        return done

    def publish(self, *options: str, password: str = "password") -> subprocess.CompletedProcess[str]:
        """`plainsky publish labeler CONFIG OPTIONS`."""
        return self.plainsky("publish", "labeler", str(self.service.config), *options, password=password)

    def published(self, *options: str) -> str:
        """Publish with the code from the mail; what it prints when it goes well."""
        asked = self.publish("--yes", *options)
        assert (asked.returncode, "A code was mailed" in asked.stderr) == (1, True), asked.stdout + asked.stderr
        done = self.publish("--yes", "--token", self.code(), *options)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout

    def code(self) -> str:
        """The code in the last mail to the account."""
        mails = [mail for mail in self.net.mails() if mail["to"] == f"{self.name}@netbox.test"]
        found = re.search(r"\b[A-Z0-9]{5}-[A-Z0-9]{5}\b", mails[-1]["text"])
        assert found, mails[-1]
        return found[0]

    def data(self) -> dict[str, Any]:
        """What the directory says of the account."""
        return dict(get_json(f"{self.net.plc}/{self.did}/data")[1])

    def record(self) -> dict[str, Any]:
        """The record as it stands in the repo."""
        asked = {"repo": self.did, "collection": "app.bsky.labeler.service", "rkey": "self"}
        return dict(self.net.get("com.atproto.repo.getRecord", "bob", **asked)["value"])

    def seen(self, post: Ref, subscribed: bool = True) -> list[str]:
        """The values of our labels that the AppView shows bob on a post."""
        self.net.process()
        headers = {"atproto-accept-labelers": self.did} if subscribed else {}
        posts = self.net.get("app.bsky.feed.getPosts", "bob", headers, uris=[post.uri])["posts"]
        return [label["val"] for label in posts[0]["labels"] if label["src"] == self.did]
