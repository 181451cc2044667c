"""Posts for which not one of some rules holds. As an include on its own, every post has to be asked: nest it in `all` beside a word.

[[feeds.include]]
kind = "all"
rules = [
  { kind = "hashtag", any = ["jaguar"] },
  { kind = "none", rules = [{ kind = "keyword", any = ["car", "voiture"] }] },
]
"""

from collections.abc import Iterable

from attrs import frozen

from feedgen.rules import Nest, Rule, Words


@frozen
class NoneOf(Nest):
    """`rules`: none may hold."""

    def combine(self, parts: Iterable[Words | None]) -> Words | None:
        """No words: what is absent has none."""
        return () if all(part is None for part in parts) else None

    def triggers(self) -> tuple[Rule, ...] | None:
        """Absence cannot be looked up."""
        return None

    def plain_words(self) -> str:
        """Joined by "nor"."""
        return "not (" + " or ".join(rule.plain_words() for rule in self.rules) + ")"
