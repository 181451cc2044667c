"""What the rules of a config know beside the posts: the DIDs of handles, who is on a list. Frozen; a newer knowledge is another value."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from feedgen.feed import Feed
from feedgen.matcher import Matcher, lists_of
from models.lists import Copy
from models.post import OURS


class Known(msgspec.Struct, frozen=True):
    """`handles`: DID by handle. `lists`: the last good copy of each list and starter pack, by at-uri."""

    handles: Mapping[str, str] = {}
    lists: Mapping[str, Copy] = {}

    def members(self, uri: str) -> Collection[str]:
        """The DIDs on a list; nobody when it was never read."""
        copy = self.lists.get(uri)
        return copy.members if copy else ()

    def matcher(self, feeds: Sequence[Feed]) -> Matcher:
        """All rules of these feeds, with what is known."""
        return Matcher(feeds, self.handles.get, self.members)

    def lists_of(self, feeds: Sequence[Feed]) -> frozenset[str]:
        """The at-uris of all lists and starter packs that the feeds name."""
        return frozenset[str]().union(*[lists_of(feed, self.handles.get) for feed in feeds])

    def with_list(self, copy: Copy) -> "Known":
        """The same with a newer copy of a list."""
        return Known(self.handles, {**self.lists, copy.uri: copy})


def labelers_of(matcher: Matcher, own_src: str | None) -> dict[str, frozenset[str]]:
    """By DID, the labelers whose word these rules need, our own by its DID (`OURS` where it has none), and the values asked for."""
    wanted = dict(matcher.labelers)
    ours = wanted.pop(OURS, frozenset())
    own = own_src or OURS
    return wanted | {own: wanted.get(own, frozenset()) | ours} if ours else wanted
