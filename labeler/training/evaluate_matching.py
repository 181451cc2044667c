"""How well claims are found in posts, and how often one is found in a post that repeats none.

    python -m labeler.training.evaluate_matching DATA [--train FOLDER]

DATA holds `claims/` (the CLEF CheckThat! 2022 bank, ratings and gold pairs) and `posts/bluesky_keyword_half.csv`; docs/training.md.
Cross-validated: a pair is ordered, and a post judged, by weights that were learned without it. Nothing of the data is kept.
Everyday posts are unlabelled; those that a reader found to say what the claim says (`STATING`) are no examples of others.
"""

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from labeler.claims import features
from labeler.claims.matching import Comparer, Learned
from labeler.training import Tell, TrainingError, one_thread
from labeler.training.abstention import PARTS, Judged, Post, Sides, abstention
from labeler.training.fitting import versions
from labeler.training.matching import FORMS, Fold, Pair, Pairs, Seen, first, fitted, frequencies, scores, seen, unsigned
from labeler.training.matching_variants import varied
from labeler.training.report import Cell, Report, Table, as_text
from labeler.training.statistics import wilson
from models.claims import Claim, Wording
from models.weights import dumps

FOLDS = 5
CUTOFF = 5
VACCINES = "vaccines"
STATING = frozenset(["57b5cc104dac2d70", "ed135a7941c7b4b8", "50b7b1a433ebab7f", "5a6af48f02460716", "363304a973dcd3bd"])
"""Everyday posts, by the beginning of their SHA-256: read and found to say what the claim says that they were matched to."""


class Data(NamedTuple):
    """What is measured on: claims with their ratings, posts that repeat one, and everyday posts with their topic."""

    bank: list[Claim]
    pairs: list[Pair]
    everyday: list[tuple[str, str]]


class Looked(NamedTuple):
    """What the matcher sees: pairs in both `FORMS`, and of each everyday post the candidates."""

    comparer: Comparer
    pairs: tuple[Pairs, ...]
    everyday: list[Seen]


class Ordered(NamedTuple):
    """Average precision at 5, and whether the first is right; of those compared, whether any is."""

    precision: float
    first_right: bool
    any_right: bool


class Crossed(NamedTuple):
    """Out-of-fold, by form: how each pair is ordered, and the first candidates of pairs and everyday posts; and by what, for each fold."""

    ordered: tuple[list[Ordered], ...]
    sides: tuple[Sides, ...]
    folds: Sequence[Fold]


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
    forms = []
    for form, pairs in zip(FORMS, (data.pairs, [Pair(unsigned(pair.text), pair.claims) for pair in data.pairs]), strict=True):
        ranked, gated = ([seen(comparer, pair.text, pair.claims, gate) for pair in pairs] for gate in (False, True))
        forms.append(Pairs(ranked, gated))
        tell(f"{len(pairs):,} pairs looked at {form}")
    everyday = [seen(comparer, text, (), gate=True) for text, _ in data.everyday]
    tell(f"{len(everyday):,} everyday posts looked at, {sum(bool(one.found) for one in everyday):,} with candidates")
    return Looked(comparer, tuple(forms), everyday)


def crossed(data: Data, looked: Looked, tell: Tell) -> Crossed:
    """Learn without each fifth in turn, and judge it."""
    of_pair = [_fold(pair.text) for pair in data.pairs]
    of_post = [_fold(text) for text, _ in data.everyday]
    folds = []
    for fold in range(FOLDS):
        tell(f"fold {fold + 1} of {FOLDS}")
        others = [one for one, other in zip(_others(data, looked), of_post, strict=True) if one and other != fold]
        forms = [Pairs(_but(form.ranked, of_pair, fold), _but(form.gated, of_pair, fold)) for form in looked.pairs]
        folds.append(Fold(forms, others, fitted(forms, others)))
    ordered = []
    for form in looked.pairs:
        ranked = zip(form.ranked, of_pair, data.pairs, strict=True)
        ordered.append([_ordered(one, folds[fold].learned, len(pair.claims)) for one, fold, pair in ranked])
    return Crossed(tuple(ordered), sides(data, looked, [one.learned for one in folds]), folds)


