"""`plainsky models list|show|diff|card`: what the model files say, what changed between two, and the page docs/model-card.md."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Iterator
from pathlib import Path

from labeler.claims.bank import Bank
from labeler.gate import Gate, judged
from labeler.measured import measured
from labeler.training import inspecting
from labeler.training.cards import page
from labeler.training.kinds import SHIPPED
from models.weights import BadWeights, Weights
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.labeling import judge_of
from plainsky.labeling.banking import given_of
from plainsky.opening import opened

CARD = Path("docs/model-card.md")
FILES = {"list": range(100), "show": range(1, 2), "diff": range(2, 3), "card": range(1)}
"""How many files each action takes."""


def add_arguments(parser: ArgumentParser) -> None:
    """What to do, with which files."""
    parser.add_argument("what", choices=sorted(FILES), help="list files, show one, compare two, or write the model card")
    parser.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help='files of weights, or names of those that come with the project, like "stance"'
    )
    parser.add_argument("--card", action="store_true", help="with show: the file's whole model card, with its figures")
    parser.add_argument("--config", metavar="FILE", type=Path, help="with show and card: what people judged blind where this config runs")
    parser.add_argument("--text", metavar="TEXT", help="with show: score this text, term by term")
    parser.add_argument("--output", metavar="FILE", type=Path, default=CARD, help="with card: the page to write (%(default)s)")


def run(arguments: Namespace) -> int:
    """Read the files and do it."""
    files: list[Path] = arguments.files
    if len(files) not in FILES[arguments.what]:
        expected = {"show": "one FILE", "diff": "two FILEs, the old one first", "card": "no FILE"}[arguments.what]
        raise OperatorError(f"plainsky models {arguments.what} takes {expected}")
    read = [(file, _read(file)) for file in map(_named, files or sorted(SHIPPED.glob("*.json")))]
    if arguments.what == "card":
        return _write_card(arguments.output, read, arguments.config)
    if arguments.what == "list":
        lines = inspecting.listed(read)
    elif arguments.what == "show":
        lines = _show(*read[0], arguments)
    else:
        lines = inspecting.changed(read[0][1], read[1][1])
    try:
        sys.stdout.write("\n".join([*lines, ""]))
    except BadWeights as error:
        raise OperatorError(f"{' '.join(map(str, files))}: {error}") from None
    return 0


def _named(file: Path) -> Path:
    """ "stance" is the file that comes with the project, unless there is one of that name here."""
    shipped = SHIPPED / f"{file.name}.json"
    return shipped if file.name == str(file) and not file.exists() and shipped.exists() else file


def _show(file: Path, weights: Weights, arguments: Namespace) -> Iterator[str]:
    if arguments.text:
        return inspecting.scored(file, weights, arguments.text)
    return iter([page([(file, weights)])]) if arguments.card else _shown(file, weights, arguments.config)


def _read(file: Path) -> Weights:
    try:
        return inspecting.read(file)
    except BadWeights as error:
        raise OperatorError(f"{file}: {error}") from None


def _shown(file: Path, weights: Weights, config: Path | None) -> Iterator[str]:
    yield from inspecting.told(file, weights)
    if config:
        found = _measured(load(config), {weights.hash})
        yield from ("", f"Judged blind where {config} runs:", *(f"  {line}" for line in found or ["no label there is decided by it"]))


def _measured(config: Config, hashes: Collection[str]) -> list[str]:
    """What people found of the labels that these models decide."""
    with opened(config) as database:
        judge = judge_of(config, given_of(config, Bank()), Gate(database.read_now(judged)))
    return [one.reason for one in measured(judge) if not judge.models[one.value].isdisjoint(hashes)] if judge else []


def _write_card(output: Path, read: list[tuple[Path, Weights]], config: Path | None) -> int:
    named = [(Path("labeler/models") / file.name, weights) for file, weights in read]
    found = _measured(load(config), {weights.hash for _, weights in read}) if config else []
    judged_there = ["## Judged blind where it runs", "", *(f"- {line}." for line in found), ""] if found else []
    try:
        output.write_text("\n".join([page(named), *judged_there]), encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"{output}: cannot be written: {error.strerror}") from None
    sys.stdout.write(f"Wrote {output}.\n")
    return 0
