"""Fires on a fixed test string in a post's text, so that an operator can see the whole chain work: docs/labels.md.

    [[labels]]
    value = "plainsky-test"
    signals = ["gtube"]
    mode = "auto"

Named after the Generic Test for Unsolicited Bulk Email. The text alone is looked at: not alt texts, not link cards, not what is quoted.
"""

from collections.abc import Mapping

from labeler.signals import Finding, Given, Silence
from models.post import Post

TEST_STRING = "PLAINSKY-GTUBE-TEST-1b7c8e2a"


class Signal:
    """The test string, exactly as spelled."""

    kind = "gtube"
    version = 1
    models: Mapping[str, str] = {}

    def __init__(self, given: Given) -> None:
        """It needs nothing but the post."""

    def look(self, post: Post) -> Finding | None:
        """The first test string in the text."""
        before, found, _ = post.text.partition(TEST_STRING)
        return Finding(self.kind, found, len(before.encode("utf-8", "surrogatepass"))) if found else None

    def why_not(self, post: Post) -> Silence:
        """It is not there."""
        return Silence()
