"""What the labeler may do with its signals: one `[[labels]]` table of the config, as a frozen value checked when it is made.

The bounds that hold for all labels together, throttle and breaker, are in `labeler.limits`.
"""

import re
from typing import Any, Literal, TypeAlias, get_args

from attrs import field, frozen
from attrs.validators import deep_iterable, in_

from labeler import signals
from labeler.definitions import Appearance
from labeler.gate import Gate, Promise
from models.duration import Duration, duration
from models.protocol.syntax import is_language

Mode: TypeAlias = Literal["shadow", "review", "auto"]
Target: TypeAlias = Literal["post", "account"]

RESERVED = frozenset({"bot", "gore", "graphic-media", "impersonation", "needs-review", "nudity", "porn", "sexual"})
"""Values to which clients and AppViews give a meaning of their own (lexicon com.atproto.label.defs#labelValue and its predecessors)."""
TEST_SIGNALS = frozenset({"gtube"})
"""They fire on nothing but the operator's own test, so there is nothing to measure."""


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
    _check_kinds(_policy, _attribute, kinds)


def _check_kinds(_policy: object, _attribute: Any, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        signals.load(kind)


def _check_threshold(_policy: object, _attribute: Any, threshold: float) -> None:
    if not 0 < threshold <= 1_000:
        raise ValueError("expected a number above 0: a post whose signals weigh nothing gives no reason")


def _check_language(_policy: object, _attribute: Any, lang: str) -> None:
    if not is_language(lang):
        raise ValueError('expected a language tag, like "nl" or "pt-BR"')


def _check_expires(_policy: object, _attribute: Any, expires: Duration) -> None:
    if not duration("1h") <= expires <= duration("52w"):
        raise ValueError("expected between 1h and 52w: a label is renewed while it holds, and must end soon after its labeler did")


def _check_targets(_policy: object, _attribute: Any, targets: tuple[Target, ...]) -> None:
    if "post" not in targets:
        raise ValueError('expected ["post"], or ["post", "account"] for a label that a person may put on an account, too')


@frozen
class LabelPolicy(Appearance):
    """One label value: which signals support it, when that is reason enough, and whether a machine may issue it alone.

    `shadow` decides and records, `review` waits for a person, `auto` issues. How readers see it: `labeler.definitions.Appearance`.
    """

    value: str = field(validator=_check_value)
    signals: tuple[str, ...] = field(validator=_check_signals)
    """Those that count; what they weigh is added up."""
    mode: Mode = field(default="shadow", validator=in_(get_args(Mode)))
    threshold: float = field(default=1.0, validator=_check_threshold)
    """What the signals must weigh together. One that knows no degrees weighs 1."""
    languages: tuple[str, ...] = field(default=(), validator=deep_iterable(_check_language))
    """The machine says nothing of posts that name none of these; empty: of posts in any language or none it does."""
    abstain: tuple[str, ...] = field(default=(), validator=_check_kinds)
    """Signals of doubt: where one of them fires the machine decides nothing alone, and `auto` becomes `review`."""
    expires: Duration = field(default=duration("30d"), validator=_check_expires)
    targets: tuple[Target, ...] = field(default=("post",), validator=(deep_iterable(in_(get_args(Target))), _check_targets))
    """A machine labels posts only; "account" lets a person put the label on an account."""
    promise: Promise = field(factory=Promise)
    """What people must have found, blind, before `auto` holds; until then, and when it is missed, it is `review`."""

    @property
    def is_test(self) -> bool:
        """It needs no measuring."""
        return TEST_SIGNALS.issuperset(self.signals)

    def speaks(self, langs: tuple[str, ...]) -> bool:
        """Whether the machine says anything of a post in these languages; "nl" covers "nl-BE"."""
        return not self.languages or any(_covers(wanted, lang) for wanted in self.languages for lang in langs)

    @property
    def is_gated(self) -> bool:
        """`auto` holds only where people found it right often enough."""
        return self.mode == "auto" and not self.is_test

    def mode_in(self, langs: tuple[str, ...], rules: str, gate: Gate) -> Mode:
        """The mode in force for a post in these languages, found by the rules of this hash: `auto` only where the gate is open."""
        return "review" if self.is_gated and not gate.opens(self.value, rules, langs, self.promise) else self.mode


def _covers(wanted: str, lang: str) -> bool:
    wanted, lang = wanted.lower(), lang.lower()
    return lang == wanted or lang.startswith(f"{wanted}-")