def sides(data: Data, looked: Looked, by: Sequence[Learned]) -> tuple[Sides, ...]:
    """First candidates, by form, each judged by what was learned without its fold."""
    posts = [
        Post(_judged(looked, one, by[_fold(text)]), _part(text), topic == VACCINES, _states(text))
        for one, (text, topic) in zip(looked.everyday, data.everyday, strict=True)
    ]
    return tuple(
        Sides(
            [(_judged(looked, one, by[_fold(pair.text)]), _part(pair.text)) for one, pair in zip(form.gated, data.pairs, strict=True)],
            posts,
        )
        for form in looked.pairs
    )


def _others(data: Data, looked: Looked) -> list[Seen | None]:
    """Everyday posts to learn from; None in the place of those that say what a claim says."""
    return [None if _states(text) else one for (text, _), one in zip(data.everyday, looked.everyday, strict=True)]


def _states(text: str) -> bool:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] in STATING


def _part(text: str) -> int:
    """Equal texts fall into one part, and each part into one fold."""
    first, second, *_ = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return first % FOLDS * 2 + second % 2


def _fold(text: str) -> int:
    return _part(text) * FOLDS // PARTS


def _but(some: Sequence[Seen], folds: Sequence[int], fold: int) -> list[Seen]:
    return [one for one, other in zip(some, folds, strict=True) if other != fold]


def _ordered(one: Seen, by: Learned, wanted: int) -> Ordered:
    values = scores(one, by.order)
    order = sorted(range(len(values)), key=lambda at: (-values[at], at))[:CUTOFF]
    hits = [place for place, at in enumerate(order) if one.right[at]]
    return Ordered(sum((n + 1) / (place + 1) for n, place in enumerate(hits)) / wanted, hits[:1] == [0], any(one.right))


def _judged(looked: Looked, one: Seen, by: Learned) -> Judged:
    if not one.found:
        return Judged(0.0, False, False)
    found, right = first(one, by.order)
    claim = looked.comparer.claims[looked.comparer.index.document(found.document).claim]
    return Judged(by.chance(found.features), right, claim.rating == "false")


def report(data: Data, looked: Looked, found: Crossed, tell: Tell) -> Report:
    """The figures, as tables."""
    rows: list[tuple[Cell, ...]] = []
    for form, some in zip(FORMS, found.ordered, strict=True):
        mean, recall = (sum(values) / len(some) for values in ([one.precision for one in some], [one.any_right for one in some]))
        share = _rounded(wilson(sum(one.first_right for one in some), len(some)))
        rows.append((form, len(some), len(data.bank), round(mean, 4), *share, round(recall, 4)))
    columns = ("posts", "pairs", "claims", "MAP@5", "P@1", "from", "to", "right claim among those compared")
    vaccines, stating = sum(topic == VACCINES for _, topic in data.everyday), sum(_states(text) for text, _ in data.everyday)
    about = (
        f"{len(data.everyday):,} everyday posts, of them {vaccines:,} about vaccines; {stating} were read and found to say what the claim"
    )
    return Report(
        "Matching",
        (f"{about} says that they are matched to: they are alarms all the same, where not said otherwise.",),
        (
            Table("Order, cross-validated over the pairs, full bank", columns, tuple(rows)),
            *(abstention(form, sides) for form, sides in zip(FORMS, found.sides, strict=True)),
            varied(found.folds, lambda by: sides(data, looked, by), tell),
            _by_topic(data, looked),
        ),
        (),
    )


def _by_topic(data: Data, looked: Looked) -> Table:
    topics: dict[str, list[bool]] = {}
    for (_, topic), one in zip(data.everyday, looked.everyday, strict=True):
        topics.setdefault(topic, []).append(bool(one.found))
    rows = tuple((topic, len(some), round(100 * sum(some) / len(some), 1)) for topic, some in sorted(topics.items()))
    return Table("Everyday posts that share enough with any claim to be compared", ("topic", "posts", "%"), rows)


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(value, 4) for value in values]


@one_thread()
def evaluate(folder: Path, tell: Tell) -> Report:
    """Read, look, cross-validate, report."""
    data = read(folder)
    looked = look(data, tell)
    return report(data, looked, crossed(data, looked, tell), tell)


@one_thread()
def train(folder: Path, tell: Tell) -> tuple[Learned, Report]:
    """Weights learned from everything, with the cross-validated figures in their cards."""
    data = read(folder)
    looked = look(data, tell)
    figures = report(data, looked, crossed(data, looked, tell), tell)
    card = {"metrics": as_text(figures).splitlines(), "features": list(features.NAMES), "folds": FOLDS, "versions": versions()}
    return fitted(looked.pairs, [one for one in _others(data, looked) if one], card), figures


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
