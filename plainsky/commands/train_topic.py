"""`plainsky train-topic NAME --yes FILE --no FILE`: a topic model from example posts, for the rule `topic` and the order `topic`."""

import datetime
import re
import shlex
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from labeler.training.statistics import Estimate
from models.weights import Weights, dumps
from plainsky.errors import OperatorError
from plainsky.examples import Examples, apart, read
from plainsky.training import PARTS, Measured, Trained, train

STRONGEST = 15
WIDTH = 100
LOPSIDED = 3


def add_arguments(parser: ArgumentParser) -> None:
    """The name, the examples, and what makes the file the same when it is made again."""
    parser.epilog = 'Examples: one post a line, as plain text or as JSON ({"text": "..."}, or a whole record). See docs/topics.md.'
    parser.add_argument("name", metavar="NAME", type=_name, help="of the topic; the file is NAME.json")
    parser.add_argument("--yes", metavar="FILE", type=Path, required=True, help="posts about the topic")
    parser.add_argument("--no", metavar="FILE", type=Path, required=True, help="posts about anything else, best of the same kind of feeds")
    parser.add_argument("--seed", type=int, default=0, help="how cross-validation deals out the examples (%(default)s)")
    parser.add_argument("--date", metavar="YYYY-MM-DD", type=_date, help="what the card gives as the day of training (today)")
    parser.add_argument("--force", action="store_true", help="replace NAME.json when it is there")


def run(arguments: Namespace) -> int:
    """Read, train, write, and say how good it is."""
    output = Path(f"{arguments.name}.json")
    if output.exists() and not arguments.force:
        raise OperatorError(f"{output}: there is a file already: give --force to replace it, or choose another name")
    yes, no = apart(read(arguments.yes), read(arguments.no))
    date = arguments.date or datetime.datetime.now(datetime.UTC).date().isoformat()
    trained = train(arguments.name, yes, no, seed=arguments.seed, date=date, command=_command(arguments))
    _write(output, dumps(trained.weights))
    sys.stdout.write("\n".join([*_notes(yes, no), *_report(output, trained, yes, no), ""]))
    return 0


def _name(word: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", word):
        raise ArgumentTypeError(f"{word!r}: expected at most 60 letters, digits, - and _")
    return word


def _date(word: str) -> str:
    try:
        return datetime.date.fromisoformat(word).isoformat()
    except ValueError:
        raise ArgumentTypeError(f"{word!r}: expected a date like 2026-11-20") from None


def _command(arguments: Namespace) -> str:
    files = ["--yes", arguments.yes.name, "--no", arguments.no.name]
    return shlex.join(["plainsky", "train-topic", arguments.name, *files, "--seed", str(arguments.seed)])


def _write(output: Path, data: bytes) -> None:
    part = output.with_suffix(".json.part")
    try:
        part.write_bytes(data)
        part.replace(output)  # so that whoever reads the file meanwhile gets the old one or the new one, whole
    except OSError as error:
        raise OperatorError(f"{output}: cannot be written: {error.strerror}") from None


def _notes(yes: Examples, no: Examples) -> Iterator[str]:
    for side in (yes, no):
        if side.repeated:
            yield f"Note: {_lines(side.repeated)} of {side.name} repeated another post and counted once."
        if side.wordless:
            yield f"Note: {_lines(side.wordless)} of {side.name} had no words and did not count."
    if yes.in_both:
        yield f"Note: {yes.in_both} in both files did not count: decide for one file."
    few, many = sorted((yes, no), key=lambda side: len(side.posts))
    if len(many.posts) > LOPSIDED * len(few.posts):
        yield f"Note: {many.name} has far more posts than {few.name}. Both weigh the same, but little is known of what {few.name} is about."


def _lines(count: int) -> str:
    return f"{count} lines" if count > 1 else "1 line"


def _report(output: Path, trained: Trained, yes: Examples, no: Examples) -> Iterator[str]:
    weights = trained.weights
    yield f"{output}: {len(weights.weights)} terms, learned from {len(yes.posts)} posts of {yes.name} and {len(no.posts)} of {no.name}."
    yield ""
    yield f"Cross-validation in {PARTS} parts, with 95 % intervals:"
    yield f"  {'at_least':10}{'precision':20}{'recall':20}false alarms in {no.name}"
    yield from map(_row, trained.measured)
    yield ""
    yield from _strongest(weights)
    yield ""
    yield "Of all posts of the network far fewer are about the topic than of your examples: expect less precision there."
    yield f'Use it in a rule: kind = "topic", model = "{output}", at_least = 0.5'


def _row(one: Measured) -> str:
    return f"  {one.at_least:<10g}{_percent(one.precision):20}{_percent(one.recall):20}{_percent(one.false_alarms)}"


def _percent(found: Estimate | None) -> str:
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})" if found else "none found"


def _strongest(weights: Weights) -> Iterator[str]:
    ranked = sorted(weights.weights.items(), key=lambda term: (-term[1], term[0]))
    yield from _wrapped("For:     ", [f"{term} {weight:+.2f}" for term, weight in ranked[:STRONGEST] if weight > 0])
    yield from _wrapped("Against: ", [f"{term} {weight:+.2f}" for term, weight in ranked[: -STRONGEST - 1 : -1] if weight < 0])


def _wrapped(head: str, terms: list[str]) -> list[str]:
    return wrap(", ".join(terms), WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)
