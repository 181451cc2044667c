"""The places of a post in which words are looked for: what `where` may say in the config."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from models.post import Post

Place: TypeAlias = Literal["text", "alt", "link"]

# Neither a phrase (NUL) nor a dot (line break) reaches from one alt text into the next.
_APART = "\n\0\n"

PLACES: Mapping[str, Callable[[Post], str]] = {
    "text": lambda post: post.text,
    "alt": lambda post: _APART.join(post.alts),
    "link": lambda post: _APART.join(post.card),
}
_NAMES = {"text": "the text", "alt": "an alt text", "link": "a link card"}


def in_plain_words(where: tuple[Place, ...]) -> str:
    """ " in the text or an alt text"; nothing when it is the text alone."""
    return "" if where == ("text",) else " in " + " or ".join(_NAMES[place] for place in where)
