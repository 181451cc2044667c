"""`Net`, what end-to-end tests speak to: the accounts, records, feeds and labelers of the network that `tests.support.netbox` starts."""

import json
import os
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.programs import config, request_json

POST = "app.bsky.feed.post"
_PLACES = """
[identity]
plc = "{plc}"
resolver = "{pds}"

[appview]
url = "{appview}"
refresh = "1s"
"""
CONSUMERS = {"atcute": "consumers/labels.mjs", "official": "app/labels-official.mjs"}


@dataclass(frozen=True)
class Ref:
    """A record: where it is, and which version."""

    uri: str
    cid: str

    @property
    def rkey(self) -> str:
        """The record's key, the last part of its URI."""
        return self.uri.rsplit("/", 1)[1]


class XrpcRefused(Exception):
    """The network answered a call with an error."""

    def __init__(self, nsid: str, status: int, body: Any) -> None:
        super().__init__(f"{nsid}: {status} {body}")
        self.status = status
        self.body = body


class Net:
    """A running network. Accounts are named `alice`, `bob`, `carol`, `dan`; `account` makes more."""

    def __init__(self, folder: Path, info: dict[str, Any]) -> None:
        self._folder = folder
        self._tokens: dict[str, str] = {}
        self.accounts: dict[str, dict[str, str]] = info["accounts"]
        self.pds: str = info["pds"]
        self.appview: str = info["bsky"]
        self.plc: str = info["plc"]
        self.ozone: str = info["ozone"]
        self.ozone_did: str = info["ozoneDid"]
        self._ozone_account: dict[str, str] = info["ozoneAccount"]
        self.firehose: str = info["firehose"].split("/xrpc/")[0]
        """The PDS as a WebSocket host: `ws://localhost:PORT`."""
        self._control: str = info["control"]

    def config(self, tables: str, service: str = "") -> str:
        """A config of ours that reads this network, with these tables, and these lines more in [service]."""
        places = _PLACES.format(plc=self.plc, pds=self.pds, appview=self.appview)
        return config(f'source = "firehose"\nhosts = ["{self.firehose}"]', places + tables, service)

    # accounts

    def did(self, who: str) -> str:
        """The account's DID."""
        return self.accounts[who]["did"]

    def account(self, name: str) -> str:
        """Make an account `NAME.test`; its DID."""
        self.accounts[name] = self.control("/account", handle=name)
        return self.did(name)

    def deactivate(self, who: str) -> None:
        """The account's owner hides it."""
        self.call("com.atproto.server.deactivateAccount", who, body={})

    def activate(self, who: str) -> None:
        """The account's owner brings it back."""
        self.call("com.atproto.server.activateAccount", who, method="POST")  # with a body of {} no #account event would come

    def takedown(self, who: str, applied: bool = True) -> None:
        """The PDS's administrator takes the account down, or gives it back."""
        self.control("/pds/takedown", did=self.did(who), applied=applied)

    # records

    def post(self, who: str, text: str, **fields: Any) -> Ref:
        """A post, now; other fields of the record as keywords."""
        return self.record(who, POST, {"text": text, "createdAt": now(), **fields})

    def posts(self, who: str, texts: list[str]) -> list[Ref]:
        """Many posts in one commit (at most 200)."""
        nsid = "com.atproto.repo.applyWrites"
        writes = [
            {"$type": f"{nsid}#create", "collection": POST, "value": {"$type": POST, "text": text, "createdAt": now()}} for text in texts
        ]
        answer = self.call(nsid, who, body={"repo": self.did(who), "writes": writes})
        return [Ref(result["uri"], result["cid"]) for result in answer["results"]]

    def record(self, who: str, collection: str, record: Mapping[str, Any], rkey: str | None = None, validate: bool | None = None) -> Ref:
        """A new record. `validate=False` lets garbage through."""
        body = {
            "repo": self.did(who),
            "collection": collection,
            "record": {"$type": collection, **record},
            "rkey": rkey,
            "validate": validate,
        }
        answer = self.call("com.atproto.repo.createRecord", who, body={key: value for key, value in body.items() if value is not None})
        return Ref(answer["uri"], answer["cid"])

    def put(self, who: str, collection: str, rkey: str, record: Mapping[str, Any]) -> Ref:
        """Make or replace a record."""
        body = {"repo": self.did(who), "collection": collection, "rkey": rkey, "record": {"$type": collection, **record}}
        answer = self.call("com.atproto.repo.putRecord", who, body=body)
        return Ref(answer["uri"], answer["cid"])

    def edit(self, who: str, post: Ref, text: str, **fields: Any) -> Ref:
        """Replace a post."""
        return self.put(who, POST, post.rkey, {"text": text, "createdAt": now(), **fields})

    def delete(self, who: str, record: Ref) -> None:
        """Delete a record."""
        _, _, _, collection, rkey = record.uri.split("/")
        self.call("com.atproto.repo.deleteRecord", who, body={"repo": self.did(who), "collection": collection, "rkey": rkey})

    # feeds and labels

    def create_did(self, services: Mapping[str, Mapping[str, str]], **methods: str) -> str:
        """A did:plc that lives on no PDS, with `{"bsky_fg": {"type": ..., "endpoint": ...}}` as its services."""
        return str(self.control("/plc/create", services=services, **({"verificationMethods": methods} if methods else {}))["did"])

    def publish_feed(self, who: str, rkey: str, generator: str) -> str:
        """Announce a feed that the DID `generator` serves; the feed's URI. The AppView knows it when this returns."""
        record = {"did": generator, "displayName": rkey, "createdAt": now()}
        feed = self.put(who, "app.bsky.feed.generator", rkey, record)
        self.process()
        return feed.uri

    def publish_labeler(self, who: str, endpoint: str, key: str, values: list[str]) -> str:
        """Make the account a labeler: endpoint and signing key (a did:key) in its DID document, its values in its record. Its DID."""
        services = {"atproto_labeler": {"type": "AtprotoLabeler", "endpoint": endpoint}}
        self.control("/plc/update", handle=who, services=services, verificationMethods={"atproto_label": key})
        locales = [{"lang": "en", "name": "Test", "description": "A test label."}]
        definitions = [{"identifier": value, "severity": "alert", "blurs": "none", "locales": locales} for value in values]
        policies = {"labelValues": values, "labelValueDefinitions": definitions}
        self.put(who, "app.bsky.labeler.service", "self", {"policies": policies, "createdAt": now()})
        self.process()
        return self.did(who)

    def moderate(self, subject: Ref | str, put: Sequence[str] = (), take: Sequence[str] = ()) -> None:
        """Ozone's moderator puts labels on a post or an account (by DID), and takes others back."""
        nsid = "tools.ozone.moderation"
        event = {"$type": f"{nsid}.defs#modEventLabel", "createLabelVals": [*put], "negateLabelVals": [*take]}
        body = {"event": event, "subject": _subject(subject), "createdBy": self.did(self._moderator())}
        self._xrpc("POST", self.pds, f"{nsid}.emitEvent", self._moderator(), body, {"atproto-proxy": f"{self.ozone_did}#atproto_labeler"})

    def report(self, who: str, labeler: str, subject: Ref | str, reason_type: str, **more: Any) -> dict[str, Any]:
        """A report or an appeal, as the app sends it: through the account's PDS, which passes it on to the labeler. Its answer."""
        nsid = "com.atproto.moderation.createReport"
        body = {"reasonType": reason_type, "subject": _subject(subject), **more}
        return dict(self._xrpc("POST", self.pds, nsid, who, body, {"atproto-proxy": f"{labeler}#atproto_labeler"}))

    def _moderator(self) -> str:
        if "moderator" not in self.accounts:
            found = self.get("com.atproto.identity.resolveHandle", "alice", handle=self._ozone_account["handle"])
            self.accounts["moderator"] = {"did": found["did"], "password": self._ozone_account["password"]}
        return "moderator"

    def subscribe_labeler(self, did: str, cursor: int = 0) -> dict[str, Any]:
        """Let the AppView take in the labeler's stream."""
        return dict(self.control("/appview/subscribe-labeler", did=did, cursor=cursor))

    def labelers(self) -> dict[str, dict[str, Any]]:
        """How the AppView fares with each labeler's stream: cursor, labels, rejected (with the reason), errors."""
        return {state["did"]: state for state in self._control_call("GET", "/appview/labelers", None)}

    def labels_as_read_by(self, consumer: str, did: str, cursor: int | None = 0, seconds: float = 3) -> list[dict[str, Any]]:
        """What a foreign consumer ("atcute" or "official") reads from a labeler's stream, one value a line; each label has `sig_ok`."""
        program = self._folder / CONSUMERS[consumer]
        command = [str(node(self._folder)), program.name, did, "-" if cursor is None else str(cursor), str(seconds)]
        environment = {**os.environ, "NETBOX_DIR": str(self._folder)}
        done = subprocess.run(command, cwd=program.parent, env=environment, capture_output=True, text=True, timeout=seconds + 30)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def get_feed(self, feed: str, viewer: str | None = None, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
        """One page of a feed: through the viewer's PDS, or straight from the AppView for a reader who is not logged in."""
        return dict(self.get("app.bsky.feed.getFeed", viewer, feed=feed, limit=limit, cursor=cursor))

    def author_feed(self, actor: str, viewer: str | None = None) -> list[dict[str, Any]]:
        """The newest posts of an account, as the AppView shows them."""
        return list(self.get("app.bsky.feed.getAuthorFeed", viewer, actor=self.did(actor))["feed"])

    # the wire

    def process(self) -> None:
        """Wait until the AppView and Ozone have taken in all that the PDS told."""
        self.control("/process")

    def cut_firehose(self) -> int:
        """Break the connections of everybody outside who reads the firehose; how many there were."""
        return int(self.control("/pds/cut")["cut"])

    def get(self, nsid: str, who: str | None = None, headers: Mapping[str, str] | None = None, **params: Any) -> Any:
        """A query: through the account's PDS, or straight to the AppView when `who` is None. Parameters that are None are left out."""
        query = urllib.parse.urlencode({key: value for key, value in params.items() if value is not None}, doseq=True)
        return self._xrpc("GET", self.pds if who else self.appview, f"{nsid}?{query}", who, None, headers)

    def call(self, nsid: str, who: str, body: Any = None, method: str = "POST") -> Any:
        """A procedure at the account's PDS."""
        return self._xrpc(method, self.pds, nsid, who, body, None)

    def mails(self) -> list[dict[str, str]]:
        """Every mail that the PDS has sent, oldest first."""
        return list(self._control_call("GET", "/mails", None))

    @property
    def folder(self) -> Path:
        """Where the network runs: net.json and the programs are in it."""
        return self._folder

    def control(self, path: str, **body: Any) -> Any:
        """A call of the network's control API (see tests/network/README.md)."""
        return self._control_call("POST", path, body)

    def _xrpc(self, method: str, host: str, path: str, who: str | None, body: Any, headers: Mapping[str, str] | None) -> Any:
        sent = {**(headers or {}), **({"authorization": f"Bearer {self._token(who)}"} if who else {})}
        status, answer = _send(method, f"{host}/xrpc/{path}", body, sent)
        if status >= 400:
            raise XrpcRefused(path, status, answer)
        return answer

    def _control_call(self, method: str, path: str, body: Any) -> Any:
        status, answer = _send(method, self._control + path, body, {})
        if status >= 400:
            raise XrpcRefused(path, status, answer)
        return answer

    def _token(self, who: str) -> str:
        if who not in self._tokens:
            login = {"identifier": self.did(who), "password": self.accounts[who]["password"]}
            status, answer = _send("POST", f"{self.pds}/xrpc/com.atproto.server.createSession", login, {})
            assert status == 200, answer
            self._tokens[who] = answer["accessJwt"]
        return self._tokens[who]


def _subject(subject: Ref | str) -> dict[str, str]:
    """A post, or an account by its DID, as moderation's lexicons spell it."""
    if isinstance(subject, str):
        return {"$type": "com.atproto.admin.defs#repoRef", "did": subject}
    return {"$type": "com.atproto.repo.strongRef", "uri": subject.uri, "cid": subject.cid}


def now() -> str:
    """The time of day as records spell it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _send(method: str, url: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    sent = {**headers, **({} if data is None else {"content-type": "application/json"})}
    return request_json(urllib.request.Request(url, data, sent, method=method), timeout=40)


def node(installed: Path) -> Path:
    """The network's own Node."""
    return installed / "nodebin" / "node" / "bin" / "node"
