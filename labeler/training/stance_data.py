"""Examples of stance as named numbers: judged pairs, gold pairs of post and claim, and what everyday posts look like. No text is kept.

A folder holds what `evaluate_matching` and `data` tell of, and `stance/pairs.csv` (columns post, claim, label, claim_id, claim_source,
claim_url, lang); `domains/*.csv` (column domain) may list domains of low credibility.
"""

import csv
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from labeler.claims import seed
from labeler.claims.matching import Matcher
from labeler.stance.features import features
from labeler.stance.judging import beside
from labeler.training import Tell, TrainingError, evaluate_matching, library
from labeler.training.data import Source, read, source
from labeler.training.experiments import Experiment
from labeler.training.fitting import Recipe
from models.claims import Claim, Wording
from models.post import Post
from models.text_model import TextModel, probability

LABELS = ("ASSERTS", "REBUTS", "REPORTS", "ASKS", "UNRELATED")
JUDGED, GOLD, EVERYDAY = "judged", "gold", "everyday"
PAIRS = "stance/pairs.csv"


class Example(NamedTuple):
    """A post beside a claim. `label` is one of LABELS for a judged pair, the topic for an everyday post, empty for a gold pair.

    `is_false`: whether the claim is rated false.
    """

    kind: str
    claim: str
    label: str
    is_false: bool
    values: dict[str, float]


class Examples(NamedTuple):
    """All of them, how many everyday posts of each topic were looked at (most have no candidate), and the files."""

    examples: list[Example]
    looked_at: dict[str, int]
    sources: list[Source]


class _Pair(NamedTuple):
    post: Post
    claim: Claim
    from_bank: bool
    label: str


def read_examples(folder: Path, model: TextModel, tell: Tell) -> Examples:
    """Look at everything once. TrainingError when a file is missing or not as expected."""
    data = evaluate_matching.read(folder)
    pairs, domains = _pairs(folder / PAIRS), _domains(folder)
    scores = _scores(folder, model, tell)
    known = {claim.id for claim in data.bank}
    if missing := [pair.claim.id for pair in pairs if pair.from_bank and pair.claim.id not in known]:
        raise TrainingError(f"{folder / PAIRS}: claim {missing[0]!r} is none of the bank")
    others = {pair.claim.id: pair.claim for pair in pairs if pair.claim.id not in known}
    bank = [*data.bank, *others.values(), *seed.claims(0)]
    matcher = Matcher(bank)
    tell(f"{len(bank):,} claims indexed")

    def example(kind: str, post: Post, claim: str, label: str, is_false: bool) -> Iterator[Example]:
        if one := beside(post, claim, matcher, model, domains):
            score = scores.get(tuple(model.words(post.text)))
            yield Example(kind, claim, label, is_false, features(one if score is None else one._replace(text_score=probability(score))))

    examples = [found for pair in pairs for found in example(JUDGED, pair.post, pair.claim.id, pair.label, True)]
    false = {claim.id for claim in bank if claim.rating.lower() == "false"}
    gold = [(Post(pair.text), claim) for pair in data.pairs for claim in sorted(pair.claims)]
    examples += [found for post, claim in gold for found in example(GOLD, post, claim, "", claim in false)]
    tell(f"{len(examples):,} pairs looked at")
    judged = {pair.post.text for pair in pairs}
    for text, topic in data.everyday:
        if text not in judged and (candidates := matcher.candidates(text)):
            claim = candidates[0].claim.id
            examples += example(EVERYDAY, Post(text), claim, topic, claim in false)
    tell(f"{len(data.everyday):,} everyday posts looked at, {sum(one.kind == EVERYDAY for one in examples):,} with a candidate")
    looked_at = {topic: sum(other == topic for _, other in data.everyday) for topic in sorted({topic for _, topic in data.everyday})}
    return Examples(examples, looked_at, _sources(folder, len(pairs), data))


def _scores(folder: Path, model: TextModel, tell: Tell) -> dict[tuple[str, ...], float]:
    """What text models say that have not seen the text, for all texts that the shipped one learned from."""
    with library("threadpoolctl").threadpool_limits(1):  # sums of several threads differ in their last bits
        crossed = Experiment(read(folder, model.words), Recipe()).crossed(tell)
    return {text.words: score for text, score in crossed}


def _pairs(file: Path) -> list[_Pair]:
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            return [_pair(row) for row in csv.DictReader(opened)]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise TrainingError(f"{file}: not the pairs that docs/training.md tells of: {error}") from None


def _pair(row: dict[str, str]) -> _Pair:
    if row["label"] not in LABELS:
        raise ValueError(f"label {row['label']!r}: expected one of {', '.join(LABELS)}")
    wording = Wording(row["claim"], "en")
    claim = Claim(id=row["claim_id"], wordings=(wording,), rating="false", url=row["claim_url"] or None, lang="en")
    return _Pair(Post(row["post"], langs=(row["lang"],)), claim, row["claim_source"] == "ct22", row["label"])


def _domains(folder: Path) -> Collection[str]:
    found: set[str] = set()
    for file in sorted((folder / "domains").glob("cred1*.csv")):
        with file.open(newline="", encoding="utf-8") as opened:
            found |= {row["domain"].strip().lower() for row in csv.DictReader(opened)}
    return frozenset(found)


def _sources(folder: Path, pairs: int, data: evaluate_matching.Data) -> list[Source]:
    rows: Iterable[tuple[str, int]] = (
        (PAIRS, pairs),
        ("claims/ct22_bank.jsonl", len(data.bank)),
        ("claims/ct22_ratings.csv", sum(claim.rating != "unknown" for claim in data.bank)),
        ("claims/ct22_train_queries.tsv", len(data.pairs)),
        ("claims/ct22_train_qrels.tsv", sum(len(pair.claims) for pair in data.pairs)),
        ("posts/bluesky_keyword_half.csv", len(data.everyday)),
    )
    return [source(folder / name, folder, count, count) for name, count in rows]
