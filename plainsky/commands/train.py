"""`plainsky train KIND --data DIR`: learns a model from a folder of data and writes it with its card. The same data give the same bytes."""

import shlex
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from labeler.training import TrainingError, kinds
from models.weights import dumps
from plainsky.errors import OperatorError
from plainsky.progress import Progress


def add_arguments(parser: ArgumentParser) -> None:
    """What, from which data, into which file."""
    parser.epilog = "Needs scikit-learn: pip install 'plainsky[train]'. See docs/training.md for what the folder holds."
    parser.add_argument("kind", metavar="KIND", choices=kinds.kinds(), help=f"what to train: {', '.join(kinds.kinds())}")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="the folder of data")
    parser.add_argument("--output", metavar="FILE", type=Path, help="the file to write (default: KIND.json)")


def run(arguments: Namespace) -> int:
    """Train, write, say where."""
    output: Path = arguments.output or Path(f"{arguments.kind}.json")
    if not output.parent.is_dir():
        raise OperatorError(f"{output}: there is no folder {output.parent}")
    # Where the data lie on this machine is nobody's business: the card names the folder alone.
    command = shlex.join(["plainsky", "train", arguments.kind, "--data", arguments.data.name or "."])
    try:
        weights = kinds.load(arguments.kind).train(arguments.data, command, Progress(sys.stderr))
    except TrainingError as error:
        raise OperatorError(str(error)) from None
    try:
        output.write_bytes(dumps(weights))
    except OSError as error:
        raise OperatorError(f"{output}: cannot be written: {error.strerror}") from None
    sys.stdout.write(f"Wrote {output}: {len(weights.weights):,} weights, SHA-256 {weights.hash}.\n")
    return 0
