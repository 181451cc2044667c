"""Lists, starter packs, labels of Ozone and opting out, through the real network, as bob sees the feeds."""

from collections.abc import Callable

import pytest

from tests.support.network import Net, Ref, now
from tests.support.programs import Service, wait_until

WITHIN_SECONDS = 15.0

TABLES = """
[opt_out]
hashtags = ["NoFeeds"]
lists = ["{asking}"]

[[feeds]]
rkey = "friends"
name = "Friends"
[[feeds.include]]
kind = "list"
any = ["https://bsky.app/profile/carol.test/lists/{friends}"]

[[feeds]]
rkey = "pack"
name = "Pack"
[[feeds.include]]
kind = "starter_pack"
any = ["{pack}"]

[[feeds]]
rkey = "clean"
name = "Clean"
[[feeds.include]]
kind = "hashtag"
any = ["{tag}"]
[[feeds.exclude]]
kind = "label"
any = ["spam"]
by = ["{ozone}"]
"""


class Keeper:
    """Carol, who keeps lists."""

    def __init__(self, net: Net) -> None:
        self._net = net

    def list(self, name: str, purpose: str = "curatelist") -> Ref:
        """A new list."""
        record = {"name": name, "purpose": f"app.bsky.graph.defs#{purpose}", "createdAt": now()}
        return self._net.record("carol", "app.bsky.graph.list", record)

    def put(self, who: str, on: Ref) -> Ref:
        """Put somebody on a list."""
        record = {"subject": self._net.did(who), "list": on.uri, "createdAt": now()}
        return self._net.record("carol", "app.bsky.graph.listitem", record)

    def take_off(self, item: Ref) -> None:
        """Take somebody off."""
        self._net.delete("carol", item)

    def pack(self, of: Ref) -> Ref:
        """A starter pack of a list."""
        return self._net.record("carol", "app.bsky.graph.starterpack", {"name": "Pack", "list": of.uri, "createdAt": now()})


class House:
    """The service with its feeds, all published by one account."""

    def __init__(self, net: Net, service: Callable[..., Service], name: str) -> None:
        self._net, self.tag = net, name
        self.keeper = Keeper(net)
        self.friends, self.asking, of_pack = self.keeper.list("Friends"), self.keeper.list("Asking"), self.keeper.list("P", "referencelist")
        self.of_pack, self.pack = of_pack, self.keeper.pack(of_pack)
        net.account(name)
        named = {"asking": self.asking.uri, "friends": self.friends.rkey, "pack": self.pack.uri, "ozone": net.ozone_did, "tag": name}
        net.process()
        self.service = service(net.config(TABLES.format(**named), f'publisher = "{net.did(name)}"'))
        self._uris = {rkey: net.publish_feed(name, rkey, self.service.did) for rkey in ("friends", "pack", "clean")}

    def shown(self, rkey: str) -> list[str]:
        """What bob sees."""
        self._net.process()
        return [item["post"]["uri"] for item in self._net.get_feed(self._uris[rkey], "bob")["feed"]]

    def becomes(self, rkey: str, *posts: Ref) -> None:
        """Soon bob sees exactly these."""
        expected = [post.uri for post in posts]
        try:
            wait_until(lambda: self.shown(rkey) == expected, WITHIN_SECONDS, f"the feed shows {expected}")
        except AssertionError:
            print(self.shown(rkey), self.service.logs[-3000:])
            raise


@pytest.fixture
def house(net: Net, service: Callable[..., Service]) -> House:
    return House(net, service, f"keeps{len(net.accounts)}")


def test_who_is_put_on_a_list_or_into_a_starter_pack_comes_in_and_who_is_taken_off_goes(net: Net, house: House) -> None:
    net.account("lia")
    net.account("leo")
    first, second = net.post("lia", "hello from lia"), net.post("leo", "hello from leo")
    item = house.keeper.put("lia", house.friends)
    house.becomes("friends", first)

    house.keeper.put("leo", house.friends)
    house.keeper.put("leo", house.of_pack)
    house.becomes("friends", second, first)
    house.becomes("pack", second)
    third = net.post("lia", "again")
    house.becomes("friends", third, second, first)

    house.keeper.take_off(item)
    house.becomes("friends", second)


def test_a_label_of_ozone_takes_a_post_out_and_its_negation_brings_it_back_and_so_for_an_account(net: Net, house: House) -> None:
    net.account("mona")
    net.account("milo")
    first, second = net.post("mona", f"one #{house.tag}"), net.post("milo", f"two #{house.tag}")
    house.becomes("clean", second, first)

    net.moderate(first, put=["spam"])
    house.becomes("clean", second)
    net.moderate(first, take=["spam"])
    house.becomes("clean", second, first)

    net.moderate(net.did("milo"), put=["spam"])
    house.becomes("clean", first)
    third = net.post("milo", f"three #{house.tag}")
    net.moderate(net.did("milo"), take=["spam"])
    house.becomes("clean", third, second, first)


def test_who_asks_by_a_hashtag_or_stands_on_the_operators_list_is_in_no_feed_until_that_is_taken_back(net: Net, house: House) -> None:
    net.account("nele")
    net.account("nico")
    first, second = net.post("nele", f"one #{house.tag}"), net.post("nico", f"two #{house.tag}")
    house.becomes("clean", second, first)

    asking = net.post("nele", "please #NoFeeds")
    house.becomes("clean", second)
    item = house.keeper.put("nico", house.asking)
    house.becomes("clean")

    net.delete("nele", asking)
    house.becomes("clean", first)
    house.keeper.take_off(item)
    house.becomes("clean", second, first)
