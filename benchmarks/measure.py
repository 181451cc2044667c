"""Costs that can be compared: CPU time of this process, A and B in turn in one run, medians of the ratios of neighbours.

A machine shared with others makes single figures useless; a ratio of two runs right after each other is what stays.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple


class Compared(NamedTuple):
    """Median CPU seconds of A and of B, and the median of B / A."""

    a: float
    b: float
    ratio: float


def compare(a: Callable[[], object], b: Callable[[], object], rounds: int = 9) -> Compared:
    """Run A and B in turn, `rounds` times after one round that is thrown away (caches, imports)."""
    pairs = [(cpu_seconds(a), cpu_seconds(b)) for _ in range(rounds + 1)][1:]
    first, second = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Compared(first, second, statistics.median(two / one for one, two in pairs))


def verdict(what: str, ratio: float, limit: float) -> bool:
    """Print a ratio beside its limit; whether it is within."""
    within = ratio <= limit
    print(f"{'ok  ' if within else 'OVER'}  {what}: {ratio:.2f}, limit {limit:g}")
    return within


def finish(*within: bool) -> None:
    """Leave with exit code 1 when a limit was passed."""
    sys.exit(0 if all(within) else 1)


def cpu_seconds(work: Callable[[], object]) -> float:
    """What the work costs this process."""
    gc.collect()
    before = time.process_time()
    work()
    return time.process_time() - before
