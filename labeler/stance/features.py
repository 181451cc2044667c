"""The features of stance: a post beside the claim that it may be about, as named numbers from 0 to about 1.

Promise: a cue that the claim has too does not count: "climate change is a hoax" corrects nobody when that is the claim.
"""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import NamedTuple

from labeler.claims.matching import Match
from labeler.stance.clauses import is_doubted, is_somebodys, is_supposed, is_told_about
from labeler.stance.cues import (
    ATTRIBUTIONS,
    CAUSES,
    CORRECTIONS,
    COUNTERS,
    FACT_CHECKERS,
    IRONIC_SIGNS,
    IRONIES,
    NEGATIONS,
    QUESTIONS,
    Cues,
)
from labeler.stance.opposing import is_reversed
from labeler.stance.said import Said, tokens
from models.claims import Claim

NEAR = 3
"""Words between a negation and what it denies, at most; masked words do not count."""
LONG = 60
"""Words of a post that counts as long."""


class Beside(NamedTuple):
    """A post beside a claim. `text_score` is the text model's probability (0.5: none); `doubtful` are low-credibility domains."""

    said: Said
    match: Match
    text_score: float = 0.5
    doubtful: Collection[str] = ()


class _Worded(NamedTuple):
    lang: str
    words: tuple[str, ...]
    tokens: frozenset[str]
    spaced: str
    denies: bool


@lru_cache(2_000)
def _worded(claim: Claim, wording: str) -> _Worded:
    found = tokens(wording)
    lang = next((one.lang for one in claim.wordings if one.text == wording), "")
    return _Worded(lang, tuple(found), frozenset(found), f" {' '.join(found)} ", _negations(found, lang))


def similarity(one: Beside) -> float:
    """How likely the post is about the claim, as the matcher says."""
    return one.match.similarity


def coverage(one: Beside) -> float:
    """The share of the claim's weight that the post has: of its wording, or of its title where that is more."""
    return one.match.features["best_coverage"]


def post_coverage(one: Beside) -> float:
    """The share of the post's weight that the claim has: what else does it talk about?"""
    return one.match.features["post_coverage"]


def shared_words(one: Beside) -> float:
    """How many words of the claim's wording the post has; 1 is ten of them."""
    return one.match.features["shared_claim_words"]


def longest_run(one: Beside) -> float:
    """Words in a row that both have; 1 is four of them."""
    return one.match.features["longest_run"]


def in_order(one: Beside) -> float:
    """Weight of the claim's words that the post has in the same order; 1 is about two rare words."""
    return one.match.features["in_order"]


def key_coverage(one: Beside) -> float:
    """The share of the weight of the claim's key words, which both its wording and its title have, that the post has."""
    return one.match.features["key_coverage"]


def missing_terms(one: Beside) -> float:
    """Weight of the two rarest words of the claim that the post lacks."""
    return one.match.features["rarest_missing"] + one.match.features["second_missing"]


def missing_names(one: Beside) -> float:
    """Weight of the claim's names that the post lacks."""
    return min(3.0, one.match.features["missing_names"])


def missing_numbers(one: Beside) -> float:
    """How many of the claim's numbers the post lacks, at most 3."""
    return min(3.0, one.match.features["missing_numbers"])


def negated(one: Beside) -> float:
    """1 when a negation stands near the words that are the claim's, and the claim has none; or when the post says the reverse."""
    worded = _worded(one.match.claim, one.match.wording)
    opposite = is_reversed(one.said, one.match.shared, worded.words, worded.lang) or _counters(one, worded)
    return float(opposite or (not _denies(one) and _negates_near(one)))


def affirmed(one: Beside) -> float:
    """1 when the claim has a negation, and none stands near the words that are the claim's: it then says the opposite."""
    return float(_denies(one) and not _negates_near(one))


def attribution(one: Beside) -> float:
    """1 when the post says who says so ("claims that", "according to", "The idea that", "Somebody:")."""
    return float(_has(one, ATTRIBUTIONS) or is_somebodys(one.said, one.match.shared))


def question(one: Beside) -> float:
    """1 when words of the claim stand in a sentence that ends with a question mark, or the post asks whether it is so or supposes it."""
    asked = not one.said.asked.isdisjoint(one.match.shared) or _has(one, QUESTIONS)
    own = _worded(one.match.claim, one.match.wording).tokens
    open_ = is_supposed(one.said, one.match.shared, own) or is_told_about(one.said, one.match.shared)
    return float(asked or open_ or is_doubted(one.said))


def quotation(one: Beside) -> float:
    """The share of the words in common that stand between quotation marks, where the claim is no quotation itself."""
    shared = one.match.shared
    if not one.said.quoted or not shared or any(sign in one.match.wording for sign in '"“„«'):
        return 0.0
    return sum([word in one.said.quoted for word in shared]) / len(shared)


