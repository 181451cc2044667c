"""Fires on a post that asserts a claim which fact-checkers rated false: the closest claim of the bank, weighed by the stance scorecard.

    [[labels]]
    value = "likely-disinformation"
    signals = ["claim_match"]
    mode = "review"

The weight is the probability that the post asserts the claim over that of the scorecard's threshold: 1 at the threshold, so that a label
whose own threshold is 1 gets what the scorecard would label, and one below that a longer queue. Where the scorecard abstains (negation,
attribution, question, irony ...: docs/model-card.md), and where the closest claim is not rated false, there is no finding. One that nobody
rated hides none that says the same in the same words and is rated false.
"""

import re
from collections.abc import Mapping
from typing import Any

from attrs import asdict

from labeler.claims.matching import Match
from labeler.claims.ratings import Verdict
from labeler.signals import Finding, Given, Silence
from labeler.stance.judging import Judged, Stance
from models.post import Post
from models.scorecard import probability
from models.text import fold
from models.weights import hash_of

LEAST = 0.1
"""Weights below are not worth telling."""
_PIECE = re.compile(r"[^\W_]+")


class Signal:
    """The closest claim, when it is rated false and the post seems to assert it."""

    kind = "claim_match"
    version = 2

    def __init__(self, given: Given) -> None:
        self._bank, self._ratings, self._given = given.bank, given.ratings, given
        self._stance: Stance | None = None
        self._meanings: dict[str, Verdict] = {}

    @property
    def models(self) -> Mapping[str, str]:
        """The scorecard, the text model that is one of its features, and what the config says of ratings and of domains."""
        stance = self._judging()
        said = {"ratings": asdict(self._ratings), "domains": sorted(self._given.doubtful)}
        return {"scorecard": stance.scorecard.hash, "text_model": stance.model.hash, "config": hash_of(said)}

    def look(self, post: Post) -> Finding | None:
        """The claim, its fact-check, and every number that the weight follows from."""
        state = self._bank.state
        if state is None:
            return None
        stance = self._judging()
        judged = stance.judge(post, state.matcher, self._meaning)
        if judged is None or judged.decision.abstentions or (weight := _weight(judged)) < LEAST:
            return None
        text, position = _span(post.text, judged.match)
        return Finding(self.kind, text, position, weight, _details(judged, stance, state.hash))

    def why_not(self, post: Post) -> Silence:
        """No claim is close, or the closest is not rated false, or the post does not plainly assert it."""
        state = self._bank.state
        if state is None:
            return Silence("no_claim")
        if judged := self._judging().judge(post, state.matcher, self._meaning):
            doubts = judged.decision.abstentions
            return Silence("abstains" if doubts else "faint", _claim(judged.match), doubts)
        closest = next(iter(state.matcher.candidates(post.text, post.langs)), None)
        if closest is None or self._meaning(closest.claim.rating) == "false":
            return Silence("no_claim")
        return Silence("not_false", _claim(closest))

    def _judging(self) -> Stance:
        if self._stance is None:  # here: models are read where posts are judged, not where a config is checked
            self._stance = Stance(self._given.scorecard, self._given.text_model, self._given.doubtful)
        return self._stance

    def _meaning(self, rating: str) -> Verdict:
        found = self._meanings.get(rating)
        if found is None:
            found = self._ratings.meaning(rating)
            if len(self._meanings) < 10_000:  # ratings are free text, and a feed may bring any number
                self._meanings[rating] = found
        return found


def _weight(judged: Judged) -> float:
    return judged.decision.probability / probability(judged.decision.threshold)


def _claim(match: Match) -> dict[str, Any]:
    claim = match.claim
    return {
        "id": claim.id,
        "wording": match.wording,
        "rating": claim.rating,
        "publisher": claim.publisher,
        "url": claim.url,
        "reviewed_on": claim.reviewed_on,
    }


def _details(judged: Judged, stance: Stance, bank: str) -> dict[str, Any]:
    return {
        "claim": _claim(judged.match),
        "shared": list(judged.match.shared),
        "scorecard": judged.decision.plain(),
        "hashes": {"scorecard": stance.scorecard.hash, "text_model": stance.model.hash, "claims": bank},
    }


def _span(text: str, match: Match) -> tuple[str, int]:
    """From the first to the last word in common, and where that begins in bytes."""
    shared = frozenset(match.shared)
    found = [piece for piece in _PIECE.finditer(text) if fold(piece[0]) in shared]
    if not found:  # words within a hashtag, or joined by NFKC
        return text, 0
    start, end = found[0].start(), found[-1].end()
    return text[start:end], len(text[:start].encode("utf-8", "surrogatepass"))
