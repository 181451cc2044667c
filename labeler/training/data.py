"""Reads the texts that models are trained on. Promises: sorted, each text once, in the same order on every machine; nothing is kept of it.

A folder holds `text/*.csv` (columns text, label: 1 for rated false, 0 for not) and `posts/*.csv` (columns text, topic: everyday posts,
nearly all harmless). A file is a set, named after itself.
"""

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from attrs import frozen

from labeler.training import TrainingError
from models.cleaning import words

LABELS = {"0": 0, "1": 1}


@frozen
class Text:
    """One text: the set it comes from, what it is about, 1 when it was rated false, and its words as a model sees them."""

    source: str
    topic: str
    label: int
    everyday: bool
    words: tuple[str, ...]


@frozen
class Source:
    """A file as it was read: its name in the folder, SHA-256, bytes, rows, and how many rows are used (the others are duplicates)."""

    file: str
    sha256: str
    bytes: int
    rows: int
    used: int


@frozen
class Data:
    """All texts, and the files they come from."""

    texts: tuple[Text, ...]
    sources: tuple[Source, ...]

    @property
    def labelled_sets(self) -> tuple[str, ...]:
        """Names of the sets with labels."""
        return tuple(sorted({text.source for text in self.texts if not text.everyday}))

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics of the everyday posts."""
        return tuple(sorted({text.topic for text in self.texts if text.everyday}))


def read(folder: Path, see: Callable[[str], Sequence[str]]) -> Data:
    """Every text once, in the words that `see` makes of it; of texts with both labels, none is kept.

    TrainingError when a file is missing or not as expected.
    """
    files = {file: everyday for part, everyday in (("text", False), ("posts", True)) for file in sorted((folder / part).glob("*.csv"))}
    if not any(not everyday for everyday in files.values()) or not any(files.values()):
        raise TrainingError(f"{folder}: expected text/*.csv (columns text, label) and posts/*.csv (columns text, topic)")
    rows = [text for file, everyday in files.items() for text in _rows(file, everyday, see)]
    texts = tuple(_once(rows))
    read_rows, used = Counter(text.source for text in rows), Counter(text.source for text in texts)
    return Data(texts, tuple(source(file, folder, read_rows[file.stem], used[file.stem]) for file in files))


def _rows(file: Path, everyday: bool, see: Callable[[str], Sequence[str]]) -> Iterator[Text]:
    with _opened(file) as lines:
        reader = csv.DictReader(lines)
        try:
            if missing := sorted({"text", "topic" if everyday else "label"} - set(reader.fieldnames or ())):
                raise TrainingError(f"{file}: column {missing[0]!r} is missing")
            for row in reader:
                label = 0 if everyday else _label(row["label"], file, reader.line_num)
                yield Text(file.stem, row.get("topic") or file.stem, label, everyday, tuple(see(row["text"] or "")))
        except (csv.Error, UnicodeDecodeError) as error:
            raise TrainingError(f"{file}, near line {reader.line_num}: no CSV in UTF-8: {error}") from None


def _opened(file: Path) -> TextIO:
    try:
        return file.open(newline="", encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"{file}: cannot be read: {error.strerror}") from None


def _label(written: str | None, file: Path, line: int) -> int:
    if written not in LABELS:
        raise TrainingError(f"{file}, line {line}: label {written!r}: expected 1 (rated false) or 0")
    return LABELS[written]


def _once(rows: Iterable[Text]) -> Iterator[Text]:
    """Copies lie in several sets and splits: one counts. The same words with both labels teach nothing."""
    labels: dict[tuple[str, ...], set[int]] = defaultdict(set)
    rows = [text for text in rows if text.words]
    for text in rows:
        labels[text.words].add(text.label)
    seen: set[tuple[str, ...]] = set()
    for text in rows:
        if text.words not in seen and len(labels[text.words]) == 1:
            seen.add(text.words)
            yield text


def source(file: Path, folder: Path, rows: int, used: int) -> Source:
    """A file of a folder as it was read."""
    data = file.read_bytes()
    return Source(file.relative_to(folder).as_posix(), hashlib.sha256(data).hexdigest(), len(data), rows, used)


def search_words(data: Data) -> frozenset[str]:
    """Words of a topic's name that stand in most of its posts: by them the posts were found, so they tell the sample, and nothing else."""
    found = set()
    for topic in data.topics:
        posts = [set(text.words) for text in data.texts if text.everyday and text.topic == topic]
        found |= {word for word in words(topic) if 2 * sum(word in post for post in posts) > len(posts)}
    return frozenset(found)


def fold_of(text: Text, folds: int) -> int:
    """Which part of a cross-validation a text belongs to: by its words, so that order and other files change nothing."""
    return int.from_bytes(hashlib.sha256(" ".join(text.words).encode()).digest()[:4], "big") % folds
