"""What the labeler may do with a signal: one `[[labels]]` table of the config, as a frozen value checked when it is made."""

import re
from typing import Any, Literal, TypeAlias, get_args

from attrs import field, frozen
from attrs.validators import in_

from labeler import signals

Mode: TypeAlias = Literal["shadow", "review", "auto"]

RESERVED = frozenset({"bot", "gore", "graphic-media", "impersonation", "needs-review", "nudity", "porn", "sexual"})
"""Values to which clients and AppViews give a meaning of their own (lexicon com.atproto.label.defs#labelValue and its predecessors)."""


def _check_value(_policy: object, _attribute: Any, value: str) -> None:
    if value.startswith("!"):
        raise ValueError(f"{value!r}: values that begin with '!' give orders to every client, even undeclared; a labeler must not use them")
    if not re.fullmatch("[a-z-]{1,100}", value):
        raise ValueError(f"{value!r}: clients ignore any value but 1 to 100 of the letters a to z and '-'")
    if value in RESERVED:
        raise ValueError(f"{value!r} has a fixed meaning in every client: choose a value of your own")


def _check_signals(_policy: object, _attribute: Any, kinds: tuple[str, ...]) -> None:
    if not kinds:
        raise ValueError(f"a label needs at least one signal: {', '.join(signals.kinds())}")
    for kind in kinds:
        signals.load(kind)


@frozen
class LabelPolicy:
    """One label value: which signals support it (any of them is reason enough), and whether a machine may issue it alone.

    `shadow` decides and records, `review` waits for a person, `auto` issues.
    """

    value: str = field(validator=_check_value)
    signals: tuple[str, ...] = field(validator=_check_signals)
    mode: Mode = field(default="shadow", validator=in_(get_args(Mode)))
