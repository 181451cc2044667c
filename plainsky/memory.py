"""How the garbage collector is set for a process that handles many short-lived values and keeps a few large tables for good."""

import gc

THRESHOLDS = (50_000, 20, 50)
"""A batch of events makes thousands of containers that die by counting alone: looking at them every 700 is a tenth of the work."""


def settle() -> None:
    """To be called when everything that lives as long as the process is made: the collector leaves it alone from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
