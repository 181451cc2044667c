"""From a post to a decision: the claim that is most likely the post's, the features of stance, the scorecard."""

from collections.abc import Callable, Collection, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from labeler.claims.matching import Match, Matcher
from labeler.claims.ratings import Verdict
from labeler.claims.vocabulary import stem
from labeler.claims.words import words
from labeler.stance.features import Beside, denies, features
from labeler.stance.said import said, without_masked
from models.post import Post
from models.scorecard import Decision, Scorecard
from models.text_model import TextModel


class Judged(NamedTuple):
    """A post, the claim that it may be about, and what the scorecard says. `match` is that of the text without masked words."""

    match: Match
    decision: Decision


def beside(post: Post, claim_id: str, matcher: Matcher, model: TextModel | None, doubtful: Collection[str] = ()) -> Beside | None:
    """A post beside a claim of the bank; None when there is no such claim."""
    text = said(post)
    # Of several wordings that is looked at which comes first without masked words.
    bare = matcher.beside(claim_id, without_masked(post.text, ()), text.lang)
    whole = bare and matcher.beside(claim_id, post.text, text.lang, bare.wording)
    match = whole and _again(post.text, whole, text.lang, matcher)
    return Beside(text, match, _text_score(post.text, model), doubtful) if match else None


def _again(text: str, whole: Match, lang: str, matcher: Matcher) -> Match | None:
    """The match without words for who people are, but for those that the claim has, too: so others weigh nothing (invariant 12)."""
    return matcher.beside(whole.claim.id, without_masked(text, whole.shared), lang, whole.wording)


def _text_score(text: str, model: TextModel | None) -> float:
    return model.score(text).probability if model else 0.5


class Stance:
    """Judges posts. `doubtful` are domains of low credibility, as the operator lists them."""

    def __init__(self, scorecard: Scorecard | None = None, model: TextModel | None = None, doubtful: Collection[str] = ()) -> None:
        self.scorecard, self.model, self._doubtful = scorecard or shipped(), model or shipped_text_model(), frozenset(doubtful)

    def judge(self, post: Post, matcher: Matcher, meaning: Callable[[str], Verdict]) -> Judged | None:
        """What a post does with the claim that it is most likely about; None when there is none, or when that is not rated false.

        meaning: what a published rating means. A post that is closer to a claim that holds says nothing false.
        """
        closest = _closest(matcher.candidates(post.text, post.langs), meaning)
        if closest is None:
            return None
        text = said(post)
        match = _again(post.text, closest, text.lang, matcher)
        if match is None:
            return None
        values = features(Beside(text, match, _text_score(post.text, self.model), self._doubtful))
        return Judged(match, self.scorecard.decide(values))


def _closest(found: Sequence[Match], meaning: Callable[[str], Verdict]) -> Match | None:
    """The first, when it is rated false; where nobody rated it, the next that says the same in the same words, when that is rated false."""
    for one in found:
        if one is found[0] or _essence(one) == _essence(found[0]):
            verdict = meaning(one.claim.rating)
            if verdict != "unknown":
                return one if verdict == "false" else None
    return None


def _essence(one: Match) -> tuple[frozenset[str], bool]:
    return _said(one.wording, next((wording.lang for wording in one.claim.wordings if wording.text == one.wording), ""))


@lru_cache(2_000)
def _said(wording: str, lang: str) -> tuple[frozenset[str], bool]:
    """The stems of a wording's words, and whether it denies."""
    cut = words(wording, lang=lang or None)
    return frozenset([stem(word, cut.lang) for word in cut.words]), denies(wording, cut.lang)


@cache
def shipped() -> Scorecard:
    """The scorecard that comes with the project."""
    return Scorecard.loads((files("labeler") / "models" / "stance.json").read_bytes())


@cache
def shipped_text_model() -> TextModel:
    """The text model that comes with the project."""
    return TextModel.loads((files("labeler") / "models" / "text.json").read_bytes())
