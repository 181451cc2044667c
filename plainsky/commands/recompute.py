"""`plainsky recompute DECISION|URI`: does a stored decision follow from its own numbers, and from the model file? By plain arithmetic."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from labeler.stance.telling import summed
from labeler.training.kinds import SHIPPED
from models import decisions
from models.scorecard import SAME, Scorecard, probability, recomputed
from models.weights import BadWeights
from plainsky.config.loading import load
from plainsky.config.schema import Config
from plainsky.errors import OperatorError
from plainsky.opening import opened

_LARGEST = 1_000_000


def add_arguments(parser: ArgumentParser) -> None:
    """Which decision, by which model."""
    parser.add_argument(
        "which", metavar="DECISION", nargs="?", help="a decision's number, or the at-uri of a labelled post: its latest one"
    )
    parser.add_argument("--file", metavar="FILE", type=Path, help="a decision's evidence as JSON, or what explain --json printed")
    parser.add_argument("--model", metavar="FILE", type=Path, help="the scorecard (default: the config's, else the project's own)")
    parser.add_argument("--config", metavar="FILE", type=Path, default=Path("config.toml"), help="the config (%(default)s)")


def run(arguments: Namespace) -> int:
    """Recompute, and tell; 1 when something does not follow."""
    if (arguments.which is None) == (arguments.file is None):
        raise OperatorError("plainsky recompute takes a decision's number, a post's at-uri, or --file FILE")
    config = None if arguments.file else load(arguments.config)
    evidence = _of_database(config, arguments.which) if config else _of_file(arguments.file)
    own = config.labeler.scorecard if config and config.labeler else None
    try:
        lines, wrong = recompute(evidence, _scorecard(arguments.model) if arguments.model or not own else own, bool(arguments.model))
    except (KeyError, TypeError) as error:
        raise OperatorError(f"this is no evidence of a decision: {type(error).__name__}: {error}") from None
    sys.stdout.write("\n".join([*lines, *(f"WRONG  {line}" for line in wrong), "" if wrong else "All of it follows.", ""]))
    return 1 if wrong else 0


def recompute(evidence: Mapping[str, Any], model: Scorecard, must_be: bool = False) -> tuple[list[str], list[str]]:
    """(what was computed, what does not follow) of a decision's evidence. KeyError, TypeError when it is none.

    model: looked at where the decision names it. must_be: it is wrong where the decision names another.
    """
    findings = evidence["findings"]
    lines, wrong = list[str](), list[str]()
    for finding in findings:
        lines.append(f"{finding['kind']}: weight {finding['weight']!r}")
        if scorecard := finding.get("details", {}).get("scorecard"):
            lines += [f"  {line}" for line in summed(scorecard)]
            wrong += _of_scorecard(finding, scorecard, model, must_be)
    score = sum(finding["weight"] for finding in findings)
    lines.append(f"score {score!r}, the label's threshold is {evidence['threshold']!r}")
    if abs(score - evidence["score"]) > SAME:
        wrong.append(f"score: {score!r}, stored is {evidence['score']!r}")
    if score < evidence["threshold"]:
        wrong.append("score: it is below the threshold")
    return lines, wrong


def _of_scorecard(finding: Mapping[str, Any], decided: Mapping[str, Any], card: Scorecard, must_be: bool) -> Iterator[str]:
    hash = finding["details"]["hashes"]["scorecard"]
    if card.hash == hash:
        yield from recomputed(decided, card)
    else:
        yield from recomputed(decided)
        if must_be:
            yield f"model: {card.hash}, it was decided by {hash}"
    weight = decided["probability"] / probability(decided["threshold"])
    if abs(weight - finding["weight"]) > SAME:
        yield f"weight: {weight!r}, stored is {finding['weight']!r}"


def _scorecard(model: Path | None) -> Scorecard:
    path = model or SHIPPED / "stance.json"
    try:
        return Scorecard.read(path)
    except BadWeights as error:
        raise OperatorError(f"{path}: {error}") from None


def _of_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            value = msgspec.json.decode(file.read(_LARGEST))
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise OperatorError(f"{path}: this is no JSON") from None
    if isinstance(value, dict) and value.get("labels"):
        value = value["labels"][0]
    evidence = value.get("evidence", value) if isinstance(value, dict) else None
    if not isinstance(evidence, dict):
        raise OperatorError(f"{path}: expected a decision's evidence, an object with findings")
    return evidence


def _of_database(config: Config, which: str) -> dict[str, Any]:
    with opened(config) as database:
        if which.isdecimal():
            one = database.read_now(decisions.by_id, int(which))
            found: Sequence[decisions.Decision] = [one] if one else []
        else:
            found = database.read_now(decisions.of_uri, which)
        # A person's word has no numbers: what it answers has.
        chains = [chain for one in reversed(found) for chain in database.read_now(decisions.chain, one.id)]
    judged = next((one for one in chains if "findings" in one.evidence), None)
    if judged is None:
        raise OperatorError(f"{which}: no machine decided anything there: there is nothing to recompute")
    return judged.evidence
