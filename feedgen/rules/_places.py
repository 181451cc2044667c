"""The places of a post in which words are looked for, and how: what `where` and `accents` may say in the config."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from feedgen.text import unaccented
from models.post import Post
from models.text import fold

Place: TypeAlias = Literal["text", "alt", "link"]
Accents: TypeAlias = Literal["keep", "fold"]

ACCENTS = ("keep", "fold")

# Neither a phrase (NUL) nor a dot (line break) reaches from one alt text into the next.
_APART = "\n\0\n"

PLACES: Mapping[str, Callable[[Post], str]] = {
    "text": lambda post: post.text,
    "alt": lambda post: _APART.join(post.alts),
    "link": lambda post: _APART.join(post.card),
}
_NAMES = {"text": "the text", "alt": "an alt text", "link": "a link card"}


def more_than_accents(rule: Any, _attribute: object, accents: Accents) -> None:
    """Validator of `accents`: something is left of each word of `any`."""
    plain = folder(accents)
    if plain and not all(plain(fold(word)).strip(" *#") for word in rule.any):
        raise ValueError("expected words of more than accents")


def folder(accents: Accents) -> Callable[[str], str] | None:
    """What is done to a folded text before it is compared; None when it stays as it is."""
    return unaccented if accents == "fold" else None


def in_plain_words(where: tuple[Place, ...]) -> str:
    """ " in the text or an alt text"; nothing when it is the text alone."""
    return "" if where == ("text",) else " in " + " or ".join(_NAMES[place] for place in where)


def accents_in_plain_words(accents: Accents) -> str:
    """ ", with or without accents"; nothing when they count."""
    return ", with or without accents" if accents == "fold" else ""
