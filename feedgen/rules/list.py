"""Posts of the accounts on a list, as people keep lists in the app: whoever is put on it is in, whoever is taken off it is out.

A list is named by its link in the app or by its at-uri. It is read again and again (`[appview] refresh`); while it cannot be read,
those count who were on it when it last could be.

    [[feeds.include]]
    kind = "list"
    any = ["https://bsky.app/profile/redactie.example.org/lists/3l5gbwvbz2c2a"]

    [[feeds.exclude]]
    kind = "list"
    any = ["at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.graph.list/3kvjzkjnwbc2b"]
"""

from attrs import frozen

from feedgen.rules import named
from feedgen.rules._lists import LIST, Lists, any_of


@frozen
class List(Lists):
    """`any`: links or at-uris of lists, on one of which the author must be."""

    collection = LIST
    any: tuple[str, ...] = any_of(LIST)

    def plain_words(self) -> str:
        """The lists as written."""
        return "is by somebody on " + named("list", self.any)
