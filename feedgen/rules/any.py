"""Posts for which at least one of some rules holds.

[[feeds.require]]
kind = "any"
rules = [
  { kind = "language", any = ["nl", "fr"] },
  { kind = "author", any = ["redactie.example.org"] },
]
"""

from collections.abc import Iterable

from attrs import frozen

from feedgen.rules import Nest, Rule, Words


@frozen
class AnyOf(Nest):
    """`rules`: one must hold."""

    def combine(self, parts: Iterable[Words | None]) -> Words | None:
        """The words of all rules that hold, in order."""
        held = [part for part in parts if part is not None]
        return sum(held, ()) if held else None

    def triggers(self) -> tuple[Rule, ...] | None:
        """Everyone's; None when one of them can only be asked."""
        found: tuple[Rule, ...] = ()
        for rule in self.rules:
            of_rule = rule.triggers()
            if of_rule is None:
                return None
            found += of_rule
        return found

    def plain_words(self) -> str:
        """Joined by "or"."""
        return "(" + " or ".join(rule.plain_words() for rule in self.rules) + ")"
