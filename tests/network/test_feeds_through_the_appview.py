"""Our feeds as a reader sees them: PDS to firehose to us, then back through the AppView (issue: one post's way)."""

import time
from collections.abc import Callable

import pytest

from tests.support.network import Net, Ref
from tests.support.programs import Service, wait_until

WITHIN_SECONDS = 10.0
"""A bound for a busy machine. How long it takes on an idle one is printed by `pytest -s`: the promise is two seconds."""

TABLES = """
[[feeds]]
rkey = "garden"
name = "Garden"
[[feeds.include]]
kind = "hashtag"
any = ["garden"]

[[feeds]]
rkey = "deep"
name = "Deep"
[[feeds.include]]
kind = "keyword"
any = ["deep"]
"""


class Feed:
    """A feed of ours, published by an account of the network."""

    def __init__(self, net: Net, service: Service, publisher: str, rkey: str, generator: str) -> None:
        self._net, self.service = net, service
        self.uri = net.publish_feed(publisher, rkey, generator)

    def shown(self, viewer: str | None = "bob") -> list[str]:
        """The uris of the first page, through the AppView."""
        self._net.process()
        return [item["post"]["uri"] for item in self._net.get_feed(self.uri, viewer)["feed"]]

    def is_served_empty(self) -> None:
        """Soon we ourselves serve nothing: the AppView hides an account's posts whatever we say."""
        path = f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={self.uri}"
        wait_until(lambda: self.service.get(path)[1] == {"feed": []}, WITHIN_SECONDS, "we serve an empty feed")

    def becomes(self, *posts: Ref) -> None:
        """Soon the reader sees exactly these."""
        expected = [post.uri for post in posts]
        began = time.monotonic()
        wait_until(lambda: self.shown() == expected, WITHIN_SECONDS, f"the feed shows {expected}")
        print(f"right for the reader after {time.monotonic() - began:.2f} s")


@pytest.fixture(params=["did:web", "did:plc"])
def generator(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def serve(net: Net, service: Callable[..., Service], publisher: str, generator: str, rkey: str) -> Feed:
    """The service, known to the network under a DID of either method; `publisher` announces the feed."""
    net.account(publisher)
    running = service(net.config(TABLES, f'publisher = "{net.did(publisher)}"'))
    did = f"did:web:localhost%3A{running.port}"
    if generator == "did:plc":
        did = net.create_did({"bsky_fg": {"type": "BskyFeedGenerator", "endpoint": running.url}})
    return Feed(net, running, publisher, rkey, did)


def test_a_post_appears_and_is_right_after_every_change_of_it_and_of_its_account(
    net: Net, service: Callable[..., Service], generator: str
) -> None:
    author = "iris" if generator == "did:web" else "ivy"
    net.account(author)
    feed = serve(net, service, f"pub{author}", generator, "garden")

    first = net.post(author, "my #garden", langs=["en"])
    second = net.post(author, "tulips #Garden")
    feed.becomes(second, first)

    net.edit(author, first, "my balcony")
    feed.becomes(second)

    net.edit(author, first, "my #garden again")
    feed.becomes(second, first)

    net.delete(author, first)
    feed.becomes(second)

    net.deactivate(author)
    feed.becomes()
    feed.is_served_empty()

    net.activate(author)
    feed.becomes(second)

    net.takedown(author)
    feed.becomes()
    feed.is_served_empty()

    net.takedown(author, applied=False)
    feed.becomes(second)


def test_a_reader_who_is_not_logged_in_sees_the_feed_and_why_a_post_is_there(net: Net, service: Callable[..., Service]) -> None:
    net.account("jane")
    feed = serve(net, service, "pubjane", "did:web", "garden")
    post = net.post("jane", "my #garden")
    feed.becomes(post)

    assert feed.shown(viewer=None) == [post.uri]
    answer = feed.service.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={feed.uri}")[1]
    assert "hashtag" in answer["feed"][0]["feedContext"]
    assert "garden" in answer["feed"][0]["feedContext"]


def test_a_feed_that_is_not_offered_is_an_error_that_a_reader_understands(net: Net, service: Callable[..., Service]) -> None:
    feed = serve(net, service, "pubkarl", "did:web", "nosuch")

    with pytest.raises(Exception, match="UnknownFeed"):
        feed.shown()


def test_when_the_firehose_is_cut_what_came_meanwhile_is_read_afterwards_and_nothing_twice(
    net: Net, service: Callable[..., Service]
) -> None:
    net.account("kira")
    feed = serve(net, service, "pubkira", "did:web", "garden")
    posts = [net.post("kira", "before the cut #garden")]
    feed.becomes(*posts)

    for turn in range(3):
        assert net.cut_firehose() >= 1
        posts.insert(0, net.post("kira", f"after cut {turn} #garden"))
        net.process()
        wait_until(lambda: feed.shown() == [post.uri for post in posts], 10, "the feed has caught up")


def test_100_pages_deep_no_post_comes_twice_and_none_is_missing_while_500_more_arrive(net: Net, service: Callable[..., Service]) -> None:
    net.account("lena")
    feed = serve(net, service, "publena", "did:web", "deep")
    there = [ref for start in range(0, 1000, 200) for ref in net.posts("lena", [f"deep {start + n}" for n in range(200)])]
    net.process()
    wait_until(lambda: skeleton_size(feed) == len(there), 20, "all posts are in the feed")

    seen: list[str] = []
    cursor: str | None = None
    for page in range(100):
        answer = net.get_feed(feed.uri, "bob", limit=10, cursor=cursor)
        seen += [item["post"]["uri"] for item in answer["feed"]]
        cursor = answer.get("cursor")
        if page % 20 == 5:
            net.posts("lena", [f"deep later {page} {n}" for n in range(100)])
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == len(there)
    assert set(seen) == {ref.uri for ref in there}


def skeleton_size(feed: Feed) -> int:
    """How many posts the feed holds, walked to its end."""
    count, cursor = 0, ""
    while True:
        _, answer = feed.service.get(f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={feed.uri}&limit=100{cursor}")
        count += len(answer["feed"])
        if "cursor" not in answer:
            return count
        cursor = f"&cursor={answer['cursor']}"
