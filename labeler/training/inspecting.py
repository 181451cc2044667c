"""What a person wants to see of a file of weights: its strongest terms, a text's score term by term, what changed since another file."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from labeler.training.report import shown
from models.text_model import KIND, TextModel
from models.weights import MAX_BYTES, BadWeights, Weights, loads

STRONGEST = 15
CHANGED = 20


def read(file: Path) -> Weights:
    """The weights in a file, whatever they are for; BadWeights."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadWeights(f"cannot be read: {error.strerror}") from None
    try:
        kind = json.loads(data)["kind"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadWeights("this is no file of weights: expected a JSON object with a kind") from None
    if not isinstance(kind, str):
        raise BadWeights("kind: expected a word")
    return loads(data, kind)


def listed(files: Iterable[tuple[Path, Weights]]) -> Iterator[str]:
    """One line a file, below a heading."""
    rows = [("file", "kind", "name", "weights", "SHA-256 begins")]
    rows += [(file.name, weights.kind, weights.name, f"{len(weights.weights):,}", weights.hash[:16]) for file, weights in files]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield from ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def told(file: Path, weights: Weights) -> Iterator[str]:
    """What it is, what it is for and not for, how it was made, its strongest terms, and how a scorecard decides."""
    yield f"{file}: {weights.name}, kind {weights.kind}, {len(weights.weights):,} weights, SHA-256 {weights.hash}"
    if summary := weights.card.get("summary"):
        yield from ("", str(summary))
    for key, title in (("intended_use", "For"), ("out_of_scope", "Not for")):
        if said := weights.card.get(key):
            yield from ("", f"{title}:", *(f"  {line}" for line in said))
    if training := _training(weights):
        yield from ("", f"Made by: {training.get('command', 'not told')}")
        yield f"With: {', '.join(f'{name} {version}' for name, version in training.get('versions', {}).items())}"
    yield from _decides(weights)
    ranked = sorted(weights.weights.items(), key=lambda one: (-one[1], one[0]))
    yield from ("", f"intercept {weights.intercept:+.3f}", "", "Weights for:")
    yield from (f"  {weight:+8.3f}  {term}" for term, weight in ranked[:STRONGEST] if weight > 0)
    yield "Weights against:"
    yield from (f"  {weight:+8.3f}  {term}" for term, weight in ranked[: -STRONGEST - 1 : -1] if weight < 0)
    if none := [term for term, weight in ranked if not weight]:
        yield f"Without weight: {', '.join(none)}"


def _training(weights: Weights) -> dict[str, Any]:
    training = weights.card.get("training")
    return training if isinstance(training, dict) else {}


def _decides(weights: Weights) -> Iterator[str]:
    if "threshold" in weights.features:
        yield from ("", f"threshold {weights.features['threshold']:g}: the sum that is needed")
    if abstain := weights.features.get("abstain"):
        yield f"says nothing above: {', '.join(f'{name} {bound:g}' for name, bound in abstain.items())}"


def scored(file: Path, weights: Weights, text: str) -> Iterator[str]:
    """A text's score with its strongest terms; BadWeights-free: what is no text model says so."""
    if weights.kind != KIND:
        yield f"{file}: kind {weights.kind}: only a text model scores a text by itself"
        return
    model = TextModel(weights)
    found = model.score(text)
    yield f"seen as: {' '.join(model.words(text))}"
    yield f"score {found.value:+.6f} (log-odds), coverage {found.coverage:.0%} of the words"
    yield from (f"  {term.product:+.6f} = {term.weight:+.3f} / root of terms   {term.term}" for term in found.terms)


def changed(old: Weights, new: Weights) -> Iterator[str]:
    """Terms that came and went, the largest changes of weights, of the threshold and of figures; one line when nothing changed.

    BadWeights of files that are for different things.
    """
    if old.kind != new.kind:
        raise BadWeights(f"one is of kind {old.kind}, the other of kind {new.kind}: there is nothing to compare")
    if old.hash == new.hash:
        yield "The files say the same."
        return
    before, after = old.weights, new.weights
    yield f"{len(after.keys() - before.keys()):,} terms came, {len(before.keys() - after.keys()):,} went."
    yield f"intercept {old.intercept:+.3f} -> {new.intercept:+.3f}"
    steps = {term: after.get(term, 0.0) - before.get(term, 0.0) for term in {**before, **after}}
    ranked = sorted(((term, step) for term, step in steps.items() if step), key=lambda one: (-abs(one[1]), one[0]))
    yield f"{len(ranked):,} weights differ. The largest changes:"
    yield from (f"  {before.get(term, 0.0):+8.3f} -> {after.get(term, 0.0):+8.3f}  {term}" for term, _ in ranked[:CHANGED])
    if "threshold" in old.features and old.features["threshold"] != new.features.get("threshold"):
        yield f"threshold {old.features['threshold']:g} -> {new.features.get('threshold')}"
    for part in ("features", "card"):
        one, two = getattr(old, part), getattr(new, part)
        if keys := sorted(key for key in {**one, **two} if one.get(key) != two.get(key)):
            yield f"{part} differ in: {', '.join(keys)}"
    if figures := list(_figures(old, new)):
        yield f"{len(figures):,} figures of the card differ" + (f", of which {CHANGED}:" if len(figures) > CHANGED else ":")
        yield from (f"  {line}" for line in figures[:CHANGED])


def _figures(old: Weights, new: Weights) -> Iterator[str]:
    """Cells of the card's tables, where both have the table and the row."""
    after = {table["title"]: table for table in new.card.get("metrics", ())}
    for table in old.card.get("metrics", ()):
        later = after.get(table["title"])
        if later is None or later["columns"] != table["columns"]:
            continue
        rows = {_named(row): row for row in later["rows"]}
        for row in table["rows"]:
            cells = zip(table["columns"], row, rows.get(_named(row), row), strict=True)
            said = [f"{name} {shown(one)} -> {shown(two)}" for name, one, two in cells if one != two]
            if said:
                yield f"{table['title']}, {' '.join(map(str, _named(row)))}: {', '.join(said)}"


def _named(row: Sequence[Any]) -> tuple[Any, ...]:
    """What a row is about: its words, or the number that it begins with."""
    return tuple(cell for cell in row if isinstance(cell, str)) or (row[0],)
