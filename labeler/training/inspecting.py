"""What a person wants to see of a file of weights: its strongest terms, a text's score term by term, what changed since another file."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

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
    """One line a file."""
    for file, weights in files:
        yield f"{file.name}  {weights.kind}  {weights.name}  {len(weights.weights):,} weights  {weights.hash[:16]}"


def told(file: Path, weights: Weights) -> Iterator[str]:
    """What it is, how it was made, its strongest terms."""
    yield f"{file}: {weights.name}, kind {weights.kind}, {len(weights.weights):,} weights, SHA-256 {weights.hash}"
    if summary := weights.card.get("summary"):
        yield from ("", str(summary))
    if isinstance(training := weights.card.get("training"), dict):
        yield from ("", f"Made by: {training.get('command', 'not told')}")
    ranked = sorted(weights.weights.items(), key=lambda one: (-one[1], one[0]))
    yield from ("", f"intercept {weights.intercept:+.3f}", "", "For:")
    yield from (f"  {weight:+8.3f}  {term}" for term, weight in ranked[:STRONGEST] if weight > 0)
    yield "Against:"
    yield from (f"  {weight:+8.3f}  {term}" for term, weight in ranked[: -STRONGEST - 1 : -1] if weight < 0)


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
    """Terms that came and went, and the largest changes of weights; one line when nothing changed."""
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
    for part in ("features", "card"):
        one, two = getattr(old, part), getattr(new, part)
        if keys := sorted(key for key in {**one, **two} if one.get(key) != two.get(key)):
            yield f"{part} differ in: {', '.join(keys)}"
