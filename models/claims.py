"""The tables `claim`, `claim_wording` and `claim_source`: what fact-checkers said of which claim. All of their SQL.

Promises: a rating is kept as it was published, and what it means is decided elsewhere, by config; a claim is retired, never removed, so
that old evidence can still be read; `version` changes whenever anything that matching looks at does.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias
from unicodedata import normalize

import msgspec

from models.database import Row, Session

Status: TypeAlias = Literal["active", "retired"]


class Wording(NamedTuple):
    """One way to say a claim. `lang` is a primary subtag of BCP-47 ("en"), empty when nobody said."""

    text: str
    lang: str = ""


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A claim of the bank; at least one wording. Texts are plain, without markup."""

    id: str
    wordings: tuple[Wording, ...]
    rating: str
    """The verdict as published, in the publisher's words."""
    publisher: str = ""
    url: str | None = None
    """The fact-check."""
    reviewed_on: str | None = None
    """The fact-check's date, like "2026-11-20"."""
    lang: str = ""
    """Of the fact-check, its title and its summary."""
    title: str = ""
    summary: str = ""
    status: Status = "active"
    source: str = ""
    """The file or address it came from."""
    imported_at: int = 0
    """In microseconds."""

    def __post_init__(self) -> None:
        if not self.wordings or not all(wording.text for wording in self.wordings):
            raise ValueError(f"claim {self.id!r}: expected at least one wording, and none empty")


class Source(NamedTuple):
    """How it went with a feed of claims: `good_at` is the last time it was read to its end, `error` what went wrong since. Microseconds."""

    source: str
    etag: str | None = None
    last_modified: str | None = None
    claims: int = 0
    dropped: int = 0
    good_at: int | None = None
    tried_at: int = 0
    error: str | None = None


def wording_key(text: str) -> str:
    """Equal for wordings that differ in case, width, accents' composition, punctuation or white space only."""
    words = re.findall(r"\w+", normalize("NFKC", text).casefold())
    return hashlib.blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=16).hexdigest()


_COLUMNS = "id, rating, publisher, url, reviewed_on, lang, title, summary, status, source, imported_at"
_OF_CLAIM = ", ".join(f"claim.{column}" for column in _COLUMNS.split(", "))


def put(session: Session, claims: Iterable[Claim], now: int) -> None:
    """Write claims, new ones and changed ones; `now` in microseconds."""
    claims = list(claims)
    updates = ", ".join(f"{column} = excluded.{column}" for column in f"{_COLUMNS}, changed_at".split(", ")[1:])
    session.insert(
        f"INSERT INTO claim ({_COLUMNS}, changed_at)",
        [(*_row(claim), now) for claim in claims],
        f"ON CONFLICT (id) DO UPDATE SET {updates}",
    )
    session.executemany("DELETE FROM claim_wording WHERE claim_id = ?", [(claim.id,) for claim in claims])
    rows = [(claim.id, n, lang, text, wording_key(text)) for claim in claims for n, (text, lang) in enumerate(claim.wordings)]
    session.insert("INSERT INTO claim_wording (claim_id, n, lang, text, wording_key)", rows)


def active(session: Session) -> list[Claim]:
    """All claims that count, in order of id."""
    wordings = session.execute(
        "SELECT claim_id, text, claim_wording.lang FROM claim_wording JOIN claim ON claim.id = claim_id WHERE status = 'active' ORDER BY n"
    )
    return _put_together(session.execute(f"SELECT {_COLUMNS} FROM claim WHERE status = 'active'"), wordings)


def of_ids(session: Session, ids: Collection[str]) -> list[Claim]:
    """These claims, whatever their status, in order of id; ids that are none are left out."""
    if not ids:
        return []
    rows = session.matching(f"SELECT {_OF_CLAIM} FROM wanted JOIN claim ON claim.id = wanted.id", {"id": "TEXT"}, [(id,) for id in ids])
    wordings = session.matching(
        "SELECT claim_id, text, lang, n FROM wanted JOIN claim_wording ON claim_id = wanted.id", {"id": "TEXT"}, [(id,) for id in ids]
    )
    return _put_together(rows, [row[:3] for row in sorted(wordings, key=lambda row: (row[0], row[3]))])


