"""Lengths of time as people write them in the config: "90s", "15m", "6h", "3d", "2w"."""

import re
from typing import NewType

Duration = NewType("Duration", int)
"""Microseconds."""

SECOND = 1_000_000
_UNITS = {"ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND}
_NAMES = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}


def duration(text: str) -> Duration:
    """Read "6h"; ValueError when it is no length of time."""
    found = re.fullmatch(r"([0-9]{1,6})(ms|[smhdw])", text)
    if not found or int(found[1]) == 0:
        raise ValueError(f'{text!r} is no length of time: write a whole number and a unit, like "90s", "15m", "6h" or "3d"')
    return Duration(int(found[1]) * _UNITS[found[2]])


def plain(length: Duration) -> str:
    """As a person says it: "6 hours", "3 days"."""
    for unit, name in _NAMES.items():
        count, rest = divmod(length, _UNITS[unit])
        if count and not rest:
            return f"{count} {name}" + ("s" if count > 1 else "")
    return f"{length} microseconds"
