"""Judges a post: for which label values is there a reason, and what is it. Pure: nothing is read, written or timed."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from labeler import signals
from labeler.policy import LabelPolicy, Mode
from models.post import Post


class Verdict(msgspec.Struct, frozen=True):
    """The reason for one label value holds.

    `evidence` is what was found, as plain data; `rules_hash` (hex of SHA-256) says by which policy and signals.
    """

    value: str
    mode: Mode
    evidence: tuple[dict[str, Any], ...]
    rules_hash: str


class Judge:
    """All label policies of a config. Each signal looks at a post once, however many policies it supports."""

    def __init__(self, policies: Sequence[LabelPolicy]) -> None:
        self._signals = [signals.load(kind) for kind in sorted({kind for policy in policies for kind in policy.signals})]
        versions = {signal.kind: signal.version for signal in self._signals}
        self._policies = [(policy, _rules_hash(policy, versions)) for policy in policies]

    def judge(self, did: str, post: Post) -> list[Verdict]:
        """A verdict for each value whose reason holds, in the config's order; mostly none.

        A post is judged by what it says: its author's DID changes nothing.
        """
        findings = {finding.kind: msgspec.to_builtins(finding) for signal in self._signals if (finding := signal.look(post))}
        if not findings:
            return []
        return [
            Verdict(policy.value, policy.mode, evidence, rules_hash)
            for policy, rules_hash in self._policies
            if (evidence := tuple(findings[kind] for kind in policy.signals if kind in findings))
        ]


def _rules_hash(policy: LabelPolicy, versions: dict[str, int]) -> str:
    rules = {"value": policy.value, "mode": policy.mode, "signals": {kind: versions[kind] for kind in policy.signals}}
    return hashlib.sha256(msgspec.json.encode(rules, order="sorted")).hexdigest()
