"""How two feeds of one database differ in what they show: which posts only one of them has, by whom, in which languages."""

from typing import NamedTuple

from models.changes import Effect
from models.database import Session
from models.entries import SHOWN, why_of
from models.looking import LANG
from models.post import Post
from models.posts import unpacked, uri_of


class Span(NamedTuple):
    """What is shown of a feed: its number, and places (µs) from `floor` to `top`."""

    feed_id: int
    floor: int
    top: int


NOTHING = Span(-1, 0, 0)
"""A feed that does not exist."""


class Example(NamedTuple):
    """A post, by whom and when (µs) it was written, and the reason it is served with."""

    uri: str
    written_at: int
    post: Post
    why: str


class Difference(NamedTuple):
    """How many posts only the second feed has, only the first one, and both; how many authors and languages are concerned.

    Languages: posts by the first that they declare ("" for none), only in the second, and only in the first.
    """

    added: int
    removed: int
    unchanged: int
    authors: int
    langs_added: dict[str, int]
    langs_removed: dict[str, int]

    @property
    def effect(self) -> Effect:
        """In short."""
        return Effect(self.added, self.removed, self.authors)


_SHOWN = f"SELECT post_id FROM entry WHERE feed_id = ? AND state = {SHOWN} AND sort_at BETWEEN ? AND ?"
_SETS = (
    f"WITH before AS ({_SHOWN}), after AS ({_SHOWN}),"
    " added AS (SELECT post_id FROM after EXCEPT SELECT post_id FROM before),"
    " removed AS (SELECT post_id FROM before EXCEPT SELECT post_id FROM after),"
    " kept AS (SELECT post_id FROM before INTERSECT SELECT post_id FROM after)"
)
_COUNTS = (
    f"{_SETS} SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM removed), (SELECT count(*) FROM after),"
    " (SELECT count(DISTINCT account_id) FROM post WHERE id IN (SELECT post_id FROM added UNION ALL SELECT post_id FROM removed))"
)
_LANGS = (
    f"{_SETS} SELECT '+', coalesce({{lang}}, '') AS lang, count(*) FROM post WHERE id IN (SELECT post_id FROM added) GROUP BY lang"
    " UNION ALL SELECT '-', coalesce({lang}, '') AS lang, count(*) FROM post WHERE id IN (SELECT post_id FROM removed) GROUP BY lang"
)
_EXAMPLES = (
    f"{_SETS} SELECT did, rkey, post.sort_at, body, item FROM {{which}} JOIN entry ON entry.post_id = {{which}}.post_id"
    " JOIN post ON post.id = entry.post_id JOIN account ON account.id = account_id"
    " WHERE entry.feed_id = ? ORDER BY entry.sort_at DESC, entry.tie DESC LIMIT ?"
)


def effect(session: Session, before: Span, after: Span) -> Effect:
    """How many posts come and go."""
    added, removed, _, authors = session.execute(_COUNTS, (*before, *after))[0]
    return Effect(added, removed, authors)


def difference(session: Session, before: Span, after: Span) -> Difference:
    """What comes, goes and stays."""
    added, removed, shown, authors = session.execute(_COUNTS, (*before, *after))[0]
    rows = session.execute(_LANGS.format(lang=LANG[session.dialect]), (*before, *after))
    langs: dict[str, dict[str, int]] = {which: {lang: count for side, lang, count in rows if side == which} for which in "+-"}
    return Difference(added, removed, shown - added, authors, langs["+"], langs["-"])


class Examples(NamedTuple):
    """The first posts that only the second feed has, only the first one, and both."""

    added: list[Example]
    removed: list[Example]
    unchanged: list[Example]


def examples(session: Session, before: Span, after: Span, limit: int) -> Examples:
    """Up to so many of each."""
    wanted = (("added", after.feed_id), ("removed", before.feed_id), ("kept", after.feed_id))
    return Examples(*(_examples(session, before, after, which, feed_id, limit) for which, feed_id in wanted))


def _examples(session: Session, before: Span, after: Span, which: str, feed_id: int, limit: int) -> list[Example]:
    rows = session.execute(_EXAMPLES.format(which=which), (*before, *after, feed_id, limit))
    return [Example(uri_of(did, rkey), written_at, unpacked(body), why_of(item)) for did, rkey, written_at, body, item in rows]
