"""Training and measuring what decides. Not a part of the running service: only the commands `train`, `evaluate` and `models` come here.

Promises: the same data, seed and library versions give the same bytes; no text of the data is kept, only figures and weights.
scikit-learn is loaded when something is trained (the extra `train`), and never by the service.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeAlias

Tell: TypeAlias = Callable[[str], None]
"""Where progress goes, one short line at a time."""


class TrainingError(Exception):
    """Data or a library that training needs is missing or wrong; the message says what, where, and what to do."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Libraries compute in one thread within it: how many there are decides the order of sums, and so the last bits of the weights. What is
    computed here is small, too: several threads would wait for each other most of the time.
    """
    for name in ("sklearn.linear_model", "scipy.optimize"):
        library(name)  # only what is loaded can be told
    with library("threadpoolctl").threadpool_limits(limits=1):
        yield


def library(name: str) -> Any:
    """A module of scikit-learn or of what it stands on ("sklearn.linear_model"); TrainingError when it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise TrainingError(f"training needs scikit-learn, which is not installed: pip install 'plainsky[train]' ({error})") from None
