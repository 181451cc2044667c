"""Ingest from the real Jetstream server: what its wires bring is what the firehose behind it brings (issue: one post's way)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.network import Net, Ref
from tests.support.programs import Service, built, wait_until
from tests.support.real_jetstream import RealJetstream

TABLES = """
[[feeds]]
rkey = "all"
name = "All"
window = "3d"
[[feeds.include]]
kind = "language"
any = ["en"]

[[feeds]]
rkey = "garden"
name = "Garden"
per_author = { posts = 3, every = "1h" }
[[feeds.include]]
kind = "hashtag"
any = ["garden"]
"""
WITHIN_SECONDS = 90
"""A host that was away is tried again after up to a minute, if it was slow to come back."""
Starts = Callable[..., Service]
WIRES = pytest.mark.parametrize("wire", ["v1", "v2"])


@pytest.fixture(scope="session")
def program() -> str:
    """The server; built where that has not been done."""
    return built("jetstream.sh", "the real Jetstream")


@pytest.fixture
def jetstream(net: Net, program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RealJetstream]]:
    """`jetstream(**options)`: an instance that follows the network's PDS."""
    with ExitStack() as stack:

        def start(**options: str) -> RealJetstream:
            instance = RealJetstream(program, net, tmp_path_factory.mktemp("jetstream"), **options)
            stack.callback(instance.kill)
            instance.start()
            return instance

        yield start


def reading(net: Net, wire: str, *hosts: RealJetstream) -> str:
    """A config that reads these instances over a wire, or the firehose."""
    if not hosts:
        return net.config(TABLES)
    firehose = f'source = "firehose"\nhosts = ["{net.firehose}"]'
    listed = ", ".join(f'"{host.url}"' for host in hosts)
    return net.config(TABLES).replace(firehose, f'source = "jetstream"\nwire = "{wire}"\nhosts = [{listed}]')


def page(service: Service, rkey: str, limit: int = 100) -> dict[str, Any]:
    """The first page of a feed."""
    feed = quote(f"at://{service.did}/app.bsky.feed.generator/{rkey}")
    return dict(service.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?limit={limit}&feed={feed}")[1])


def shows(service: Service, *posts: Ref) -> None:
    """Soon these are the newest posts."""
    expected = [post.uri for post in posts]

    def newest() -> list[str]:
        return [item["post"] for item in page(service, "all", len(posts))["feed"]]

    wait_until(lambda: newest() == expected, WITHIN_SECONDS, f"{expected} are there")


def agree(*services: Service) -> None:
    """Soon they all serve the same bytes."""
    wait_until(lambda: len({str((page(one, "all"), page(one, "garden"))) for one in services}) == 1, WITHIN_SECONDS, "all say the same")


def much_happens(net: Net, who: str) -> Ref:
    """Posts, edits and deletes of an account, and of three others that are hidden, two of them for good; the last post."""
    net.account(who)
    first = net.post(who, "my #garden", langs=["en"])
    net.post(who, "ünïcode 🌱 #Garden", langs=["en"], tags=["a"])
    gone = net.post(who, "gone #garden", langs=["en"])
    net.edit(who, first, "edited, still #garden", langs=["en"])
    net.delete(who, gone)
    net.posts(who, [f"post {number} #garden" for number in range(150)])
    for other, change in (("a", net.deactivate), ("b", net.takedown), ("c", net.deactivate)):
        net.account(who + other)
        net.post(who + other, f"of {other} #garden", langs=["en"])
        change(who + other)
    net.activate(who + "c")
    return net.post(who, "the last", langs=["en"])


def test_each_wire_brings_what_the_firehose_behind_it_brings(net: Net, jetstream: Callable[..., RealJetstream], service: Starts) -> None:
    real = jetstream()
    services = [service(reading(net, "")), *(service(reading(net, wire, real)) for wire in ("v1", "v2", "auto"))]
    last = much_happens(net, "jess")
    for one in services:
        shows(one, last)
    agree(*services)

    assert [len(page(services[0], rkey)["feed"]) for rkey in ("all", "garden")] == [4, 4]


@WIRES
def test_nothing_is_lost_when_we_are_killed_and_when_the_server_is(
    net: Net, jetstream: Callable[..., RealJetstream], service: Starts, wire: str
) -> None:
    real = jetstream()
    ours, other = service(reading(net, wire, real)), service(reading(net, ""))
    shows(ours, much_happens(net, f"kim{wire}"))
    ours.kill9()
    last = much_happens(net, f"kit{wire}")
    ours.start()
    shows(ours, last)

    real.kill()
    missed = net.post(f"kim{wire}", "while it is away", langs=["en"])
    real.start()
    shows(ours, net.post(f"kim{wire}", "the very last", langs=["en"]), missed)
    agree(ours, other)


@WIRES
def test_another_instance_is_read_from_the_time_that_was_reached_not_by_the_first_ones_numbers(
    net: Net, jetstream: Callable[..., RealJetstream], service: Starts, wire: str
) -> None:
    first = jetstream()
    much_happens(net, f"lea{wire}")
    second = jetstream()
    ours = service(reading(net, wire, first, second))
    before = net.post(f"lea{wire}", "before", langs=["en"])
    shows(ours, before)
    first.kill()
    missed = net.post(f"lea{wire}", "while nobody is read", langs=["en"])
    shows(ours, net.post(f"lea{wire}", "after", langs=["en"]), missed, before)


@WIRES
def test_an_instance_that_lost_its_data_and_counts_anew_is_read_from_the_time_that_was_reached(
    net: Net, jetstream: Callable[..., RealJetstream], service: Starts, wire: str
) -> None:
    real = jetstream()
    ours = service(reading(net, wire, real))
    before = much_happens(net, f"mia{wire}")
    shows(ours, before)
    ours.stop()
    real.kill()
    real.forget()
    real.start()
    missed = net.post(f"mia{wire}", "after the loss", langs=["en"])
    ours.start()
    shows(ours, net.post(f"mia{wire}", "and this", langs=["en"]), missed, before)

    assert ("has begun to count anew" in ours.logs) is (wire == "v2")
