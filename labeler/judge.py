"""Judges a post: for which label values is there a reason, and what is it. Pure: nothing is read, written or timed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from labeler import signals
from labeler.gate import Gate
from labeler.policy import LabelPolicy, Mode
from models.duration import Duration, duration
from models.post import Post
from models.weights import hash_of

EVER = duration("30d")
_encode = msgspec.json.Encoder().encode


class Verdict(msgspec.Struct, frozen=True):
    """The reason for one label value holds.

    `evidence` is what was found, as plain data: `findings` (each with its weight), their sum, the threshold, and why the machine decides
    nothing alone, if it does not. `rules_hash` says by which rules (`Judge.rules`). `expires` is how long the label lives.
    """

    value: str
    mode: Mode
    evidence: dict[str, Any]
    rules_hash: str
    expires: Duration = EVER


Saw: TypeAlias = Callable[[Post, Sequence[Verdict]], None]


class Judge:
    """All label policies of a config. Each signal looks at a post once, however many policies it supports.

    gate: what people found of it, which says where a machine may label alone; without, it may nowhere. versions: what else is told with
    each verdict, such as the hash of the config. given: what signals may ask beside the post. saw: is told of each post that is judged.
    """

    def __init__(
        self,
        policies: Sequence[LabelPolicy],
        gate: Gate | None = None,
        versions: Mapping[str, str] | None = None,
        given: signals.Given | None = None,
        saw: Saw | None = None,
    ) -> None:
        kinds = {kind for policy in policies for kind in (*policy.signals, *policy.abstain)}
        self.signals: Sequence[signals.Signal] = [signals.load(kind, given) if given else signals.load(kind) for kind in sorted(kinds)]
        self.gate = gate or Gate()
        self.policies, self._saw = policies, saw
        of_signals = {signal.kind: signal.version for signal in self.signals}
        self._policies = [(policy, _versions(policy, of_signals, versions or {})) for policy in policies]

    @cached_property
    def rules(self) -> Mapping[str, str]:
        """By value, the hash (hex of SHA-256) of what finds a reason: signals with their versions and models, the threshold, the doubts.

        Neither mode nor languages are part of it: they say what becomes of what was found, so judgements of it stay true. Reads the models.
        """
        found = {signal.kind: {"version": signal.version, "models": dict(signal.models)} for signal in self.signals}
        return {policy.value: _rules_hash(policy, found) for policy, _ in self._policies}

    @cached_property
    def models(self) -> Mapping[str, frozenset[str]]:
        """By value, the hashes of the models that its signals follow from."""
        found = {signal.kind: frozenset(signal.models.values()) for signal in self.signals}
        return {policy.value: frozenset().union(*map(found.__getitem__, policy.signals)) for policy in self.policies}

    def judge(self, did: str, post: Post) -> list[Verdict]:
        """A verdict for each value whose reason holds, in the config's order; mostly none.

        A post is judged by what it says: its author's DID changes nothing.
        """
        verdicts = self.find(post)
        if self._saw:
            self._saw(post, verdicts)
        return verdicts

    def find(self, post: Post) -> list[Verdict]:
        """The same of a post that is judged not now, but again, or only to be told of."""
        findings = {finding.kind: finding for signal in self.signals if (finding := signal.look(post))}
        if not findings:
            return []
        verdicts = (self._verdict(*each, post, findings) for each in self._policies)
        return [verdict for verdict in verdicts if verdict]

    def _verdict(
        self, policy: LabelPolicy, versions: dict[str, Any], post: Post, findings: Mapping[str, signals.Finding]
    ) -> Verdict | None:
        counting = [findings[kind] for kind in policy.signals if kind in findings]
        score = sum(finding.weight for finding in counting)
        if not counting or score < policy.threshold or not policy.speaks(post.langs):
            return None
        doubts = [kind for kind in policy.abstain if kind in findings]
        rules = self.rules[policy.value]
        mode = policy.mode_in(post.langs, rules, self.gate)
        evidence = {"findings": msgspec.to_builtins(counting), "score": score, "threshold": policy.threshold, **versions}
        if doubts:
            evidence["doubts"] = doubts
        return Verdict(policy.value, "review" if doubts and mode == "auto" else mode, evidence, rules, policy.expires)


def text_hash(post: Post) -> str:
    """Hex of SHA-256 of what readers see of a post: the same words, however they are spaced and capitalised, have the same hash."""
    said = [" ".join(text.casefold().split()) for text in (post.text, *post.alts, *post.card)]
    return hashlib.sha256(_encode(said)).hexdigest()


def _versions(policy: LabelPolicy, of_signals: Mapping[str, int], further: Mapping[str, str]) -> dict[str, Any]:
    return {"versions": {**{kind: of_signals[kind] for kind in policy.signals}, **further}}


def _rules_hash(policy: LabelPolicy, of_signals: Mapping[str, Any]) -> str:
    rules = {
        "value": policy.value,
        "signals": {kind: of_signals[kind] for kind in policy.signals},
        "threshold": policy.threshold,
        "abstain": {kind: of_signals[kind] for kind in policy.abstain},
    }
    return hash_of(rules)
