"""How often each label was right, as far as people have judged it blind: for the public page, metrics, logs and the model card."""

from collections.abc import Iterator

import msgspec

from labeler.gate import Judged, Key, primary
from labeler.judge import Judge
from labeler.policy import LabelPolicy, Mode


class Measured(msgspec.Struct, frozen=True, rename="camel"):
    """One label in one language, found by the rules of today; `language` is "" for posts that name none.

    `low` and `high` are the ends of Wilson's 95 % interval. `mode` is what the config wants, `in_force` what holds.
    """

    value: str
    language: str
    mode: Mode
    in_force: Mode
    judgements: int
    right: int
    wrong: int
    undecided: int
    share: float
    low: float
    high: float
    promised_precision: float
    promised_judgements: int
    rules: str
    reason: str
    """Whether the promise is kept, in words."""

    @property
    def is_missed(self) -> bool:
        """The machine would label alone, and may not."""
        return self.mode != self.in_force


def measured(judge: Judge) -> list[Measured]:
    """Every label but those for tests, in each language that it is for or was judged in. Reads the models."""
    return [one for policy in judge.policies if not policy.is_test for one in _of_label(judge, policy)]


def _of_label(judge: Judge, policy: LabelPolicy) -> Iterator[Measured]:
    rules = judge.rules[policy.value]
    langs = {key.lang for key in judge.gate.sample if key[:2] == (policy.value, rules)}
    for lang in sorted(langs | set(primary(policy.languages) if policy.languages or not langs else ())):
        yield _measured(judge, policy, Key(policy.value, rules, lang))


def _measured(judge: Judge, policy: LabelPolicy, key: Key) -> Measured:
    judged = judge.gate.sample.get(key, Judged())
    share, low, high = judged.precision
    return Measured(
        value=policy.value,
        language=key.lang,
        mode=policy.mode,
        in_force=policy.mode_in((key.lang,), key.rules, judge.gate),
        judgements=judged.of,
        right=judged.right,
        wrong=judged.wrong,
        undecided=judged.undecided,
        share=share,
        low=low,
        high=high,
        promised_precision=policy.promise.precision,
        promised_judgements=policy.promise.judgements,
        rules=key.rules,
        reason=judge.gate.asked(key, policy.promise).reason,
    )
