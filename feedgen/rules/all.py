"""Posts for which every one of some rules holds.

[[feeds.include]]
kind = "all"
rules = [
  { kind = "keyword", any = ["klimaat"] },
  { kind = "language", any = ["nl"] },
]
"""

from collections.abc import Iterable

from attrs import frozen

from feedgen.rules import Nest, Rule, Words


@frozen
class AllOf(Nest):
    """`rules`: all must hold."""

    def combine(self, parts: Iterable[Words | None]) -> Words | None:
        """Everyone's words, in order, up to the first rule that does not hold."""
        words: Words = ()
        for part in parts:
            if part is None:
                return None
            words += part
        return words

    def triggers(self) -> tuple[Rule, ...] | None:
        """Those of the narrowest rule: all must hold, so looking for one is enough."""
        possible = [found for rule in self.rules if (found := rule.triggers()) is not None]
        return min(possible, key=lambda found: max(rule.breadth for rule in found), default=None)

    def plain_words(self) -> str:
        """Joined by "and"."""
        return "(" + " and ".join(rule.plain_words() for rule in self.rules) + ")"
