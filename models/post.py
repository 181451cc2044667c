"""A post as the rooms see it: parsed tolerantly, bounded, frozen.

Promise: `parse` never raises on what upstream sends as a record; what is odd is left out, and a record that is no post at all is None.
Source: lexicon app.bsky.feed.post, specs/data-model, specs/richtext.
"""

import msgspec


class Post(msgspec.Struct, frozen=True, omit_defaults=True):
    """The parts of an app.bsky.feed.post record that rules and signals may look at.

    `created_at` is in microseconds since the epoch, None when missing or no datetime.
    """

    text: str = ""
    created_at: int | None = None
    langs: tuple[str, ...] = ()
    """Declared languages, BCP-47, as declared (the client's claim)."""
    tags: tuple[str, ...] = ()
    """Hashtags from facets and from the tags field, without '#', as written."""
    links: tuple[str, ...] = ()
    """URLs: of link facets (the text is often truncated, the facet is not) and of the external embed."""
    mentions: tuple[str, ...] = ()
    """DIDs of mention facets."""
    embeds: tuple[str, ...] = ()
    """Kinds of what is embedded: image, gallery, video, gif, link, quote, unknown."""
    alts: tuple[str, ...] = ()
    """One alt text per embedded image or video, empty where the author gave none."""
    card: tuple[str, ...] = ()
    """Title and description of the external embed."""
    quote: str | None = None
    """at-uri of the quoted record."""
    reply_root: str | None = None
    reply_parent: str | None = None
    self_labels: tuple[str, ...] = ()
