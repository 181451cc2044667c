"""Three foreign clients read our log while it grows and their connections are cut; queryLabels answers as Ozone does."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from labeler.issuer import Issuer, Judged
from labeler.keys import did_key, parse_public_key
from labeler.persons import By, Persons
from labeler.policy import LabelPolicy
from labeler.signing import verify
from models.database import Database
from models.labels import Label
from models.protocol.k256 import PrivateKey
from tests.support.cutting import cutting
from tests.support.labels import AUTHOR, CIDS, FLAGGED, judge
from tests.support.network import Net, Ref
from tests.support.programs import Service, get_json, wait_until

TABLES = """
[labeler]
did = "{did}"

[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"
"""
FIRST, LATER, CUTS = 10_000, 1_000, 10
SECONDS = 110.0


@pytest.mark.timeout(300)  # they read for SECONDS, and what goes before takes as long again on a busy machine
def test_three_foreign_consumers_have_exactly_the_log_while_it_grows_and_connections_are_cut(
    net: Net, service: Callable[..., Service]
) -> None:
    net.account("louise")
    key, did = PrivateKey(), net.did("louise")
    running = service(net.config(TABLES.format(did=did)), env={"PLAINSKY_LABELER_KEY": key.to_hex()})
    database = Database(f"sqlite:///{running.folder}/plainsky.sqlite")
    try:
        issue(database, did, key, 0, FIRST)
        with cutting(running.port) as cutter, ThreadPoolExecutor(3) as pool:
            endpoint = f"http://localhost:{cutter.port}"
            net.publish_labeler("louise", endpoint, did_key(key.public_key), ["plainsky-test"])
            reading = [pool.submit(net.labels_as_read_by, name, did, 0, SECONDS) for name in ("atcute", "official")]
            reading.append(pool.submit(read_by_the_sdk, endpoint, SECONDS))
            cuts = 0
            for step in range(0, LATER, LATER // CUTS):
                time.sleep(SECONDS / 3 / CUTS)  # the cuts fall into the replay as well as into what is live
                issue(database, did, key, FIRST + step, LATER // CUTS)
                wait_until(lambda: cutter.connections > 0, 20, "somebody is connected again")
                cuts += cutter.cut()
            read = [future.result() for future in reading]
        log = logged(database)
    finally:
        database.close()

    assert cuts >= CUTS
    assert len(log) == FIRST + LATER
    for lines in read:
        labels = [label for line in lines for label in line.get("labels", [])]
        told = dict.fromkeys((label["uri"], label["cts"]) for label in labels)  # a client that buffers asks for some again after a cut
        assert list(told) == log
    for lines in read[:2]:
        assert all(label["sig_ok"] for line in lines for label in line.get("labels", []))
    public = parse_public_key(did_key(key.public_key))
    for line in read[2]:
        for label in line["labels"]:
            sig = bytes.fromhex(label.pop("sig"))
            assert verify(Label(**label), sig, public)
    assert all(max(len(line.get("labels", [])) for line in lines) > 1 for lines in read), "frames of several labels are read"


def issue(database: Database, did: str, key: PrivateKey, start: int, count: int) -> None:
    """Labels, as the pipeline issues them."""
    issuer = Issuer(did, key, lambda: time.time_ns() // 1000)
    verdicts = judge().judge(AUTHOR, FLAGGED)
    for at in range(start, start + count, 1_000):
        posts = range(at, min(at + 1_000, start + count))
        database.write_now(
            issuer.apply, [Judged(f"at://{AUTHOR}/app.bsky.feed.post/post{post:06}", CIDS[0], verdicts, FLAGGED) for post in posts]
        )


def logged(database: Database) -> list[tuple[str, str]]:
    rows = database.read_now(lambda session: session.execute("SELECT uri, cts FROM label ORDER BY seq"))
    return [(row[0], row[1]) for row in rows]


def read_by_the_sdk(endpoint: str, seconds: float) -> list[dict[str, Any]]:
    program = Path(__file__).parent / "consumers" / "sdk.py"
    command = [sys.executable, str(program), endpoint, "0", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_query_labels_answers_as_ozone_does_for_the_same_labels(net: Net, service: Callable[..., Service]) -> None:
    net.account("odile")
    net.account("omar")
    did = net.did("odile")
    text = net.config(TABLES.format(did=did)).replace('"plainsky-test"', '"spam"\ntargets = ["post", "account"]')
    running = service(text, env={"PLAINSKY_LABELER_KEY": PrivateKey().to_hex()})
    author, (kept, taken, other) = net.did("omar"), net.posts("omar", ["one", "two", "three"])
    said = [(kept, True), (taken, True), (taken, False), (author, True)]
    for subject, put in said:
        net.moderate(subject, **{"put" if put else "take": ["spam"]})
    decide(running, did, said)

    for patterns in ([kept.uri], [taken.uri], [other.uri], [author], [f"at://{author}/*"], [kept.uri, author], [f"{author}*"]):
        wait_until(lambda patterns=patterns: agree(running.url, net.ozone, patterns), 20, f"the same for {patterns}")  # type: ignore[misc]
    first = ask(running.url, uriPatterns=[f"at://{author}/*"], limit="1")
    assert len(first["labels"]) == len(ask(net.ozone, uriPatterns=[f"at://{author}/*"], limit="1")["labels"]) == 1
    for wrong in ({"uriPatterns": ["a*b"]}, {"uriPatterns": ["*"], "limit": "251"}, {"uriPatterns": ["*"], "cursor": "x"}, {}):
        assert [get(host, **wrong)[0] for host in (running.url, net.ozone)] == [400, 400], wrong


def agree(ours: str, theirs: str, patterns: list[str]) -> bool:
    """Both hosts say the same."""
    return stated(ask(ours, uriPatterns=patterns)) == stated(ask(theirs, uriPatterns=patterns))


def decide(running: Service, did: str, said: Sequence[tuple[Ref | str, bool]]) -> None:
    """Say the same, as people do."""
    persons = Persons(did, [LabelPolicy("spam", ("gtube",), "auto", targets=("post", "account"))])
    database = Database(f"sqlite:///{running.folder}/plainsky.sqlite")
    try:
        for subject, put in said:
            uri, cid = (subject, None) if isinstance(subject, str) else (subject.uri, subject.cid)
            now = time.time_ns() // 1000
            if put:
                decided = database.write_now(persons.label, uri, cid, "spam", By("operator", "a test", "ann"), now)
                if decided.waits_for == "second":
                    database.write_now(persons.confirm, decided.id, By("operator", "a test", "ben"), now)
                wait_until(lambda uri=uri: ask(running.url, uriPatterns=[uri])["labels"] != [], 10, "issued")  # type: ignore[misc]
            else:
                database.write_now(persons.negate, uri, cid, "spam", By("operator", "a test", "ann"), now)
    finally:
        database.close()


def stated(answer: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What an answer says, whoever said it and when."""
    return sorted((label["uri"], label.get("cid", ""), label["val"], label.get("neg", False)) for label in answer["labels"])


def ask(host: str, **params: Any) -> dict[str, Any]:
    status, answer = get(host, **params)
    assert status == 200, answer
    return dict(answer)


def get(host: str, **params: Any) -> tuple[int, Any]:
    return get_json(f"{host}/xrpc/com.atproto.label.queryLabels?{urlencode(params, doseq=True)}")
