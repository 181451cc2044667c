"""What the labeler makes of a post, by the rules of now: for each label what its signals see, what follows, and why nothing does."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from labeler import evidence
from labeler.evidence import Claim
from labeler.judge import Judge, Verdict
from labeler.policy import LabelPolicy
from labeler.signals import Finding, Signal, Silence
from models.post import Post
from plainsky.pages.languages import Language


class SignalSays(msgspec.Struct, frozen=True, rename="camel"):
    """What one signal sees (`found`), or else why it sees nothing: `silence` is the key of a text, `doubts` are names of features."""

    kind: str
    said: str
    found: evidence.Signal | None = None
    silence: str | None = None
    claim: Claim | None = None
    doubts: tuple[str, ...] = ()


class LabelSays(msgspec.Struct, frozen=True, rename="camel"):
    """What follows for one label: `state` is "auto", "review", "shadow" as the mode in force, "below", "language" or "silent"."""

    value: str
    state: str
    said: str
    signals: tuple[SignalSays, ...]


def signs(judge: Judge, post: Post, lang: Language) -> tuple[LabelSays, ...]:
    """All labels but those for tests that see nothing. Reads the models."""
    findings = {signal.kind: signal.look(post) for signal in judge.signals}
    verdicts = {verdict.value: verdict for verdict in judge.find(post)}
    told = {signal.kind: _signal(signal, findings[signal.kind], post, lang) for signal in judge.signals}
    return tuple(_labels(judge.policies, post, findings, verdicts, told, lang))


def _labels(
    policies: Sequence[LabelPolicy],
    post: Post,
    findings: Mapping[str, Finding | None],
    verdicts: Mapping[str, Verdict],
    told: Mapping[str, SignalSays],
    lang: Language,
) -> Iterator[LabelSays]:
    for policy in policies:
        found = [finding for kind in policy.signals if (finding := findings[kind])]
        if policy.is_test and not found:
            continue
        score = sum(finding.weight for finding in found)
        verdict = verdicts.get(policy.value)
        state = verdict.mode if verdict else _why_none(policy, post, found, score)
        said = lang(f"signs.{state}", score=score, threshold=policy.threshold)
        yield LabelSays(policy.value, state, said, tuple(told[kind] for kind in policy.signals))


def _why_none(policy: LabelPolicy, post: Post, found: Sequence[Finding], score: float) -> str:
    if not found:
        return "silent"
    return "language" if score >= policy.threshold and not policy.speaks(post.langs) else "below"


def _signal(signal: Signal, finding: Finding | None, post: Post, lang: Language) -> SignalSays:
    if finding:
        return SignalSays(signal.kind, lang("signs.found", weight=finding.weight), evidence.signal(msgspec.to_builtins(finding)))
    silence = signal.why_not(post)
    return SignalSays(signal.kind, _said(silence, lang), None, silence.reason, _claim(silence), silence.doubts)


def _claim(silence: Silence) -> Claim | None:
    return evidence.claim(silence.claim) if silence.claim else None


def _said(silence: Silence, lang: Language) -> str:
    doubts = [lang.known(f"feature.{name}", name) for name in silence.doubts]
    return lang(f"silence.{silence.reason}", doubts=doubts)
