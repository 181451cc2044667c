"""The model card as a page: what the files of weights say of themselves, in the sections of Mitchell et al. 2019.

Promise: a pure function of the files, so that a test can hold the page in the docs against them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from labeler.training.report import shown
from models.weights import Weights

HEAD = """# Model card

What this project's models are for, what they cannot do, and how good they are.
The page is written by `plainsky models card` from the model files, and a test holds it against them.
Form: Mitchell et al. 2019, "Model Cards for Model Reporting".
Intervals are 95 %: Wilson's for shares, Hanley and McNeil's for AUC.
"""

LISTS = {
    "intended_use": "Intended use",
    "out_of_scope": "What it is not for",
    "factors": "Factors",
}
CLOSING = {"ethics": "Ethics", "caveats": "Caveats"}


def page(models: Sequence[tuple[Path, Weights]]) -> str:
    """The card of each file, one after the other."""
    return "\n".join([HEAD, *(line for file, weights in models for line in _card(file, weights))]) + "\n"


def _card(file: Path, weights: Weights) -> Iterator[str]:
    card = weights.card
    yield from (f"## {weights.name[:1].upper()}{weights.name[1:]}", "")
    yield from _sentences(card.get("summary", ""))
    yield from ("", f"File `{file.as_posix()}`: {len(weights.weights):,} weights, SHA-256 `{weights.hash}`.", "")
    for key, title in LISTS.items():
        yield from _listed(title, card.get(key, ()))
    yield from ("### Metrics", "")
    for table in card.get("metrics", ()):
        yield from _table(table)
    yield from _training(card)
    yield from _listed("Data sheet", card.get("data_sheet", ()))
    for key, title in CLOSING.items():
        yield from _listed(title, card.get(key, ()))
    yield from _listed("Negative results", [f"{one['tried'].capitalize()}: {one['found']}." for one in card.get("negative_results", ())])


def _training(card: Mapping[str, Any]) -> Iterator[str]:
    training = card.get("training", {})
    yield from ("### Training", "", f"Command: `{training.get('command', 'not told')}`.")
    for name in ("recipe", "versions"):
        yield f"{name.capitalize()}: {', '.join(f'{key} {value}' for key, value in training.get(name, {}).items())}."
    yield from (f"Seed {training.get('seed')}; weights are rounded to {training.get('decimals')} decimals.", "")
    rows = [(one["file"], one["sha256"][:16], one["bytes"], one["rows"], one["used"]) for one in card.get("data", ())]
    yield from _table({"title": "Files", "columns": ["file", "SHA-256 begins", "bytes", "rows", "used"], "rows": rows, "note": ""})


def _listed(title: str, entries: Iterable[str]) -> Iterator[str]:
    entries = list(entries)
    if entries:
        yield from (f"### {title}", "", *(f"- {entry}" for entry in entries), "")


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"#### {table['title']}", "", f"| {' | '.join(table['columns'])} |", "|---" * len(table["columns"]) + "|")
    yield from (f"| {' | '.join(shown(cell) for cell in row)} |" for row in table["rows"])
    yield from ("", table["note"], "") if table["note"] else ("",)


def _sentences(text: str) -> list[str]:
    return text.replace(". ", ".\n").split("\n")