def irony(one: Beside) -> float:
    """1 when there is laughter, rolled eyes, "/s", cHaNgInG case or a turn of phrase that is seldom meant."""
    return float(one.said.is_mocking or any(sign in one.said.folded for sign in IRONIC_SIGNS) or _has(one, IRONIES))


def correction(one: Beside) -> float:
    """Words that call something false or somebody a fool: 0, 0.5 for one, 1 for more."""
    return min(1.0, _count(one, CORRECTIONS) / 2)


def fact_check_link(one: Beside) -> float:
    """1 when it links to a fact-checker, to a page that calls itself a fact-check, or to where this claim's fact-check stands."""
    url = one.match.claim.url or ""
    return float(
        one.said.checks
        or any(_within(host, FACT_CHECKERS) or (len(host) > 6 and f"/{host}/" in url.replace("www.", "")) for host in one.said.hosts)
    )


def doubtful_link(one: Beside) -> float:
    """1 when it links to a domain of the operator's list of low credibility."""
    return float(bool(one.doubtful) and any(_within(host, one.doubtful) for host in one.said.hosts))


def quote_post(one: Beside) -> float:
    """1 when the post quotes another one: what it says of that cannot be read in its own words."""
    return float(one.said.is_quote)


def text_model(one: Beside) -> float:
    """How far the text reads like texts that were rated false; 0.5 is even odds."""
    return one.text_score


def length(one: Beside) -> float:
    """The post's words over 60, at most 1; masked words do not count."""
    return min(1.0, sum(one.said.open) / LONG)


def other_language(one: Beside) -> float:
    """1 when the post is in another language than English, in which alone there were judged examples."""
    return float(one.said.lang != "en")


FUNCTIONS: dict[str, Callable[[Beside], float]] = {
    function.__name__: function
    for function in (
        similarity,
        coverage,
        post_coverage,
        shared_words,
        longest_run,
        in_order,
        key_coverage,
        missing_terms,
        missing_names,
        missing_numbers,
        negated,
        affirmed,
        attribution,
        question,
        quotation,
        irony,
        correction,
        fact_check_link,
        doubtful_link,
        quote_post,
        text_model,
        length,
        other_language,
    )
}
DIGITS = 6
"""Decimals of a value, so that a calculator gives the same product."""


def features(one: Beside) -> dict[str, float]:
    """Every feature by its name."""
    return {name: round(function(one), DIGITS) for name, function in FUNCTIONS.items()}


def denies(wording: str, lang: str) -> bool:
    """Whether there is a negation in it."""
    return _negations(tokens(wording), lang)


def _denies(one: Beside) -> bool:
    return _worded(one.match.claim, one.match.wording).denies


def _negations(found: Collection[str], lang: str) -> bool:
    words = NEGATIONS.get(lang, NEGATIONS["en"]).words
    return any(_is_negation(word, words) for word in found)


def _is_negation(word: str, words: Collection[str]) -> bool:
    return word in words or word.endswith("n't")


def _negates_near(one: Beside) -> bool:
    words = NEGATIONS.get(one.said.lang, NEGATIONS["en"]).words
    return _is_near(one, lambda word: _is_negation(word, words))


def _counters(one: Beside, worded: _Worded) -> bool:
    """Whether a verb like "prevent" stands near the claim's words, and the claim is that something causes something."""
    causes = CAUSES.get(worded.lang, CAUSES["en"]).stems
    if not any(word.startswith(causes) for word in worded.tokens):
        return False
    cues = COUNTERS.get(one.said.lang, COUNTERS["en"])
    return _is_near(one, lambda word: word in cues.words or word.startswith(cues.stems))


def _is_near(one: Beside, wanted: Callable[[str], bool]) -> bool:
    """Whether such a word stands at most `NEAR` words from one of the claim's."""
    shared = frozenset(one.match.shared)
    at, found, hits = 0, [], []
    for word, is_open in zip(one.said.tokens, one.said.open, strict=True):
        if word not in shared and wanted(word):
            found.append(at)
        elif word in shared:
            hits.append(at)
            at += 1
        else:
            at += is_open
    return any(-NEAR <= hit - other <= NEAR for other in found for hit in hits)


def _has(one: Beside, cues: dict[str, Cues]) -> bool:
    return _count(one, cues) > 0


def _count(one: Beside, by_lang: dict[str, Cues]) -> int:
    """How many different cues the post has that the claim lacks."""
    cues = by_lang.get(one.said.lang, by_lang["en"])
    worded, spaced = _worded(one.match.claim, one.match.wording), one.said.spaced
    own = frozenset(one.said.tokens) - worded.tokens
    count = len(own & cues.words) + sum([phrase in spaced and phrase not in worded.spaced for phrase in cues.phrases])
    count += spaced.startswith(cues.starts) if cues.starts else 0
    return count + sum([word.startswith(cues.stems) for word in own]) if cues.stems else count


def _within(host: str, domains: Collection[str]) -> bool:
    """Whether a host is one of these or a part of one."""
    parts = host.split(".")
    return any(".".join(parts[at:]) in domains for at in range(len(parts) - 1))
