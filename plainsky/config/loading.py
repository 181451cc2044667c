"""Reads the config: a file, its text or its tables become a `Config`, or `ConfigErrors` that tell everything that is wrong at once.

Secrets come from the environment: PLAINSKY_STORE_URL, PLAINSKY_LABELER_KEY, PLAINSKY_LABELER_KEY_FILE.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from attrs import evolve

from plainsky.config.advice import advice
from plainsky.config.errors import ConfigErrors, Path, Problem, shown, spelled
from plainsky.config.schema import Config, Labeler
from plainsky.config.secrets import DEEPEST, secrets_in, walk
from plainsky.config.structuring import structured


def load(path: FilePath | str, environment: Mapping[str, str] | None = None) -> Config:
    """Read the file; `environment` is this process's unless given."""
    try:
        text = FilePath(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"line {error.object[: error.start].count(10) + 1}"
        raise ConfigErrors([Problem((), f"{where} is no UTF-8: let your editor save the file in that encoding")], str(path)) from None
    except FileNotFoundError:
        hint = "no such file: write one with `plainsky init`, or copy config.example.toml"
        raise ConfigErrors([Problem((), hint)], str(path)) from None
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        raise ConfigErrors([Problem((), f"cannot be read: {why}")], str(path)) from None
    return parse(text, str(path), os.environ if environment is None else environment)


def parse(text: str, name: str = "config", environment: Mapping[str, str] | None = None) -> Config:
    """The config in a TOML text; `name` is what errors call it."""
    return from_tables(_tables(text, name), name, environment)


def from_tables(tables: dict[str, Any], name: str = "config", environment: Mapping[str, str] | None = None) -> Config:
    """The config in tables as tomllib reads them."""
    if any(len(path) > DEEPEST for path, _ in walk(tables)):
        raise ConfigErrors([Problem((), f"tables and lists stand in each other more than {DEEPEST} levels deep")], name)
    secrets = secrets_in(tables)
    config, problems = structured(tables)
    problems = [*secrets, *_beside(problems, secrets), *_repeated(tables), *_hidden(tables), *_nothing_to_read(tables), *_idle(tables)]
    if config is not None:
        problems += _canary(config)
    if config is None or problems:
        raise ConfigErrors(problems, name)
    return _with_environment(config, environment or {}, name)


def _tables(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        end = f"(at line {text.count(chr(10)) + 1}, at end of document)"
        what = str(error).replace("(at end of document)", end)
        if told := advice(text, what):
            what += f": {told}"
    except RecursionError:
        what = "lists stand in each other too deeply"
    except ValueError:
        what = "a number has too many digits"
    raise ConfigErrors([Problem((), f"this is no TOML: {what}")], name)


def _beside(problems: Iterable[Problem], secrets: list[Problem]) -> list[Problem]:
    """Problems elsewhere than at a secret, below it or around it: those would repeat its value."""
    return [problem for problem in problems if not any(_on_one_line(problem.path, secret.path) for secret in secrets)]


def _on_one_line(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _repeated(tables: dict[str, Any]) -> list[Problem]:
    return [*_repeats(tables, "feeds", "rkey"), *_repeats(tables, "labels", "value")]


def _repeats(tables: dict[str, Any], table: str, key: str) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    rows = tables.get(table)
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        word = row.get(key) if isinstance(row, dict) else None
        if isinstance(word, str) and first.setdefault(word, index) != index:
            problems.append(Problem((table, index, key), f'"{word}" is taken by {spelled((table, first[word]))}'))
    return problems


def _hidden(tables: dict[str, Any]) -> list[Problem]:
    """A feed's page at the address where another feed is read by programs."""
    rows = tables.get("feeds")
    names = [row.get("rkey") if isinstance(row, dict) else None for row in (rows if isinstance(rows, list) else [])]
    return [
        Problem(("feeds", index, "rkey"), f'"{name}" is where {spelled(("feeds", names.index(other)))} is read by programs')
        for index, name in enumerate(names)
        for ending in (".json", ".atom")
        if isinstance(name, str) and name.endswith(ending) and (other := name.removesuffix(ending)) in names
    ]


def _nothing_to_read(tables: dict[str, Any]) -> list[Problem]:
    ingest = tables.get("ingest")
    if not isinstance(ingest, dict):
        return []
    if ingest.get("source") == "replay":
        return [] if "path" in ingest else [Problem(("ingest", "path"), 'required key is missing: what should "replay" play?')]
    return [Problem(("ingest", "hosts"), "[]: expected at least one host")] if ingest.get("hosts") == [] else []


def _idle(tables: dict[str, Any]) -> list[Problem]:
    if any(tables.get(table) not in (None, []) for table in ("feeds", "labels", "labeler")):
        return []
    return [Problem((), "nothing to serve: expected at least one [[feeds]] or [[labels]] table")]


def _canary(config: Config) -> list[Problem]:
    if config.canary is None:
        return []
    values = [policy.value for policy in config.labels]
    problems = []
    if config.canary.value not in values:
        known = f"one of {', '.join(values)}" if values else "a [[labels]] table with it"
        problems.append(Problem(("canary", "value"), f"{shown(config.canary.value)}: expected {known}"))
    if config.canary.post.startswith(f"at://{config.labeler_did}/"):
        problems.append(Problem(("canary", "post"), "expected a post of another account: no app shows a labeler's labels on its own posts"))
    return problems


def _with_environment(config: Config, environment: Mapping[str, str], name: str) -> Config:
    labeler = config.labeler or (Labeler() if config.labels else None)
    if labeler and (key_file := environment.get("PLAINSKY_LABELER_KEY_FILE")):
        labeler = evolve(labeler, key_file=FilePath(key_file))
    if labeler and (key := environment.get("PLAINSKY_LABELER_KEY")):
        labeler = evolve(labeler, key=key)
    store = config.store
    if url := environment.get("PLAINSKY_STORE_URL"):
        try:
            store = evolve(store, url=url)
        except ValueError as error:
            raise ConfigErrors([Problem(("PLAINSKY_STORE_URL",), f"{error} (in the environment)")], name) from None
    return evolve(config, labeler=labeler, store=store)