def alike(session: Session, claims: Sequence[Claim]) -> list[Claim]:
    """The bank's claims that may be one with some of these: the same fact-check, or a wording in common. In order of id."""
    urls = {claim.url for claim in claims if claim.url}
    keys = {wording_key(wording.text) for claim in claims for wording in claim.wordings}
    by_key = session.matching(
        "SELECT claim_id FROM wanted JOIN claim_wording ON claim_wording.wording_key = wanted.wording_key",
        {"wording_key": "TEXT"},
        [(key,) for key in sorted(keys)],
    )
    by_url = session.matching(
        "SELECT id FROM wanted JOIN claim ON claim.url = wanted.url", {"url": "TEXT"}, [(url,) for url in sorted(urls)]
    )
    return of_ids(session, sorted({row[0] for row in (*by_key, *by_url)}))


def set_status(session: Session, id: str, status: Status, now: int) -> bool:
    """Retire a claim or take it back; whether there is such a claim."""
    return bool(session.execute("UPDATE claim SET status = ?, changed_at = ? WHERE id = ? RETURNING id", (status, now, id)))


def version(session: Session) -> tuple[int, int]:
    """(claims, time of the last change in microseconds): equal as long as the bank is."""
    row = session.execute("SELECT count(*), coalesce(max(changed_at), 0) FROM claim")[0]
    return int(row[0]), int(row[1])


class Counted(NamedTuple):
    """So many claims of one rating, publisher, language of the fact-check and status."""

    rating: str
    publisher: str
    lang: str
    status: Status
    claims: int


def counted(session: Session) -> list[Counted]:
    """What the bank holds, most first."""
    rows = session.execute("SELECT rating, publisher, lang, status, count(*) FROM claim GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4")
    return [Counted(*row) for row in rows]


def listed(session: Session, words: Sequence[str], status: Status | None, limit: int) -> list[Claim]:
    """Claims of which one wording, the title or the publisher contains each of the words (ASCII case ignored), newest first."""
    where = ["status = ?"] if status else []
    values: list[object] = [status] if status else []
    for word in words:
        where.append(
            "(lower(title) LIKE ? ESCAPE '!' OR lower(publisher) LIKE ? ESCAPE '!' OR id = ? OR EXISTS"
            " (SELECT 1 FROM claim_wording WHERE claim_id = claim.id AND lower(text) LIKE ? ESCAPE '!'))"
        )
        pattern = "%" + re.sub("([%_!])", r"!\1", word.lower()) + "%"
        values += [pattern, pattern, word, pattern]
    sql = f"SELECT id FROM claim {'WHERE ' if where else ''}{' AND '.join(where)} ORDER BY coalesce(reviewed_on, '') DESC, id LIMIT ?"
    ids = [row[0] for row in session.execute(sql, (*values, limit))]
    found = {claim.id: claim for claim in of_ids(session, ids)}
    return [found[id] for id in ids]


def sources(session: Session) -> dict[str, Source]:
    """Every feed that was ever tried, by its address."""
    rows = session.execute(
        "SELECT source, etag, last_modified, claims, dropped, good_at, tried_at, error FROM claim_source ORDER BY source"
    )
    return {row[0]: Source(*row) for row in rows}


def put_source(session: Session, source: Source) -> None:
    """Note how it went with a feed."""
    columns = ", ".join(Source._fields)
    updates = ", ".join(f"{name} = excluded.{name}" for name in Source._fields[1:])
    session.insert(f"INSERT INTO claim_source ({columns})", [tuple(source)], f"ON CONFLICT (source) DO UPDATE SET {updates}")


def _row(claim: Claim) -> tuple[object, ...]:
    return tuple(getattr(claim, column) for column in _COLUMNS.split(", "))


def _put_together(rows: Sequence[Row], wordings: Iterable[Row]) -> list[Claim]:
    of_claim: dict[str, list[Wording]] = {}
    for id, text, lang in wordings:
        of_claim.setdefault(id, []).append(Wording(text, lang))
    names = _COLUMNS.split(", ")
    # Sorted here: databases order text by their own collation.
    return [Claim(wordings=tuple(of_claim[row[0]]), **dict(zip(names, row, strict=True))) for row in sorted(rows)]
