"""What a process that serves needs of the system: a garbage collector that leaves a few large tables alone, and room for many sockets."""

import contextlib
import gc
import resource

THRESHOLDS = (50_000, 20, 50)
"""A batch of events makes thousands of containers that die by counting alone: looking at them every 700 is a tenth of the work."""

OPEN_FILES = 65_536


def take_room() -> None:
    """As many open files as we may, up to `OPEN_FILES`. By default it is a thousand, which as many subscribers of labels use up.

    A server that cannot accept a connection for want of one tries again at once, and fills the log with it (asyncio before Python 3.13).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError, OSError):  # a system that counts otherwise: then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def settle() -> None:
    """To be called when everything that lives as long as the process is made: the collector leaves it alone from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
