"""Example posts of an operator, read from a file: one post a line, as plain text or as JSON.

Promises: every error names the file and the line. Posts with the same words count as one.
"""

import hashlib
import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, NamedTuple

from attrs import evolve, frozen

from models.cleaning import words
from models.post import Post, parse
from models.topic import said
from plainsky.errors import OperatorError

MAX_BYTES = 64 << 20


class Example(NamedTuple):
    """A post, and what it says (as `models.topic.said`)."""

    post: Post
    said: Set[str]


@frozen
class Examples:
    """The posts of one file, each once; and how many lines were left out because they repeat one, stand in both files, or say nothing."""

    name: str
    sha256: str
    posts: tuple[Example, ...]
    repeated: int
    wordless: int
    in_both: int = 0


def read(path: Path) -> Examples:
    """The examples in a file; OperatorError when it cannot be read, or a line makes no sense."""
    data = _bytes(path)
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise OperatorError(f"{path} line {line}: this is no UTF-8: save the file as UTF-8") from None
    examples = [Example(post, said(post)) for post in _posts(path, lines)]
    distinct = {frozenset(example.said): example for example in reversed(examples) if example.said}
    wordless = sum(1 for example in examples if not example.said)
    posts = tuple(reversed(distinct.values()))
    return Examples(path.name, hashlib.sha256(data).hexdigest(), posts, len(examples) - wordless - len(posts), wordless)


def apart(yes: Examples, no: Examples) -> tuple[Examples, Examples]:
    """Both without the posts that stand in both: they say nothing about the difference."""
    both = {frozenset(example.said) for example in yes.posts} & {frozenset(example.said) for example in no.posts}
    one, other = (
        evolve(side, posts=tuple(example for example in side.posts if frozenset(example.said) not in both), in_both=len(both))
        for side in (yes, no)
    )
    return one, other


def groups(examples: list[Example], run: int = 5) -> list[int]:
    """For each example the number of its group: examples that share so many words in a row, also by way of others, are in one.

    A model that was trained on one of them would know the others by heart.
    """
    group = list(range(len(examples)))

    def leader(number: int) -> int:
        while group[number] != number:
            group[number] = number = group[group[number]]
        return number

    seen: dict[tuple[str, ...], int] = {}
    for number, example in enumerate(examples):
        found = words(example.post.text)
        for start in range(len(found) - run + 1):
            group[leader(number)] = leader(seen.setdefault(tuple(found[start : start + run]), number))
    return [leader(number) for number in range(len(examples))]


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise OperatorError(f"{path}: no such file: expected example posts, one a line") from None
    except (OSError, ValueError) as error:
        raise OperatorError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise OperatorError(f"{path}: expected at most {MAX_BYTES >> 20} MiB: a few thousand posts are plenty")
    return data


def _posts(path: Path, lines: list[str]) -> Iterator[Post]:
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if line.startswith("{"):
            yield _record(f"{path} line {number}", line)
        elif line:
            post = parse({"text": line})
            assert post
            yield post


def _record(where: str, line: str) -> Post:
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        hint = 'a post that begins with { must be written as {"text": "..."}'
        raise OperatorError(f"{where}: this is no JSON ({error}): {hint}") from None
    post = parse(record)
    if post is None:
        raise OperatorError(f'{where}: expected a post, like {{"text": "..."}}')
    return post
