"""However an operator garbles her config, she gets errors to read, never a traceback."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plainsky.config.describe import described
from plainsky.config.errors import ConfigErrors
from plainsky.config.hashing import config_hash
from plainsky.config.loading import from_tables, parse
from plainsky.config.schema import Config
from plainsky.config.secrets import walk

TEXT = (Path(__file__).parents[2] / "config.example.toml").read_text()
PATHS = [path for path, _ in walk(tomllib.loads(TEXT)) if path]
WORDS = sorted(
    {str(part) for path in PATHS for part in path} | {"kind", "any", "all", "none", "regex", "rules", "pattern", "secret", "key"}
)

scalars = st.one_of(
    st.none(),  # stands for "taken away"
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [*WORDS, "3d", "at://x", "did:plc:x", "[", "https://[", "postgres://[", "sqlite:///", "\x00", "(?P<x>", "nl", "x" * 5000]
    ),
    st.dates(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def put(tables: Any, path: tuple[str | int, ...], value: Any, rename: str | None) -> None:
    """Change one place of the file, if it is still there."""
    for part in path[:-1]:
        try:
            tables = tables[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(tables, dict):
        tables.pop(path[-1], None)
        if value is not None:
            tables[rename if rename is not None else path[-1]] = value
    elif isinstance(tables, list) and value is not None and isinstance(path[-1], int):
        tables[path[-1] : path[-1] + 1] = [value]


def judged(make: Callable[[], Config]) -> None:
    """A config that says what it does, or errors that say where, each in one line."""
    try:
        config = make()
    except ConfigErrors as errors:
        told = [str(problem) for problem in errors.problems]
    else:
        told = [described(config).replace("\n", " "), config_hash(config)]
    assert told
    assert all(words.strip() and "\n" not in words for words in told)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.sampled_from(PATHS), values, st.none() | st.sampled_from(WORDS)), min_size=1, max_size=4))
def test_wrong_values_in_any_place_never_give_a_traceback(changes: list[tuple[tuple[str | int, ...], Any, str | None]]) -> None:
    tables = tomllib.loads(TEXT)
    for path, value, rename in changes:
        put(tables, path, value, rename)

    judged(lambda: from_tables(tables))


@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 40),
    st.text(max_size=10) | st.sampled_from(['"', "[", "]", "=", "[[feeds]]\n", "'''", "{", "\n"]),
)
@example(0, len(TEXT), "")
def test_garbled_text_never_gives_a_traceback(start: int, length: int, insert: str) -> None:
    judged(lambda: parse(TEXT[:start] + insert + TEXT[start + length :]))


KEY = "c0ffee" * 10 + "c0de"


@given(st.sampled_from(PATHS), st.sampled_from([KEY, [KEY], [[KEY]], {"x": KEY}, [{"kind": KEY}], {"kind": "regex", "pattern": KEY}]))
def test_a_key_pasted_in_any_place_is_refused_and_not_repeated(path: tuple[str | int, ...], value: Any) -> None:
    tables = tomllib.loads(TEXT)
    put(tables, path, value, None)

    with pytest.raises(ConfigErrors, match="a secret may not stand in this file") as caught:
        from_tables(tables)
    assert KEY not in str(caught.value)
