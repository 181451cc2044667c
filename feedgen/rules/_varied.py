"""Kinds whose options change how a post is read: with or without accents, in these places or in those.

Each setting that some rule uses reads the post once, and looks up what all rules ask under that setting.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, TypeAlias

from attrs import frozen

from feedgen.rules import Finder, Listed, Words, merged, one_by_one
from models.post import Post

Reader: TypeAlias = Callable[[str, Post], Collection[str]]
"""(author's DID, post) -> the keys that the post has under one setting, each once."""


@frozen
class Varied(Listed):
    """A listed kind with a setting."""

    @property
    def setting(self) -> Hashable:
        """The options as one value, the same however they are written."""
        raise NotImplementedError

    @staticmethod
    def reader(setting: Any) -> Reader:
        """How a post is read under a setting."""
        raise NotImplementedError

    def keys(self) -> Mapping[Hashable, str | None]:
        """Each listed value under the rule's setting."""
        setting = self.setting
        return {(setting, key): written for key, written in super().keys().items()}

    def match(self, did: str, post: Post) -> Words | None:
        """The values that the post has, in the order of the rule."""
        there = set(self.reader(self.setting)(did, post))
        return tuple(written for key, written in super().keys().items() if written is not None and key in there) or None

    @classmethod
    def finder(cls, ids: Mapping[Any, int]) -> Finder:
        """One reading for each setting, and one look-up for each key of the post."""
        settings: dict[Hashable, dict[str, int]] = {}
        for (setting, key), number in ids.items():
            settings.setdefault(setting, {})[key] = number
        return merged([_looking_up(cls.reader(setting), numbers) for setting, numbers in settings.items()])


def _looking_up(read: Reader, numbers: Mapping[str, int]) -> Finder:
    get = numbers.get

    def find(did: str, post: Post) -> Collection[int]:
        keys = read(did, post)
        return [number for key in keys if (number := get(key)) is not None] if keys else ()  # most posts have none

    return one_by_one(find)
