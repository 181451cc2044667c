"""Posts of the accounts in a starter pack. It is followed as a list is: see `kind = "list"`.

[[feeds.include]]
kind = "starter_pack"
any = [
  "https://bsky.app/starter-pack/redactie.example.org/3l5gbwvbz2c2a",
  "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.graph.starterpack/3kvjzkjnwbc2b",
]
"""

from attrs import frozen

from feedgen.rules import named
from feedgen.rules._lists import STARTER_PACK, Lists, any_of


@frozen
class StarterPack(Lists):
    """`any`: links or at-uris of starter packs, in one of which the author must be."""

    collection = STARTER_PACK
    any: tuple[str, ...] = any_of(STARTER_PACK)

    def plain_words(self) -> str:
        """The starter packs as written."""
        return "is by somebody in " + named("starter pack", self.any)
