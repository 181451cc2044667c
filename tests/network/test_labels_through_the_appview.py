"""Our labels as others verify and show them: the gtube post, its label, its negation (issue: one post's way)."""

import json
from collections.abc import Callable

import libipld
import pytest

from labeler.keys import public_key_multibase
from labeler.signals.gtube import TEST_STRING
from models.protocol.k256 import PrivateKey
from tests.support.network import Net, Ref
from tests.support.programs import Service, wait_until

TABLES = """
[labeler]
did = "{did}"

[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"
"""


def labelled(net: Net, labeler: str, post: Ref) -> list[str]:
    """The values of the labels that the AppView shows on a post to a reader who subscribes to the labeler."""
    net.process()
    posts = net.get("app.bsky.feed.getPosts", "bob", {"atproto-accept-labelers": labeler}, uris=[post.uri])["posts"]
    return [label["val"] for label in posts[0]["labels"] if label["src"] == labeler] if posts else []


@pytest.fixture
def key() -> PrivateKey:
    return PrivateKey()


def start(
    net: Net, service: Callable[..., Service], who: str, key: PrivateKey, store: str = "sqlite:///@FOLDER@/plainsky.sqlite"
) -> Service:
    """The labeler, announced by the account `who` and read by the AppView."""
    net.account(who)
    running = service(
        net.config(TABLES.format(did=net.did(who))),
        env={"PLAINSKY_LABELER_KEY": key.to_hex(), **({} if store.startswith("sqlite") else {"PLAINSKY_STORE_URL": store})},
    )
    net.publish_labeler(who, running.url, f"did:key:{public_key_multibase(key.public_key)}", ["plainsky-test"])
    net.subscribe_labeler(net.did(who))
    return running


def test_a_flagged_post_is_labelled_verified_by_foreign_clients_shown_and_gone_after_the_negation(
    net: Net, service: Callable[..., Service], key: PrivateKey
) -> None:
    running = start(net, service, "lauren", key)
    labeler = net.did("lauren")
    net.account("mia")
    post = net.post("mia", f"testing {TEST_STRING}")

    wait_until(lambda: labelled(net, labeler, post) == ["plainsky-test"], 5, "the AppView shows the label")
    for consumer in ("atcute", "official"):
        labels = [label for line in net.labels_as_read_by(consumer, labeler) for label in line.get("labels", [])]
        assert [(label["uri"], label["cid"], label["val"], label["sig_ok"]) for label in labels] == [
            (post.uri, post.cid, "plainsky-test", True)
        ], json.dumps(labels)

    net.edit("mia", post, "nothing to see here")
    wait_until(lambda: labelled(net, labeler, post) == [], 5, "the label is gone")
    for consumer in ("atcute", "official"):
        labels = [label for line in net.labels_as_read_by(consumer, labeler) for label in line.get("labels", [])]
        assert [(label["uri"], label["cid"], label.get("neg", False), label["sig_ok"]) for label in labels] == [
            (post.uri, post.cid, False, True),
            (post.uri, post.cid, True, True),
        ]
    assert net.labelers()[labeler]["rejected"] == []
    assert running.get("/xrpc/com.atproto.label.queryLabels?uriPatterns=*")[1]["labels"][0]["neg"] is True


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_kill_9_in_the_middle_loses_no_post_and_no_label(
    net: Net, service: Callable[..., Service], key: PrivateKey, request: pytest.FixtureRequest, dialect: str
) -> None:
    name = f"nora{dialect[:3]}"
    store = "sqlite:///x" if dialect == "sqlite" else str(request.getfixturevalue("postgresql_url"))
    running = start(net, service, name, key, store)
    net.account(f"{name}x")
    posts: list[Ref] = []
    for turn in range(6):
        posts += net.posts(f"{name}x", [f"{turn} {number} {TEST_STRING}" for number in range(5)])
        running.kill9()
        posts += net.posts(f"{name}x", [f"{turn} away {number} {TEST_STRING}" for number in range(5)])
        running.start()

    def standing() -> set[tuple[str, str]]:
        found, cursor = set(), ""
        while True:
            _, answer = running.get(f"/xrpc/com.atproto.label.queryLabels?uriPatterns=*&limit=250{cursor}")
            found |= {(label["uri"], label["cid"]) for label in answer["labels"]}
            if not answer["labels"] or "cursor" not in answer:
                return found
            cursor = f"&cursor={answer['cursor']}"

    wait_until(lambda: len(standing()) >= len(posts), 60, "every post is labelled, as fast as the throttle lets it")
    assert standing() == {(post.uri, post.cid) for post in posts}
    labels = [label for line in net.labels_as_read_by("atcute", net.did(name)) for label in line.get("labels", [])]
    assert len(labels) == len(posts)
    assert all(label["sig_ok"] for label in labels)


def test_no_frame_holds_more_than_it_must(net: Net, service: Callable[..., Service], key: PrivateKey) -> None:
    """As Ozone sends them: absent fields are absent, no $type, no neg: false."""
    import asyncio

    import aiohttp

    running = start(net, service, "olga", key)
    net.account("pam")
    net.post("pam", TEST_STRING)

    async def first() -> bytes:
        url = running.url.replace("http", "ws") + "/xrpc/com.atproto.label.subscribeLabels?cursor=0"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as stream:
            return bytes((await stream.receive(10)).data)

    header, body = libipld.decode_dag_cbor_multi(asyncio.run(first()))
    assert header == {"op": 1, "t": "#labels"}
    assert sorted(body) == ["labels", "seq"]
    assert sorted(body["labels"][0]) == ["cid", "cts", "exp", "sig", "src", "uri", "val", "ver"]
