"""Posts with a label: given by the author ("self"), by this service's own labeler ("ours"), or by other labelers, named by DID or handle.

`by` says whose labels count; the author's and our own when it is left out. `on` says where a label may stand: "post" (the post as it is
now) or "account" (everything of its author); both when it is left out. Labels are followed as they are given and taken back.

    [[feeds.exclude]]
    kind = "label"
    any = ["porn", "sexual", "nudity", "graphic-media"]

    [[feeds.exclude]]
    kind = "label"
    any = ["spam", "likely-disinformation"]
    by = ["ours", "did:plc:ar7c4by46qjdydhdevvrndac", "labels.example.org"]
    on = ["account"]
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from attrs import evolve, field, frozen

from feedgen.rules import Keyed, Resolve, each, one_of
from feedgen.rules._accounts import did_or_handle, resolved
from models.post import OURS, Post, label_of

SELF = "self"
_OWN = {SELF: "its author", OURS: "this service's labeler"}
_PLACES = {"post": "on the post", "account": "on its author's account"}

Place: TypeAlias = Literal["post", "account"]


def _whose(rule: Any, attribute: Any, written: str) -> None:
    if written not in _OWN:
        try:
            did_or_handle(rule, attribute, written)
        except ValueError as error:
            raise ValueError(f'{error}, or "{SELF}" or "{OURS}"') from None


def _on_posts(rule: "Label", _attribute: object, on: tuple[str, ...]) -> None:
    if "post" not in on and set(rule.by) == {SELF}:
        raise ValueError('what authors say themselves stands on their posts: expected "post"')


@frozen
class Label(Keyed):
    """`any`: label values, of which one must stand. `by`: "self", "ours", DIDs, handles. `on`: "post", "account"."""

    breadth = 0
    any: tuple[str, ...] = field(validator=each())
    by: tuple[str, ...] = field(default=(SELF, OURS), validator=each(_whose))
    on: tuple[Place, ...] = field(default=("post", "account"), validator=[each(one_of(*_PLACES)), _on_posts])

    @staticmethod
    def keys_of(did: str, post: Post) -> Iterable[str]:
        """The author's own labels, and what labelers say of the post and its author."""
        if not post.self_labels:
            return post.labels
        return (*post.labels, *dict.fromkeys(label_of("post", SELF, val) for val in post.self_labels))

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each value, from each labeler, in each place."""
        values = [written.strip() for written in self.any]
        return {label_of(on, src.strip(), val): val for val in values for src in self.by for on in self.on}

    def match(self, did: str, post: Post) -> tuple[str, ...] | None:
        """Each value once, whoever gave it."""
        words = super().match(did, post)
        return words and tuple(dict.fromkeys(words))

    def resolved(self, resolve: Resolve) -> "Label":
        """With DIDs for handles."""
        return evolve(self, by=tuple(src if src in _OWN else resolved((src,), resolve)[0] for src in self.by))

    def labelers(self) -> Mapping[str, frozenset[str]]:
        """All but the author."""
        values = frozenset(written.strip() for written in self.any)
        return {src: values for src in self.by if src == OURS or src.startswith("did:")}

    def plain_words(self) -> str:
        """Values, whose, and where unless it is anywhere."""
        values = " or ".join(f"“{value}”" for value in self.any)
        whose = " or ".join(_OWN.get(src, src) for src in self.by)
        where = "" if set(self.on) == set(_PLACES) else " " + _PLACES[self.on[0]]
        return f"has the label {values} from {whose}{where}"
