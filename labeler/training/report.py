"""A report as a value, and as text, JSON or one HTML page. Promise: the page asks for nothing else: no script, no font, no host."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any, TypeAlias

from attrs import asdict, field, frozen

from labeler.training.pictures import Bars, Chart, svg

Cell: TypeAlias = str | int | float


@frozen
class Table:
    """Rows under named columns; a row has as many cells as there are columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = field()
    note: str = ""

    @rows.validator
    def _fits(self, _attribute: object, rows: tuple[tuple[Cell, ...], ...]) -> None:
        if any(len(row) != len(self.columns) for row in rows):
            raise ValueError(f"{self.title}: expected {len(self.columns)} cells a row")


@frozen
class Report:
    """What was measured, of what, by which command; `tables` and `pictures` in the order in which they are read."""

    title: str
    about: tuple[str, ...]
    tables: tuple[Table, ...]
    pictures: tuple[Chart | Bars, ...] = ()


def shown(cell: Cell) -> str:
    """A cell for people: three decimals, one from 10 on, thousands apart; only what is exactly 0 is "0"."""
    if isinstance(cell, float):
        return "0" if not cell else f"{cell:,.3f}" if abs(cell) < 10 else f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def as_text(report: Report) -> str:
    """For a terminal."""
    parts = [report.title, "=" * len(report.title), *report.about]
    for table in report.tables:
        parts += ["", table.title, *_lines(table), *([table.note] if table.note else [])]
    return "\n".join(parts) + "\n"


def _lines(table: Table) -> list[str]:
    cells = [list(table.columns), *([shown(cell) for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numbers = [all(not isinstance(row[n], str) for row in table.rows) for n in range(len(widths))]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, numbers, strict=True)
        ).rstrip()
        for row in cells
    ]


def as_json(report: Report) -> str:
    """For programs: every figure in full."""
    return json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n"


def as_html(report: Report) -> str:
    """One page, with its pictures in it."""
    body = [f"<h1>{escape(report.title)}</h1>", *(f"<p>{escape(line)}</p>" for line in report.about)]
    body += [f"<figure><figcaption>{escape(picture.title)}</figcaption>{svg(picture)}</figure>" for picture in report.pictures]
    body += map(_html_table, report.tables)
    return _PAGE.format(title=escape(report.title), body="\n".join(body))


def _html_table(table: Table) -> str:
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in table.columns)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(shown(cell))}</td>" for cell in row) + "</tr>" for row in table.rows)
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return f"<h2>{escape(table.title)}</h2>\n<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table>{note}"


def as_plain(tables: Sequence[Table]) -> list[dict[str, Any]]:
    """Tables as a model's card keeps them."""
    return [{"title": t.title, "columns": list(t.columns), "rows": [list(row) for row in t.rows], "note": t.note} for t in tables]


FORMS = {"text": as_text, "json": as_json, "html": as_html}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid #d5dbe3; font-variant-numeric: tabular-nums; }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; }}
figcaption {{ font-weight: 600; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
