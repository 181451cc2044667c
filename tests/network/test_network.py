"""The network itself works: what the end-to-end tests stand on."""

import aiohttp
import libipld

from tests.support.network import Net, XrpcRefused

SUBSCRIBE = "/xrpc/com.atproto.sync.subscribeRepos"


def texts(net: Net, who: str) -> list[str]:
    try:
        return [item["post"]["record"]["text"] for item in net.author_feed(who)]
    except XrpcRefused as refused:
        return [refused.body["error"]]


def test_a_post_is_shown_by_the_appview_edited_and_deleted(net: Net) -> None:
    net.account("paula")
    post = net.post("paula", "hello ☀")
    net.process()

    assert texts(net, "paula") == ["hello ☀"]

    net.edit("paula", post, "good evening")
    net.posts("paula", ["one", "two"])
    net.delete("paula", post)
    net.process()

    assert sorted(texts(net, "paula")) == ["one", "two"]


def test_the_posts_of_a_deactivated_account_are_gone_and_come_back(net: Net) -> None:
    net.account("quinn")
    net.post("quinn", "still here")
    net.deactivate("quinn")
    net.process()

    assert texts(net, "quinn") == ["InvalidRequest"]

    net.activate("quinn")
    net.process()

    assert texts(net, "quinn") == ["still here"]


def test_the_posts_of_an_account_taken_down_are_gone_and_come_back(net: Net) -> None:
    net.account("rosa")
    net.post("rosa", "still here")
    net.takedown("rosa")
    net.process()

    assert texts(net, "rosa") == ["InvalidRequest"]

    net.takedown("rosa", applied=False)
    net.process()

    assert texts(net, "rosa") == ["still here"]


async def test_the_firehose_delivers_a_post(net: Net) -> None:
    ref = net.post("alice", "for the firehose")
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{net.firehose}{SUBSCRIBE}?cursor=0", max_msg_size=0) as stream:
        async for message in stream:
            header, body = libipld.decode_dag_cbor_multi(message.data)
            if header["t"] == "#commit" and any(f"at://{body['repo']}/{op['path']}" == ref.uri for op in body["ops"]):
                break
        else:
            raise AssertionError("the firehose ended before it told of the post")
