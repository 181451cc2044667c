"""Claims from a CSV table, whatever separates its columns and whatever they are called within reason."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from labeler.claims import cleaning
from labeler.claims.claimreview import Draft

NAMES = {
    "wording": ("claim", "wording", "text", "claimreviewed", "claimtext", "statement", "vclaim", "bewering", "affirmation", "behauptung"),
    "rating": ("rating", "verdict", "textualrating", "conclusion", "oordeel", "label", "note", "bewertung", "reviewratingalternatename"),
    "publisher": ("publisher", "factchecker", "organization", "organisation", "author", "site", "bron", "source"),
    "url": ("url", "link", "reviewurl", "factcheckurl", "claimurl", "factcheck"),
    "reviewed_on": ("reviewedon", "date", "reviewdate", "datepublished", "published", "datum"),
    "lang": ("lang", "language", "inlanguage", "languagecode", "taal", "langue", "sprache"),
    "title": ("title", "headline", "titel", "titre"),
    "summary": ("summary", "subtitle", "description", "explanation"),
}
NEEDED = ("wording", "rating")
LONGEST_CELL = 100_000


class NotATable(ValueError):
    """The text is no table of claims; the message says what is missing."""


def drafts(text: str) -> Iterator[Draft]:
    """A review for each row. NotATable, before the first, when there is no column of claims or none of ratings."""
    rows = _rows(text)
    columns = _columns(next(rows, []))
    return (_draft(row, columns) for row in rows)


def _rows(text: str) -> Iterator[list[str]]:
    head = text[:10_000].partition("\n")[0]
    delimiter = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    previous = csv.field_size_limit(LONGEST_CELL)
    try:
        while True:
            try:
                yield next(reader)
            except csv.Error:  # a cell beyond the limit, or a quote that never ends: the row is dropped
                yield []
    except StopIteration:
        return
    finally:
        csv.field_size_limit(previous)


def _columns(head: Sequence[str]) -> dict[str, int]:
    names = [re.sub(r"[\W_]", "", name.casefold()) for name in head]
    columns: dict[str, int] = {}
    for field, spellings in NAMES.items():
        found = next((names.index(spelling) for spelling in spellings if spelling in names), None)
        if found is not None:
            columns[field] = found
    if missing := [field for field in NEEDED if field not in columns]:
        wanted = " and ".join(f"one of {', '.join(NAMES[field][:3])}" for field in missing)
        raise NotATable(f"its first line names no column for {' and '.join(missing)}: expected {wanted}")
    return columns


def _draft(row: Sequence[str], columns: dict[str, int]) -> Draft:
    def cell(field: str) -> str:
        at = columns.get(field, len(row))
        return row[at] if at < len(row) else ""

    url = cleaning.link(cell("url"))
    return Draft(
        wording=cleaning.text(cell("wording")),
        rating=cleaning.text(cell("rating"), 300),
        publisher=cleaning.text(cell("publisher"), 200) or cleaning.host(url),
        url=url,
        reviewed_on=cleaning.day(cell("reviewed_on")),
        lang=cleaning.language(cell("lang")),
        title=cleaning.text(cell("title")),
        summary=cleaning.text(cell("summary")),
    )
