"""How well claims are found in posts, and how often one is found in a post that repeats none.

    python -m labeler.training.evaluate_matching DATA [--train FOLDER]

DATA holds `claims/` (the CLEF CheckThat! 2022 bank, ratings and gold pairs) and `posts/bluesky_keyword_half.csv`; docs/training.md.
Cross-validated: a pair is ordered, and a post judged, by weights that were learned without it. Nothing of the data is kept.
"""

import argparse
import csv
import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from labeler.claims import features
from labeler.claims.matching import Comparer, Learned
from labeler.training import Tell, TrainingError
from labeler.training.matching import Pair, Seen, first, fitted, frequencies, scores, seen
from labeler.training.report import Cell, Report, Table, as_text
from labeler.training.statistics import wilson
from models.claims import Claim, Wording
from models.weights import dumps

FOLDS = 5
PRECISION = 0.99
LIMITS = ((1.0, 2.0), (3.5, 6.7))
"""False alarms allowed in 10,000: (everyday posts, posts about vaccines)."""
CUTOFF = 5
VACCINES = "vaccines"


class Data(NamedTuple):
    """What is measured on: claims with their ratings, posts that repeat one, and everyday posts with their topic."""

    bank: list[Claim]
    pairs: list[Pair]
    everyday: list[tuple[str, str]]


class Looked(NamedTuple):
    """What the matcher sees: of each pair the best by BM25 and the candidates, of each everyday post the candidates."""

    comparer: Comparer
    ranked: list[Seen]
    gated: list[Seen]
    everyday: list[Seen]


class Judged(NamedTuple):
    """The first candidate of a post: its similarity (0 when there is none), whether it is right, whether its claim is rated false."""

    similarity: float
    right: bool
    rated_false: bool


class Crossed(NamedTuple):
    """Out-of-fold: average precision at 5 and whether the first is right, by pair; the judgements of pairs and of everyday posts."""

    precision: list[float]
    first_right: list[bool]
    pairs: list[Judged]
    everyday: list[Judged]


def read(folder: Path) -> Data:
    """TrainingError when a file is missing or not as expected."""
    claims, posts = folder / "claims", folder / "posts" / "bluesky_keyword_half.csv"
    try:
        with (claims / "ct22_ratings.csv").open(newline="", encoding="utf-8") as file:
            ratings = {row["vclaim_id"]: row["rating"] for row in csv.DictReader(file)}
        lines = (claims / "ct22_bank.jsonl").read_text("utf-8").splitlines()
        bank = [_claim(msgspec.json.decode(line), ratings) for line in lines]
        right: dict[str, set[str]] = {}
        for line in (claims / "ct22_train_qrels.tsv").read_text("utf-8").splitlines():
            post, _, claim, *_ = line.split()
            right.setdefault(post, set()).add(claim)
        queries = [line.split("\t") for line in (claims / "ct22_train_queries.tsv").read_text("utf-8").splitlines()]
        with posts.open(newline="", encoding="utf-8") as file:
            everyday = [(row["text"], row["topic"]) for row in csv.DictReader(file)]
        return Data(bank, [Pair(text, frozenset(right[post])) for post, text in queries], everyday)
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise TrainingError(f"{folder}: not the data of claims that docs/training.md tells of: {error}") from None


def _claim(row: dict[str, str], ratings: dict[str, str]) -> Claim:
    wording = Wording(row["vclaim"] or row["title"], "en")
    rating = ratings.get(row["vclaim_id"], "unknown")
    return Claim(id=row["vclaim_id"], wordings=(wording,), rating=rating, title=row["title"], summary=row["subtitle"], lang="en")


def look(data: Data, tell: Tell) -> Looked:
    """Ask the matcher about everything, once."""
    comparer = Comparer(data.bank)
    tell(f"{len(comparer.index):,} wordings indexed")
    ranked = [seen(comparer, pair.text, pair.claims) for pair in data.pairs]
    gated = [seen(comparer, pair.text, pair.claims, gate=True) for pair in data.pairs]
    tell(f"{len(ranked):,} pairs looked at")
    everyday = [seen(comparer, text, (), gate=True) for text, _ in data.everyday]
    tell(f"{len(everyday):,} everyday posts looked at, {sum(bool(one.found) for one in everyday):,} with candidates")
    return Looked(comparer, ranked, gated, everyday)


def crossed(data: Data, looked: Looked, tell: Tell) -> Crossed:
    """Learn without each fifth in turn, and judge it."""
    of_pair = [_fold(pair.text) for pair in data.pairs]
    of_post = [_fold(text) for text, _ in data.everyday]
    precision, right = [0.0] * len(of_pair), [False] * len(of_pair)
    pairs, everyday = [Judged(0.0, False, False)] * len(of_pair), [Judged(0.0, False, False)] * len(of_post)
    for fold in range(FOLDS):
        tell(f"fold {fold + 1} of {FOLDS}")
        by = fitted(_but(looked.ranked, of_pair, fold), _but(looked.gated, of_pair, fold), _but(looked.everyday, of_post, fold))
        for at in _of(of_pair, fold):
            precision[at], right[at] = _ordered(looked.ranked[at], by, len(data.pairs[at].claims))
            pairs[at] = _judged(looked, looked.gated[at], by)
        for at in _of(of_post, fold):
            everyday[at] = _judged(looked, looked.everyday[at], by)
    return Crossed(precision, right, pairs, everyday)


