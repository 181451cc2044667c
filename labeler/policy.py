"""What the labeler may do with a signal: one `[[labels]]` table of the config, as a frozen value."""

from typing import Literal

from attrs import frozen


@frozen
class LabelPolicy:
    """One label value: which signals support it, and whether a machine may issue it alone.

    `shadow` decides and records, `review` waits for a person, `auto` issues.
    """

    value: str
    signals: tuple[str, ...]
    mode: Literal["shadow", "review", "auto"] = "shadow"
