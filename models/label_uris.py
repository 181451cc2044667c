"""The table `label_uri`, and which labels of the log are on given posts and accounts: by uri, or by the beginning of it.

To keep the whole log sorted by uri would cost a page for each label, when it is issued. So the table sorts it in stretches of seqs, later
and many at a time; a beginning is looked for once in each stretch, and along the log in what is not sorted yet. Promise: which labels are
sorted makes no difference to what is found. All of the table's SQL; it can be made anew at any time.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from models import labels, settings, tails
from models.database import Session
from models.labels import STATE, Found

STRETCH = 65_536
"""How many seqs are sorted together, by a migration too: a look at one costs some 4 µs, and a row more a part of its 1,500 pages."""
AT_ONCE = 4_096
"""How many are sorted at a time, so that few pages change for each; fewer than these are looked through in 0.2 ms."""
SORTED_UNTIL = "labels sorted until"
"""The setting that says up to which seq."""
LAST_CODE_POINT = "\U0010ffff"

_STEMS = ("at://did:plc:", "at://did:web:", "did:plc:", "did:web:")
"""A prefix that goes no further than these matches about everything."""
_PLC_STEMS = ("at://did:plc:", "did:plc:")
BROAD = 1 / 64
"""So large a share of the log is found sooner along the log, and all of it would have to be sorted otherwise."""


class Pattern(NamedTuple):
    """Which uris are asked for: this one, or (`prefix`) all that begin so, compared by bytes."""

    uri: str
    prefix: bool = False


# Stretches are as far apart as seqs are, so the next one is looked for, not counted. One row says NULL: there is no more.
_SORTED = (
    "WITH RECURSIVE there(stretch) AS (SELECT min(stretch) FROM label_uri"
    " UNION ALL SELECT (SELECT min(label_uri.stretch) FROM label_uri WHERE label_uri.stretch > there.stretch) FROM there"
    " WHERE there.stretch IS NOT NULL) SELECT stretch, (SELECT value FROM setting WHERE name = ?) FROM there"
)
_OF_ONE = f"{STATE} AND {tails.OF_URI} AND seq + 0 > ? ORDER BY seq + 0 LIMIT ?"
# Of a range whose bounds come from a table PostgreSQL's planner expects a good part of the log, and would read all of it; of an array, few.
_ONE_OF = {"sqlite": "IN ({})", "postgresql": "= ANY(ARRAY({}))"}


def sort(session: Session, until: int) -> None:
    """Sort what is complete, up to a seq."""
    after, until = int(settings.get(session, SORTED_UNTIL) or 0), until - until % AT_ONCE
    if until > after:
        select = f"SELECT (seq - 1) / {STRETCH}, uri, seq FROM label WHERE seq > ? AND seq <= ? ORDER BY 1, 2, 3"
        session.execute(f"INSERT INTO label_uri (stretch, uri, seq) {select}", (after, until))
        settings.put(session, SORTED_UNTIL, str(until))


def beginning(session: Session, prefix: str) -> set[str]:
    """The posts and accounts whose uris begin so, as far as the log ever spoke of them."""
    sql, values = _beginning(session, [Pattern(prefix, prefix=True)], "uri")
    return {uri for (uri,) in session.execute(sql, values)}


def query(session: Session, patterns: Sequence[Pattern], sources: Collection[str], after: int, limit: int) -> list[Found]:
    """What stands in the state, oldest first; negations and expired labels are part of it. No sources means all."""
    if len(patterns) == 1 and not patterns[0].prefix and not sources:
        return labels.found(session, _OF_ONE, (*tails.key(patterns[0].uri), after, limit))
    patterns = _apart(patterns)
    # Walking the log is right when most of it matches; for the rest the planner is kept from it.
    is_broad = sum(_share(pattern.uri) for pattern in patterns if pattern.prefix) > BROAD
    (sql, values), seq = (_along(patterns), "seq") if is_broad else (_by_uri(session, patterns), "seq + 0")
    if sources:
        sql += f" AND src IN ({', '.join('?' * len(sources))})"
    return labels.found(session, f"{sql} AND {seq} > ? ORDER BY {seq} LIMIT ?", (*values, *sources, after, limit))


def _apart(patterns: Iterable[Pattern]) -> list[Pattern]:
    """In the order of uris, without those that another one covers: what a prefix covers follows it."""
    apart: list[Pattern] = []
    for pattern in sorted(set(patterns), key=lambda pattern: (pattern.uri, not pattern.prefix)):
        if not (apart and apart[-1].prefix and pattern.uri.startswith(apart[-1].uri)):
            apart.append(pattern)
    return apart


def _along(patterns: Sequence[Pattern]) -> tuple[str, list[str]]:
    """What is asked for, whatever it is, as a condition on each label of the log."""
    where, values = _among(patterns)
    return f"{STATE} AND {where}", values


def _among(patterns: Sequence[Pattern]) -> tuple[str, list[str]]:
    """The SQL of an uri that one of these stands for, of patterns that are `_apart`.

    Each question leaves half of them: a label must not cost as much as a request can hold, nor can SQLite nest a thousand ORs.
    """
    if len(patterns) == 1:
        return _where(patterns[0])
    half = len(patterns) // 2
    (before, firsts), (behind, lasts) = _among(patterns[:half]), _among(patterns[half:])
    return f"CASE WHEN uri < ? THEN {before} ELSE {behind} END", [patterns[half].uri, *firsts, *lasts]


def _where(pattern: Pattern) -> tuple[str, list[str]]:
    if not pattern.prefix:
        return "uri = ?", [pattern.uri]
    if not pattern.uri.rstrip(LAST_CODE_POINT):  # nothing comes behind these
        return "uri >= ?", [pattern.uri]
    return "(uri >= ? AND uri < ?)", [*_range(pattern.uri)]


def _by_uri(session: Session, patterns: Sequence[Pattern]) -> tuple[str, list[str]]:
    """What is asked for, found by index: single uris by their end, beginnings in each stretch."""
    uris = [pattern.uri for pattern in patterns if not pattern.prefix]
    prefixes = [pattern for pattern in patterns if pattern.prefix]
    hits, values = list[str](), list[str]()
    if prefixes:
        some, values = _beginning(session, prefixes, "seq")
        hits.append(some)
    if uris:
        hits.append(f"SELECT seq FROM label WHERE {tails.among(len(uris))}")
        values += [*map(tails.of, uris), *uris]
    return f"{STATE} AND seq {_ONE_OF[session.dialect].format(' UNION '.join(hits))}", values


def _beginning(session: Session, prefixes: Sequence[Pattern], what: str) -> tuple[str, list[str]]:
    """A column of what begins so: by one look at each stretch, and along the rest.

    What is sorted is asked first, and named: more may be a moment later, and planners would guess at how many stretches there are.
    """
    rows = session.execute(_SORTED, (SORTED_UNTIL,))
    stretches, until = ", ".join(str(stretch) for stretch, _ in rows if stretch is not None) or "-1", int(rows[0][1] or 0)
    rest, values = _among(prefixes)
    wanted = ", ".join(["(CAST(? AS TEXT), CAST(? AS TEXT))"] * len(prefixes))
    sql = (
        f"SELECT label_uri.{what} FROM wanted CROSS JOIN label_uri WHERE label_uri.stretch IN ({stretches})"
        " AND label_uri.uri >= wanted.first AND label_uri.uri < wanted.beyond"
        f" UNION SELECT {what} FROM label WHERE seq > {until} AND {rest}"
    )
    return f"WITH wanted(first, beyond) AS (VALUES {wanted}) {sql}", [bound for prefix in prefixes for bound in _range(prefix.uri)] + values


def _range(prefix: str) -> tuple[str, str]:
    """The prefix, and the first string that is greater than all that begin with it. LIKE would fold case on SQLite."""
    head = prefix.rstrip(LAST_CODE_POINT)
    following = ord(head[-1]) + 1
    return prefix, head[:-1] + chr(0xE000 if 0xD800 <= following < 0xE000 else following)


def _share(prefix: str) -> float:
    """How much of the log it may match: each character of a did:plc is one of 32."""
    if any(stem.startswith(prefix.rstrip(LAST_CODE_POINT)) for stem in _STEMS):
        return 1.0
    return max((32.0 ** (len(stem) - len(prefix)) for stem in _PLC_STEMS if prefix.startswith(stem)), default=0.0)