def _fold(text: str) -> int:
    """Equal texts fall into one fold."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] % FOLDS


def _of(folds: Sequence[int], fold: int) -> Iterable[int]:
    return (at for at, other in enumerate(folds) if other == fold)


def _but(some: Sequence[Seen], folds: Sequence[int], fold: int) -> list[Seen]:
    return [one for one, other in zip(some, folds, strict=True) if other != fold]


def _ordered(one: Seen, by: Learned, wanted: int) -> tuple[float, bool]:
    """Average precision at 5, and whether the first is right."""
    values = scores(one, by.order)
    order = sorted(range(len(values)), key=lambda at: (-values[at], at))[:CUTOFF]
    hits = [place for place, at in enumerate(order) if one.right[at]]
    return sum((n + 1) / (place + 1) for n, place in enumerate(hits)) / wanted, hits[:1] == [0]


def _judged(looked: Looked, one: Seen, by: Learned) -> Judged:
    if not one.found:
        return Judged(0.0, False, False)
    found, right = first(one, by.order)
    claim = looked.comparer.claims[looked.comparer.index.document(found.document).claim]
    return Judged(by.chance(found.features), right, claim.rating == "false")


class Level(NamedTuple):
    """The lowest threshold that keeps the promise: what is matched there, and what it costs."""

    threshold: float
    matched: int
    right: int
    alarms: int
    vaccine_alarms: int


def level(data: Data, found: Crossed, limits: tuple[float, float], alarming: Callable[[Judged], bool]) -> Level | None:
    """At which precision is `PRECISION` and false alarms are within the limits of 10,000; None where there is no such threshold."""
    topics = [topic == VACCINES for _, topic in data.everyday]
    of_vaccines = sum(topics)
    allowed = limits[0] * (len(topics) - of_vaccines) / 1e4, limits[1] * of_vaccines / 1e4
    alarms = [(one.similarity, topic) for one, topic in zip(found.everyday, topics, strict=True) if one.similarity and alarming(one)]
    best = None
    for threshold in sorted({one.similarity for one in found.pairs if one.similarity}, reverse=True):
        matched = [one.right for one in found.pairs if one.similarity >= threshold]
        loud = [topic for similarity, topic in alarms if similarity >= threshold]
        at = Level(threshold, len(matched), sum(matched), len(loud) - sum(loud), sum(loud))
        if at.alarms > allowed[0] or at.vaccine_alarms > allowed[1]:
            break
        if at.right >= PRECISION * at.matched:
            best = at
    return best


def report(data: Data, looked: Looked, found: Crossed) -> Report:
    """The figures, as tables."""
    pairs = len(data.pairs)
    recall = sum(any(one.right) for one in looked.ranked) / pairs
    first_right = sum(found.first_right)
    ordering = Table(
        "Order, cross-validated over the pairs, full bank",
        ("pairs", "claims", "MAP@5", "P@1", "from", "to", "right claim among those compared"),
        ((pairs, len(data.bank), round(sum(found.precision) / pairs, 4), *_rounded(wilson(first_right, pairs)), round(recall, 4)),),
    )
    return Report(
        "Matching",
        (f"{len(data.everyday):,} everyday posts, of them {sum(topic == VACCINES for _, topic in data.everyday):,} about vaccines.",),
        (ordering, _abstention(data, found), _by_topic(data, looked)),
        (),
    )


def _abstention(data: Data, found: Crossed) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for what, alarming in (("any claim", lambda _: True), ("a claim rated false", lambda one: one.rated_false)):
        for limits in LIMITS:
            at = level(data, found, limits, alarming)
            allowed = f"{limits[0]:g} and {limits[1]:g}"
            if at is None:
                rows.append((what, allowed, 0, 0, 0, 0, 0, "none"))
            else:
                share = round(100 * at.matched / len(data.pairs), 1)
                rows.append((what, allowed, share, at.right, at.matched, at.alarms, at.vaccine_alarms, round(at.threshold, 3)))
    columns = ("alarm is", "allowed in 10,000", "% of pairs matched", "right", "of", "everyday alarms", "vaccine alarms", "threshold")
    return Table(f"Share matched at precision {PRECISION}", columns, tuple(rows))


def _by_topic(data: Data, looked: Looked) -> Table:
    topics: dict[str, list[bool]] = {}
    for (_, topic), one in zip(data.everyday, looked.everyday, strict=True):
        topics.setdefault(topic, []).append(bool(one.found))
    rows = tuple((topic, len(some), round(100 * sum(some) / len(some), 1)) for topic, some in sorted(topics.items()))
    return Table("Everyday posts that share enough with any claim to be compared", ("topic", "posts", "%"), rows)


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(value, 4) for value in values]


def evaluate(folder: Path, tell: Tell) -> Report:
    """Read, look, cross-validate, report."""
    data = read(folder)
    looked = look(data, tell)
    return report(data, looked, crossed(data, looked, tell))


def train(folder: Path, tell: Tell) -> tuple[Learned, Report]:
    """Weights learned from everything, with the cross-validated figures in their cards."""
    data = read(folder)
    looked = look(data, tell)
    figures = report(data, looked, crossed(data, looked, tell))
    card = {"metrics": as_text(figures).splitlines(), "features": list(features.NAMES), "folds": FOLDS}
    return fitted(looked.ranked, looked.gated, looked.everyday, card), figures


def main() -> int:
    """Print the figures; with --train also write background.json, order.json and similarity.json (in labeler/claims they take effect)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--train", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    tell: Tell = lambda line: print(line, file=sys.stderr)  # noqa: E731, T201
    if arguments.train:
        common = frequencies([text for text, _ in read(arguments.data).everyday])
        (arguments.train / "background.json").write_bytes(msgspec.json.format(msgspec.json.encode(common), indent=0))
        learned, figures = train(arguments.data, tell)
        (arguments.train / "order.json").write_bytes(dumps(learned.order))
        (arguments.train / "similarity.json").write_bytes(dumps(learned.similarity))
    else:
        figures = evaluate(arguments.data, tell)
    print(as_text(figures))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
