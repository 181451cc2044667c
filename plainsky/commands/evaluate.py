"""`plainsky evaluate KIND --data DIR`: measures a model on a folder of data; the report as text, JSON or one HTML page with pictures."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from labeler.training import TrainingError, kinds
from labeler.training.report import FORMS
from plainsky.errors import OperatorError
from plainsky.progress import Progress

_SUFFIXES = {".html": "html", ".json": "json"}


def add_arguments(parser: ArgumentParser) -> None:
    """What, on which data, which file, in which form."""
    parser.epilog = "Needs scikit-learn: pip install 'plainsky[train]'. See docs/training.md for what the folder holds."
    parser.add_argument("kind", metavar="KIND", choices=kinds.kinds(), help=f"what to measure: {', '.join(kinds.kinds())}")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="the folder of data")
    parser.add_argument("--model", metavar="FILE", type=Path, help="the file of weights (default: the one that comes with the project)")
    parser.add_argument("--output", metavar="FILE", type=Path, action="append", default=[], help="write the report there; may be repeated")
    parser.add_argument("--format", choices=sorted(FORMS), help="form of the report (default: by the file's ending, else text)")


def run(arguments: Namespace) -> int:
    """Measure, and write or print the report."""
    if missing := [output for output in arguments.output if not output.parent.is_dir()]:
        raise OperatorError(f"{missing[0]}: there is no folder {missing[0].parent}")
    try:
        trainable = kinds.load(arguments.kind)
        report = trainable.evaluate(arguments.data, arguments.model or trainable.default, Progress(sys.stderr))
    except TrainingError as error:
        raise OperatorError(str(error)) from None
    for output in arguments.output:
        form = arguments.format or _SUFFIXES.get(output.suffix, "text")
        try:
            output.write_text(FORMS[form](report), encoding="utf-8")
        except OSError as error:
            raise OperatorError(f"{output}: cannot be written: {error.strerror}") from None
        sys.stdout.write(f"Wrote {output}.\n")
    if not arguments.output:
        sys.stdout.write(FORMS[arguments.format or "text"](report))
    return 0
