"""What can be trained: one file each, whose name `plainsky train` and `plainsky evaluate` take (with - for _). A new one is one new file.

The file has a class `Trainable` as below. What it writes is a file of `models.weights`, whose card `plainsky models card` prints.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol

from labeler.training import Tell, TrainingError
from labeler.training.report import Report
from models.weights import Weights

SHIPPED = Path(__file__).parents[2] / "models"
"""Where the trained files lie that come with the project."""


class Trainable(Protocol):
    """One kind of model. TrainingError when data, file or library are not as needed."""

    default: Path
    """The file that comes with the project."""

    def train(self, data: Path, command: str, tell: Tell) -> Weights:
        """Learn from a folder of data, and measure: the card says how good it is. The same data give the same bytes."""

    def evaluate(self, data: Path, file: Path, tell: Tell) -> Report:
        """Measure a file on a folder of data."""


def kinds() -> tuple[str, ...]:
    """What can be trained, sorted, as the command line spells it."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules(__path__) if not module.name.startswith("_")))


def load(kind: str) -> Trainable:
    """The trainable of a kind; TrainingError, naming those there are, when there is none."""
    if kind not in kinds():
        raise TrainingError(f"{kind!r} is nothing that can be trained: expected one of {', '.join(kinds())}")
    trainable: Trainable = import_module(f"{__name__}.{kind.replace('-', '_')}").Trainable()
    return trainable
